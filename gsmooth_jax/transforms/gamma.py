"""Gamma correction."""

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

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """What the exponent's error does to the power, and the power's own. Host.

        An error d of the exponent p = e^g changes y = x^p by |y ln y| d / p, and |y ln y| is 1 / e at most where
        y <= 1, else largest at the largest y. Entries below float32's normal numbers may count as 0. The derivative in
        x is unbounded near 0 for p < 1, so of an input that is not exact only what x^p does to ``entry`` is known.
        """
        least, most = math.exp(low[0]), math.exp(high[0])
        top = max(max(image.high, 0.0) ** p for p in (least, most))
        slope = max(1.0 / math.e, top * math.log(top) if top > 1.0 else 0.0)
        own = float32.MARGIN * float32.EXPONENTIAL * (slope + top) + (2.0**-126) ** least
        if image.entry == 0.0:
            return image.then(0.0, top, own)
        # For p < 1 the power of a sum is at most the sum of the powers; for p > 1 the slope is largest at the top.
        steepest = most * max(image.high + image.entry, 1.0) ** max(most - 1.0, 0.0)
        return image.then(0.0, top, max(image.entry**least, steepest * image.entry) + own)
