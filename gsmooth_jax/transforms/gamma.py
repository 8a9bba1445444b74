"""Gamma correction."""

import dataclasses
import math

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gamma(Pipe, group="additive", pointwise=True):
    """Raises every entry to the power e^g: x^(e^g), for x in [0, 1] (or any x >= 0).

    Parameter: g, the logarithm of the exponent; positive darkens; identity 0. Exponents multiply, so their logarithms
    add: T(T(x, a), b) = T(x, a + b), exact without rounding. Entries <= 0 become 0, for every g; there the derivative
    in x, which may be infinite, is taken as 0. (Gamma as in Muravev and Petiushko 2021, in logarithms.)
    """

    name = "gamma"
    params = (Param(name="g", unit="log exponent", log=True),)
    typical = ((-0.5, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        lit = image > 0.0
        # The inner where keeps log(0) out of the derivative, which the outer one alone would turn into NaN.
        return jnp.where(lit, jnp.where(lit, image, 1.0) ** jnp.exp(theta[0]), 0.0)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of the pixelwise largest |dT/dg| on the box. Device.

        With y = x^(e^g) the derivative is y ln y, and |y ln y| rises to y = 1/e and falls behind it. As g runs over the
        box y runs over [T(x, high), T(x, low)], so the largest value is at the point of that interval nearest to 1/e.
        For x > 1, beyond the range of images, the interval's ends change places and |y ln y| rises throughout.
        (THEORY D8.)
        """
        _, speed = self._fastest(image, low, high)
        return norm_upper(speed)[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: the largest |dT/dg| of each entry, as for ``lipschitz_upper``. Device."""
        y, speed = self._fastest(image, low, high)
        # A relative error of y, of which 1e-6 is more than enough, is one of y itself in y ln y: near 1 it counts.
        return rounded_up(jnp.abs(speed) + 1e-6 * y)[None]

    def _fastest(self, image: jax.Array, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Where each entry moves fastest, and y ln y there."""
        darkest, brightest = self(image, high), self(image, low)
        y = jnp.where(image > 1.0, darkest, jnp.clip(math.exp(-1.0), darkest, brightest))
        return y, y * jnp.log(jnp.where(y > 0.0, y, 1.0))
