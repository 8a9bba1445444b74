"""What the votes of cells prove together: the answer at the image itself, and whether the region is covered. Host."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from gsmooth_jax.claims import CellEvidence
from gsmooth_jax.estimation import sequential
from gsmooth_jax.regions import Box


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """M cells of a region, float64 arrays; the fields are those of ``CellEvidence``.

    Attributes:
      region: of P parameters.
      low: [M, P].
      high: [M, P].
      distance: [M].
      node: [M].
      depth: [M].
      successes: [M].
      votes: [M].
    """

    region: Box
    low: np.ndarray
    high: np.ndarray
    distance: np.ndarray
    node: np.ndarray
    depth: np.ndarray
    successes: np.ndarray
    votes: np.ndarray

    @classmethod
    def of(cls, evidence: Sequence[Any], region: Box) -> "Cells":
        """Puts the cells of a claim side by side.

        Raises:
          ValueError: something that no cell can be: votes that are not whole numbers, ends of another dimension.
        """
        if not all(isinstance(e, CellEvidence) for e in evidence):
            raise ValueError("expected cells, got the votes of one test")
        columns = zip(*evidence, strict=True) if evidence else [()] * len(CellEvidence._fields)
        low, high, *rest = (np.array(column, np.float64) for column in columns)
        shape = (len(evidence), len(region.low))
        cells = cls(region, low.reshape(shape), high.reshape(shape), *rest)
        counts = np.stack([cells.node, cells.depth, cells.successes, cells.votes])
        if not (
            (cells.low <= cells.high).all()
            and (cells.distance >= 0.0).all()
            and np.isfinite(cells.distance).all()
            and ((counts >= 0) & (counts % 1 == 0)).all()
            and (cells.successes <= cells.votes).all()
        ):
            raise ValueError("impossible cells")
        return cells

    def where(self, chosen: np.ndarray) -> "Cells":
        """The cells of a mask [M]."""
        rest = {f.name: getattr(self, f.name)[chosen] for f in dataclasses.fields(self) if f.name != "region"}
        return Cells(region=self.region, **rest)

    def passed(self, alpha: np.ndarray) -> np.ndarray:
        """Which cells [M] pass the sequential test: their votes show p_A > Phi(distance), each at its level [M]."""
        t = threshold(self.distance)
        within = t < 1.0
        result = np.zeros(len(t), bool)
        tests = (self.successes, self.votes, t, alpha)
        result[within] = sequential.certified(*(column[within] for column in tests))
        return result

    def hold_identity(self) -> np.ndarray:
        """Which cells [M] hold the image itself, half open: of neighbours that share that face, one does.

        So one test of each depth speaks for the image, and the levels of the depths are all that its answer costs.
        """
        at_end = (self.high == 0.0) & ((self.low == self.high) | (self.high == np.array(self.region.high)))
        return ((self.low <= 0.0) & ((self.high > 0.0) | at_end)).all(axis=1)

    def cover_region(self) -> bool:
        """Whether the cells cover the region."""
        return boxes_cover(np.array(self.region.low), np.array(self.region.high), self.low, self.high)

    def overlap(self) -> bool:
        """Whether two cells share more than a face: the point that they share would be tested twice."""
        wide = np.array(self.region.high) > np.array(self.region.low)
        order = np.argsort(self.low[:, wide][:, 0], kind="stable")
        low, high = self.low[order][:, wide], self.high[order][:, wide]
        high = np.maximum(high, np.nextafter(low, np.inf))  # a point, too, may be tested twice
        ends = np.searchsorted(low[:, 0], high[:, 0])  # the cells that begin before this one ends
        return any(
            ((low[i + 1 : ends[i]] < high[i]) & (high[i + 1 : ends[i]] > low[i])).all(axis=1).any()
            for i in np.flatnonzero(ends > np.arange(1, len(ends) + 1))
        )


def threshold(distance: ArrayLike) -> np.ndarray:
    """The p_A that a cell has to exceed: Phi(distance), rounded up; 1.0 where no number of votes proves it."""
    return special.ndtr(np.asarray(distance) * (1.0 + 1e-9))


def boxes_cover(low: np.ndarray, high: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Whether the union of closed boxes [M, P] holds the closed box [P]: cuts it along the boxes' faces."""
    inside = np.where(high > low, (lows < high) & (highs > low), (lows <= high) & (highs >= low))
    meets = inside.all(axis=1)
    lows, highs = lows[meets], highs[meets]
    if len(lows) == 0:
        return False
    if ((lows <= low) & (highs >= high)).all(axis=1).any():
        return True
    if len(low) == 1:  # in order, none begins behind what those before it cover
        order = np.argsort(lows[:, 0])
        begin, reached = lows[order, 0], np.maximum.accumulate(highs[order, 0])
        return bool(begin[0] <= low[0] and (begin[1:] <= reached[:-1]).all() and reached[-1] >= high[0])
    for axis in range(len(low)):
        # The middle one of the faces that cut the box: halves the boxes to look at.
        faces = np.unique(np.concatenate([lows[:, axis], highs[:, axis]]))
        faces = faces[(faces > low[axis]) & (faces < high[axis])]
        if len(faces):
            cut = faces[len(faces) // 2]
            left, right = high.copy(), low.copy()
            left[axis] = right[axis] = cut
            return boxes_cover(low, left, lows, highs) and boxes_cover(right, high, lows, highs)
    return False


def differences(derived: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """Names the fields whose recorded value is not the one that follows: field -> (recorded, follows)."""
    for field, (says, follows) in derived.items():
        if says != follows:
            yield f"{field}: the file says {says!r}, the evidence gives {follows!r}"
