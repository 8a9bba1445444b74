"""An anytime-valid test of one class probability: look after every batch, stop when you like. Host, float64.

For S successes in n draws and H0: p <= t, the e-value is the mean of the likelihood ratios

    e_n(t) = E[ p'^S (1 - p')^(n - S) ] / (t^S (1 - t)^(n - S)),   p' ~ Beta(1/2, 1/2) restricted to p' > t.

It is a supermartingale under every p <= t, so by Ville's inequality it ever reaches 1/alpha with probability at most
alpha: any stopping rule, any batch sizes (THEORY F2; Robbins 1970; Ramdas et al. 2023).
The decision to give up mirrors it (H0: p >= t) and can never create a certificate.
"""

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gsmooth_jax import _validate

Decision = Literal["certified", "rejected", "undecided"]

_MARGIN = 1e-6
"""Added to log(1/alpha): covers the rounding of log e (about 1e-9 at a million draws) at no visible cost in votes."""

_BISECTIONS = 44  # to 1e-13


def log_e_value(successes: ArrayLike, n: ArrayLike, t: ArrayLike) -> np.ndarray:
    """Returns log e_n(t), the evidence against H0: p <= t.

    Args:
      successes: S, any shape; whole numbers 0 <= S <= n.
      n: draws so far; broadcasts.
      t: thresholds strictly between 0 and 1; broadcasts.

    Returns:
      float64 array of the broadcast shape; 0 where n = 0, -inf where so little speaks against H0 that it underflows.
    """
    s, m = checked_counts(successes, n)
    return _log_e_value(s, m, _checked_thresholds(t))


def decisions(successes: ArrayLike, n: ArrayLike, t: ArrayLike, alpha: float, futility: float = 0.01) -> np.ndarray:
    """Decides many tests in one call.

    Args:
      successes: S of each test, any shape.
      n: draws of each test so far; broadcasts.
      t: the threshold of each test, strictly between 0 and 1; broadcasts.
      alpha: the probability of ever certifying p <= t, at most.
      futility: the probability of ever rejecting p >= t, at most. Costs power, never validity.

    Returns:
      int8 array of the broadcast shape: 1 certified (p > t), -1 rejected (p < t), 0 undecided.
    """
    _validate.probability(alpha=alpha, futility=futility)
    s, m = checked_counts(successes, n)
    threshold = _checked_thresholds(t)
    # No likelihood ratio exceeds 1 on the other side of S/n: only one of the two e-values can be large.
    above = s > m * threshold
    log_e = _log_e_value(np.where(above, s, m - s), m, np.where(above, threshold, 1.0 - threshold))
    decided = log_e >= np.where(above, _MARGIN - math.log(alpha), _MARGIN - math.log(futility))
    return np.where(decided, np.where(above, 1, -1), 0).astype(np.int8)


@dataclasses.dataclass(frozen=True)
class SequentialTest:
    """Is p > t? Ask after every batch.

    Attributes:
      t: the threshold that a claim needs.
      alpha: the probability of ever certifying although p <= t, at most.
      futility: the probability of ever rejecting although p >= t, at most. Costs power, never validity.
    """

    t: float
    alpha: float
    futility: float = 0.01

    def __post_init__(self):
        _validate.probability(t=self.t, alpha=self.alpha, futility=self.futility)

    def decide(self, successes: int, n: int) -> Decision:
        """Returns what S successes in n draws say so far. Stop at the first answer that is not ``undecided``."""
        verdict = int(decisions(successes, n, self.t, self.alpha, self.futility))
        return "certified" if verdict > 0 else "rejected" if verdict < 0 else "undecided"


def lower_confidence(successes: ArrayLike, n: ArrayLike, alpha: float) -> np.ndarray:
    """Returns L_n = inf {t : e_n(t) < 1/alpha}, rounded down: P(L_n > p for any n) <= alpha under any stopping rule.

    {t : e_n(t) >= 1/alpha} is an interval from 0 to L_n, so a bisection finds it (THEORY F8).

    Args:
      successes: S, any shape.
      n: draws so far; broadcasts.
      alpha: strictly between 0 and 1.

    Returns:
      float64 bounds of the broadcast shape; 0 where there is no success.
    """
    _validate.probability(alpha=alpha)
    s, m = np.broadcast_arrays(*checked_counts(successes, n))
    level = _MARGIN - math.log(alpha)
    low = np.zeros_like(s)
    high = np.divide(s, m, out=np.zeros_like(s), where=m > 0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        inside = (middle > 0.0) & (middle < 1.0)
        passes = inside & (_log_e_value(s, m, np.where(inside, middle, 0.5)) >= level)
        low, high = np.where(passes, middle, low), np.where(passes, high, middle)
    return low


def checked_counts(successes: ArrayLike, n: ArrayLike, minimum: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 (successes, n), after checking 0 <= successes <= n and n >= minimum, all whole."""
    s, m = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not ((s >= 0) & (s <= m) & (m >= minimum) & (s % 1 == 0) & (m % 1 == 0)).all():
        raise ValueError(f"Expected whole 0 <= successes <= n and n >= {minimum}, got {successes=} {n=}.")
    return s, m


def _checked_thresholds(t: ArrayLike) -> np.ndarray:
    threshold = np.asarray(t, dtype=np.float64)
    if not ((threshold > 0.0) & (threshold < 1.0)).all():
        raise ValueError(f"Expected 0 < t < 1, got {t=}.")
    return threshold


def _log_e_value(s: np.ndarray, n: np.ndarray, t: np.ndarray) -> np.ndarray:
    a, b = s + 0.5, n - s + 0.5
    log_t, log_1t = np.log(t), np.log1p(-t)
    # The prior's tail beyond t, times its normaliser: int_t^1 dp / sqrt(p (1 - p)) = 2 asin sqrt(1 - t).
    log_prior = np.log(2.0 * np.arcsin(np.sqrt(1.0 - t)))
    with np.errstate(divide="ignore"):  # S far below n t: the posterior's tail underflows, and so may the evidence
        log_tail = np.log(special.betaincc(a, b, t))
    return special.betaln(a, b) + log_tail - log_prior - s * log_t - (n - s) * log_1t
