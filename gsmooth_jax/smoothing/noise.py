"""What one vote does to its smoothing centre: pytrees whose call draws the image that the classifier sees. Device."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Smoothing, Transform, param_dim


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
@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelNoise:
    """Adds independent normal noise to every pixel (Cohen et al. 2019). The latent of an image is the image itself.

    Attributes:
      sigma: the standard deviation, on the [0, 1] scale of intensities; traced.
    """

    sigma: float

    name: ClassVar[str] = "pixel_noise"

    def __post_init__(self):
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))

    @property
    def lipschitz_upper(self) -> float:
        """How much further apart, at most, two latents are than their images, in standard deviations of the noise."""
        return 1.0 / self.sigma

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        return centre + self.sigma * jax.random.normal(key, centre.shape)

    def encode(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> the same: the latents to which the noise is added."""
        return images

    def distances(self, latents: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Bounds how far latents [M, D] are from a centre [D], in standard deviations of the noise: [M]. Host."""
        difference = latents.astype(np.float64) - centre
        return np.sqrt(np.einsum("md,md->m", difference, difference)) * ((1.0 + _host.GUARD) / self.sigma)


def draw_parameter(law: Smoothing, key: jax.Array, dim: int) -> jax.Array:
    """Draws theta [dim] in the transform's units: a multiplicative law draws factors, theta is their logarithm."""
    draw = law.sample(key, dim)
    return jnp.log(draw) if law.acts == "multiplicative" else draw
