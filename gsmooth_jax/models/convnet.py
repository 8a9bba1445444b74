"""The MNIST ConvNet of TSS (Li et al., CCS 2021): four convolutions, three dense layers."""

import functools

import flax.linen as nn
import jax


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

        def activate(x: jax.Array) -> jax.Array:
            return nn.relu(nn.BatchNorm(not train, momentum=0.9)(x) if self.batch_norm else x)

        x = images
        for width in self.widths:
            x = activate(conv(width)(x))
            x = activate(_max_pool(conv(width)(x)))
        x = x.reshape(x.shape[0], -1)
        for width in self.hidden:
            x = activate(dense(width)(x))
        return nn.Dense(self.classes)(x)


def _max_pool(x: jax.Array) -> jax.Array:
    """2 x 2 maxima, stride 2. By reshape: on CPU its gradient is about ten times as fast as a reduce-window's."""
    batch, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
