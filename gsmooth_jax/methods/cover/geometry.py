"""How a transformed image travels in the latent space: exact values at the ends of small boxes, and what lies between.

Where the latent of a transformed image may be, for every parameter of a box, rests on the values at the box's ends and
on what the transform's Lipschitz bound allows between them (THEORY D7). It is never a maximum over sampled points. A
region of several parameters is cut into strips with a path along the middle of each (THEORY P4); ``path`` places the
smoothing centres of a path. Host, but for the values themselves.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.kernels import latent_kernel, speed_kernel
from gsmooth_jax.methods.cover.path import REACH, Layout, Part, Path, Stretch
from gsmooth_jax.types import Computed, LatentNoise, LipschitzBounded

FEW, _BATCH = 16, 64
"""Boxes a device call: the smaller number for what is left, padded, so nothing recompiles, and for large images."""

_BATCH_BYTES = 4 << 20
"""Of the images of a device call, at most where they are more than the few."""

_STRETCH_BYTES = 8 << 20
"""Of the latents that a path is computed for at a time."""

_COARSE = 16
"""Boxes for which a bound on the speed is computed at first."""

SPACING = 0.5
"""Between centres: nearer ones cost evaluations, further ones votes."""

_LENGTH = 0.12
"""Of the path through a box, at most, by its bound and in standard deviations: smaller boxes cost more evaluations,
larger ones let it stray further."""

_FINER = 0.4
"""Scale of parts that are laid out anew."""

_ACROSS = 0.85
"""Half the width of a strip, at most."""

_Box = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, each [P]."""


class TooLong(Exception):
    """A region takes more parts than there may be votes, one at least for the centre that each part has to itself.

    Attributes:
      parts: so far.
      share: of the region that they cover.
    """

    def __init__(self, parts: int, share: float):
        super().__init__(parts, share)
        self.parts, self.share = parts, share


class Outlook(NamedTuple):
    """What a region is going to take.

    Attributes:
      images: transformed, whose latents are computed.
      centres: smoothing centres, about, and at most.
      length: of the path, at most, in standard deviations of the noise; NaN where none leads from value to value.
    """

    images: int
    centres: int
    length: float


class Unbounded(Exception):
    """An image may jump somewhere in the region: no distance holds between the values of its transform."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """One image's path or sheet of latents under a transform.

    Attributes:
      image: [H, W, C].
      stages: of the transform.
      noise: of the latent.
      centres: of the image; a layout adds its own.
      scale: of the parts, and of what lies between centres: less than 1 costs votes and proves more.
    """

    image: np.ndarray
    stages: CoverDecomposition
    noise: LatentNoise
    centres: Centres
    scale: float = 1.0

    def point(self, parameter: np.ndarray) -> Layout:
        """Returns the centre of a single parameter [P]."""
        box = parameter[None]
        return Layout(self.centres, list(self._lone(box, box, box).layout(self.centres)))

    def values(self, parameters: np.ndarray) -> "Values":
        """Computes the latents of the image transformed by parameters [N, P].

        Raises:
          FloatingPointError: a latent is not finite.
        """
        moving, ties, nearest = self.stages.moving, self.stages.ties, self.stages.nearest
        float32 = self._float32(parameters.min(axis=0), parameters.max(axis=0))
        near = float32.off * ties.rounding.density if ties else 0.0

        def kernel(theta: np.ndarray) -> tuple[jax.Array, ...]:
            stages = {"transform": moving, "ties": ties, "rounding": nearest, "fixed": self.stages.fixed}
            return latent_kernel(self.noise, self.image, theta, near, **stages)

        latents, between, squares = self._batched(kernel, parameters)
        self._check(latents, parameters)
        if nearest is None:
            return Values(latents, between, np.full(len(latents), np.inf))
        # What float32 makes of a place among the levels: a few units of the file's range for each entry.
        away = np.sqrt(squares.astype(np.float64)) * (1.0 + 1e-5) / nearest.density
        return Values(latents, between, away + 2.0**-21 * (nearest.high - nearest.low) * math.sqrt(self.image.size))

    def layout(self, low: np.ndarray, high: np.ndarray, most: float = math.inf) -> Layout:
        """Covers a box of parameters, from a lower corner [P] to an upper one, by parts with their smoothing centres.

        Raises:
          TooLong: it takes more than ``most`` parts.
          ValueError: parameters that stand for a transform's values do not ascend inside the box.
          Unbounded: see there.
        """
        if self.stages.values is not None:
            # The image itself, at 0, is the first value from there on.
            ends = [low, *([np.zeros(1)] if low[0] < 0.0 < high[0] else []), high]
            paths = (self._values(a, b) for a, b in itertools.pairwise(ends))
        else:
            along, strips = self._strips(low, high)
            paths = (self._strip(*strip, along) for strip in strips)
        whole, share = Layout(self.centres, []), 0.0
        for part in (part for path in paths for part in path.layout(self.centres)):
            whole.parts.append(part)
            share += float(np.prod((part.high - part.low)[high > low] / (high - low)[high > low]))
            if len(whole.parts) > most:
                raise TooLong(len(whole.parts), share)
        return whole

    def outlook(self, low: np.ndarray, high: np.ndarray) -> Outlook:
        """Says what a box of parameters is going to take: of a sheet, as if all strips were like the middle one.

        Raises:
          Unbounded: see there.
        """
        if self.stages.values is not None:
            values = len(self.stages.values.representatives(self.image.shape, low, high))
            return Outlook(values, values, math.nan)
        along, strips = self._strips(low, high)
        *_, lengths = self._coarse(*strips[len(strips) // 2], along)
        boxes = np.ceil(lengths / (_LENGTH * self.scale)).clip(1).sum()
        length = float(lengths.sum())
        centres = math.ceil((length + 2 * REACH) / (SPACING * self.scale))  # some beyond the ends
        return Outlook(int(boxes) * len(strips), centres * len(strips), length * len(strips))

    def finer(self, parts: Sequence[Part]) -> Layout:
        """Covers parts of the region by smaller ones, neighbours along a path together."""
        fine = dataclasses.replace(self, scale=_FINER)
        runs: list[_Box] = []
        for low, high, *_ in parts:
            # A face in common, and all else: the two are a box.
            apart = [a != c or b != d for a, b, c, d in zip(*runs[-1], low, high, strict=True)] if runs else []
            if sum(apart) == 1 and (runs[-1][1] == low)[apart].all():
                low = runs.pop()[0]
            runs.append((low, high))
        return Layout(self.centres, [part for low, high in runs for part in fine.layout(low, high).parts])

    def _values(self, low: np.ndarray, high: np.ndarray) -> Path:
        """The transform's values in an interval of a parameter."""
        assert self.stages.values is not None
        points = self.stages.values.representatives(self.image.shape, low, high)
        # Of whole numbers those that are meant, not what the ends of smaller parts are rounded to.
        points = points[((low <= points) & (points <= high)).all(axis=1)]
        # Where one value ends and the next begins is not asked: each part speaks for the values inside it, and its ends
        # are drawn half way to its neighbours'.
        ends = np.concatenate([low[None], 0.5 * (points[:-1] + points[1:]), high[None]])
        if len(points) == 0 or not (np.diff(ends, axis=0) >= 0.0).all() or not (np.diff(points, axis=0) > 0.0).all():
            raise ValueError(
                f"Expected representatives of {self.stages.moving.name} that ascend from {low[0]:g} to {high[0]:g}, "
                f"got {points[:, 0].tolist()}."
            )
        return self._lone(ends[:-1], ends[1:], points)

    def _lone(self, lows: np.ndarray, highs: np.ndarray, points: np.ndarray) -> Path:
        """Boxes [N, P] with the latent of one parameter each, from which no path leads to the next."""
        float32 = self._float32(lows.min(axis=0), highs.max(axis=0))
        seen, nothing = self.values(points), np.zeros(len(lows))
        beyond = self._rounded(nothing, seen.between, seen.away, float32) + float32.slack
        return self._path([Stretch(lows, highs, seen.latents, nothing, beyond)], float32)

    def _path(self, stretches: Iterable[Stretch], float32: "_Float32") -> Path:
        return Path(stretches=stretches, slack=float32.slack, spacing=SPACING * self.scale, noise=self.noise)

    def _speeds(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """[N, P] float64: bounds on the image's L2 speed along each parameter in boxes [N, P].

        Raises:
          FloatingPointError: a bound is NaN.
          Unbounded: one is infinite.
        """
        moving = self.stages.moving
        assert isinstance(moving, LipschitzBounded)  # as ``CoverDecomposition`` has made sure
        (speeds,) = self._batched(lambda a, b: (speed_kernel(self.image, a, b, transform=moving),), low, high)
        if np.isnan(speeds).any():
            raise FloatingPointError(f"the bound on its change under {moving.name} is not a number.")
        if np.isinf(speeds).any():
            raise Unbounded(f"it jumps under {moving.name}, or may, so no distance holds between its parameters")
        return speeds.astype(np.float64)

    @functools.cached_property
    def _scales(self) -> np.ndarray:
        """[P]: how far the latent moves, at most, when the image moves by 1 along each parameter."""
        offset, other = self.noise.offset_upper(self.image.size), self.noise.lipschitz_upper
        return np.array([offset if p.offset else other for p in self.stages.moving.params], np.float64) * (1.0 + 1e-6)

    def _strips(self, low: np.ndarray, high: np.ndarray) -> tuple[int, list[_Box]]:
        """The parameter that the latent travels furthest along, and the strips in its direction that make up a box."""
        if len(low) == 1:
            return 0, [(low, high)]
        travel = self._scales * self._speeds(low[None], high[None])[0] * (high - low)
        along = int(np.where(high > low, travel, -1.0).argmax())
        counts = np.ceil(travel * (len(low) - 1) / (2 * _ACROSS * self.scale)).astype(int).clip(1)
        counts[along] = 1
        edges = [_cut(np.array([a, b]), np.array([n])) for a, b, n in zip(low, high, counts, strict=True)]
        lows, highs = (itertools.product(*sides) for sides in ([e[:-1] for e in edges], [e[1:] for e in edges]))
        return along, [(np.array(a), np.array(b)) for a, b in zip(lows, highs, strict=True)]

    def _coarse(self, low: np.ndarray, high: np.ndarray, along: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cuts a strip where few bounds on the speed are enough: a bound costs far more than a value.

        Each holds in all pieces of its box. Returns the edges [M + 1], the speeds [M, P], and how long [M] a path
        through each box may be.
        """
        edges = _cut(np.array([low[along], high[along]]), np.array([_COARSE]))
        lows, highs = _sliced(low, high, along, edges)
        speeds = self._speeds(lows, highs)
        return edges, speeds, 2 * self._scales[along] * (speeds * _half_widths(lows, highs))[:, along]

    def _strip(self, low: np.ndarray, high: np.ndarray, along: int) -> Path:
        """Cuts a strip into short boxes along one parameter; the path leads through the middle of the others."""
        edges, speeds, lengths = self._coarse(low, high, along)
        pieces = np.ceil(lengths / (_LENGTH * self.scale)).astype(int).clip(1)
        edges = _cut(edges, pieces)
        lows, highs = _sliced(low, high, along, edges)
        gaps = np.repeat(speeds, pieces, axis=0) * _half_widths(lows, highs)
        points = np.tile(0.5 * (low + high), (len(edges), 1))
        points[:, along] = edges
        aside = np.delete(gaps, along, axis=1) @ np.delete(self._scales, along)
        float32, longest, gaps = self._float32(low, high), self._scales[along] * gaps[:, along], gaps.sum(axis=1)

        def stretches() -> Iterator[Stretch]:
            last: list[Values] = []
            for boxes in self._pieces(len(lows)):
                new = self.values(points[boxes.start + len(last) : boxes.stop + 1])
                seen = Values(*(np.concatenate(each) for each in zip(*last, new, strict=True)))
                last = [Values(*(each[-1:] for each in seen))]
                between, away = (np.maximum(each[:-1], each[1:]) for each in seen[1:])
                rounded = self._rounded(gaps[boxes], between, away, float32)
                beyond = aside[boxes] + rounded + float32.slack
                yield Stretch(lows[boxes], highs[boxes], seen.latents, longest[boxes], beyond)

        return self._path(stretches(), float32)

    def _pieces(self, boxes: int) -> Iterator[slice]:
        """Cuts a number of boxes into what is computed at a time."""
        size = max(_STRETCH_BYTES // self.image.nbytes // self._batch, 1) * self._batch
        return (slice(start, min(start + size, boxes)) for start in range(0, boxes, size))

    def _check(self, latents: np.ndarray, parameters: np.ndarray) -> None:
        """Raises FloatingPointError where a latent is not finite."""
        finite = np.isfinite(latents).reshape(len(latents), -1).all(axis=1)
        if not finite.all():
            raise FloatingPointError(
                f"its latent is not finite under {self.stages.moving.name} {parameters[~finite][0].tolist()}."
            )

    def _rounded(self, gaps: np.ndarray, between: np.ndarray, away: np.ndarray, float32: "_Float32") -> np.ndarray:
        """Bounds [N] how far rounding to levels moves a latent anywhere in boxes with these L2 gaps [N].

        An entry is moved by ``stages.jump`` at most, and by its distance from a ``fixed`` value at most. The entries of
        such a value at the nearer end of the box are together no further from there, in L2, than the image can get on
        half the way; all the others are ``between`` [N] in number. (Enumerated values have no gap: only ties count.)
        Of its way to where a rounding first takes it elsewhere, an entry may owe ``off`` at most to float32.

        The nearest levels are ``away`` [N] from the images at the ends, and from one that is a way off, by that way
        further at most (THEORY M1).
        """
        jump, left = self.stages.jump, self.stages.reach - float32.off
        gone = gaps * (jump / left) if left > 0.0 else np.full(np.shape(gaps), np.inf)
        inside = np.sqrt(between * jump**2 + gone**2)
        nearest = away + gaps + float32.thrice
        return self.noise.lipschitz_upper * np.minimum(np.minimum(inside, nearest), math.sqrt(self.image.size) * jump)

    def _float32(self, low: np.ndarray, high: np.ndarray) -> "_Float32":
        """What float32 does to the transformed images of a box of parameters (THEORY J13)."""
        image = self.stages.whole.float32_upper(self._given, low, high)
        latent = self.noise.lipschitz_upper * image.error + self.noise.float32_upper(image)
        return _Float32(slack=2 * latent, off=2 * image.entry, thrice=3 * image.error)

    @property
    def _batch(self) -> int:
        """Images of a device call where there are many."""
        return _BATCH if _BATCH * self.image.nbytes <= _BATCH_BYTES else FEW

    def _batches(self, boxes: slice) -> Iterator[np.ndarray]:
        """The numbers of some boxes by device calls; the last is as long as the others or the smaller ones."""
        start = boxes.start
        while start < boxes.stop:
            size = self._batch if boxes.stop - start >= self._batch else FEW
            yield np.arange(start, start + size)
            start += size

    def _batched(self, kernel: Callable[..., tuple[jax.Array, ...]], *boxes: np.ndarray) -> list[np.ndarray]:
        """Calls a kernel on arrays [N, P], a batch at a time, the last one padded; returns its results [N, ...]."""
        count = len(boxes[0])
        parts = [  # dispatched ahead; fetched below
            kernel(*(a[np.minimum(batch, count - 1)].astype(np.float32) for a in boxes))
            for batch in self._batches(slice(0, count))
        ]
        return [np.concatenate(jax.device_get(results))[:count] for results in zip(*parts, strict=True)]

    @functools.cached_property
    def _given(self) -> Computed:
        return Computed.of(self.image)


class _Float32(NamedTuple):
    """What float32 does, once in the attacker's program and once in ours.

    Attributes:
      slack: to a latent, in the distance of the noise.
      off: to an entry of an image.
      thrice: to an image in L2; and once more in the attacker's program, whose rounding is of what that computes.
    """

    slack: float
    off: float
    thrice: float


class Values(NamedTuple):
    """Transformed images as latents.

    Attributes:
      latents: [N, ...].
      between: [N], entries that a rounding may take elsewhere, as ``latent_kernel`` counts them.
      away: [N], at most how far in L2 the images are from the nearest levels of a rounding to come; else infinity.
    """

    latents: np.ndarray
    between: np.ndarray
    away: np.ndarray


def _half_widths(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Half the widths of boxes [N, P], and what rounding their corners to float32 may add."""
    return 0.5 * (high - low) + 2e-7 * (np.abs(low) + np.abs(high))


def _sliced(low: np.ndarray, high: np.ndarray, along: int, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slices a box [P] along one parameter at edges [N + 1], its ends among them; corners [N, P]."""
    lows, highs = np.tile(low, (len(edges) - 1, 1)), np.tile(high, (len(edges) - 1, 1))
    lows[:, along], highs[:, along] = edges[:-1], edges[1:]
    return lows, highs


def _cut(edges: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Cuts each of the intervals between edges [N + 1] into its number [N] of equal pieces.

    The edges stay, since bounds may have been proved between them. What is new is rounded, so that records are short:
    to a decimal place of at most a hundredth of the narrowest piece.
    """
    if pieces.max() == 1:
        return edges
    digits = 2 - math.floor(math.log10(np.min(np.diff(edges) / pieces)))
    cuts = [
        np.linspace(a, b, n + 1)[1:-1].round(digits)
        for (a, b), n in zip(itertools.pairwise(edges), pieces, strict=True)
    ]
    return np.concatenate([np.concatenate([[edge], cut]) for edge, cut in zip(edges, [*cuts, []], strict=True)])
