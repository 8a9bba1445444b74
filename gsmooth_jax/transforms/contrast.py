"""Contrast."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast(Pipe, group="additive", pointwise=True):
    """Multiplies every entry by e^k: x e^k.

    Parameter: k, the logarithm of the factor; positive strengthens; identity 0. Never clips, so the law
    T(T(x, a), b) = T(x, a + b) is exact. (TSS, Li et al. 2021.)
    """

    name = "contrast"
    params = (Param(name="k", unit="log factor", log=True),)
    typical = ((-0.5, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        return image * jnp.exp(theta[0])

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: e^high |x|_2. The derivative is x e^k, which grows with k. Device."""
        del low
        return (jnp.exp(high[0]) * norm_upper(image))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: e^high |x|. Device."""
        del low
        return rounded_up(jnp.exp(high[0]) * jnp.abs(image))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns e^high twice: output and derivative are the image times e^k at most. Device."""
        del shape, low
        factor = jnp.exp(high) * (1.0 + 1e-6)
        return factor[0], factor

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """The exponential's error, and a product's rounding. Host."""
        gain = math.exp(high[0])
        ends = [end * math.exp(k) for end in (image.low, image.high) for k in (low[0], high[0])]
        return image.pointwise(min(ends), max(ends), units=float32.EXPONENTIAL / float32.UNIT + 1, factor=gain)
