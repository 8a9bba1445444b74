"""Tests hypotheses of several centres by the votes that they share: ``estimation.pooled`` on tables of votes. Host."""

from collections.abc import Sequence

import numpy as np

from gsmooth_jax.claims import Ballot, Window
from gsmooth_jax.estimation import pooled


class Pool:
    """Windows on a table of votes, each at its own level.

    Attributes:
      centre_ids: [S], ascending: those of the table's rows.
      first: [M, J], the row of a pair's first centre; J is the largest number of pairs.
      second: [M, J], that of its second.
      counts: [M, J], centres of a pair: 1 or 2, 0 where there is no such pair.
      bounds: [M, J], of the pairs.
      bets: against them.
      layers: [M], those that have been looked at.
      won: [M, J], the votes for the event in them.
      votes: [M, J], all votes.
      log_e: [M], the evidence after them.
      passed: [M].
    """

    def __init__(self, windows: Sequence[Window], block: int):
        self._block = block
        events = sorted({w.event for w in windows})
        self._events = {event: number for number, event in enumerate(events)}
        self._event = np.array([self._events[w.event] for w in windows], int)
        self._levels = np.array([w.level for w in windows])
        most = max((len(w.pairs) for w in windows), default=0)
        centres = np.full((len(windows), most, 2), -1)
        self.bounds = np.ones((len(windows), most))
        for row, window in enumerate(windows):
            centres[row, : len(window.pairs)] = window.centre_id + np.array(window.pairs)
            self.bounds[row, : len(window.pairs)] = window.bounds
        there = centres[..., 0] >= 0
        self.centre_ids = np.unique(centres[there])
        self.first, self.second = np.moveaxis(np.searchsorted(self.centre_ids, centres), -1, 0)
        self.counts = np.where(there, np.where(self.first == self.second, 1, 2), 0)
        self.bets = pooled.Bets.against(self.bounds)
        self.layers = np.zeros(len(windows), int)
        self.log_e = np.zeros(len(windows))
        self.won, self.votes = np.zeros((2, len(windows), most), int)
        self.passed = np.zeros(len(windows), bool)

    def table(self, ballots: Sequence[Ballot]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the successes [S, E, T] of centres, events and layers, and the layers [S] that each centre has."""
        layers = np.zeros(len(self.centre_ids), int)
        rows = {int(centre_id): row for row, centre_id in enumerate(self.centre_ids)}
        used = [b for b in ballots if b.centre_id in rows and b.event in self._events]
        most = max((len(b.successes) for b in used), default=0)
        successes = np.zeros((len(rows), len(self._events), most), np.int32)
        voted = np.zeros((len(rows), len(self._events)), int)
        for ballot in used:
            row, event = rows[ballot.centre_id], self._events[ballot.event]
            successes[row, event, : len(ballot.successes)] = ballot.successes
            voted[row, event] = len(ballot.successes)
        if len(rows):
            layers = voted.min(axis=1)
        return successes, layers

    def look(self, successes: np.ndarray, layers: np.ndarray) -> None:
        """Looks at each layer that all of a window's centres have come to; as ``table`` gives them."""
        if not len(self.passed):
            return
        shown = np.concatenate([np.zeros((*successes.shape[:2], 1), int), successes.cumsum(axis=2)], axis=2)
        reached = self.reached(layers)
        while len(due := np.flatnonzero(~self.passed & (self.layers < reached))):
            layer = self.layers[due, None] + 1  # each window its own next one
            first, second, event = self.first[due], self.second[due], self._event[due, None]
            won = shown[first, event, layer] + np.where(first != second, shown[second, event, layer], 0)
            votes = self.counts[due] * (self._block * layer)
            self.won[due], self.votes[due] = np.where(votes > 0, won, 0), votes
            self.log_e[due] = pooled.log_e_values(self.won[due], votes, self.bets.of(due))
            self.layers[due] += 1
            self.passed[due] = pooled.missing(self.log_e[due], self._levels[due]) <= 0.0

    def reached(self, layers: np.ndarray) -> np.ndarray:
        """[M]: the layers that all of a window's centres have, given the number of each centre."""
        most = layers.max(initial=0)
        each = np.where(self.counts > 0, np.minimum(layers[self.first], layers[self.second]), most)
        return each.min(axis=1, initial=most)
