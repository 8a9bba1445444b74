"""Transforms whose parameters add, any law."""

import dataclasses
from typing import ClassVar

from gsmooth_jax.certificates import _shifts
from gsmooth_jax.types import Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True)
class Resolvable:
    """Theorem.

    Let T(T(x, a), b) = T(x, a + b), and let theta have the law g. With G(x) = E f(T(x, theta)), p_lower <=
    G(x)_A and p_upper >= G(x)_B for every B != A: if g certifies every shift in the region, then A wins at T(x, xi) for
    every xi in it. Where T rounds a parameter (``Param.whole``) the law holds for whole ``a``, and of the region the
    whole xi are meant; a radius between two whole numbers then says what the smaller one says.

    A shift is certified if every classifier that respects the two bounds under g keeps A in front under the shifted
    law: the Neyman-Pearson lemma, in each direction (``Smoothing.certifies`` holds the exact condition of each law;
    THEORY A1 to A3). Norm: the region's own; the condition is stated per shift vector, and a box needs its corners only
    (THEORY A8).

    GSmooth (Hao et al. 2022), Theorem 1, in directional form; TSS (Li et al. 2021), Theorem 1 and its corollaries;
    Cohen et al. 2019 for the normal law. What differs from GSmooth: its integral 1/2 int dp / Phi(p) drops a boundary
    term for laws whose density has an edge (exponential, folded, uniform), where it claims too much to the left (THEORY
    A7); here a signed parameter gets both directional radii. Exact for every law and box, except Laplace off the axes
    and L2 balls under laws that are not normal (both sound, conservative).
    """

    name: ClassVar[str] = "resolvable"

    def check(self, transform: Transform, law: Smoothing, region: Region) -> None:
        """Raises ValueError unless parameters add, the law draws them, and region and draws stay in their range."""
        if transform.group != "additive":
            raise ValueError(f"resolvable needs parameters that add; {transform.name} has group {transform.group!r}.")
        if law.acts != "additive":
            raise ValueError(f"resolvable needs a law of the parameter itself; {law.name} draws a factor.")
        _shifts.check_shifts("resolvable", transform, law, region)

    def certifies(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether every worst shift of the region is certified. Host, float64, guarded inward."""
        return all(law.certifies(shift, p_lower, p_upper) for shift in _shifts.worst_shifts(law, region))
