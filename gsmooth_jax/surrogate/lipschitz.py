"""How far apart F2 can drive two images: a deterministic upper bound. Host, float64."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gsmooth_jax.transforms import float32

_OUTWARD = 1.0 + 1e-5
"""Widening of every bound: what rounding of spectra and singular values could take away, many times over."""


def convolution_upper(kernel: np.ndarray, image_shape: tuple[int, ...]) -> float:
    """Bounds the L2 operator norm of a zero-padded convolution from above. Rounded up.

    A convolution of H x W images that sees zeros outside is part of the cyclic one on (H + h - 1) x (W + w - 1) images,
    whose norm is the largest singular value of its C_in x C_out symbols over the grid of frequencies. (THEORY D7.1;
    Sedghi et al. 2019 for the cyclic case.)

    Args:
      kernel: [h, w, C_in, C_out].
      image_shape: (H, W, ...).
    """
    kernel = np.asarray(kernel, np.float64)
    padded = [n + k - 1 for n, k in zip(image_shape, kernel.shape[:2], strict=False)]
    symbols = np.fft.rfft2(kernel, s=padded, axes=(0, 1))
    return float(np.linalg.norm(symbols, 2, axis=(-2, -1)).max()) * _OUTWARD


def encoder_upper(encoder: Mapping[str, Any], image_shape: tuple[int, ...]) -> float:
    """Bounds Lip(F2) of F2 = identity + convolutions with ReLUs between them: 1 + their norms' product (THEORY D7.1).

    Args:
      encoder: F2's variables, one entry a layer; no layer for F2 = identity.
      image_shape: (H, W, C).

    Raises:
      ValueError: a layer that is no convolution, or one whose weights are not finite, has no bound; names it.
    """
    if not encoder:
        return 1.0
    return (1.0 + math.prod(layer.norm for layer in layers(encoder, image_shape))) * _OUTWARD


class Layer(NamedTuple):
    """A convolution of F2.

    Attributes:
      norm: bounds its L2 operator norm.
      absolute: bounds that of its weights' absolute values.
      terms: of each of its sums.
      bias: L2 norm of what it adds.
    """

    norm: float
    absolute: float
    terms: int
    bias: float


def layers(encoder: Mapping[str, Any], image_shape: tuple[int, ...]) -> Iterator[Layer]:
    """Yields the layers of F2, first one first; raises as ``encoder_upper``."""
    for name, layer in encoder.items():
        kernel = np.asarray(layer.get("kernel", 0.0))
        if kernel.ndim != 4 or not layer.keys() <= {"kernel", "bias"}:
            raise ValueError(
                f"Layer {name!r} of F2 has no Lipschitz bound: expected a convolution's kernel [h, w, C_in, C_out], "
                f"got arrays {sorted(layer)} (normalisation belongs into H)."
            )
        if not np.isfinite(kernel).all():
            raise ValueError(f"Layer {name!r} of F2 has no Lipschitz bound: some of its weights are not finite.")
        bias = float(np.linalg.norm(np.asarray(layer.get("bias", 0.0), np.float64)))
        yield Layer(
            norm=convolution_upper(kernel, image_shape),
            absolute=convolution_upper(np.abs(kernel), image_shape),
            terms=math.prod(kernel.shape[:3]) + 1,
            bias=bias * math.sqrt(math.prod(image_shape[:2])),
        )


def rounding_upper(stack: tuple[Layer, ...], length: float) -> float:
    """Bounds how far float32 takes F2 of an image, whose L2 norm is at most ``length``, from the real latent in L2.

    A layer hands on its input's error times its norm, and adds what ``float32.product`` says of its sums, the bias
    among their terms (THEORY J13). At the end the image is added.
    """
    reached, error = length, 0.0
    for layer in stack:
        most = layer.norm * reached + layer.bias
        own = float32.product(layer.terms, layer.absolute * reached + layer.bias, most)
        reached, error = most, layer.norm * error + own
    return error + float32.MARGIN * float32.UNIT * (length + reached) if stack else 0.0
