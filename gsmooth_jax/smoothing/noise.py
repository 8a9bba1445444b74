"""What one vote does to its smoothing centre: pytrees whose call draws the image that the classifier sees. Device."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _spec
from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Computed, Smoothing, Transform, param_dim


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class ParameterNoise:
    """Transforms the image by a draw of the law: the noise of the closed-form methods.

    Attributes:
      transform: what is drawn from.
      law: of its parameters; traced, so that another scale compiles nothing.
    """

    transform: Transform = dataclasses.field(metadata={"static": True})
    law: Smoothing

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        return self.transform(centre, draw_parameter(self.law, key, param_dim(self.transform, centre.shape)))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class NoNoise:
    """Leaves the centre as it is: what a method without smoothing speaks about is the model itself."""

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> the same."""
        del key
        return centre


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelNoise:
    """Adds independent normal noise to every pixel (Cohen et al. 2019), and if asked for one more draw to all of them.

    The latent of an image is the image itself. With n entries the covariance is S = sigma^2 I + brightness^2 1 1^T, the
    same for every image, so classes carry over by |.|_(S^-1) (THEORY D1), however an image came about: behind a clip or
    a rounding as well. A brightness b that is added last costs b / brightness at most, as where the brightness is
    smoothed by itself (TSS, Li et al. 2021; THEORY C1), and less as pixel noise takes a part of it.

    Attributes:
      sigma: standard deviation of each pixel's own draw, on the [0, 1] scale of intensities; traced.
      brightness: standard deviation of the common draw; traced.
    """

    sigma: float
    brightness: float = dataclasses.field(default=0.0, metadata=_spec.LATER)

    name: ClassVar[str] = "pixel_noise"

    def __post_init__(self):
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))
        object.__setattr__(self, "brightness", _host.number(self.brightness, "brightness"))
        if isinstance(self.brightness, float) and self.brightness < 0.0:
            raise ValueError(f"Expected brightness >= 0, got brightness={self.brightness!r}.")

    @property
    def lipschitz_upper(self) -> float:
        """How much further apart, at most, two latents are than their images, in standard deviations of the noise."""
        return 1.0 / self.sigma

    def offset_upper(self, entries: int) -> float:
        """The same along 1, an eigenvector of S: (sigma^2 + n brightness^2)^(-1/2)."""
        return (self.sigma**2 + entries * self.brightness**2) ** -0.5

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        sigma, brightness = jnp.float32(self.sigma), jnp.float32(self.brightness)
        common = jax.random.normal(jax.random.fold_in(key, _COMMON), dtype=jnp.float32)
        # With brightness 0 the draw is, to the bit, the one of the pixels alone.
        return centre + sigma * jax.random.normal(key, centre.shape, jnp.float32) + brightness * common

    def encode(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> the same: the latents to which the noise is added."""
        return images

    def float32_upper(self, image: Computed) -> float:
        """0: the latent is the image. Host."""
        del image
        return 0.0

    def whitened(self, latents: np.ndarray) -> np.ndarray:
        """Takes latents [M, D] to [M, 1 + D], linearly: their lengths bound |.|_(S^-1) of the latents. Host, float64.

        |delta|_(S^-1)^2 is the least value of g^2 + |delta - g brightness 1|^2 / sigma^2: g standard deviations of
        brightness pay for a part of the change, the pixels for the rest, split as is cheapest (THEORY D2). Any g gives
        an upper bound.
        """
        rest = np.array(latents, np.float64)
        paid = self.brightness * self.offset_upper(rest.shape[1]) ** 2 * rest.sum(axis=1, keepdims=True)  # g
        rest -= self.brightness * paid
        return np.concatenate([paid, rest / self.sigma], axis=1)

    def distances(self, latents: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Bounds how far latents [M, D] are from [D] or [M, D] others, in standard deviations of the noise: [M]. Host.

        Of the differences, so nothing cancels.
        """
        apart = self.whitened(np.subtract(latents, centre, dtype=np.float64))
        return np.sqrt(np.einsum("md,md->m", apart, apart)) * (1.0 + _host.GUARD)


_COMMON = 2**32 - 1
"""Names the common draw's key; entry i's own draw is the key's number i, and no image has so many."""


def draw_parameter(law: Smoothing, key: jax.Array, dim: int) -> jax.Array:
    """Draws theta [dim] in the transform's units: a multiplicative law draws factors, theta is their logarithm."""
    draw = law.sample(key, dim)
    return jnp.log(draw) if law.acts == "multiplicative" else draw
