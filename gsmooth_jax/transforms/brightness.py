"""Brightness."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Brightness(Pipe, group="additive", pointwise=True):
    """Adds b to every entry: x + b.

    Parameter: b, in units of the [0, 1] intensity range; positive brightens; identity 0. Never clips, so the law
    T(T(x, a), b) = T(x, a + b) is exact. (TSS, Li et al. 2021.)
    """

    name = "brightness"
    params = (Param(name="b", unit="intensity", offset=True),)
    typical = ((-0.5, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        return image + theta[0]

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: sqrt(H W C), exact wherever the box lies. Device."""
        del low, high
        return norm_upper(jnp.ones_like(image))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: 1, exact. Device."""
        del low, high
        return jnp.ones_like(image)[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, None]:
        """Returns 1: the image is moved as it is, and the bound holds for every image. Device."""
        del shape, high
        return jnp.ones((), low.dtype), None

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A sum: one rounding. Host."""
        return image.pointwise(image.low + low[0], image.high + high[0], units=1)
