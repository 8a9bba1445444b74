"""The MNIST ConvNet of TSS (Li et al., CCS 2021): four convolutions, three dense layers."""

import functools

import flax.linen as nn
import jax

from gsmooth_jax.models.batch_norm import BatchNorm, normalised
from gsmooth_jax.models.pooling import max_pool


class ConvNet(nn.Module):
    """Conv 3x3 (32, 32), pool, conv 3x3 (64, 64), pool, dense 200, 200, K; ReLU after every layer but the last.

    Convolutions are unpadded. Input [B, H, W, C] with H, W >= 16, output logits [B, K]. With ``batch_norm``, which is
    not TSS's, every ReLU follows a batch normalisation.
    """

    classes: int
    widths: tuple[int, int] = (32, 64)
    hidden: tuple[int, ...] = (200, 200)
    batch_norm: bool = False

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        """[B, H, W, C] -> [B, K]. ``train`` normalises by the batch's moments, where there is batch norm. Device."""
        if min(images.shape[1:3]) < 16:
            raise ValueError(f"Expected images of at least 16 x 16 pixels, got {images.shape[1:3]}.")
        conv = functools.partial(nn.Conv, kernel_size=(3, 3), padding="VALID", use_bias=not self.batch_norm)
        dense = functools.partial(nn.Dense, use_bias=not self.batch_norm)

        norm = functools.partial(BatchNorm, not train)

        def layer(linear: nn.Conv | nn.Dense, x: jax.Array) -> jax.Array:
            return nn.relu(normalised(linear, norm(), x) if self.batch_norm else linear(x))

        x = images
        for width in self.widths:
            x = layer(conv(width), x)
            x = max_pool(conv(width)(x))  # before the normalisation, whose factors may be negative
            x = nn.relu(norm()(x) if self.batch_norm else x)
        x = x.reshape(x.shape[0], -1)
        for width in self.hidden:
            x = layer(dense(width), x)
        return nn.Dense(self.classes)(x)
