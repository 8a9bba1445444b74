"""Confidence bounds for a class probability from a number of votes fixed in advance. Host, float64.

Each bound may be looked at once: a loop that adds votes until a bound passes needs ``sequential``.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gsmooth_jax import _validate
from gsmooth_jax.estimation import sequential

_OUTWARD = 1e-12
"""Relative widening of every bound: the inverse of the incomplete beta function may miss by a few units in the last
place, and has been seen to miss on the wrong side."""


def proportion_lower(successes: ArrayLike, n: ArrayLike, alpha: float) -> np.ndarray:
    """Returns the one-sided Clopper-Pearson lower bound, rounded down (THEORY F1).

    Args:
      successes: counts of one class, any shape.
      n: draws, fixed before looking at them; broadcasts with ``successes``.
      alpha: P(bound > p) <= alpha for every p.

    Returns:
      float64 bounds of the broadcast shape; 0 where there is no success.
    """
    s, m = _counts(successes, n, alpha)
    bound = special.betaincinv(np.maximum(s, 1.0), m - s + 1.0, alpha)  # the clamp keeps s = 0 out of the domain error
    return np.where(s == 0.0, 0.0, bound * (1.0 - _OUTWARD))


def proportion_upper(successes: ArrayLike, n: ArrayLike, alpha: float) -> np.ndarray:
    """Returns the one-sided Clopper-Pearson upper bound, rounded up: P(bound < p) <= alpha. Shapes as in the lower."""
    s, m = _counts(successes, n, alpha)
    bound = special.betainccinv(s + 1.0, np.maximum(m - s, 1.0), alpha)
    return np.where(s == m, 1.0, np.minimum(bound * (1.0 + _OUTWARD), 1.0))


def top_and_runner_up(counts: ArrayLike, top: int, alpha: float) -> tuple[float, float]:
    """Returns (p_lower, p_upper): the top class from below, every other class from above, jointly at level alpha.

    The top class takes alpha / 2 and EACH of the K - 1 others alpha / (2 (K - 1)); ``p_upper`` is the largest of their
    bounds (THEORY F5). Bounding only the class that came second in the sample is unsound: that choice uses the sample.

    Args:
      counts: [K] votes of the estimation draws; they sum to the number of draws.
      top: the class chosen beforehand, from other draws.
      alpha: the probability that either bound is wrong, at most.
    """
    votes = np.asarray(counts)
    if votes.ndim != 1 or votes.size < 2:
        raise ValueError(f"Expected counts of shape [K] with K >= 2, got shape {votes.shape}.")
    if not 0 <= top < votes.size:
        raise ValueError(f"Expected top in 0..{votes.size - 1}, got {top=}.")
    n, others = int(votes.sum()), np.delete(votes, top)
    p_lower = float(proportion_lower(votes[top], n, alpha / 2.0))
    p_upper = float(proportion_upper(others.max(), n, alpha / (2.0 * others.size)))
    return p_lower, min(p_upper, 1.0 - p_lower)


def largest_p_lower(n: int, alpha: float) -> float:
    """Returns the largest lower bound that n votes can reach: alpha^(1/n), all for one class."""
    _validate.at_least(1, n=n)
    return float(proportion_lower(n, n, alpha))


def smallest_n(threshold: float, alpha: float) -> int:
    """Returns the fewest votes whose fixed-n lower bound can exceed the threshold: all for one class."""
    _validate.probability(threshold=threshold, alpha=alpha)
    n = max(1, math.ceil(math.log(alpha) / math.log(threshold)) - 1)  # a start that rounding may move by one
    while largest_p_lower(n, alpha) <= threshold:
        n += 1
    return n


def smallest_n_sequential(threshold: float, alpha: float) -> int:
    """Returns the fewest votes after which the test can certify the threshold: all for one class."""
    test = sequential.SequentialTest(threshold, alpha)
    high = 1
    while test.decide(high, high) != "certified":
        high *= 2
    low = high // 2  # not certified (or 0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if test.decide(middle, middle) == "certified" else (middle, high)
    return high


def _counts(successes: ArrayLike, n: ArrayLike, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    _validate.probability(alpha=alpha)
    return sequential.checked_counts(successes, n, minimum=1)
