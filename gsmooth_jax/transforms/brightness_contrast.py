"""Brightness, then contrast."""

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
class BrightnessContrast(Pipe, group="brightness_contrast", pointwise=True):
    """Adds b to every entry, then multiplies by e^k: e^k (x + b), the order of TSS (Li et al. 2021).

    Parameters: k, the logarithm of the factor, and b, in units of the [0, 1] intensity range; identity (0, 0). Never
    clips, so the law is exact: T(T(x, a), b) = T(x, (a_k + b_k, a_b + e^{-a_k} b_b)). The attack's contrast rescales
    the brightness noise, so the two parameters cannot be certified one by one.
    """

    name = "brightness_contrast"
    params = (
        Param(name="k", unit="log factor", log=True),
        Param(name="b", unit="intensity", offset=True),
    )
    typical = ((-0.5, 0.5), (-0.5, 0.5))

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [2] = (k, b) -> [H, W, C]. Device."""
        return jnp.exp(theta[0]) * (image + theta[1])

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2] bounds on the derivatives: e^k (x + b) in k, and e^k in b. Device.

        Both grow with k; |x + b|_2 is convex in b, so its maximum lies at an end of the box.
        """
        gain = jnp.exp(high[0])
        in_k = jnp.maximum(norm_upper(image + low[1]), norm_upper(image + high[1]))
        return jnp.stack([gain * in_k, gain * norm_upper(jnp.ones_like(image))])

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2, H, W, C]: the same for each entry: its largest |x + b| lies at an end of the box too. Device."""
        gain = jnp.exp(high[0])
        in_k = jnp.maximum(jnp.abs(image + low[1]), jnp.abs(image + high[1]))
        return rounded_up(gain * jnp.stack([in_k, jnp.ones_like(image)]))

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns e^high_k, and as much in k, nothing in b: the derivatives are e^k (x + b) and e^k. Device."""
        del shape, low
        gain = jnp.exp(high[0]) * (1.0 + 1e-6)
        return gain, jnp.stack([gain, jnp.zeros_like(gain)])

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A sum's rounding, the exponential's error, and a product's rounding. Host."""
        ends = [
            (end + b) * math.exp(k)
            for end, b in ((image.low, low[1]), (image.high, high[1]))
            for k in (low[0], high[0])
        ]
        units = float32.EXPONENTIAL / float32.UNIT + 2
        return image.pointwise(min(ends), max(ends), units=units, factor=math.exp(high[0]))
