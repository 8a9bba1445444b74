"""An anytime-valid test of votes that are pooled over several centres, none of which has to prove anything. Host.

A *layer* is one look more at each of some centres: a block of votes each, all independent. The centres form groups of
one or two. Under the null hypothesis the mean probability of the event over the centres of *every* group j is q_j at
most. For an alternative p > q_j a vote's likelihood ratio is p / q_j where the event happens, else (1 - p) / (1 - q_j),
with expectation 1 + a (p_i - q_j) at a centre of probability p_i, a > 0. Of two centres with equally many votes the
product has expectation at most (1 + a ((p_1 + p_2) / 2 - q_j))^2 <= 1. So the product over all groups with q_j < p is a
non-negative supermartingale from layer to layer, and so is its mean over a fixed law of p: it ever reaches 1 / alpha
with probability at most alpha (THEORY L2; Ville 1939).

Votes are a table, centres by layers. Whether a test ever passes is a property of the table, so the order in which it is
uncovered, and how much of it, may depend on anything.
"""

import numpy as np

_MARGIN = 1e-6
"""Added to log(1/alpha): covers rounding."""

_ALTERNATIVES = np.array(
    [0.999, 0.99, 0.98, 0.96, 0.93, 0.9, 0.86, 0.82, 0.78, 0.74, 0.7, 0.66, 0.63, 0.6, 0.575, 0.55]
)
"""What p is supposed to be."""

_PRIOR = np.array([6.0, 2.0, 1.5, 1.5, *[1.0] * 12])
_PRIOR = np.log(_PRIOR / _PRIOR.sum())
"""And how likely each is, as a logarithm: most networks agree with themselves nearly always."""


def log_e_values(successes: np.ndarray, votes: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Returns [...] the log of the evidence that some group's mean probability is above its bound.

    Args:
      successes: [..., J] votes for the event in each group, after whole layers.
      votes: [..., J] all of its votes; 0 of a group that is not there.
      bounds: [..., J] q_j, above 0; a group with 1 says nothing.
    """
    gains = np.zeros((*np.shape(successes)[:-1], len(_ALTERNATIVES)))
    for g, p in enumerate(_ALTERNATIVES):  # one at a time: an array of all would be large
        rewards, losses = _ratios(p, bounds)
        gains[..., g] = (successes * rewards + (votes - successes) * losses).sum(axis=-1)
    gains += _PRIOR
    most = gains.max(axis=-1)
    return most + np.log(np.exp(gains - most[..., None]).sum(axis=-1))


def hoped(successes: np.ndarray, votes: np.ndarray, bounds: np.ndarray, doubts: float) -> np.ndarray:
    """Returns [...] what as many votes more may add to the evidence, so many standard deviations above what is likely.

    Args:
      successes: as for ``log_e_values``.
      votes: as there; some group has votes.
      bounds: as there.
      doubts: standard deviations.
    """
    best = np.zeros(np.shape(successes)[:-1])
    total = votes.sum(axis=-1)
    for p in _ALTERNATIVES:
        rewards, losses = _ratios(p, bounds)
        gain = (successes * rewards + (votes - successes) * losses).sum(axis=-1)
        square = (successes * rewards**2 + (votes - successes) * losses**2).sum(axis=-1)
        best = np.maximum(best, gain + doubts * np.sqrt(np.maximum(square - gain**2 / total, 0.0)))
    return best


def missing(log_e: np.ndarray, alpha: np.ndarray | float) -> np.ndarray:
    """Returns what the evidence lacks to pass at the level alpha, as a logarithm: 0 or less where it passes."""
    with np.errstate(divide="ignore"):
        return _MARGIN - np.log(alpha) - log_e


def growth(share: np.ndarray, counts: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Returns [...] what a layer adds to the evidence, as a logarithm, if a vote is for the event with a given chance.

    Args:
      share: [...], the probability.
      counts: [..., J] votes of a group in a layer.
      bounds: as for ``log_e_values``.
    """
    each = [
        (counts * (share[..., None] * rewards + (1.0 - share[..., None]) * losses)).sum(axis=-1)
        for rewards, losses in (_ratios(p, bounds) for p in _ALTERNATIVES)
    ]
    return np.max(each, axis=0)


def _ratios(p: float, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms [..., J] of the likelihood ratios of a vote for the event and of one against it; 0 where p is less."""
    bet = bounds < p
    q = np.where(bet, bounds, 0.5)
    return np.where(bet, np.log(p / q), 0.0), np.where(bet, np.log((1.0 - p) / (1.0 - q)), 0.0)
