"""Residual networks for 32 x 32 images: ResNet-20/110 (He et al., CVPR 2016) and PreResNet-110 (He et al., ECCV 2016).

Depth 6n + 2: a 3x3 convolution, three stages of n basic blocks with widths 16, 32, 64 and strides 1, 2, 2, global
average pooling, one dense layer. Shortcuts that change the shape subsample and pad channels with zeros (option A), so
they have no parameters.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from gsmooth_jax.models.batch_norm import BatchNorm, normalised

_conv = functools.partial(
    nn.Conv,
    kernel_size=(3, 3),
    padding=((1, 1), (1, 1)),  # symmetric also at stride 2, as in the papers; "SAME" would pad one side only
    use_bias=False,
    kernel_init=nn.initializers.variance_scaling(2.0, "fan_out", "normal"),
)


class _Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; ``pre`` moves batch norm and ReLU before each convolution."""

    width: int
    stride: int
    pre: bool

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        norm = functools.partial(BatchNorm, not train)
        shortcut = _shortcut(x, self.width, self.stride)
        if self.pre:
            x = nn.relu(norm()(x))
            y = nn.relu(normalised(_conv(self.width, strides=self.stride), norm(), x))
            return shortcut + _conv(self.width)(y)
        y = nn.relu(normalised(_conv(self.width, strides=self.stride), norm(), x))
        return nn.relu(shortcut + normalised(_conv(self.width), norm(), y))


class ResNet(nn.Module):
    """A CIFAR residual network. Input [B, H, W, C], output logits [B, K]; ``batch_stats`` hold the running moments."""

    classes: int
    depth: int = 20
    width: int = 16
    pre: bool = False

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """[B, H, W, C] -> [B, K]. ``train`` normalises by the batch's moments and updates the running ones. Device."""
        blocks, rest = divmod(self.depth - 2, 6)
        if rest or blocks < 1:
            raise ValueError(f"Expected depth = 6 n + 2 with n >= 1, got depth={self.depth}.")
        first = _conv(self.width)
        x = first(images) if self.pre else nn.relu(normalised(first, BatchNorm(not train), images))
        for stage in range(3):
            # Unrolled: gradients of convolutions inside an XLA loop are ten times as slow on CPU.
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                x = _Block(self.width * 2**stage, stride=stride, pre=self.pre)(x, train)
        if self.pre:
            x = nn.relu(BatchNorm(not train)(x))
        return nn.Dense(self.classes)(x.mean(axis=(1, 2)))


def _shortcut(x: jax.Array, width: int, stride: int) -> jax.Array:
    extra = width - x.shape[-1]
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (extra // 2, extra - extra // 2)))
