"""What a region needs, and how far a vote reaches: any certificate, by bisection. Host, float64."""

import functools
import math
from typing import Any, Protocol, runtime_checkable

from gsmooth_jax.smoothing._host import settle
from gsmooth_jax.types import Certificate, Region

_SMALLEST_TAIL = 1e-15  # 1 - p below this is lost in float64
_TAIL_RTOL = 1e-9
_SIZE_RTOL = 1e-9
_DOUBLINGS = 60
_BACKED_OFF = (1e-5, 1e-4, 1e-3, 1e-2)


@runtime_checkable
class RadiusEstimate(Protocol):
    """A certificate whose decisions are slow, and which can say where to look."""

    def radius_estimate(self, law: Any, region: Region, p_lower: float, p_upper: float) -> float:
        """Returns a size, about the largest that is certified; no bound. Host."""
        ...


def threshold(certificate: Certificate, law: Any, region: Region) -> float:
    """Returns the smallest one-sided p_lower (p_upper = 1 - p_lower) that certifies the region, rounded up.

    The end of the bisection that was certified is returned, found to a relative 1e-9 of 1 - p. A region that would need
    p_lower > 1 - 1e-15 gives 1.0: no number of votes proves it, since no confidence bound reaches 1.
    """
    out_of_reach, enough = math.log(0.5), math.log(_SMALLEST_TAIL)  # logarithms of 1 - p
    p = 1.0 - _SMALLEST_TAIL
    if not certificate.certifies(law, region, p, 1.0 - p):
        return 1.0
    while out_of_reach - enough > _TAIL_RTOL:
        middle = 0.5 * (out_of_reach + enough)
        candidate = -math.expm1(middle)
        if certificate.certifies(law, region, candidate, 1.0 - candidate):
            enough, p = middle, candidate
        else:
            out_of_reach = middle
    return p


@functools.lru_cache(maxsize=4096)  # images of a run often end with the same counts
def radius(certificate: Certificate, law: Any, region: Region, p_lower: float, p_upper: float) -> float:
    """Returns the largest size r with ``region.scaled(r)`` certified, rounded down; 0.0 if there is none.

    The size returned was itself certified, and is found to a relative 1e-9 (1e-5 under a certificate with a
    ``radius_estimate``). Infinite only if certain votes (p_lower = 1) certify every size.
    """
    if settle(p_lower, p_upper) is None:
        return 0.0

    def certified(size: float) -> bool:
        return certificate.certifies(law, region.scaled(size), p_lower, p_upper)

    low, high = 0.0, math.inf
    if isinstance(certificate, RadiusEstimate):
        high = certificate.radius_estimate(law, region, p_lower, p_upper)
        for share in _BACKED_OFF:
            low = high * (1.0 - share)
            if low == 0.0 or certified(low):
                return low
        low, high = 0.0, low
    size = min(region.size, high)
    for _ in range(_DOUBLINGS):
        if certified(size):
            low = size
            if high < math.inf:
                break
            size *= 2.0
        else:
            high = size
            if low > 0.0:
                break
            size *= 0.5
    else:
        return low if high < math.inf else math.inf
    while high - low > _SIZE_RTOL * low:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if certified(middle) else (low, middle)
    return low
