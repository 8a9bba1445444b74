"""Transforms whose parameter is a factor that multiplies, such as gamma correction."""

import dataclasses
from typing import ClassVar

from gsmooth_jax.certificates import _shifts
from gsmooth_jax.types import Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True)
class Multiplicative:
    """Theorem.

    Let S_a o S_b = S_(ab) for factors a, b > 0, T(x, k) = S_(e^k)(x), and let the factor have the law g.
    With p_lower, p_upper bounding the smoothed classifier at x: A wins at S_gamma(x) for every ln gamma in the region
    that g certifies as a shift of the logarithm.

    The logarithms add, so this is the theorem of ``Resolvable`` for the law of ln(factor), which is log-concave for
    both laws here (THEORY A4). Norm: none for one parameter (an interval of ln gamma with its own radius to each side).
    Muravev and Petiushko 2021, for Rayleigh (the interval (gamma_1, gamma_2) of their theorem; it does not depend on
    the scale) and the log-normal law. Exact.
    """

    name: ClassVar[str] = "multiplicative"

    def check(self, transform: Transform, law: Smoothing, region: Region) -> None:
        """Raises ValueError unless every parameter is the logarithm of a factor and adds, and the law draws factors."""
        if transform.group != "additive" or not all(p.log for p in transform.params):
            raise ValueError(
                f"multiplicative needs log factors that add; {transform.name} has group {transform.group!r} and "
                f"parameters {', '.join(p.name + (' (log)' if p.log else '') for p in transform.params)}."
            )
        if law.acts != "multiplicative":
            raise ValueError(f"multiplicative needs a law of a factor (rayleigh, log_normal), got {law.name}.")
        _shifts.check_shifts("multiplicative", transform, law, region)

    def certifies(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether every worst shift of the logarithms is certified. Host, float64, guarded inward."""
        return all(law.certifies(shift, p_lower, p_upper) for shift in _shifts.worst_shifts(law, region))
