"""The network of the CIFAR-10 speed runs: few wide convolutions, which is what processors are fast at.

Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single A100" (2024), after Tysam Balsewin's hlb-CIFAR10 (2023); the
whitening layer is David Page's ("How to Train Your ResNet 8: Bag of Tricks", 2019).
"""

import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.models.batch_norm import BatchNorm, normalised
from gsmooth_jax.models.pooling import global_max_pool, max_pool

_PATCH = 2  # px, the side of a whitened patch
_EPS = 5e-4  # Keller Jordan's: a direction that the patches lack is not blown up without bound
_SCALE = 1 / 9  # of the logits, his as well


class SpeedNet(nn.Module):
    """A frozen whitening 2 x 2 convolution, three blocks, the largest of each channel, one dense layer.

    A block is conv 3x3, max-pool 2, batch norm, GELU, conv 3x3, batch norm, GELU. Input [B, H, W, C] with H, W >= 9,
    output logits [B, K]. The whitening kernel is the variable ``frozen/whitening``: kept with the weights, never
    trained; ``fit`` takes it from training images. With ``mirror`` the logits are, when the network is not trained, the
    mean of those of an image and of its mirror image: twice the work a vote.
    """

    classes: int
    widths: tuple[int, ...] = (64, 256, 256)
    mirror: bool = False

    def __post_init__(self):
        if type(self.mirror) is not bool:
            raise ValueError(f"Expected mirror to be True or False, got mirror={self.mirror!r}.")
        _validate.kind(tuple, "as many widths as blocks", widths=self.widths)
        _validate.at_least(1, **{f"widths[{block}]": width for block, width in enumerate(self.widths)})
        super().__post_init__()

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """[B, H, W, C] -> [B, K]. ``train`` normalises by the batch's moments and updates the running ones. Device."""
        smallest = _PATCH - 1 + 2 ** len(self.widths)
        if min(images.shape[1:3]) < smallest:
            raise ValueError(f"Expected images of at least {smallest} x {smallest} pixels, got {images.shape[1:3]}.")
        count, twice = len(images), self.mirror and not train
        if twice:
            images = jnp.concatenate([images, images[:, :, ::-1]])
        conv = functools.partial(nn.Conv, kernel_size=(3, 3), use_bias=False)
        norm = functools.partial(BatchNorm, not train)
        kernel = self.variable("frozen", "whitening", _unfitted, images.shape[-1]).value
        bias = self.param("bias", nn.initializers.zeros, kernel.shape[-1:])
        x = jax.lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = nn.gelu(x + bias[None, None, None])
        for width in self.widths:
            x = nn.gelu(norm()(max_pool(conv(width)(x))))
            x = nn.gelu(normalised(conv(width), norm(), x))
        logits = nn.Dense(self.classes, use_bias=False)(global_max_pool(x)) * _SCALE
        return 0.5 * (logits[:count] + logits[count:]) if twice else logits

    def fit(self, variables: Mapping[str, Any], images: np.ndarray) -> dict[str, Any]:
        """Returns the variables with the whitening of these images [N, H, W, C], as the network sees them. Host."""
        kernel = jnp.asarray(whitening(images), jnp.float32)
        return {**variables, "frozen": {**variables["frozen"], "whitening": kernel}}


def whitening(images: np.ndarray) -> np.ndarray:
    """Returns the kernel [2, 2, C, 8 C] whose outputs on these images have uncorrelated halves of variance 1. Host.

    The eigenvectors of the patches' second moments, each divided by the root of its eigenvalue, and their negatives:
    what GELU cuts off of the one it lets through of the other.

    Args:
      images: [N, H, W, C] float, normalised, under the noise that the network will see: what noise drowns is not
        blown up.
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (_PATCH, _PATCH), axis=(1, 2))  # [N, h, w, C, 2, 2]
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, _PATCH * _PATCH * images.shape[-1]).astype(np.float64)
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    return _both_signs(vectors / np.sqrt(values + _EPS))


def _unfitted(channels: int) -> jax.Array:
    return jnp.asarray(_both_signs(np.eye(_PATCH * _PATCH * channels)), jnp.float32)


def _both_signs(columns: np.ndarray) -> np.ndarray:
    """[4 C, M] -> [2, 2, C, 2 M]."""
    return np.concatenate([columns, -columns], axis=1).reshape(_PATCH, _PATCH, -1, 2 * columns.shape[1])
