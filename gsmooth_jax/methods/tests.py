"""Decides hypotheses from their votes, each at its own level. Host."""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import ClassVar

from gsmooth_jax.claims import Ballot, Hypothesis, Window
from gsmooth_jax.estimation import bounds, sequential
from gsmooth_jax.estimation.sequential import Decision
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.pool import Pool


class Tests:
    """The tests of one guarantee, which remember their verdicts."""

    __test__: ClassVar[bool] = False  # pytest takes any imported class of this name for one of tests

    def __init__(self, guarantee: Guarantee):
        self._guarantee = guarantee
        self._chance = any(level for _, level in guarantee.method.ledger(guarantee))
        self._known: dict[tuple[int, int, float], dict[Decision, tuple[float, float]]] = {}

    def decide(self, hypothesis: Hypothesis) -> Decision:
        """Returns what the votes say of P(event) > threshold; asked often, as an image has many hypotheses.

        Of those with equal votes at one level, all pass whose threshold is below some number, and all are given up
        whose threshold is above another. So one that lies between two with the same verdict has it too (THEORY F8).
        """
        spans = self._known.setdefault((hypothesis.successes, hypothesis.votes, hypothesis.level), {})
        for decision, (least, most) in spans.items():
            if least <= hypothesis.threshold <= most:
                return decision
        decision, threshold = self._decide(hypothesis), hypothesis.threshold
        least, most = spans.get(decision, (threshold, threshold))
        spans[decision] = (
            -math.inf if decision == "certified" else min(least, threshold),
            math.inf if decision == "rejected" else max(most, threshold),
        )
        return decision

    def _decide(self, h: Hypothesis) -> Decision:
        g = self._guarantee
        if not self._chance:  # computed, not drawn
            return "certified" if h.votes > 0 and h.successes == h.votes else "rejected"
        if h.level <= 0.0 or h.threshold >= 1.0:
            return "rejected"
        if g.test != "sequential":  # looked at once: with another number of votes there is no verdict
            passes = h.votes == g.max_votes and self.lower(h) > h.threshold
            return "certified" if passes else "rejected"
        return sequential.SequentialTest(h.threshold, h.level, g.futility).decide(h.successes, h.votes)

    def passed(self, windows: Sequence[Window], ballots: Sequence[Ballot]) -> tuple[Window, ...]:
        """Returns the windows whose votes have proved them, at whichever layer."""
        if not windows:
            return ()
        pool = Pool(windows, self._guarantee.block)
        pool.look(*pool.table(ballots))
        return tuple(itertools.compress(windows, pool.passed))

    def lower(self, hypothesis: Hypothesis) -> float:
        """Bounds the event's probability from below; for a sequential test, valid at the time it stopped."""
        h = hypothesis
        if h.votes == 0 or h.level <= 0.0:
            return 0.0
        if self._guarantee.test != "sequential":
            return float(bounds.proportion_lower(h.successes, h.votes, h.level))
        bound = _confidence(h.successes, h.votes, h.level)
        # The bisection inside rounds down.
        return max(bound, h.threshold) if self.decide(h) == "certified" else bound


@functools.lru_cache(maxsize=4096)  # images of a run often end with the same counts
def _confidence(successes: int, votes: int, level: float) -> float:
    return float(sequential.lower_confidence(successes, votes, level))
