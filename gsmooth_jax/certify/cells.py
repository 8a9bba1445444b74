"""What the votes of cells prove together: the answer at the image itself, and whether the region is covered. Host."""

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gsmooth_jax.claims import CellEvidence
from gsmooth_jax.estimation.sequential import Decision
from gsmooth_jax.regions import Box

_MOST_PIECES = 2**20
"""Pieces of a grid on which boxes are marked."""

Decide = Callable[[CellEvidence], Decision]
"""The verdict of a cell's test, from its votes."""


def remembering(decide: Decide) -> Decide:
    """Returns what answers as ``decide``, but asks it seldom: an image has many cells, a run may have a million.

    Of cells with the same votes at the same level, those pass whose distance is below some number (for the sequential
    test see ``lower_confidence``), and those are given up whose distance is above another, by the same argument with
    successes and failures exchanged. So one that lies between two with the same verdict has it too.
    """
    known: dict[tuple[int, int, int], dict[Decision, tuple[float, float]]] = {}

    def remembered(cell: CellEvidence) -> Decision:
        spans = known.setdefault((cell.successes, cell.votes, cell.depth), {})
        for decision, (least, most) in spans.items():
            if least <= cell.distance <= most:
                return decision
        decision = decide(cell)
        least, most = spans.get(decision, (cell.distance, cell.distance))
        spans[decision] = (
            -math.inf if decision == "certified" else min(least, cell.distance),
            math.inf if decision == "rejected" else max(most, cell.distance),
        )
        return decision

    return remembered


def possible(cells: Sequence[CellEvidence], params: int) -> bool:
    """Whether these are cells of so many parameters, with votes that can have been cast."""
    if not cells:
        return True
    low, high, distance, *whole, shared = zip(*cells, strict=True)
    (node, depth, successes, votes), flat = whole, itertools.chain.from_iterable
    return (
        set(map(len, low + high)) == {params}
        and set(map(type, distance)) == {float}
        and set(map(type, flat(whole))) == {int}
        and set(map(type, shared)) == {bool}
        and min(distance) >= 0.0
        and sum(distance) < math.inf
        and min(map(min, node, depth, successes)) >= 0
        and all(map(operator.le, successes, votes))
        and all(map(operator.le, flat(low), flat(high)))
    )


class Part(NamedTuple):
    """A closed box of parameters that one cell, or two that share it, speak for."""

    low: tuple[float, ...]
    high: tuple[float, ...]


def parts(passed: Iterable[CellEvidence]) -> list[Part]:
    """What cells have proved once they have passed: each its own box, or two neighbours that share one what both hold.

    Neighbours on a string of centres have consecutive numbers.
    """
    proved, before = [], None
    for e in sorted(passed, key=operator.attrgetter("node")):
        if not e.shared:
            proved.append(Part(e.low, e.high))
        elif before is not None and before.shared and (before.node + 1, before.depth) == (e.node, e.depth):
            both = Part(tuple(map(max, before.low, e.low)), tuple(map(min, before.high, e.high)))
            # Where one string ends and the next begins, both hold a face at most.
            if all(a < b or c == d for a, b, c, d in zip(*both, e.low, e.high, strict=True)):
                proved.append(both)
        before = e
    return proved


def holds_identity(part: CellEvidence | Part, region: Box) -> bool:
    """Whether a cell holds the image itself, half open: of neighbours that share that face, one does.

    So one test of each depth speaks for the image, and the levels of the depths are all that its answer costs.
    """
    return all(
        a <= 0.0 < b or (b == 0.0 and (a == b or b == end))
        for a, b, end in zip(part.low, part.high, region.high, strict=True)
    )


def answered(passed: Iterable[CellEvidence], region: Box) -> bool:
    """Whether what the cells that have passed prove holds the image itself."""
    return any(holds_identity(part, region) for part in parts(passed))


def covered(passed: Iterable[CellEvidence], region: Box) -> bool:
    """Whether the cells that have passed prove the whole region."""
    proved = sorted(parts(passed))
    if len(region.low) > 1:
        corners = [np.array([getattr(p, end) for p in proved]).reshape(-1, len(region.low)) for end in ("low", "high")]
        return boxes_cover(np.array(region.low), np.array(region.high), *corners)
    reached = region.low
    for low, high in proved:
        if low > reached:
            return False
        reached = max(reached, high)
    return reached >= region.high


def overlapping(cells: Iterable[CellEvidence]) -> bool:
    """Whether two parts that cells of one depth may prove have more than a face in common, tested more than once."""
    proved = sorted(parts(cells))
    if not proved:
        return False
    if len(proved[0].low) == 1:  # then two neighbours have, if any
        return any(c < b or a == c or b == d for (a, b), (c, d) in itertools.pairwise(proved))
    low, high = np.moveaxis(np.array(proved), 0, 1)  # [M, P] each
    both = np.ones((len(low), len(low)), bool)
    for a, b in zip(low.T, high.T, strict=True):
        # Equal ends: of cells that are flat, inside which nothing lies.
        both &= (np.less.outer(a, b) & np.greater.outer(b, a)) | np.equal.outer(a, a) | np.equal.outer(b, b)
    return bool(np.triu(both, 1).any())


def boxes_cover(low: np.ndarray, high: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Whether the union of closed boxes [M, P] holds the closed box [P]: marks it on the grid of all their faces."""
    inside = np.where(high > low, (lows < high) & (highs > low), (lows <= high) & (highs >= low))
    meets = inside.all(axis=1)
    lows, highs = lows[meets].clip(low, high), highs[meets].clip(low, high)
    if len(lows) == 0:
        return False
    faces = [np.unique(np.concatenate([a, b, [c, d]])) for a, b, c, d in zip(lows.T, highs.T, low, high, strict=True)]
    shape = [max(len(f) - 1, 1) for f in faces]
    if math.prod(shape) > _MOST_PIECES:
        # A file may hold any boxes: cuts the region in two along its most divided axis.
        axis = int(np.argmax(shape))
        cut = faces[axis][len(faces[axis]) // 2]
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = cut
        return boxes_cover(low, left, lows, highs) and boxes_cover(right, high, lows, highs)
    marked = np.zeros(shape, bool)
    first = np.stack([np.searchsorted(f, a) for f, a in zip(faces, lows.T, strict=True)], axis=1)
    stop = np.stack([np.searchsorted(f, b) for f, b in zip(faces, highs.T, strict=True)], axis=1)
    stop[:, high == low] = 1  # a flat region has one piece along that axis
    for box in np.stack([first, stop], axis=2).tolist():
        marked[tuple(itertools.starmap(slice, box))] = True
    return bool(marked.all())


def differences(derived: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """Names the fields whose recorded value is not the one that follows: field -> (recorded, follows)."""
    for field, (says, follows) in derived.items():
        if says != follows:
            yield f"{field}: the file says {says!r}, the evidence gives {follows!r}"
