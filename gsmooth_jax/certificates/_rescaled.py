"""The exact Neyman-Pearson curve of a random factor in front of normal noise whose attack it multiplies. Host, float64.

u is the logarithm of the factor, y the normal noise along the attack, in standard deviations (THEORY A9):

  law 0 (clean):    r = u,      y ~ N(0, 1)
  law 1 (attacked): r = u + k,  y ~ N(rho(u), 1),  rho(u) = |(beta e^u, rho)|, u = r - k
  log LR = log g(r - k) - log g(r) + rho(r - k) y - rho(r - k)^2 / 2,   g the density of u.

Given r the likelihood ratio is that of two normal laws, so P_j(log LR > c) is one integral over r.
"""

import dataclasses
import functools
import math

import numpy as np
from scipy import special

from gsmooth_jax.certificates import _joint

_WIDEST = 3.0  # |k|, a factor of 20: beyond, nothing is certified
_STEEPEST = 100.0
"""Slope of the integrand's argument that the rule resolves; where it would be steeper, ``rho`` is raised until it is
not, which only strengthens the attack (THEORY A9). Needed where rho and beta are some hundredth of k: less than 1e-4 of
the p_A that is asked for."""

_BENDS = 20.0  # standard deviations of y between which the integrand is neither 0 nor 1, both ways
_SPACING = 0.8  # of nodes, over 1 / slope: exp(-2 pi^2 / 0.8^2) = 4e-14
_REACH = 42.0  # of a logistic variable: 1e-18 lies beyond


@dataclasses.dataclass(frozen=True)
class Normal:
    """A factor whose logarithm is N(0, sigma^2).

    Attributes:
      sigma: standard deviation of the logarithm.
    """

    sigma: float

    @property
    def bend(self) -> float:
        """How much log rho changes along the rule's variable, a standard deviation."""
        return self.sigma

    @property
    def speed(self) -> float:
        """E|g' / g|."""
        return math.sqrt(2.0 / math.pi) / self.sigma

    @property
    def mean(self) -> float:
        """E e^u."""
        return math.exp(0.5 * self.sigma**2)

    def rule(self, spacing: float) -> tuple[np.ndarray, np.ndarray]:
        """Returns nodes u and weights that include the density."""
        x, weights = _joint.standard_normal_rule(100 * math.ceil(0.18 / spacing))
        return self.sigma * x, weights

    def log_ratio(self, r: np.ndarray, k: float) -> np.ndarray:
        """Returns log g(r - k) - log g(r)."""
        return k * (r - 0.5 * k) / self.sigma**2

    def slope(self, u: np.ndarray, shift: float, k: float) -> np.ndarray:
        """Returns how fast ``log_ratio`` at u + shift changes along the rule's variable."""
        del shift
        return np.full_like(u, abs(k) / self.sigma)


@dataclasses.dataclass(frozen=True)
class Rayleigh:
    """A Rayleigh factor z: q = z^2 / 2 scale^2 is exponential, and q = log(1 + e^x) of a logistic x.

    Attributes:
      scale: the mode of the factor.
    """

    scale: float

    bend = 0.5
    speed = 4.0 / math.e  # E|2 - 2q|
    """E|g' / g|."""

    @property
    def mean(self) -> float:
        """E e^u."""
        return self.scale * math.sqrt(0.5 * math.pi)

    def rule(self, spacing: float) -> tuple[np.ndarray, np.ndarray]:
        """Returns nodes u and weights that include the density."""
        return _logistic_rule(self.scale, 100 * math.ceil(0.02 * _REACH / spacing))

    def log_ratio(self, r: np.ndarray, k: float) -> np.ndarray:
        """Returns log g(r - k) - log g(r)."""
        return -2.0 * k - math.expm1(-2.0 * k) * self._exponential(r)

    def slope(self, u: np.ndarray, shift: float, k: float) -> np.ndarray:
        """Returns how fast ``log_ratio`` at u + shift changes along the rule's variable: dq / dx = 1 - e^-q."""
        return -abs(math.expm1(-2.0 * k)) * math.exp(2.0 * shift) * np.expm1(-self._exponential(u))

    def _exponential(self, r: np.ndarray) -> np.ndarray:
        return 0.5 * np.exp(2.0 * r) / self.scale**2


Factor = Normal | Rayleigh


@functools.lru_cache(maxsize=64)
def _logistic_rule(scale: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(-_REACH, _REACH, n)
    weights = special.expit(x) * special.expit(-x) * (2.0 * _REACH / (n - 1))
    return 0.5 * np.log(2.0 * scale**2 * np.logaddexp(0.0, x)), weights


@dataclasses.dataclass(frozen=True)
class Curve:
    """The best tests of the clean noise against the attacked noise.

    Attributes:
      factor: the law of the factor.
      k: logarithm of the attack's factor.
      beta: the attack's share of what the factor multiplies, in standard deviations.
      rho: length of the other normal parameters' shifts, in standard deviations.
      refine: multiplies the number of nodes; 1 but in tests.
    """

    factor: Factor
    k: float
    beta: float
    rho: float
    refine: int = 1

    def tail(self, law: int, c: float) -> float:
        """Returns P(log LR > c) under the clean (0) or the attacked (1) noise."""
        (u, weights), rho = self._rule
        r = u + law * self.k
        length = np.hypot(self.beta * np.exp(r - self.k), rho)
        above = (self.factor.log_ratio(r, self.k) - c) / length
        return float(weights @ special.ndtr(above + (law - 0.5) * length))

    def power_upper(self, size: float) -> float:
        """Bounds the attacked probability of any test whose clean probability is at most ``size``, rounded up."""
        if abs(self.k) > _WIDEST:
            return 1.0
        if size == 0.0:
            return size
        # A shift of u costs total variation at the rate of ``speed_upper``, one of y by a standard deviation 0.4.
        variation = abs(self.k) * self.speed_upper + 0.4 * (self.beta * self.factor.mean + self.rho)
        if variation < _joint.QUADRATURE_MARGIN:
            return min(1.0, size + variation)
        return _joint.power_upper(self, size)

    @property
    def speed_upper(self) -> float:
        """Bounds the total variation that a unit of k costs: E|g'/g (u) + X beta e^u| / 2, X standard normal."""
        return 0.5 * (self.factor.speed + math.sqrt(2.0 / math.pi) * self.beta * self.factor.mean) * (1.0 + 1e-9)

    @functools.cached_property
    def _rule(self) -> tuple[tuple[np.ndarray, np.ndarray], float]:
        """Nodes, weights, and the ``rho`` with which the integrand is smooth enough for them."""
        u, weights = self.factor.rule(0.1)
        u = u[weights > 1e-14 * weights.max()]
        shifts = (0.0, self.k)
        slopes = np.concatenate([self.factor.slope(u, shift, self.k) for shift in shifts])
        lengths = np.concatenate([np.hypot(self.beta * np.exp(u + shift - self.k), self.rho) for shift in shifts])
        steep, rho = float((slopes / np.maximum(lengths, 1e-300)).max()), self.rho
        if steep > _STEEPEST:
            steep, rho = _STEEPEST, max(rho, float(slopes.max()) / _STEEPEST)
        spacing = _SPACING / (math.hypot(1.0, steep) + _BENDS * self.factor.bend)
        return self.factor.rule(spacing / self.refine), rho
