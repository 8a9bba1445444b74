"""An interval of attacks, certified from finitely many of them. Host, float64."""

from collections.abc import Callable

_MOST_POINTS = 200
_ESTIMATE_RTOL = 1e-6
_LARGEST = 1e6  # certain votes certify every size


def covered(reach: Callable[[float], float], low: float, high: float) -> bool:
    """Says whether intervals around evaluated points cover [low, high].

    No, too, when a point fails, or when so many points do not suffice.

    Args:
      reach: how far around a point everything is certified; not above 0 where the point itself is not.
      low: one end.
      high: the other.
    """
    # Ends first: they are the usual worst points, and they bound the intervals left to do.
    ends = [reach(end) for end in (low, high)]
    if min(ends) <= 0.0:
        return False
    pending = [(low + ends[0], high - ends[1])]
    for _ in range(_MOST_POINTS):
        while pending and pending[-1][0] >= pending[-1][1]:
            pending.pop()
        if not pending:
            return True
        left, right = pending.pop()
        middle = 0.5 * (left + right)
        radius = reach(middle)
        if radius <= 0.0:
            return False
        pending += [(left, middle - radius), (middle + radius, right)]
    return False


def largest(passes: Callable[[float], bool]) -> float:
    """Returns about the largest size that passes, or ``_LARGEST``; no bound."""
    certified, failed = 0.0, 1e-6
    while failed < _LARGEST and passes(failed):
        certified, failed = failed, 4.0 * failed
    while failed - certified > _ESTIMATE_RTOL * failed:
        middle = 0.5 * (certified + failed)
        certified, failed = (middle, failed) if passes(middle) else (certified, middle)
    return certified
