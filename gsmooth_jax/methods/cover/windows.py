"""Where to vote next, for ``cover``: which of an image's parts are still open, and when it is given up. Host."""

from collections.abc import Generator, Sequence

import numpy as np
from scipy import special

from gsmooth_jax.claims import Ballot, Window
from gsmooth_jax.estimation import pooled
from gsmooth_jax.methods.base import Guarantee, Visit
from gsmooth_jax.methods.cover.path import Layout, Part
from gsmooth_jax.methods.coverage import holds_identity
from gsmooth_jax.methods.pool import Pool

_SCOUTS = 48
"""One part in so many, the ends and the image's own are tested before the others: lost images should cost few votes."""

_MOST_LAYERS = 16
"""Layers that a centre is asked for at once."""

_ASKED_BYTES, _ASKED = 64 << 20, 64
"""Of centres, what is asked for at once at most: of their bytes, and where these are few, how many all the same."""

_LIKELY = 64
"""Blocks behind those asked for that may fill rows of a batch which nobody else needs."""

_ANSWER = 512
"""Votes that an image may take to say what the smoothed classifier answers there, once its claim is lost."""

_SECOND = 1 / 8
"""Of alpha, the share for parts that are laid out anew."""

_PATIENCE = 64
"""Layers that a part is waited for before it is laid out anew."""

_CLOSER = 0.6
"""Of what a bound is above 1/2, so much is left at least where a part is laid out anew."""

_SURE = 0.999
"""How probable an event is at most, where it is guessed how many votes a part will take."""

_HOPE = 2.0
"""By so many standard deviations votes may turn out better than those so far, where the budget is planned."""

Rounds = Generator[list[Visit], list[np.ndarray], None]


def level(guarantee: Guarantee, depth: int) -> float:
    """The level of a window's test: nearly all of alpha at first, and the rest for parts that are laid out anew."""
    return guarantee.alpha * (_SECOND if depth else 1.0 - _SECOND)


class WindowTests:
    """The tests of one image's parts: a window for each part and event.

    Attributes:
      lost: whether a part of the region cannot be proved.
      exhausted: whether that is for lack of votes.
      needed: the votes that the image was last thought to take.
    """

    def __init__(self, layout: Layout, events: Sequence[int], guarantee: Guarantee, *, depth: int = 0, spent: int = 0):
        """Prepares the tests.

        Args:
          layout: of the region, or of what is left of it.
          events: claimed of all parts.
          guarantee: the claim's terms.
          depth: 1 for parts that are laid out anew.
          spent: votes that the image has had before.
        """
        g, self._guarantee, self._depth, self._spent = guarantee, guarantee, depth, spent
        self._parts = layout.parts
        self._windows = [
            Window(
                tuple(p.low.tolist()),
                tuple(p.high.tolist()),
                level(g, depth),
                event,
                p.centre_id,
                p.bounds,
                p.pairs,
            )
            for p in layout.parts
            for event in events
        ]
        self._postponed = np.zeros(len(self._windows), bool)
        self._pool = Pool(self._windows, g.block)
        self._centres = layout.centres
        self._layers = np.zeros(len(self._pool.centre_ids), int)
        self._events = sorted({*events})
        self._successes = np.zeros((len(self._layers), len(self._events), 0), np.int32)
        self._identity = np.array([holds_identity(w, g.region) for w in self._windows])
        self.lost = self.exhausted = False
        self.needed = 0

    @property
    def votes(self) -> int:
        """Cast so far, with those before."""
        return self._spent + int(self._layers.sum()) * self._guarantee.block

    def postponed(self) -> list[Part]:
        """The parts that may be proved when they are smaller."""
        events = len(self._windows) // len(self._parts)
        return [self._parts[i] for i in np.unique(np.flatnonzero(self._postponed) // events)]

    def windows(self) -> list[Window]:
        """Those that were looked at."""
        return [w for w, layers in zip(self._windows, self._pool.layers, strict=True) if layers]

    def ballots(self) -> list[Ballot]:
        """The votes of all centres that have some."""
        return [
            Ballot(int(centre_id), event, tuple(self._successes[row, number, : self._layers[row]].tolist()))
            for row, centre_id in enumerate(self._pool.centre_ids)
            if self._layers[row]
            for number, event in enumerate(self._events)
        ]

    def run(self) -> Rounds:
        """Votes until all parts have passed, or one is lost (``lost``), or the votes cannot suffice (``exhausted``).

        Where the claim is lost, what the smoothed classifier answers at the image itself is still worth a few votes.
        """
        count = len(self._windows)
        number = np.arange(count)
        scouts = self._identity | (number % _SCOUTS == 0) | (number == count - 1)
        for wave in (scouts, np.ones(count, bool)):
            while not self._given_up() and (left := wave & self._left()).any():
                yield from self._round(left)
        most = min(self.votes + _ANSWER, self._guarantee.max_votes)
        while self.lost and (left := self._identity & self._left()).any():
            hopes = self._missing(left, -special.ndtri(self._guarantee.futility))
            if not np.isfinite(hopes).all() or self._next(left)[1] > most:
                return
            yield from self._round(left)

    def _left(self) -> np.ndarray:
        """[M]: the windows that are still to be tested."""
        return ~(self._pool.passed | self._postponed)

    def _round(self, wanted: np.ndarray) -> Rounds:
        """Votes at the centres of some windows [M], as many layers as each of these lacks at the least."""
        goals, rows = self._asked(wanted)
        visits = [
            Visit(self._centres[number], number, now, goal, goal + _LIKELY)
            for number, now, goal in zip(
                self._pool.centre_ids[rows].tolist(), self._layers[rows].tolist(), goals[rows].tolist(), strict=True
            )
        ]
        if (more := goals.max() - self._successes.shape[2]) > 0:
            self._successes = np.pad(self._successes, ((0, 0), (0, 0), (0, more)))
        for row, visit, counts in zip(rows, visits, (yield visits), strict=True):
            for number, event in enumerate(self._events):
                found = counts[:, event] if event >= 0 else self._guarantee.block - counts[:, ~event]
                self._successes[row, number, visit.start : visit.stop] = found
        self._layers = goals
        self._pool.look(self._successes, self._layers)

    def _asked(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As ``_next`` for the first of some windows, as many as have room in memory; and which centres lack layers."""
        most = max(_ASKED_BYTES // self._centres.nbytes_each, _ASKED)
        goals, _ = self._next(wanted)
        rows = np.flatnonzero(goals > self._layers)
        if len(rows) > most:
            pool = self._pool
            furthest = np.where(pool.counts > 0, pool.second, 0).max(axis=1)
            first = np.arange(len(wanted)) == np.argmax(wanted)
            goals, _ = self._next(wanted & ((furthest < rows[most]) | first))
            rows = np.flatnonzero(goals > self._layers)
        return goals, rows

    def _next(self, wanted: np.ndarray) -> tuple[np.ndarray, int]:
        """The layers [S] that centres should come to have for some windows [M], and the image's votes then."""
        goals = self._spread(wanted, np.minimum(self._missing(wanted, None), _MOST_LAYERS)).astype(int)
        return goals, self._spent + int(goals.sum()) * self._guarantee.block

    def _given_up(self) -> bool:
        """Decides whether the claim is lost: from guesses, which may cost a claim and cannot make one."""
        g, left = self._guarantee, self._left()
        hopeless = np.flatnonzero(left)[np.isinf(self._missing(left, -special.ndtri(g.futility)))]
        if self._depth == 0:
            slow = np.flatnonzero(left)[self._missing(left, _HOPE) > _PATIENCE]
            self._postponed[slow] = self._promising(slow)
            left = self._left()
        if not self._postponed[hopeless].all():
            self.lost = True
        else:
            # What is doubtful may turn out better, but is not expected to be cheap.
            more = np.minimum(self._missing(left, _HOPE), 4 * _PATIENCE)
            self.needed = self._spent + int(self._spread(left, more).sum()) * g.block
            self.exhausted = self.needed > g.max_votes
            self.lost |= self.exhausted
        return self.lost

    def _promising(self, rows: np.ndarray) -> np.ndarray:
        """Whether windows may pass where their bounds come nearer to 1/2: if votes beside their parts let one hope."""
        pool = self._pool
        won, votes, bound = pool.won[rows, 0], pool.votes[rows, 0], pool.bounds[rows, 0]
        share = special.betaincinv(won + 0.5, votes - won + 0.5, 1.0 - self._guarantee.futility)
        return share > 0.5 + _CLOSER * (bound - 0.5)

    def _missing(self, wanted: np.ndarray, doubts: float | None) -> np.ndarray:
        """How many layers some windows [M] still lack, infinity where they will not pass.

        Args:
          wanted: which windows.
          doubts: by so many standard deviations votes may turn out better than those so far; None: all are for the
            event, nearly.
        """
        pool = self._pool
        missing = np.maximum(pooled.missing(pool.log_e[wanted], level(self._guarantee, self._depth)), 1e-9)
        votes, bets, layers = pool.counts[wanted] * self._guarantee.block, pool.bets.of(wanted), pool.layers[wanted]
        growth = pooled.growth(_SURE, votes, bets)
        if doubts is not None and (known := layers > 0).any():
            hoped = pooled.hoped(pool.won[wanted][known], pool.votes[wanted][known], bets.of(known), doubts)
            growth[known] = np.minimum(growth[known], hoped / layers[known])
        return np.ceil(np.divide(missing, growth, out=np.full(len(layers), np.inf), where=growth > 0.0))

    def _spread(self, wanted: np.ndarray, more: np.ndarray) -> np.ndarray:
        """[S]: the layers of all centres when some windows [M] have got so many more."""
        pool, most = self._pool, self._layers.astype(float)
        goals = np.where(pool.counts[wanted] > 0, (pool.layers[wanted] + more)[:, None], 0.0)
        for places in (pool.first[wanted], pool.second[wanted]):
            np.maximum.at(most, places, goals)
        return most
