"""Where to put smoothing centres along a path of latents, and what pairs of them prove together. Host.

A path is a row of boxes of parameters, each with a latent at either end. Every so often an end is a smoothing centre;
the boxes between two neighbouring centres k and k + 1 are a *part* of the region, for which pairs (k - j, k + 1 + j)
speak: half way between them the path passes by (``pairs``). So each vote counts for all parts near its centre. Beyond
the ends of the path, which need not be parameters of the transform, its latents are mirrored: any latent may be a
centre, and what is proved is about the path alone.

Where values of a transform are enumerated, each has one latent and no path leads to the next. A value with a centre is
spoken for by that centre and by the pairs (k - j, k + j) around it, and those between two centres as on a path.

Distances are |.|_(S^-1), S the noise's covariance. A path from e_0 to e_1 at most T long, with |e_1 - e_0| = d, lies in
an ellipsoid with these foci (THEORY P2): at most sqrt(T^2 - d^2) / 2 off their axis, and (T - d) / 2 beyond them.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gsmooth_jax.methods.cover.pairs import pair_bounds
from gsmooth_jax.types import LatentNoise

_REACH = 2.25
"""Half the distance of a part's furthest pair, at most: what still tells a good vote from a bad one."""

_USEFUL = 0.95
"""Largest bound of a pair that is used: beyond it a vote says little, but has to be cast."""

_MOST_PAIRS = 8

_TOUCHING = 1e-3
"""Centres nearer than this have no line between them that float32 could tell."""

_GUARD = 1e-4
"""Added to lengths: more than the products of ``_squares`` lose to cancellation, their rows being of one neighbourhood,
and than what follows is rounded."""

_CHUNK = 64
"""Parts whose distances are computed at a time."""

_DIGITS = 3
"""Decimals to which bounds are rounded up: a record holds them whole, and a run has many."""


class Part(NamedTuple):
    """A closed box of parameters, and the pairs of centres that speak for it; see ``claims.Window``.

    Attributes:
      low: [P], its lower corner.
      high: [P], its upper corner.
      centre_id: what ``pairs`` are counted from.
      bounds: [J], on the mean probability over each pair where the event's is 1/2 at most somewhere in the part.
      pairs: [J], the centres.
    """

    low: np.ndarray
    high: np.ndarray
    centre_id: int
    bounds: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]


class Layout(NamedTuple):
    """Smoothing centres, and the parts of the region that they speak for.

    Attributes:
      first: the number of the first centre.
      centres: the latents, in the order of their numbers.
      parts: which together cover what was asked for.
    """

    first: int
    centres: list[np.ndarray]
    parts: list[Part]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Path:
    """The latents of one image along a parameter; N boxes that follow each other.

    Attributes:
      lows: [N, P], the lower corners of the boxes.
      highs: [N, P], their upper corners.
      latents: [N + 1, ...], at the ends of the boxes; or [N, ...], one of each, where no path leads from box to box.
      longest: [N], half the length of the path through a box, at most; 0 where there is none.
      beyond: [N], how far any transformed image of a box may be, at most, from the path, or from the box's latent.
      slack: how far float32 may take two latents apart.
      spacing: between centres, at most where the path is that dense.
      noise: measures distances.
    """

    lows: np.ndarray
    highs: np.ndarray
    latents: np.ndarray
    longest: np.ndarray
    beyond: np.ndarray
    slack: float
    spacing: float
    noise: LatentNoise

    def layout(self, first: int) -> Layout:
        """Covers the path with parts; centres are numbered from ``first`` on."""
        flat = self.latents.reshape(len(self.latents), -1)
        seen = self.noise.whitened(flat)
        chosen = self._chosen(seen)
        before, after = (self._mirrored(seen, chosen, end) for end in (0, -1))
        centres = np.concatenate([2 * flat[:1] - flat[before[::-1]], flat[chosen], 2 * flat[-1:] - flat[after]])
        spans = [(i, j, a + len(before), b + len(before)) for i, j, a, b in self._spans(chosen)]
        whitened = self.noise.whitened(centres)
        parts: list[Part] = []
        for start in range(0, len(spans), _CHUNK):
            parts += self._parts(np.array(spans[start : start + _CHUNK]), seen, whitened, first)
        return Layout(first, list(centres.reshape(-1, *self.latents.shape[1:])), parts)

    @property
    def _step(self) -> int:
        """From a box's first latent to its last."""
        return len(self.latents) - len(self.beyond)

    def _chosen(self, seen: np.ndarray) -> list[int]:
        """The latents that are centres, the first and the last among them."""
        chosen, last, ahead = [0], len(seen) - 1, 1
        while (here := chosen[-1]) < last:
            # Chords: of rounded images, neighbours jump to and fro, and the way from one to the next adds up to more.
            near = True
            while near and here + ahead <= last:
                ahead *= 2
                away = seen[here + 1 : here + 1 + ahead] - seen[here]
                near = _squares_of(away)[-1] <= self.spacing**2
            away = seen[here + 1 : here + 1 + ahead] - seen[here]
            beyond = np.flatnonzero(_squares_of(away) > self.spacing**2)
            length = max(int(beyond[0]) if len(beyond) else len(away), 1)
            chosen.append(min(here + length, last))
            ahead = length
        return chosen

    def _mirrored(self, seen: np.ndarray, chosen: list[int], end: int) -> list[int]:
        """The latents whose mirror images at an end of the path are centres: those near it, the nearest first."""
        if not self._step:
            return []
        others = np.array(chosen[1:] if end == 0 else chosen[-2::-1], int)
        away = seen[others] - seen[end]
        return others[np.einsum("nd,nd->n", away, away) <= _REACH**2].tolist()

    def _spans(self, chosen: list[int]) -> Iterator[tuple[int, int, int, int]]:
        """Yields of each part its first box, one past its last, and the innermost pair as places in ``chosen``."""
        for place, (start, stop) in enumerate(itertools.pairwise([*chosen, len(self.beyond) + self._step])):
            if self._step:
                if place + 1 < len(chosen):
                    yield start, stop, place, place + 1
                continue
            yield start, start + 1, place, place
            if stop > start + 1:
                yield start + 1, stop, place, place + 1

    def _parts(self, spans: np.ndarray, seen: np.ndarray, centres: np.ndarray, first: int) -> Iterator[Part]:
        """The parts of some consecutive spans."""
        starts, stops, inner_first, inner_second = spans.T
        outwards = np.arange(_MOST_PAIRS)
        a, b = inner_first[:, None] - outwards, inner_second[:, None] + outwards
        there = (a >= 0) & (b < len(centres))
        left, right = max(int(a.min()), 0), min(int(b.max()) + 1, len(centres))
        # From one of them, so that little cancels in the products.
        origin = centres[left]
        near = centres[left:right] - origin
        a, b = np.where(there, a - left, 0), np.where(there, b - left, 0)
        apart = np.sqrt(_squares(near, near)[a, b])

        boxes = np.arange(starts[0], stops[-1])
        part = np.repeat(np.arange(len(spans)), stops - starts)
        ends = seen[boxes[0] : boxes[-1] + 1 + self._step] - origin
        squares, at = _squares(ends, near), boxes - boxes[0]
        along, aside = np.zeros((2, 2, len(boxes), _MOST_PAIRS))
        for end in (0, 1):  # of a box
            place = (at + end * self._step)[:, None]
            along[end], aside[end] = _split(squares[place, a[part]], squares[place, b[part]], apart[part])
        way = 0.5 * np.sqrt(_squares_of(ends[at + self._step] - ends[at]))[:, None]
        # The true latents may be nearer to each other than those that float32 gave, which the root magnifies.
        closest = np.maximum(way - 0.5 * self.slack, 0.0)
        longest = self.longest[boxes][:, None]
        sideways, over = np.sqrt(np.maximum(longest**2 - closest**2, 0.0)), np.maximum(longest - closest, 0.0)
        cosine = np.divide(0.5 * np.abs(along[1] - along[0]), way, out=np.zeros_like(along[0]), where=way > 0.0)
        sine = np.sqrt(np.maximum(1.0 - np.minimum(cosine, 1.0) ** 2, 0.0))
        beyond = self.beyond[boxes][:, None] + _GUARD
        along_most = np.abs(along).max(axis=0) + over + sideways * sine
        aside_most = aside.max(axis=0) + over * sine + sideways

        cuts = starts - starts[0]
        most = (aside_most, along_most, np.broadcast_to(beyond, aside_most.shape))
        bounds = pair_bounds(0.5 * apart + _GUARD, *(np.maximum.reduceat(each, cuts) for each in most))
        bounds = np.minimum(bounds + self.noise.total_variation_upper(self.latents[0].size), 1.0)
        bounds = np.where(there & (apart <= 2 * _REACH), np.ceil(bounds * 10**_DIGITS) / 10**_DIGITS, 1.0)
        for row, (start, stop, one, other) in enumerate(spans.tolist()):
            used = np.flatnonzero(bounds[row] <= max(_USEFUL, bounds[row].min())).tolist()
            yield Part(
                low=self.lows[start],
                high=self.highs[stop - 1],
                centre_id=first + one,
                bounds=tuple(bounds[row, used].tolist()),
                pairs=tuple((-j, other - one + j) for j in used),
            )


def _split(to_first: np.ndarray, to_second: np.ndarray, apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Splits the ways from half way between two centres to latents: along the line between them, and at right angles.

    Args:
      to_first: squares of the latents' distances to one centre.
      to_second: and to the other.
      apart: the centres' distance.
    """
    along = np.divide(to_first - to_second, 2 * apart, out=np.zeros_like(apart), where=apart > _TOUCHING)
    square = 0.5 * (to_first + to_second) - 0.25 * apart**2 - along**2
    return along, np.where(
        apart > _TOUCHING, np.sqrt(np.maximum(square, 0.0)), np.sqrt(np.maximum(to_first, to_second))
    )


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[M, K]: squared distances between the rows of two arrays [M, D] and [K, D], by one product."""
    return np.maximum(_squares_of(a)[:, None] + _squares_of(b)[None, :] - 2.0 * (a @ b.T), 0.0)


def _squares_of(rows: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", rows, rows)
