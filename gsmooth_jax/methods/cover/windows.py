"""Where to vote next, for ``cover``: which of an image's parts are still open, and when it is given up. Host."""

from collections.abc import Generator, Sequence

import numpy as np
from scipy import special

from gsmooth_jax.claims import Ballot, Window
from gsmooth_jax.estimation import pooled
from gsmooth_jax.methods.base import Guarantee, Visit
from gsmooth_jax.methods.cover.path import Layout
from gsmooth_jax.methods.coverage import holds_identity
from gsmooth_jax.methods.pool import Pool

_SCOUTS = 12
"""One part in so many is tested before the others: a lost image should cost few votes."""

_MOST_LAYERS = 16
"""Layers that a centre is asked for at once."""

_LIKELY = 4
"""Blocks behind those asked for that may fill rows of a batch which nobody else needs."""

_ANSWER = 512
"""Votes that an image may take to say what the smoothed classifier answers there, once its claim is lost."""

_SURE = 0.999
"""How probable an event is at most, where it is guessed how many votes a part will take."""

_HOPE = 0.2
"""With this probability a part takes fewer votes than is forecast of it."""

Rounds = Generator[list[Visit], list[np.ndarray], None]


class WindowTests:
    """The tests of one image's parts: a window for each part and event.

    Attributes:
      lost: whether a part of the region cannot be proved.
      exhausted: whether that is for lack of votes.
    """

    def __init__(self, layout: Layout, events: Sequence[int], guarantee: Guarantee):
        g, self._guarantee = guarantee, guarantee
        self._windows = [
            Window(tuple(p.low.tolist()), tuple(p.high.tolist()), g.alpha, event, p.centre_id, p.bounds, p.pairs)
            for p in layout.parts
            for event in events
        ]
        self._pool = Pool(self._windows, g.block)
        self._centres = [layout.centres[i] for i in self._pool.centre_ids]
        self._layers = np.zeros(len(self._centres), int)
        self._events = sorted({*events})
        self._successes = np.zeros((len(self._centres), len(self._events), 0), np.int32)
        self._identity = np.array([holds_identity(w, g.region) for w in self._windows])
        self.lost = self.exhausted = False

    @property
    def votes(self) -> int:
        """Cast so far."""
        return int(self._layers.sum()) * self._guarantee.block

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
        scouts = self._identity | (np.arange(count) % _SCOUTS == _SCOUTS // 2)
        for wave in (scouts, np.ones(count, bool)):
            while (left := wave & ~self._pool.passed).any() and not self._given_up():
                yield from self._round(left)
        most = min(self.votes + _ANSWER, self._guarantee.max_votes)
        while self.lost and (left := self._identity & ~self._pool.passed).any():
            if not np.isfinite(self._missing(left, self._guarantee.futility)).all() or self._next(left)[1] > most:
                return
            yield from self._round(left)

    def _round(self, wanted: np.ndarray) -> Rounds:
        """Votes at the centres of some windows [M], as many layers as each of these lacks at the least."""
        goals, _ = self._next(wanted)
        rows = np.flatnonzero(goals > self._layers)
        visits = [
            Visit(self._centres[r], int(self._pool.centre_ids[r]), now, goal, goal + _LIKELY)
            for r, now, goal in zip(rows, self._layers[rows].tolist(), goals[rows].tolist(), strict=True)
        ]
        if (more := goals.max() - self._successes.shape[2]) > 0:
            self._successes = np.pad(self._successes, ((0, 0), (0, 0), (0, more)))
        for row, visit, counts in zip(rows, visits, (yield visits), strict=True):
            for number, event in enumerate(self._events):
                found = counts[:, event] if event >= 0 else self._guarantee.block - counts[:, ~event]
                self._successes[row, number, visit.start : visit.stop] = found
        self._layers = goals
        self._pool.look(self._successes, self._layers)

    def _next(self, wanted: np.ndarray) -> tuple[np.ndarray, int]:
        """The layers [S] that centres should come to have for some windows [M], and the image's votes then."""
        goals = self._spread(wanted, np.minimum(self._missing(wanted, None), _MOST_LAYERS)).astype(int)
        return goals, int(goals.sum()) * self._guarantee.block

    def _given_up(self) -> bool:
        """Decides whether the claim is lost: from guesses, which may cost a claim and cannot make one."""
        g, left = self._guarantee, ~self._pool.passed
        if not np.isfinite(self._missing(left, g.futility)).all():
            self.lost = True
        elif self._spread(left, self._missing(left, _HOPE)).sum() * g.block > g.max_votes:
            self.lost = self.exhausted = True
        return self.lost

    def _missing(self, wanted: np.ndarray, doubt: float | None) -> np.ndarray:
        """How many layers some windows [M] still lack, infinity where they will not pass.

        Args:
          wanted: which windows.
          doubt: the probability with which an event happens more often than is supposed here; None: it always does.
        """
        pool = self._pool
        shares = np.full(int(wanted.sum()), _SURE)
        if doubt is not None:
            won, votes = pool.won[wanted], pool.votes[wanted]
            shares = np.minimum(shares, special.betaincinv(won + 0.5, votes - won + 0.5, 1.0 - doubt))
        growth = pooled.growth(shares, pool.counts[wanted] * self._guarantee.block, pool.bounds[wanted])
        missing = np.maximum(pooled.missing(pool.log_e[wanted], self._guarantee.alpha), 1e-9)
        return np.ceil(np.divide(missing, growth, out=np.full(len(shares), np.inf), where=growth > 0.0))

    def _spread(self, wanted: np.ndarray, more: np.ndarray) -> np.ndarray:
        """[S]: the layers of all centres when some windows [M] have got so many more."""
        pool, most = self._pool, self._layers.astype(float)
        goals = np.where(pool.counts[wanted] > 0, (pool.layers[wanted] + more)[:, None], 0.0)
        for places in (pool.first[wanted], pool.second[wanted]):
            np.maximum.at(most, places, goals)
        return most
