"""Where to put smoothing centres along a path of latents, and how far the classifier's answer carries from them. Host.

THEOREM (two centres; THEORY P1). Let z ~ N(0, S) with S fixed, distances be |.|_(S^-1), and let a classifier answer
class c with probability p_A under noise. Let a and b be latents at most L apart, and u one at most w from some point of
the segment between them. If p_A > Phi(D) at a and at b, where

    2 Phi(t) - 1 = Phi(-w),    Phi(-D) = Phi(L / 2 + t) - Phi(L / 2 - t),

then p_A > 1 / 2 at u. So centres may stand much further apart than where each speaks for itself, and the nearer D comes
to w, the more: L grows like the square root of D - w.

A path is therefore either cut into cells of a single centre each, or gets a chain of centres of which each neighbouring
pair proves what lies between (THEORY P5): whichever takes fewer. A box of several parameters is cut into strips with a
path along the middle of each: what a strip holds beside its path only adds to w (THEORY P4).
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import special

from gsmooth_jax.types import LatentNoise

_DIGITS = 4
"""Decimals to which distances are rounded up: a record holds them whole, and a run has many."""

_MANY = 4
"""A chain of more centres than these is taken to have fewer than single cells: its ends are all that it wastes."""


class Cell(NamedTuple):
    """A closed box of parameters, and a latent that is near the transformed images of it.

    Attributes:
      low: [P], its lower corner.
      high: [P], its upper corner.
      centre: the latent, of the noise's latent shape.
      distance: D such that p_A > Phi(D) at the centre proves the box; where it is ``shared``, at the other centre too.
      floor: of the distance: what rounding the image to levels does to it, however small the cell.
      shared: every parameter of the box is also in one neighbour's, and what both hold takes both centres.
    """

    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    distance: float
    floor: float
    shared: bool = False


@dataclasses.dataclass(frozen=True)
class Path:
    """The latents of one image along a parameter.

    Attributes:
      lows: [N, P], the lower corners of N boxes that follow each other along one parameter.
      highs: [N, P], their upper corners.
      latents: [N + 1, ...], at the ends of the boxes; or [N, ...], one of each, where no path leads from box to box.
      beyond: [N], how far any transformed image of a box may be, at most, from the segment between its two latents, or
        from its one.
      floors: one for each latent, what of it is due to rounding, however small the box.
      wanted: one for each latent, the distance that a cell there should have.
      noise: measures distances.
    """

    lows: np.ndarray
    highs: np.ndarray
    latents: np.ndarray
    beyond: np.ndarray
    floors: np.ndarray
    wanted: np.ndarray
    noise: LatentNoise

    def cells(self) -> list[Cell]:
        """Covers the path with as few centres as the wanted distances allow."""
        chained = self._chained()
        if len(chained) > _MANY:
            return chained
        single = list(self._single())
        return chained if 0 < len(chained) < len(single) else single

    @functools.cached_property
    def _flat(self) -> np.ndarray:
        """The latents, flattened."""
        return self.latents.reshape(len(self.latents), -1)

    @property
    def _step(self) -> int:
        """From a box's first latent to its last."""
        return len(self.latents) - len(self.beyond)

    def _reach(self, far: np.ndarray, first: int) -> np.ndarray:
        """How far the images of each box may be from a convex set whose distance to the latents is given (THEORY P5).

        On a segment that distance, a convex function, is largest at an end.
        """
        far = np.maximum(far[:-1], far[1:]) if self._step else far
        return far + self.beyond[first : first + len(far)]

    def _single(self) -> Iterator[Cell]:
        """Cells of one centre: joins as many neighbouring boxes as are wanted, around the latent half way."""
        flat, count = self._flat, len(self.beyond)
        steps = np.array([self.noise.distances(a[None], b)[0] for a, b in itertools.pairwise(flat)])
        travelled = np.concatenate([[0.0], np.cumsum(steps)])

        def joined(start: int, last: int) -> tuple[int, float]:
            stop = last + self._step + 1
            middle = 0.5 * (travelled[start] + travelled[stop - 1])
            centre = start + int(np.argmin(np.abs(travelled[start:stop] - middle)))
            reach = self._reach(self.noise.distances(flat[start:stop], flat[centre]), start)
            return centre, float(outward(reach.max()))

        def fits(start: int, last: int) -> bool:
            centre, distance = joined(start, last)
            return distance <= self.wanted[centre]

        start = length = 0
        while start < count:
            last = _furthest(functools.partial(fits, start), start, count - 1, start + length)
            length = last - start
            centre, distance = joined(start, last)
            ends = self.lows[start], self.highs[last]
            yield Cell(*ends, self.latents[centre], distance, float(self.floors[centre]))
            start = last + 1

    def _chained(self) -> list[Cell]:
        """Centres from end to end, each pair of neighbours proving what lies between; none where that cannot be had."""
        centres, between, length, end = [0], [], 1, len(self.latents) - 1
        aside = float(self.beyond[0])  # changes little along a path, so the last pair's will do to look for the next
        while (start := centres[-1]) < end:
            apart, wanted = self._ahead(start, 2 * length)
            while start + len(apart) < end and (two_centres(apart, aside) <= wanted).all():
                apart, wanted = self._ahead(start, 2 * len(apart))
            likely = 1 + np.flatnonzero(two_centres(apart, aside) <= wanted)
            found = self._proving(start, apart, wanted, int(likely[-1])) if len(likely) else None
            if found is None:
                return []
            length, aside, distance = found
            centres.append(start + length)
            between.append(distance)
        # Where each box has a latent of its own, a centre's box is proved from both sides: a cell may end at its edge.
        starts, ends = [0, *centres[1:-1]], [*(c - 1 for c in centres[1:-1]), len(self.beyond) - 1]
        return [
            Cell(
                low=self.lows[starts[max(i - 1, 0)]],
                high=self.highs[ends[min(i, len(ends) - 1)]],
                centre=self.latents[centre],
                distance=max(between[max(i - 1, 0) : i + 1]),
                floor=float(self.floors[centre]),
                shared=True,
            )
            for i, centre in enumerate(centres)
            if between
        ]

    def _proving(self, start: int, apart: np.ndarray, wanted: np.ndarray, most: int) -> tuple[int, float, float] | None:
        """How far on, at ``most``, the next centre may be, with what is then aside and their distance; or None."""

        @functools.cache
        def reach(length: int) -> tuple[float, float]:
            aside = self._aside(start, start + length)
            return aside, float(outward(two_centres(apart[length - 1], aside)))

        length = _furthest(lambda n: reach(n)[1] <= wanted[n - 1], 0, most, most)
        return (length, *reach(length)) if length else None

    def _ahead(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """For each of the next latents: how far it is from that of ``start``, and the distance wanted half way."""
        stop = min(start + 1 + count, len(self.latents))
        halfway = (start + np.arange(start + 1, stop)) // 2
        return self.noise.distances(self._flat[start + 1 : stop], self._flat[start]), self.wanted[halfway]

    def _aside(self, first: int, last: int) -> float:
        """How far from the segment between two latents a transformed image of the boxes between them may be."""
        way = np.subtract(self._flat[first : last + 1], self._flat[first], dtype=np.float64)
        chord = way[-1]
        square = chord @ chord
        # The nearest point but for the shape of the noise; any other gives a bound as well.
        share = np.clip(way @ chord / square, 0.0, 1.0) if square else np.zeros(len(way))
        return float(self._reach(self.noise.distances(way, share[:, None] * chord), first).max())


def two_centres(apart: np.ndarray | float, aside: float) -> np.ndarray:
    """Returns D of the theorem above for centres ``apart`` (L) and latents ``aside`` (w); inf where there is none."""
    t = special.ndtri(0.5 * (1.0 + special.ndtr(-aside)))
    half = 0.5 * np.asarray(apart)
    outside = special.ndtr(t - half) - special.ndtr(-t - half)
    # Too small by more than rounding can make it too large: the two terms are below 1.
    return -special.ndtri(np.maximum(outside - 1e-12, 0.0))


def outward(distances: np.ndarray | float) -> np.ndarray:
    """Rounds distances up."""
    return np.ceil(np.multiply(distances, 10**_DIGITS)) / 10**_DIGITS


def _furthest(fits: Callable[[int], bool], first: int, last: int, guess: int) -> int:
    """The largest number from ``first`` to ``last`` that fits, if those below it do; ``first`` is taken to fit."""
    good, bad, number, step = first, last + 1, guess, 1
    while bad - good > 1:  # away from the guess in growing steps, then by halves
        if not good < number < bad:
            number = (good + bad) // 2
        if fits(number):
            good, number = number, number + step
        else:
            bad, number = number, number - step
        step *= 2
    return good
