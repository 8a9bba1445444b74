"""The exact Neyman-Pearson curve of brightness-contrast noise at one attack (k, b). Host, float64.

In units of the noise, z = k'/sigma_k and y = b'/sigma_b. With kappa = k/sigma_k, beta = |b|/sigma_b, g = e^(2k):

  law 0 (clean):    z ~ N(0, 1),      y ~ N(0, 1)
  law 1 (attacked): z ~ N(kappa, 1),  y ~ N(beta, 1/g)
  log LR = kappa z - kappa^2/2 + k + h(y),    h(y) = y^2/2 - g (y - beta)^2/2.

The tail P_j(log LR > c) is one integral: over y with z integrated by hand, or, where that integrand is steep, over z
with y by hand (h is a parabola: {h > s} is an interval or the outside of one).
"""

import contextlib
import dataclasses
import functools
import math
from typing import Protocol

import numpy as np
from scipy import special

QUADRATURE_MARGIN = 1e-9
"""Added to every power. The trapezoidal rule with step h integrates density(x) Phi(slope x + const) up to about
exp(-2 pi^2 / (h^2 (1 + slope^2))), below 1e-12 with the steps used here. Where the argument bends that is a guide and
no proof: finer rules agree to 1e-12 (THEORY A6)."""

_ROUNDING = 1e-14  # of a sum of some hundred terms
_REACH = 9.0  # standard deviations; 1e-19 lies beyond
_STEEP = 10.0  # beta / |kappa| from which the integral runs over z
_FAR = 8.5  # standard deviations beyond which the parabola's vertex does not matter: 1e-17 lies there
_MOST_NODES = 6000
_WIDEST = 3.0  # |k|, a factor of 20: beyond, nothing is certified
_BRIGHTEST = 40.0  # standard deviations: p = 1 - 1e-16 certifies 8
_NODES_PER_SLOPE = 22.0


@functools.lru_cache(maxsize=64)
def standard_normal_rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns n nodes in standard deviations and weights that include the normal density; the weights sum to 1.

    The trapezoidal rule: on an entire integrand that vanishes at both ends it converges geometrically.
    """
    nodes = np.linspace(-_REACH, _REACH, n)
    return nodes, np.exp(-0.5 * nodes * nodes) * (2.0 * _REACH / (n - 1) / math.sqrt(2.0 * math.pi))


@functools.lru_cache(maxsize=64)
def total_variation_speed(sigma_k: float) -> float:
    """Returns E|Z / sigma_k + X^2 - 1| / 2, rounded up: the total variation that a unit of k costs at most."""
    x, weights = standard_normal_rule(400)
    drift = x * x - 1.0
    ratio = drift * sigma_k
    mean_abs = 2.0 / sigma_k * np.exp(-0.5 * ratio**2) / math.sqrt(2 * math.pi) + drift * (
        2.0 * special.ndtr(ratio) - 1.0
    )
    return 0.5 * float(weights @ mean_abs) * (1.0 + 1e-6)


class Tail(Protocol):
    """What the best tests of the clean noise against the attacked noise are made of."""

    def tail(self, law: int, c: float) -> float:
        """Returns P(log LR > c) under the clean (0) or the attacked (1) noise."""
        ...


def power_upper(curve: Tail, size: float) -> float:
    """Bounds the attacked probability of any test whose clean probability is at most ``size`` > 0, rounded up.

    P_1(h) <= P_1(LR > t) + t (size - P_0(LR > t)) for every h and every t > 0 (weak duality, THEORY 0.2), so an
    inexact root t costs a little power and no soundness.
    """
    from scipy import optimize  # a fifth of the package's import time, for two certificates

    # Between: P_0(LR > t) <= 1/t at the upper end; the lower end is walked to.
    high, low = -math.log(size), min(-1.0, -math.log(size) - 1.0)
    while curve.tail(0, low) < size:
        low *= 2.0
        if low < -600.0:
            return 1.0
    c = low
    with contextlib.suppress(ValueError):  # raised if rounding leaves no change of sign: then the low end serves
        c = optimize.brentq(lambda c: math.log(max(curve.tail(0, c), 1e-300) / size), low, high, xtol=1e-9)
    assert isinstance(c, float)
    slack = math.exp(c) * (size - curve.tail(0, c) + QUADRATURE_MARGIN * size + _ROUNDING)
    return min(1.0, curve.tail(1, c) + slack + QUADRATURE_MARGIN)


@dataclasses.dataclass(frozen=True)
class Curve:
    """The best tests of the clean noise against the attacked noise.

    Attributes:
      k: the attack's log contrast.
      kappa: k / sigma_k; with the shifts of other normal parameters the length of them all (THEORY A9).
      beta: |b| / sigma_b; the law of b' is symmetric, so the sign of b does not matter.
      refine: multiplies the number of nodes; 1 but in tests.
    """

    k: float
    kappa: float
    beta: float
    refine: int = 1

    def tail(self, law: int, c: float) -> float:
        """Returns P(log LR > c) under the clean (0) or the attacked (1) noise."""
        return self._tail_over_contrast(law, c) if self._over_contrast else self._tail_over_brightness(law, c)

    def power_upper(self, size: float) -> float:
        """Bounds the attacked probability of any test whose clean probability is at most ``size``, rounded up."""
        if abs(self.k) > _WIDEST or self.beta > _BRIGHTEST:
            return 1.0
        if size == 0.0:
            return size
        # The total variation of two normal laws is at most |shift| + |log ratio of deviations| where these are small
        # (Pinsker, THEORY A6); an attack so small that the formulas below would divide by almost nothing costs no more.
        variation = abs(self.kappa) + self.beta + abs(self.k)
        if variation < QUADRATURE_MARGIN:
            return min(1.0, size + variation)
        if not self._over_contrast and self._nodes > _MOST_NODES:
            return 1.0
        return power_upper(self, size)

    @functools.cached_property
    def _over_contrast(self) -> bool:
        """Whether the integral runs over z: y is steep, and h's vertex, where that integrand has a kink, is far out."""
        vertex = math.exp(2 * self.k) * self.beta / max(abs(math.expm1(2 * self.k)), 1e-300)
        return self.beta >= _STEEP * abs(self.kappa) and vertex >= _FAR * self._spread + self.beta

    @functools.cached_property
    def _spread(self) -> float:
        return max(1.0, math.exp(-self.k))

    @functools.cached_property
    def _nodes(self) -> int:
        """The size of the rule over y."""
        # dh/dx where y = x (law 0) and where y = beta + x / sqrt(g) (law 1), at most, as far out as the rule goes.
        clean = math.exp(2 * self.k) * self.beta + _REACH * abs(math.expm1(2 * self.k))
        attacked = math.exp(-self.k) * self.beta + _REACH * abs(math.expm1(-2 * self.k))
        slope = max(clean, attacked) / abs(self.kappa)
        return 200 * math.ceil(_NODES_PER_SLOPE * math.hypot(1.0, slope) / 200.0)

    def _tail_over_brightness(self, law: int, c: float) -> float:
        x, weights = standard_normal_rule(self.refine * self._nodes)
        y, mean_z = (x, 0.0) if law == 0 else (self.beta + x * math.exp(-self.k), self.kappa)
        g = math.exp(2 * self.k)
        h = 0.5 * y * y - 0.5 * g * (y - self.beta) ** 2
        above = h + (self.kappa * mean_z - 0.5 * self.kappa**2 + self.k - c)
        return float(weights @ special.ndtr(above / abs(self.kappa)))

    def _tail_over_contrast(self, law: int, c: float) -> float:
        x, weights = standard_normal_rule(200 * self.refine)
        z = x if law == 0 else x + self.kappa
        s = c - self.kappa * z + 0.5 * self.kappa**2 - self.k  # h(y) has to exceed s
        g, g1 = math.exp(2 * self.k), math.expm1(2 * self.k)
        root = np.sqrt(np.maximum(g * self.beta**2 - 2.0 * g1 * s, 0.0))  # 0: beyond the vertex, which is far out
        near = (g * self.beta**2 + 2.0 * s) / (g * self.beta + root)  # the root of h = s that stays finite as k -> 0
        mean, sd = (0.0, 1.0) if law == 0 else (self.beta, math.exp(-self.k))
        inside = special.ndtr((mean - near) / sd)
        if g1 != 0.0:  # h > s also ends (k > 0) or begins again (k < 0) at the far root
            far = (g * self.beta + root) / g1
            inside = inside - special.ndtr((mean - far) / sd) if g1 > 0 else inside + special.ndtr((far - mean) / sd)
        return float(weights @ inside)
