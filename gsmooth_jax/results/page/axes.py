"""One image's region as a line: what is proved of it, how its votes went, where they failed. Inline SVG. Host."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gsmooth_jax.claims import AgainstRandom, Claim
from gsmooth_jax.methods.pool import Pool
from gsmooth_jax.regions import Box
from gsmooth_jax.results.page._html import tag
from gsmooth_jax.results.reasons import rounded_down
from gsmooth_jax.results.run import Run

_WIDTH, _HEIGHT = 240.0, 34.0
_TRACK, _THICK, _PLOT = 24.0, 6.0, 18.0
_BINS = 48


class Axis:
    """Draws the images of one run.

    The line is the parameter, where there is one and the region is a box; else the size of similar regions.
    """

    def __init__(self, run: Run):
        self._header, self._region = run.header, run.region
        region = run.region
        self._line = isinstance(region, Box) and len(region.low) == 1
        low, high = 0.0, region.size
        if isinstance(region, Box) and self._line:
            low, high = region.low[0], region.high[0]
        # Closed forms prove larger regions by the way.
        wide = 1.25 if any(c.radius > run.region.size for c in run.claims) else 1.0
        self._low, self._high = wide * low, wide * high
        self._ends = (low, high)

    @property
    def ends(self) -> tuple[float, float]:
        """The region's ends."""
        return self._ends

    def draw(self, claim: Claim, *, failed: Sequence[float] = (), attacked: Sequence[float] = (), flipped: bool) -> str:
        """Returns the picture of a claim.

        Args:
          claim: of the run.
          failed: the parameter [P] near which its proof stopped, if there is one.
          attacked: the worst that an attack has found, if there is one.
          flipped: whether the answer was another one there.
        """
        low, high = self._ends
        marks = [_bar(self._x(low), self._x(high), "track")]
        if (low, high) != (self._low, self._high):
            marks.append(_bar(self._x(self._low), self._x(self._high), "beyond"))
        if claim.radius > 0.0:
            share = claim.radius / self._region.size
            left, right = self._x(max(self._low, share * low)), self._x(min(self._high, share * high))
            marks.append(_bar(left, right, "part" if claim.correct is False else "proved"))
        if line := self._votes(claim):
            marks += [tag("path", d=f"M0 {_PLOT:g}H{_WIDTH:g}", class_="half"), tag("path", d=line, class_="votes")]
        marks.append(tag("path", d=f"M{self._x(0.0):.1f} {_TRACK - 2:g}v{_THICK + 4:g}", class_="zero"))
        if len(failed):
            marks.append(tag("path", d=f"M{self._place(failed):.1f} {_TRACK - 4:g}v{_THICK + 8:g}", class_="failed"))
        if len(attacked):
            at = f"{self._place(attacked):.1f}"
            marks.append(tag("circle", cx=at, cy=_TRACK + 0.5 * _THICK, r=3, class_="flip" if flipped else "tried"))
        top = 0.0 if line else _TRACK - 6.0  # without votes there is nothing above the line
        size = f"0 {top:g} {_WIDTH:g} {_HEIGHT - top:g}"
        return tag("svg", *marks, viewBox=size, class_="axis", role="img", aria_label=self._said(claim))

    def _said(self, claim: Claim) -> str:
        if isinstance(claim.statement, AgainstRandom):
            return f"a random parameter changes the answer with a probability of {claim.statement.at_most:.2g} at most"
        if claim.radius <= 0.0:
            return "nothing proved"
        return f"proved to {rounded_down(claim.radius)} of {self._region.size:g}"

    def _x(self, value: float) -> float:
        return _WIDTH * (value - self._low) / (self._high - self._low)

    def _place(self, at: Sequence[float]) -> float:
        """Where a parameter [P] is: of several, by the size of the similar region that it is just in."""
        if self._line:
            return float(np.clip(self._x(at[0]), 1.0, _WIDTH - 1.0))
        if not isinstance(self._region, Box):
            size = float(np.linalg.norm(at))
        else:
            ends = zip(at, self._region.low, self._region.high, strict=True)
            size = self._region.size * max(v / end if end else 0.0 for v, a, b in ends for end in [b if v > 0 else a])
        return float(np.clip(self._x(size), 1.0, _WIDTH - 1.0))

    def _votes(self, claim: Claim) -> str:
        """The share of votes for the claimed event along the parameter, from half to all; the least of each place."""
        if not self._line:
            return ""
        least = shares(claim, self._header, np.linspace(*self._ends, _BINS + 1))
        points = []
        for number, share in enumerate(least):
            if np.isnan(share):
                points.append("")
                continue
            y = _PLOT - (_PLOT - 2.0) * max(2.0 * share - 1.0, 0.0)
            ends = self._x(self._ends[0]), self._x(self._ends[1])
            left = ends[0] + (ends[1] - ends[0]) * number / _BINS
            opened = "M" if not number or not points[-1] else "L"
            points.append(f"{opened}{left:.0f} {y:.0f}H{left + (ends[1] - ends[0]) / _BINS:.0f}")
        return "".join(points)


def shares(claim: Claim, header: Mapping[str, Any], edges: np.ndarray) -> np.ndarray:
    """Returns the least share [N] of votes in each stretch between ascending edges [N + 1]; NaN where there are none.

    Of windows, of both of a pair's centres together; of hypotheses with parts of their own, of each.
    """
    if claim.windows:
        pool = Pool(claim.windows, header["block"])
        successes, layers = pool.table(claim.ballots)
        won, votes = successes.sum(axis=2).max(axis=1, initial=0), header["block"] * layers
        if successes.shape[1] != 1:  # of several events, votes of one are no share of the answer
            return np.full(len(edges) - 1, np.nan)
        pairs, first, second = pool.counts > 0, pool.first, pool.second
        both = np.where(pairs, votes[first] + votes[second], 0)
        share = np.where(both > 0, (won[first] + won[second]) / np.maximum(both, 1), np.nan)
        found = np.nanmin(np.where(np.isnan(share).all(axis=1, keepdims=True), 2.0, share), axis=1)
        parts = [(w.low[0], w.high[0], s) for w, s in zip(claim.windows, found.tolist(), strict=True) if s <= 1.0]
    else:
        parts = [
            (h.low[0], h.high[0], h.successes / h.votes) for h in claim.hypotheses if h.low and h.votes and h.event >= 0
        ]
    least = np.full(len(edges) - 1, np.nan)
    for low, high, share in parts:
        first = max(int(np.searchsorted(edges, low, side="right")) - 1, 0)
        span = slice(first, max(int(np.searchsorted(edges, high)), first + 1))
        least[span] = np.fmin(least[span], share)
    return least


def _bar(left: float, right: float, kind: str) -> str:
    return tag("rect", x=f"{left:.1f}", y=_TRACK, width=f"{max(right - left, 1.0):.1f}", height=_THICK, class_=kind)
