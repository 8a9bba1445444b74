"""The tests of one image's cells, for ``cover``: where to vote next, when a cell has passed, when to cut it. Host."""

import dataclasses
from collections.abc import Generator, Iterator, Sequence

import numpy as np
from scipy import special

from gsmooth_jax.claims import Hypothesis, Ledger
from gsmooth_jax.methods.base import Guarantee, Poll, Tests
from gsmooth_jax.methods.cover.geometry import Cell, Geometry
from gsmooth_jax.regions import Box

DEPTHS = 4
"""How often a part of the region may be tested, each time in smaller cells."""

_REACH = (0.3, 0.5, 0.6)
"""Distance of a cell as a share of Phi^-1(p_A), of one, two and three parameters: costs the fewest votes for a given
path (THEORY F4), area and volume."""

_NEAREST, _FURTHEST = 0.05, 0.7
"""Limits of a cell's distance: a guess at p_A is rough, and 32 unanimous votes prove 0.7 at alpha 0.001."""

_BEYOND = 0.25
"""How far a cell's distance may exceed what rounding alone makes of it, where that leaves less below ``_FURTHEST``."""

_PATIENCE = 256
"""Votes after which an undecided cell is cut instead: its p_A is close to what it would have to be."""

_WAVE = 16
"""Cells of one image that are tested at a time, the most doubtful first: a lost image should cost few votes."""

_ANSWER = 512
"""Votes that an image may take to say what the smoothed classifier answers there, once its claim is lost."""

_PILOTS = 3
"""Points of a one-parameter region at which the classifier is asked before the cells are laid out."""


_Box = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, each [P]."""


@dataclasses.dataclass(frozen=True)
class Pilots:
    """What a few votes at points [M, P] of the region suggest; guesses, which no claim rests on."""

    points: np.ndarray
    shares: np.ndarray  # [M], of the class's votes

    def share(self, parameters: np.ndarray) -> np.ndarray:
        """p_A [N] at parameters [N, P]: interpolated in one parameter, the least of all pilots in more."""
        if parameters.shape[1] > 1:
            return np.full(len(parameters), self.shares.min())
        order = np.argsort(self.points[:, 0])
        return np.interp(parameters[:, 0], self.points[order, 0], self.shares[order])

    def target(self, parameters: np.ndarray, floors: np.ndarray) -> np.ndarray:
        """The distances [N] at which cells cost the fewest votes; a ``geometry.Target``."""
        within = _REACH[parameters.shape[1] - 1] * (special.ndtri(self.share(parameters)) - floors)
        return floors + np.clip(within, _NEAREST, np.maximum(_BEYOND, _FURTHEST - floors))


@dataclasses.dataclass(eq=False)
class _Open:
    """A cell and its tests so far: one hypothesis for each event that is claimed."""

    cell: Cell
    depth: int
    other: bool  # than the cell that holds the image itself
    doubt: float
    hypotheses: tuple[Hypothesis, ...]

    @property
    def centre_id(self) -> int:
        return self.hypotheses[0].centre_id

    @property
    def votes(self) -> int:
        return self.hypotheses[0].votes

    @property
    def successes(self) -> int:
        """For the event that has the fewest."""
        return min(h.successes for h in self.hypotheses)


class CellTests:
    """The tests of one image's cells.

    Attributes:
      lost: whether a part of the region cannot be proved.
      exhausted: whether that is for lack of votes.
    """

    def __init__(self, geometry: Geometry, pilots: Pilots, events: Sequence[int], guarantee: Guarantee, tests: Tests):
        self._geometry, self._pilots, self._events = geometry, pilots, events
        self._guarantee, self._tests = guarantee, tests
        self._open: list[_Open] = []
        self._closed: list[Hypothesis] = []
        self._recut: dict[int, tuple[int, list[_Box]]] = {}  # a cell's depth, and what of it is covered anew
        self._numbered = self._votes = 0
        self.lost = self.exhausted = False

    def hypotheses(self) -> list[Hypothesis]:
        """Every one that got a vote, decided or not."""
        return self._closed + [h for o in self._open if o.votes for h in o.hypotheses]

    def run(self, cells: list[Cell]) -> Generator[list[Poll], list[tuple[Hypothesis, ...]], None]:
        """Tests cells until all have passed, or one is lost (``lost``), or the votes cannot suffice (``exhausted``).

        Where the claim is lost, what the smoothed classifier answers at the image itself is still worth a few votes.
        """
        g = self._guarantee
        self._add(cells, depth=0)
        while self._open and not (self.lost and self._open[0].votes >= _ANSWER):
            self._close([o for o in self._open if not self._left(o)])
            room = (g.max_votes - self._votes) // g.block
            if len(self._open) > room and not self.lost:  # too many even if all of their votes should agree
                self.lost = self.exhausted = True
                self._close([o for o in self._open if o.other])
            wave = self._open[: min(_WAVE, room)]
            if not wave:
                return
            polls = []
            for test in wave:
                stop = test.votes + g.block
                # One block decides most cells; one that is still open will likely want many more.
                left = (g.max_votes - self._votes) // g.block * g.block
                polls.append(Poll(test.cell.centre, test.hypotheses, test.votes + left if test.votes else stop))
            for test, hypotheses in zip(wave, (yield polls), strict=True):
                test.hypotheses = hypotheses
                self.lost |= not self._counted(test)
            if self.lost:
                self._close([o for o in self._open if o.other])

    def _counted(self, test: _Open) -> bool:
        """Looks at a cell's new votes; returns whether its part of the region can still be proved."""
        self._votes += self._guarantee.block
        decisions = {self._tests.decide(h) for h in test.hypotheses}
        above = 0.5 * (test.cell.distance - test.cell.floor)
        # Smaller cells help only where the vote is clear enough for them, and where they can be that small.
        divisible = (
            test.depth + 1 < DEPTHS
            and above > 0.5 * _NEAREST
            and test.successes > special.ndtr(test.cell.floor + above) * test.votes
        )
        undecided = "undecided" in decisions and "rejected" not in decisions
        if undecided and not (divisible and test.votes >= _PATIENCE):
            return True
        self._close([test])
        if decisions == {"certified"}:
            return True
        left = self._left(test)
        if left and not divisible:
            return False
        self._recut[test.centre_id] = test.depth, left
        for low, high in left:
            self._add(self._geometry.cells(low, high, lambda _, floors: floors + above), test.depth + 1)
        return True

    def _left(self, test: _Open) -> list[_Box]:
        """The boxes of a cell that are still to be proved by it: those that it shared with one that failed are not."""
        left = [(test.cell.low, test.cell.high)]
        for neighbour in (test.centre_id - 1, test.centre_id + 1) if test.cell.shared else ():
            depth, boxes = self._recut.get(neighbour, (None, []))
            for gone in boxes if depth == test.depth else ():
                left = [rest for box in left for rest in _without(box, gone)]
        return left

    def _close(self, tests: list[_Open]) -> None:
        gone = set(tests)
        self._open = [o for o in self._open if o not in gone]
        self._closed += [h for o in tests if o.votes for h in o.hypotheses]

    def _add(self, cells: list[Cell], depth: int) -> None:
        doubt = 1.0 - self._pilots.share(np.stack([0.5 * (c.low + c.high) for c in cells]))
        for cell, d in zip(cells, doubt, strict=True):
            other = not bool((cell.low <= 0.0).all() and (cell.high >= 0.0).all())
            asked = Hypothesis(
                low=tuple(cell.low.tolist()),
                high=tuple(cell.high.tolist()),
                threshold=threshold(cell.distance),
                centre_id=self._numbered,
                level=level(self._guarantee, depth),
                event=self._events[0],
                shared=cell.shared,
            )
            self._open.append(_Open(cell, depth, other, float(d), tuple(asked._replace(event=e) for e in self._events)))
            self._numbered += 1
        self._open.sort(key=lambda o: (o.other, -o.doubt))


def threshold(distance: float) -> float:
    """What p_A has to exceed at a centre for its answer to carry that far: Phi(distance), rounded up."""
    return float(special.ndtr(distance * (1.0 + 1e-9)))


def _without(box: _Box, gone: _Box) -> Iterator[_Box]:
    """Cuts off a box what lies outside another, one parameter after the other; yields the pieces."""
    low, high = (end.copy() for end in box)
    if ((np.minimum(high, gone[1]) <= np.maximum(low, gone[0])) & (low < high)).any():
        yield low, high  # no more than a face in common
        return
    for k, (a, b) in enumerate(zip(*gone, strict=True)):
        if low[k] < a:
            below = high.copy()
            below[k] = a
            yield low.copy(), below
            low[k] = a
        if b < high[k]:
            above = low.copy()
            above[k] = b
            yield above, high.copy()
            high[k] = b


def pilot_points(region: Box) -> np.ndarray:
    """[M, P]: the identity, then evenly spaced points of one parameter, or the corners of several."""
    low, high = np.array(region.low), np.array(region.high)
    identity = np.zeros((1, len(low)))
    if len(low) > 1:
        return np.concatenate([identity, region.corners()])
    spread = np.linspace(low[0], high[0], _PILOTS)
    return np.concatenate([identity, spread[spread != 0.0][:, None]])


def level(guarantee: Guarantee, depth: int) -> float:
    """The level of a test: alpha / 2, alpha / 4, ...; over all depths less than alpha."""
    return guarantee.alpha * 0.5 ** (depth + 1)


def ledger(guarantee: Guarantee) -> Ledger:
    """How alpha is divided: no test counts the draws of pilots, and the cells of one depth share its level."""
    return (("selection", 0.0), ("pilots", 0.0), *((f"depth {d}", level(guarantee, d)) for d in range(DEPTHS)))
