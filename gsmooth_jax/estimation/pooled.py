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

from typing import NamedTuple

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


class Bets(NamedTuple):
    """Logarithms of likelihood ratios: what a vote is worth to each alternative.

    Attributes:
      rewards: [..., J, A] of a vote for the event in group j; 0 where the alternative is no larger than its bound.
      losses: [..., J, A] of a vote against it.
    """

    rewards: np.ndarray
    losses: np.ndarray

    @classmethod
    def against(cls, bounds: np.ndarray) -> "Bets":
        """Those against groups with bounds q_j [..., J], above 0; a group with 1 says nothing."""
        q = np.asarray(bounds)[..., None]
        bet = q < _ALTERNATIVES
        q = np.where(bet, q, 0.5)
        return cls(
            np.where(bet, np.log(_ALTERNATIVES / q), 0.0),
            np.where(bet, np.log((1.0 - _ALTERNATIVES) / (1.0 - q)), 0.0),
        )

    def of(self, rows: np.ndarray) -> "Bets":
        """Those of some rows of [M, J, A]."""
        return Bets(self.rewards[rows], self.losses[rows])

    def gains(self, won: np.ndarray, lost: np.ndarray) -> np.ndarray:
        """[..., A]: the sums over votes [..., J] for the event and against it."""
        return np.einsum("...j,...ja->...a", won, self.rewards) + np.einsum("...j,...ja->...a", lost, self.losses)


def log_e_values(successes: np.ndarray, votes: np.ndarray, bets: Bets) -> np.ndarray:
    """Returns [...] the log of the evidence that some group's mean probability is above its bound.

    Args:
      successes: [..., J] votes for the event in each group, after whole layers.
      votes: [..., J] all of its votes; 0 of a group that is not there.
      bets: against the bounds.
    """
    gains = bets.gains(successes, votes - successes) + _PRIOR
    most = gains.max(axis=-1)
    return most + np.log(np.exp(gains - most[..., None]).sum(axis=-1))


def hoped(successes: np.ndarray, votes: np.ndarray, bets: Bets, doubts: float) -> np.ndarray:
    """Returns [...] what as many votes more may add to the evidence, so many standard deviations above what is likely.

    Args:
      successes: as for ``log_e_values``.
      votes: as there; some group has votes.
      bets: as there.
      doubts: standard deviations.
    """
    lost = votes - successes
    gains = bets.gains(successes, lost)
    squares = Bets(bets.rewards**2, bets.losses**2).gains(successes, lost)
    spread = squares - gains**2 / votes.sum(axis=-1, keepdims=True)
    return (gains + doubts * np.sqrt(np.maximum(spread, 0.0))).max(axis=-1, initial=0.0)


def missing(log_e: np.ndarray, alpha: np.ndarray | float) -> np.ndarray:
    """Returns what the evidence lacks to pass at the level alpha, as a logarithm: 0 or less where it passes."""
    with np.errstate(divide="ignore"):
        return _MARGIN - np.log(alpha) - log_e


def fewest_layers(block: int, alpha: float) -> int:
    """Returns how many layers of votes that are all for the event pass at the least: at one centre, bound 1/2."""
    bets, layers = Bets.against(np.array([0.5])), 1
    while missing(log_e_values(votes := np.array([block * layers]), votes, bets), alpha) > 0.0:
        layers += 1
    return layers


def growth(share: float, counts: np.ndarray, bets: Bets) -> np.ndarray:
    """Returns [...] what a layer adds to the evidence, as a logarithm, if a vote is for the event with a given chance.

    Args:
      share: the chance.
      counts: [..., J] votes of a group in a layer.
      bets: as for ``log_e_values``.
    """
    return bets.gains(share * counts, (1.0 - share) * counts).max(axis=-1, initial=0.0)
