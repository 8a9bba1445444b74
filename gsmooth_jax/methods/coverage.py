"""What the hypotheses that have passed prove together: of the input itself, and of the whole region. Host."""

import bisect
import itertools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gsmooth_jax.claims import Hypothesis, Window
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Region

_MOST_PIECES = 2**20
"""Pieces of a grid on which boxes are marked."""

_STEPS = 4096
"""Of windows, the largest region is given as so many parts of the whole, rounded down."""

_LESS = 1.0 - 2.0**-50
"""Takes a few roundings off."""


class Part(NamedTuple):
    """A closed box of parameters that one hypothesis, or two that share it, speak for."""

    low: tuple[float, ...]
    high: tuple[float, ...]


def parts(passed: Iterable[Hypothesis | Window]) -> list[Part]:
    """What hypotheses about one event have proved: each its own box, or two neighbours that share one what both hold.

    Neighbours on a chain of centres have consecutive numbers (THEORY P5).
    """
    proved, before = [], None
    for h in sorted(passed, key=operator.attrgetter("centre_id")):
        if isinstance(h, Window) or not h.shared:
            proved.append(Part(h.low, h.high))
            continue
        if before is not None and before.shared and (before.centre_id + 1, before.level) == (h.centre_id, h.level):
            both = Part(tuple(map(max, before.low, h.low)), tuple(map(min, before.high, h.high)))
            # Where one chain ends and the next begins, both hold a face at most.
            if all(a < b or c == d for a, b, c, d in zip(*both, h.low, h.high, strict=True)):
                proved.append(both)
        before = h
    return proved


def holds_identity(part: Hypothesis | Window | Part, region: Region) -> bool:
    """Whether a part holds the input itself, half open: of neighbours that share that face, one does.

    So one chain of tests, one of each level, speaks for the input (THEORY F9).
    """
    ends = region.high if isinstance(region, Box) else (math.inf,) * len(part.low)
    return all(
        a <= 0.0 < b or (b == 0.0 and (a == b or b == end)) for a, b, end in zip(part.low, part.high, ends, strict=True)
    )


def answered(passed: Iterable[Hypothesis | Window], region: Region) -> bool:
    """Whether what the hypotheses that have passed prove holds the input itself."""
    return any(holds_identity(part, region) for part in parts(passed))


def covered(passed: Iterable[Hypothesis | Window], region: Region) -> bool:
    """Whether the hypotheses that have passed prove the whole region."""
    proved = sorted(parts(passed))
    if isinstance(region, Box) and len(region.low) == 1:
        reached = region.low
        for low, high in proved:
            if low > reached:
                return False
            reached = max(reached, high)
        return reached >= region.high
    if isinstance(region, Ball):
        dim = len(proved[0].low) if proved else 1
        ends, ball = ((-region.radius,) * dim, (region.radius,) * dim), region
    elif isinstance(region, Box):
        ends, ball = (region.low, region.high), None
    else:
        return False
    shape = -1, len(ends[0])
    corners = [np.array([getattr(p, end) for p in proved]).reshape(shape) for end in ("low", "high")]
    return boxes_cover(np.array(ends[0]), np.array(ends[1]), *corners, ball=ball)


def largest(passed: Sequence[Hypothesis | Window], region: Box) -> float:
    """The size of the largest box similar to the region that hypotheses which have passed prove; 0.0 if there is none.

    Nested regions share the level: the smallest that is false has a false hypothesis (THEORY F3). A box that grows from
    the input first leaves what is proved where a part ends, so that no other sizes need be tried.
    """
    shares = {1.0}
    for low, high in parts(passed):
        for a, b, least, most in zip(low, high, region.low, region.high, strict=True):
            # A file may hold parts that leave the region.
            reached = (a / least if a < 0 > least else 0.0, b / most if b > 0 < most else 0.0)
            shares |= {share for share in reached if 0.0 < share < 1.0}
    # A share may be rounded up: then the box that is a little smaller is the one.
    sizes = [share * region.size for share in sorted(shares)]
    found = bisect.bisect_left(sizes, True, key=lambda size: not covered(passed, region.scaled(size * _LESS)))
    if found == 0:
        return 0.0
    if any(isinstance(h, Window) for h in passed):  # whose parts end anywhere; as version 0.8 recorded them
        return math.floor(sorted(shares)[found - 1] * _STEPS) / _STEPS * region.size
    size = sizes[found - 1]
    return size if covered(passed, region.scaled(size)) else size * _LESS


def overlapping(hypotheses: Iterable[Hypothesis | Window]) -> bool:
    """Whether two parts that hypotheses of one level may prove share more than a face, which is then tested twice."""
    proved = sorted(parts(hypotheses))
    if not proved:
        return False
    if len(proved[0].low) == 1:  # then two neighbours have, if any
        return any(c < b or a == c or b == d for (a, b), (c, d) in itertools.pairwise(proved))
    low, high = np.moveaxis(np.array(proved), 0, 1)  # [M, P] each
    both = np.ones((len(low), len(low)), bool)
    for a, b in zip(low.T, high.T, strict=True):
        # Equal ends: of parts that are flat, inside which nothing lies.
        both &= (np.less.outer(a, b) & np.greater.outer(b, a)) | np.equal.outer(a, a) | np.equal.outer(b, b)
    return bool(np.triu(both, 1).any())


def boxes_cover(
    low: np.ndarray, high: np.ndarray, lows: np.ndarray, highs: np.ndarray, ball: Ball | None = None
) -> bool:
    """Whether the union of closed boxes [M, P] holds the closed box [P], or of it what lies in a ball.

    Marks the boxes on the grid of all their faces (THEORY P6).
    """
    inside = np.where(high > low, (lows < high) & (highs > low), (lows <= high) & (highs >= low))
    meets = inside.all(axis=1)
    lows, highs = lows[meets].clip(low, high), highs[meets].clip(low, high)
    if len(lows) == 0:
        return ball is not None and _distance(low, high, ball) > ball.radius
    faces = [np.unique(np.concatenate([a, b, [c, d]])) for a, b, c, d in zip(lows.T, highs.T, low, high, strict=True)]
    shape = [max(len(f) - 1, 1) for f in faces]
    if math.prod(shape) > _MOST_PIECES:
        # A file may hold any boxes: cuts the region in two along its most divided axis.
        axis = int(np.argmax(shape))
        cut = faces[axis][len(faces[axis]) // 2]
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = cut
        return boxes_cover(low, left, lows, highs, ball) and boxes_cover(right, high, lows, highs, ball)
    marked = np.zeros(shape, bool)
    first = np.stack([np.searchsorted(f, a) for f, a in zip(faces, lows.T, strict=True)], axis=1)
    stop = np.stack([np.searchsorted(f, b) for f, b in zip(faces, highs.T, strict=True)], axis=1)
    stop[:, high == low] = 1  # a flat region has one piece along that axis
    for box in np.stack([first, stop], axis=2).tolist():
        marked[tuple(itertools.starmap(slice, box))] = True
    if ball is not None:
        for piece in np.argwhere(~marked):
            near = [f[[i, min(i + 1, len(f) - 1)]] for f, i in zip(faces, piece, strict=True)]
            left, right = np.array(near).T
            marked[tuple(piece)] = _distance(left, right, ball) > ball.radius
    return bool(marked.all())


def _distance(low: np.ndarray, high: np.ndarray, ball: Ball) -> float:
    """From 0 to the nearest point of a box [P], in the ball's norm."""
    return float(ball.norms(np.maximum(np.maximum(low, -high), 0.0)))
