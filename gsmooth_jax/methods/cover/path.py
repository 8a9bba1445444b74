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
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.pairs import pair_bounds
from gsmooth_jax.types import LatentNoise

REACH = 2.25
"""Half the distance of a part's furthest pair, at most: what still tells a good vote from a bad one."""

_USEFUL = 0.95
"""Largest bound of a pair that is used: beyond it a vote says little, but has to be cast."""

_MOST_PAIRS = 8

_TOUCHING = 1e-3
"""Centres nearer than this have no line between them that float32 could tell."""

_GUARD = 1e-4
"""Added to lengths: more than the products of ``_squares`` lose to cancellation, their rows being of one neighbourhood,
and than what follows is rounded."""

_GROUP, _GROUP_BYTES = 16, 4 << 20
"""Parts whose distances are computed at a time, at most; and bytes of their centres."""

_ALONE = 1 << 18
"""Multiplications of a product that a BLAS leaves to the thread that asks. Larger ones it shares among all cores, which
votes hold meanwhile: waiting for its threads took up to nine tenths of a path's time."""

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
      centres: by number.
      parts: which together cover what was asked for.
    """

    centres: Centres
    parts: list[Part]


class Stretch(NamedTuple):
    """N boxes of parameters that follow each other, and their latents.

    Attributes:
      lows: [N, P], the lower corners of the boxes.
      highs: [N, P], their upper corners.
      latents: [N + 1, ...] float32, at the ends of the boxes; or [N, ...], one of each, where no path leads on.
      longest: [N], half the length of the path through a box, at most; 0 where there is none.
      beyond: [N], how far any transformed image of a box may be, at most, from the path, or from the box's latent.
    """

    lows: np.ndarray
    highs: np.ndarray
    latents: np.ndarray
    longest: np.ndarray
    beyond: np.ndarray

    @property
    def step(self) -> int:
        """From a box's first latent to its last: 1, or 0 where it has one alone."""
        return len(self.latents) - len(self.beyond)

    def cut(self, start: int, stop: int) -> "Stretch":
        """The boxes from one to another."""
        boxes = slice(start, stop)
        ends = self.latents[start : stop + self.step]
        return Stretch(self.lows[boxes], self.highs[boxes], ends, self.longest[boxes], self.beyond[boxes])


def joined(stretches: Sequence[Stretch]) -> Stretch:
    """Makes one of stretches that follow each other."""
    if len(stretches) == 1:
        return stretches[0]
    lows, highs, _, longest, beyond = (np.concatenate(each) for each in zip(*stretches, strict=True))
    ends = [s.latents[: len(s.beyond)] for s in stretches] + [stretches[-1].latents[len(stretches[-1].beyond) :]]
    return Stretch(lows, highs, np.concatenate(ends), longest, beyond)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Path:
    """The latents of one image along a parameter, computed as they are needed and dropped when parts have been made.

    Attributes:
      stretches: each begins with the last latent of the one before it; where no path leads on there is but one.
      slack: how far float32 may take two latents apart.
      spacing: between centres, at most where the path is that dense.
      noise: measures distances.
    """

    stretches: Iterable[Stretch]
    slack: float
    spacing: float
    noise: LatentNoise

    def layout(self, centres: Centres) -> Iterator[Part]:
        """Covers the path with parts; their centres are added to ``centres``."""
        legs, known = self._legs(), _Known(self.noise, centres)
        opening = list(itertools.islice(legs, _MOST_PAIRS))
        leads_on = opening[0].step > 0
        if leads_on:
            ends = [*(leg.latents[0] for leg in opening), opening[-1].latents[-1]]
            known.add(self._mirrored(np.stack(ends))[::-1])
        place = first = known.stop
        held: list[Stretch] = []
        for leg in itertools.chain(opening, legs):
            known.add(leg.latents[:1])
            held.append(leg)
            group = max(min(_GROUP, _GROUP_BYTES // leg.latents[0].nbytes), 1)
            if len(held) == group + _MOST_PAIRS:
                yield from self._parts(held[:group], known, place)
                del held[:group]
                place += group
                known.drop(place - _MOST_PAIRS)
        if leads_on:
            known.add(held[-1].latents[-1:])
            back = range(known.stop - 1, max(known.stop - 1 - _MOST_PAIRS, first) - 1, -1)
            known.add(self._mirrored(np.stack([centres[number] for number in back])))
        yield from self._parts(held, known, place)

    def _legs(self) -> Iterator[Stretch]:
        """Cuts the path at the latents that are centres, the first and the last among them."""
        left: list[Stretch] = []
        for stretch in self.stretches:
            rest = joined([*left, stretch])
            seen = self.noise.whitened(rest.latents.reshape(len(rest.latents), -1))
            here, ahead = 0, 1
            while length := self._leg(seen[here:], ahead):
                yield rest.cut(here, here + length)
                here, ahead = here + length, length
            left = [rest.cut(here, len(rest.beyond))]
        (rest,) = left
        last = len(rest.beyond) - 1
        if not rest.step and last:
            yield rest.cut(0, last)
            rest = rest.cut(last, last + 1)
        yield rest

    def _leg(self, seen: np.ndarray, ahead: int) -> int:
        """How many latents further the next centre is; 0 where it is not to be seen yet."""
        # Chords, since a path that comes back needs no centre more.
        while True:
            beyond = np.flatnonzero(_squares_of(seen[1 : 1 + ahead] - seen[0]) > self.spacing**2)
            if len(beyond):
                return max(int(beyond[0]), 1)
            if ahead >= len(seen) - 1:
                return 0
            ahead *= 2

    def _mirrored(self, latents: np.ndarray) -> np.ndarray:
        """Those after the first of some latents [M, ...] that are near it, mirrored there; the nearest first."""
        seen = self.noise.whitened(latents.reshape(len(latents), -1))
        far = np.flatnonzero(_squares_of(seen[1:] - seen[0]) > REACH**2)
        return 2 * latents[:1] - latents[1 : 1 + far[0] if len(far) else None]

    def _parts(self, legs: Sequence[Stretch], known: "_Known", place: int) -> Iterator[Part]:
        """The parts of some legs, the first of which begins at the centre of number ``place``."""
        stretch, step = joined(legs), legs[0].step
        cuts = np.cumsum([0, *(len(leg.beyond) for leg in legs)]).tolist()
        spans: list[tuple[int, int, int, int]] = []  # its first box, one past its last, and the innermost pair
        for number, (start, stop) in enumerate(itertools.pairwise(cuts), place):
            if not step:
                spans.append((start, start + 1, number, number))
                start += 1
            if stop > start:
                spans.append((start, stop, number, number + 1))
        starts, stops, inner_first, inner_second = np.array(spans).T
        outwards = np.arange(_MOST_PAIRS)
        a, b = inner_first[:, None] - outwards, inner_second[:, None] + outwards
        there = (a >= known.start) & (b < known.stop)
        left = max(int(a.min()), known.start)
        # From one of them, so that little cancels in the products.
        centres = known.seen(left, int(b.max()) + 1)
        origin = centres[0].copy()
        centres -= origin
        a, b = np.where(there, a - left, 0), np.where(there, b - left, 0)
        apart = np.sqrt(_squares(centres, centres)[a, b])

        boxes = np.arange(len(stretch.beyond))
        part = np.repeat(np.arange(len(spans)), stops - starts)
        ends = self.noise.whitened(stretch.latents.reshape(len(stretch.latents), -1))
        ends -= origin
        squares = _squares(ends, centres)
        along, aside = np.zeros((2, 2, len(boxes), _MOST_PAIRS))
        for end in (0, 1):  # of a box
            row = (boxes + end * step)[:, None]
            along[end], aside[end] = _split(squares[row, a[part]], squares[row, b[part]], apart[part])
        way = 0.5 * np.sqrt(_squares_of(ends[boxes + step] - ends[boxes]))[:, None]
        # The true latents may be nearer to each other than those that float32 gave, which the root magnifies.
        closest = np.maximum(way - 0.5 * self.slack, 0.0)
        longest = stretch.longest[:, None]
        sideways, over = np.sqrt(np.maximum(longest**2 - closest**2, 0.0)), np.maximum(longest - closest, 0.0)
        cosine = np.divide(0.5 * np.abs(along[1] - along[0]), way, out=np.zeros_like(along[0]), where=way > 0.0)
        sine = np.sqrt(np.maximum(1.0 - np.minimum(cosine, 1.0) ** 2, 0.0))
        beyond = stretch.beyond[:, None] + _GUARD
        along_most = np.abs(along).max(axis=0) + over + sideways * sine
        aside_most = aside.max(axis=0) + over * sine + sideways

        most = (aside_most, along_most, np.broadcast_to(beyond, aside_most.shape))
        bounds = pair_bounds(0.5 * apart + _GUARD, *(np.maximum.reduceat(each, starts) for each in most))
        bounds = np.minimum(bounds + self.noise.total_variation_upper(stretch.latents[0].size), 1.0)
        bounds = np.where(there & (apart <= 2 * REACH), np.ceil(bounds * 10**_DIGITS) / 10**_DIGITS, 1.0)
        for row, (start, stop, one, other) in enumerate(spans):
            used = np.flatnonzero(bounds[row] <= max(_USEFUL, bounds[row].min())).tolist()
            yield Part(
                low=stretch.lows[start],
                high=stretch.highs[stop - 1],
                centre_id=one,
                bounds=tuple(bounds[row, used].tolist()),
                pairs=tuple((-j, other - one + j) for j in used),
            )


class _Known:
    """The centres of a path that its next parts may need.

    Attributes:
      start: the number of the first of them.
      stop: one past that of the last.
    """

    def __init__(self, noise: LatentNoise, centres: Centres):
        self._noise, self._centres = noise, centres
        self._rows: list[np.ndarray] = []  # whitened, all but the latest
        self._latest: list[np.ndarray] = []  # as they are
        self.start = self.stop = len(centres)

    def add(self, latents: np.ndarray) -> None:
        """Adds latents [M, ...]."""
        self._centres.add(latents)
        self._latest.extend(latents)
        self.stop += len(latents)

    def drop(self, first: int) -> None:
        """Forgets those before a number."""
        self._whiten()
        gone = max(first - self.start, 0)
        del self._rows[:gone]
        self.start += gone

    def seen(self, first: int, stop: int) -> np.ndarray:
        """Returns those from one number to another, or to the last, whitened: [M, D']."""
        self._whiten()
        return np.stack(self._rows[first - self.start : stop - self.start])

    def _whiten(self) -> None:
        if self._latest:
            self._rows.extend(self._noise.whitened(np.stack(self._latest).reshape(len(self._latest), -1)))
            self._latest.clear()


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
    """[M, K]: squared distances between the rows of two arrays [M, D] and [K, D]."""
    size = max(_ALONE // (len(a) * len(b)), 1)
    products = np.zeros((len(a), len(b)))
    for start in range(0, a.shape[1], size):
        products += a[:, start : start + size] @ b[:, start : start + size].T
    return np.maximum(_squares_of(a)[:, None] + _squares_of(b)[None, :] - 2.0 * products, 0.0)


def _squares_of(rows: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", rows, rows)
