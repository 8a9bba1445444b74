"""Brightness and contrast together, exactly."""

import dataclasses
import functools
from typing import ClassVar

from gsmooth_jax.certificates import _covering, _joint, _shifts
from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.smoothing._host import settle
from gsmooth_jax.types import Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True)
class BrightnessContrast:
    """Theorem.

    Let T(x, (k, b)) = e^k (x + b), let theta = (k', b') have independent laws N(0, sigma_k^2) and
    N(0, sigma_b^2), and let p_lower, p_upper bound the smoothed classifier at x. At T(x, (k, b)) the classifier sees
    T(x, .) under the attacked noise N(k, sigma_k^2) x N(b, e^(-2k) sigma_b^2), because T(T(x, a), c) =
    T(x, (a_k + c_k, a_b + e^(-a_k) c_b)). Write w(k, b, s) for the largest attacked probability of a test whose clean
    probability is s. Then A wins at (k, b) if

        w(k, b, 1 - p_lower) + w(k, b, p_upper) < 1,

    and this is exact (Neyman and Pearson). The region: a box [k0, k1] x [b0, b1]; of a ball, the bounding box. It is
    certified from finitely many evaluations (THEORY A6):

    1. w does not fall as |b| grows, so the worst b is the end with the largest |b|.
    2. In k no monotonicity is used: the powers w and w' of the condition change by at most L |d| each over a step d,
       L = E|Z / sigma_k + X^2 - 1| / 2 with Z, X standard normal. A point with 1 - w - w' = 2 m > 0 certifies all
       |d| < m / L; ``certifies`` covers [k0, k1] by such intervals, the ends first, and says no when a point fails or
       200 points do not suffice.

    TSS (Li et al. 2021) certify the same order in two lossy steps: contrast and brightness
    +-40 % at sigma = 0.4 need p_lower .9966 there and .957 here. One-sided is p_upper = 1 - p_lower.
    """

    name: ClassVar[str] = "brightness_contrast"

    def check(self, transform: Transform, law: Smoothing, region: Region) -> None:
        """Raises ValueError unless the transform has this group, the law is normal, the region is over (k, b)."""
        if transform.group != "brightness_contrast":
            raise ValueError(f"brightness_contrast needs e^k (x + b); {transform.name} has group {transform.group!r}.")
        _sigmas(law)
        _shifts.check_shifts("brightness_contrast", transform, law, region)

    def certifies(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether the box is covered (step 2). Host, float64, guarded by the quadrature's margin; some 10 ms."""
        low, high, b = _worst(region)
        return _covered(_sigmas(law), low, high, b, float(p_lower), float(p_upper))

    def radius_estimate(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> float:
        """Returns the size whose corners are just certified; nothing about the inside. Host."""
        sigmas = _sigmas(law)
        low, high, b = _worst(region.scaled(1.0))

        def passes(size: float) -> bool:
            return all(_slack(sigmas, k * size, b * size, p_lower, p_upper) > 0.0 for k in {low, high})

        return _covering.largest(passes)


def _sigmas(law: Smoothing) -> tuple[float, float]:
    if not isinstance(law, Gaussian) or (isinstance(law.sigma, tuple) and len(law.sigma) != 2):
        raise ValueError(f"brightness_contrast needs a gaussian law with sigma or (sigma_k, sigma_b), got {law}.")
    return law.sigma if isinstance(law.sigma, tuple) else (law.sigma, law.sigma)


def _worst(region: Region) -> tuple[float, float, float]:
    """The range of k and the largest |b|."""
    box = _shifts.bounding_box(region)
    return box.low[0], box.high[0], max(-box.low[1], box.high[1])


def _slack(sigmas: tuple[float, float], k: float, b: float, p_lower: float, p_upper: float) -> float:
    """(1 - w - w') / 2 at one attack: how much each power may still grow, rounded down."""
    curve = _joint.Curve(k, k / sigmas[0], abs(b) / sigmas[1])
    p_upper = min(p_upper, 1.0 - p_lower)
    power = curve.power_upper(1.0 - p_lower)
    return 0.5 * (1.0 - power - (power if p_upper == 1.0 - p_lower else curve.power_upper(p_upper)))


@functools.lru_cache(maxsize=4096)
def _covered(sigmas: tuple[float, float], low: float, high: float, b: float, p_lower: float, p_upper: float) -> bool:
    """Says whether [low, high] is certified, from finitely many points."""
    if settle(p_lower, p_upper) is None:
        return False
    speed = _joint.total_variation_speed(sigmas[0])
    return _covering.covered(lambda k: _slack(sigmas, k, b, p_lower, p_upper) / speed, low, high)
