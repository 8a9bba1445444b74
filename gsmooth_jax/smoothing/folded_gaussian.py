"""The law of |N(0, sigma^2)|: smoothing for one parameter that cannot be negative."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from gsmooth_jax import pytrees
from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Acts


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldedGaussian:
    """The absolute value of a normal parameter. Traced: a new ``sigma`` never recompiles. Certifies one parameter only.

    Attributes:
      sigma: the standard deviation before folding, in parameter units.
    """

    sigma: float

    name: ClassVar[str] = "folded_gaussian"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws theta [dim] >= 0, float32. Device. The key is consumed."""
        return jnp.float32(self.sigma) * jnp.abs(jax.random.normal(key, (dim,), jnp.float32))

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns the supremum of the certified shifts, rounded down by a bisection. Exact (THEORY A1). Host, float64.

        With F the law's distribution function, a shift delta is certified exactly if
        right (+1): F(F^-1(p_lower) - delta) + F(F^-1(1 - p_upper) - delta) > 1,
        left (-1):  F(F^-1(p_upper) + delta) + F(F^-1(1 - p_lower) + delta) < 1.
        TSS (Li et al. 2021) has min(p_lower, 1 - p_upper) in both terms, which is the one-sided case.
        """
        direction = _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        if direction > 0:
            ends = _quantile(settled[0], 1.0 - settled[0]), _quantile(1.0 - settled[1], settled[1])
            if math.inf in ends and ends[0] == ends[1]:
                return math.inf  # a certain vote: p_lower = 1
            return float(self.sigma) * _host.supremum(lambda d: _cdf(ends[0] - d) + _cdf(ends[1] - d) > 1.0)
        ends = _quantile(settled[1], 1.0 - settled[1]), _quantile(1.0 - settled[0], settled[0])
        return float(self.sigma) * _host.supremum(lambda d: _cdf(ends[0] + d) + _cdf(ends[1] + d) < 1.0)

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether the one shift is below the radius of its direction. Several parameters: ValueError. Host."""
        (delta,) = _host.shift_vector(shift, 1)
        if delta == 0.0:
            return _host.settle(p_lower, p_upper) is not None
        radius = self.radius_integral(p_lower, p_upper, 1 if delta > 0 else -1)
        return float(abs(delta)) * (1.0 + _host.GUARD) < radius


def _cdf(x: float) -> float:
    return math.erf(x / math.sqrt(2.0)) if x > 0.0 else 0.0


def _quantile(p: float, complement: float) -> float:
    """F^-1(p) at unit sigma, given 1 - p as well: each tail is taken from the side where it is exact."""
    if p < 0.5:
        return math.sqrt(2.0) * float(special.erfinv(p))
    return -float(special.ndtri(0.5 * complement))
