"""What the votes of cells prove together: the answer at the image itself, and whether the region is covered. Host."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from gsmooth_jax.claims import CellEvidence
from gsmooth_jax.estimation.sequential import Decision
from gsmooth_jax.regions import Box

Decide = Callable[[CellEvidence], Decision]
"""The verdict of a cell's test, from its votes."""


def holds_identity(cell: CellEvidence, region: Box) -> bool:
    """Whether a cell holds the image itself, half open: of neighbours that share that face, one does.

    So one test of each depth speaks for the image, and the levels of the depths are all that its answer costs.
    """
    return all(
        a <= 0.0 < b or (b == 0.0 and (a == b or b == end))
        for a, b, end in zip(cell.low, cell.high, region.high, strict=True)
    )


def answered(cells: Iterable[CellEvidence], region: Box, decide: Decide) -> bool:
    """Whether a cell that holds the image itself has passed."""
    return any(holds_identity(e, region) and decide(e) == "certified" for e in cells)


def covered(cells: Iterable[CellEvidence], region: Box, decide: Decide) -> bool:
    """Whether the cells that have passed cover the region."""
    passed = [e for e in cells if decide(e) == "certified"]
    low, high = np.array(region.low), np.array(region.high)
    corners = [np.array([getattr(e, end) for e in passed]).reshape(-1, len(low)) for end in ("low", "high")]
    return boxes_cover(low, high, *corners)


def boxes_cover(low: np.ndarray, high: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> bool:
    """Whether the union of closed boxes [M, P] holds the closed box [P]: cuts it along the boxes' faces."""
    inside = np.where(high > low, (lows < high) & (highs > low), (lows <= high) & (highs >= low))
    meets = inside.all(axis=1)
    lows, highs = lows[meets], highs[meets]
    if len(lows) == 0:
        return False
    if ((lows <= low) & (highs >= high)).all(axis=1).any():
        return True
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
