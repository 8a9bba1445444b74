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
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from gsmooth_jax.methods.cover.kernels import (
    NearTieRounding,
    entry_speed_kernel,
    latent_kernel,
    rounded_kernel,
    speed_kernel,
)
from gsmooth_jax.methods.cover.path import Layout, Part, Path
from gsmooth_jax.transforms import Clip, Composition, Quantize
from gsmooth_jax.types import Computed, FiniteValued, Float32Bounded, LatentNoise, LipschitzBounded, Transform

_FEW, _BATCH = 16, 64
"""Boxes a device call: the smaller number for what is left, padded, so nothing recompiles."""

_COARSE = 16
"""Boxes for which a bound on the speed is computed at first."""

_SPACING = 0.5
"""Between centres: nearer ones cost evaluations, further ones votes."""

_LENGTH = 0.12
"""Of the path through a box, at most, by its bound and in standard deviations: smaller boxes cost more evaluations,
larger ones let it stray further."""

_FINER = 0.4
"""Scale of parts that are laid out anew."""

_ACROSS = 0.85
"""Half the width of a strip, at most."""

_JUMPS = 0.05
"""Of all entries, the share that may jump a level in a box, where it pays to follow the rounded image. Half a level of
every entry, allowed for otherwise, is as much as a quarter of them jumping; but rounded images also lie beside each
other, by a root of n / 12 levels or so."""

_Box = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, each [P]."""


@dataclasses.dataclass(frozen=True)
class CoverDecomposition:
    """A transform as the geometry sees it.

    Attributes:
      whole: all of it.
      moving: the transform without a rounding that follows everything else; all of it where its values are enumerated.
      values: the stage whose values are enumerated, or None.
      jump: how far a rounding to levels may take an entry: ``Quantize.jump`` where it was left out of ``moving``, a
        whole level at a tie where it was not.
      reach: how near to a fixed value an entry is still taken to it.
      ties: the rounding inside ``moving``, or None.
      rounding: that was left out of ``moving``, where how fast each entry moves before it is known; or None.
      fixed: values that many entries have exactly, and that the rounding leaves where they are: ends of a clip and of
        the file's range, and 0, which enters where content left. Nor does it take an entry beside one further than its
        distance from there.
    """

    whole: Composition
    moving: Transform
    values: FiniteValued | None
    jump: float
    reach: float = math.inf
    ties: NearTieRounding | None = None
    rounding: Quantize | None = None
    fixed: tuple[float, ...] = ()

    @classmethod
    @functools.lru_cache(maxsize=16)  # asked once an image
    def of(cls, transform: Transform) -> "CoverDecomposition":
        """Splits a transform.

        Raises:
          ValueError: a stage states neither a Lipschitz bound nor its values, or not what float32 does to it; there are
            two roundings at the end, or one that rounds down what is enumerated or not clipped.
        """
        whole = Composition((transform,))
        _require_float32(whole)
        stages = list(whole.stages)
        tail: list[Transform] = []
        while stages and isinstance(stages[-1], Clip | Quantize):
            tail.insert(0, stages.pop())
        roundings = [t for t in tail if isinstance(t, Quantize)]
        if len(roundings) > 1:
            raise ValueError(f"cover takes one quantize at the end, {transform.name!r} has {len(roundings)}.")
        down = [t for t in roundings if t.rounding == "down"]
        if down and not any(isinstance(t, Clip) for t in tail[: tail.index(down[0])]):
            raise ValueError(f"cover takes clip in front of quantize(rounding='down'), {transform.name!r} has none.")
        if len(stages) == 1 and isinstance(stages[0], FiniteValued):
            if not roundings:
                return cls(whole, transform, stages[0], 0.0)
            if down:
                raise ValueError(f"cover enumerates the values of {stages[0].name}: round them to the nearest level.")
            before = Composition((stages[0], *tail[: tail.index(roundings[0])]))
            return cls(whole, transform, stages[0], 2 * roundings[0].jump, ties=NearTieRounding(before, roundings[0]))
        moving = Composition((*stages, *(t for t in tail if isinstance(t, Clip))))
        _require_bound(moving)
        # A clip behind the rounding moves no two images further apart: it may as well stand in front.
        ends = {0.0, *(end for t in tail if isinstance(t, Clip | Quantize) for end in (t.low, t.high))}
        if down:  # takes what is a little below a level a whole one further: only below the first is nothing
            ends = {max(t.low for t in tail[: tail.index(down[0])] if isinstance(t, Clip))}
        fixed = tuple(sorted(value for value in ends if all(r.keeps(value) for r in roundings)))
        jump, reach = (roundings[0].jump, roundings[0].reach) if roundings else (0.0, math.inf)
        rounding = roundings[0] if roundings and not moving.unbounded(entries=True) else None
        return cls(whole, moving, None, jump, reach, rounding=rounding, fixed=fixed)


def _require_bound(transform: Composition) -> None:
    """Raises ValueError, before any image, where the transform will not be able to state a bound."""
    if why := transform.unbounded():
        raise ValueError(
            f"cover has no bound for {transform.name!r}: {why} "
            "Methods for a transform with a group law may still apply: gsmooth methods."
        )


def _require_float32(transform: Composition) -> None:
    """Raises ValueError where a stage does not say what float32 does to it."""
    for stage in transform.stages:
        if not isinstance(stage, Float32Bounded):
            raise ValueError(
                f"cover allows for what float32 does to an image, and stage {stage.name!r} of {transform.name!r} does "
                "not say: give it a float32_upper (types.Float32Bounded; transforms/float32.py has the parts)."
            )


class Unbounded(Exception):
    """An image may jump somewhere in the region: no distance holds between the values of its transform."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """One image's path or sheet of latents under a transform.

    Attributes:
      image: [H, W, C].
      stages: of the transform.
      noise: of the latent.
      scale: of the parts, and of what lies between centres: less than 1 costs votes and proves more.
    """

    image: np.ndarray
    stages: CoverDecomposition
    noise: LatentNoise
    scale: float = 1.0

    def point(self, parameter: np.ndarray) -> Layout:
        """Returns the centre of a single parameter [P]."""
        latents, between = self.values(parameter[None])
        return self._path(parameter[None], parameter[None], latents, between, np.zeros(1), 0.0).layout(0)

    def values(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the latents [N, ...] of the image transformed by parameters [N, P], and as ``latent_kernel`` counts
        them, the entries [N] of the transformed images that rounding may take elsewhere.

        Raises:
          FloatingPointError: a latent is not finite.
        """  # noqa: D205
        moving, ties, fixed = self.stages.moving, self.stages.ties, self.stages.fixed
        float32 = self._float32(parameters.min(axis=0), parameters.max(axis=0))
        near = float32.off * ties.rounding.density if ties else 0.0

        def kernel(theta: np.ndarray) -> tuple[jax.Array, jax.Array]:
            return latent_kernel(self.noise, self.image, theta, near, transform=moving, ties=ties, fixed=fixed)

        latents, between = _batched(kernel, parameters)
        self._check(latents, parameters)
        return latents, between

    def layout(self, low: np.ndarray, high: np.ndarray, first: int = 0) -> Layout:
        """Covers a box of parameters, from a lower corner [P] to an upper one, by parts with their smoothing centres.

        These are numbered from ``first`` on.

        Raises:
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
        whole = Layout(first, [], [])
        for path in paths:
            _, centres, parts = path.layout(first + len(whole.centres))
            whole.centres.extend(centres)
            whole.parts.extend(parts)
        return whole

    def finer(self, parts: Sequence[Part], first: int) -> Layout:
        """Covers parts of the region by smaller ones, neighbours along a path together; numbered from ``first`` on."""
        fine, whole = dataclasses.replace(self, scale=_FINER), Layout(first, [], [])
        runs: list[_Box] = []
        for low, high, *_ in parts:
            # A face in common, and all else: the two are a box.
            apart = [a != c or b != d for a, b, c, d in zip(*runs[-1], low, high, strict=True)] if runs else []
            if sum(apart) == 1 and (runs[-1][1] == low)[apart].all():
                low = runs.pop()[0]
            runs.append((low, high))
        for low, high in runs:
            _, centres, smaller = fine.layout(low, high, first + len(whole.centres))
            whole.centres.extend(centres)
            whole.parts.extend(smaller)
        return whole

    def _values(self, low: np.ndarray, high: np.ndarray) -> Path:
        """The transform's values in an interval of a parameter."""
        assert self.stages.values is not None
        points = self.stages.values.representatives(self.image.shape, low, high)
        # Where one value ends and the next begins is not asked: each part speaks for the values inside it, and its ends
        # are drawn half way to its neighbours'.
        ends = np.concatenate([low[None], 0.5 * (points[:-1] + points[1:]), high[None]])
        if len(points) == 0 or not (np.diff(ends, axis=0) >= 0.0).all() or not (np.diff(points, axis=0) > 0.0).all():
            raise ValueError(
                f"Expected representatives of {self.stages.moving.name} that ascend from {low[0]:g} to {high[0]:g}, "
                f"got {points[:, 0].tolist()}."
            )
        latents, between = self.values(points)
        return self._path(ends[:-1], ends[1:], latents, between, np.zeros(len(points)), 0.0)

    def _path(
        self,
        lows: np.ndarray,
        highs: np.ndarray,
        latents: np.ndarray,
        between: np.ndarray,
        longest: np.ndarray,
        aside: np.ndarray | float,
        gaps: np.ndarray | float = 0.0,
    ) -> Path:
        """A path of N boxes, with what rounding and float32 add to how far from it an image may be.

        Args:
          lows: [N, P], lower corners.
          highs: [N, P], upper corners.
          latents: [N + 1, ...] or [N, ...].
          between: for each latent, the entries that rounding may take elsewhere.
          longest: [N], half the length of the path through a box.
          aside: [N], how far the other parameters take the latent from it.
          gaps: [N], how far, in L2, an image of a box is at most from the nearer one of those at its ends.
        """
        float32 = self._float32(lows.min(axis=0), highs.max(axis=0))
        if len(latents) > len(lows):
            between = np.maximum(between[:-1], between[1:])
        beyond = aside + self._rounded(np.broadcast_to(gaps, between.shape), between, float32) + float32.slack
        return Path(
            lows=lows,
            highs=highs,
            latents=latents,
            longest=longest,
            beyond=beyond,
            slack=float32.slack,
            spacing=_SPACING * self.scale,
            noise=self.noise,
        )

    def _speeds(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """[N, P] float64: bounds on the image's L2 speed along each parameter in boxes [N, P].

        Raises:
          FloatingPointError: a bound is NaN.
          Unbounded: one is infinite.
        """
        moving = self.stages.moving
        assert isinstance(moving, LipschitzBounded)  # as ``CoverDecomposition`` has made sure
        (speeds,) = _batched(lambda a, b: (speed_kernel(self.image, a, b, transform=moving),), low, high)
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

    def _strip(self, low: np.ndarray, high: np.ndarray, along: int) -> Path:
        """Cuts a strip into short boxes along one parameter; the path leads through the middle of the others."""
        edges = _cut(np.array([low[along], high[along]]), np.array([_COARSE]))
        lows, highs = _sliced(low, high, along, edges)
        speeds = self._speeds(lows, highs)
        # A bound costs far more than a value, and a box's own holds in each of its pieces.
        lengths = 2 * self._scales[along] * (speeds * _half_widths(lows, highs))[:, along]
        pieces = np.ceil(lengths / (_LENGTH * self.scale)).astype(int).clip(1)
        edges = _cut(edges, pieces)
        lows, highs = _sliced(low, high, along, edges)
        gaps = np.repeat(speeds, pieces, axis=0) * _half_widths(lows, highs)
        points = np.tile(0.5 * (low + high), (len(edges), 1))
        points[:, along] = edges
        if rounding := self.stages.rounding:
            most = _JUMPS * np.sum(~np.isin(self.image, self.stages.fixed))
            # Squares of moves alone, for which bounds on the image's own speed are at hand, may be too many.
            if 4.0 * np.mean((gaps.sum(axis=1) * rounding.density) ** 2) <= most:
                path = self._rounded_path(lows, highs, points, pieces, most)
                if path is not None:
                    return path
        latents, between = self.values(points)
        aside = np.delete(gaps, along, axis=1) @ np.delete(self._scales, along)
        return self._path(
            lows, highs, latents, between, self._scales[along] * gaps[:, along], aside, gaps=gaps.sum(axis=1)
        )

    def _rounded_path(
        self, lows: np.ndarray, highs: np.ndarray, points: np.ndarray, pieces: np.ndarray, most: float
    ) -> Path | None:
        """A path of N boxes of rounded images: between them nothing moves, but entries jump.

        None where so many may jump that it is better to follow the image before it is rounded.

        Args:
          lows: [N, P], lower corners.
          highs: [N, P], upper corners.
          points: [N + 1, P], where the images are computed.
          pieces: [_COARSE], boxes in each of some neighbours for which the entries' speeds are bounded.
          most: jumps of entries in a box, on the average, for which it pays.
        """
        stages = self.stages
        assert stages.rounding is not None
        assert isinstance(stages.moving, Composition)
        float32 = self._float32(lows.min(axis=0), highs.max(axis=0))
        cuts = np.concatenate([[0], pieces.cumsum()])
        low, high = lows[cuts[:-1]].astype(np.float32), highs[cuts[1:] - 1].astype(np.float32)
        speeds = entry_speed_kernel(self.image, low, high, transform=stages.moving)
        coarse, half = np.repeat(np.arange(len(pieces)), pieces), _half_widths(lows, highs).astype(np.float32)
        moves = np.einsum("mp,mp...->m...", half[cuts[:-1]], np.asarray(speeds)) * stages.rounding.density
        # An entry that moves by a share of a level comes to another from twice that share of all places.
        if np.sum(2.0 * moves * (1.0 + 2.0 * moves)) / len(pieces) > most:
            return None
        parts, start = [], 0
        while start < len(lows):
            size = _BATCH if len(lows) - start >= _BATCH else _FEW
            boxes = np.minimum(np.arange(start, start + size), len(lows) - 1)
            ends = np.minimum(np.arange(start, start + size + 1), len(lows))
            theta = points[ends].astype(np.float32)
            parts.append(
                rounded_kernel(
                    self.noise,
                    self.image,
                    theta,
                    speeds,
                    coarse[boxes],
                    half[boxes],
                    np.float32(float32.off),
                    whole=stages.whole,
                    moving=stages.moving,
                    rounding=stages.rounding,
                )
            )
            start += size
        fetched = jax.device_get(parts)
        latents = np.concatenate([fetched[0][0][:1], *(latents[1:] for latents, _ in fetched)])[: len(points)]
        levels = np.concatenate([squares for _, squares in fetched])[: len(lows)]
        self._check(latents, points)
        changed = np.sqrt(levels.astype(np.float64)) * (1.0 + 1e-5) / stages.rounding.density
        beyond = self.noise.lipschitz_upper * changed + float32.slack
        return Path(
            lows=lows,
            highs=highs,
            latents=latents,
            longest=np.zeros(len(lows)),
            beyond=beyond,
            slack=float32.slack,
            spacing=_SPACING * self.scale,
            noise=self.noise,
        )

    def _check(self, latents: np.ndarray, parameters: np.ndarray) -> None:
        """Raises FloatingPointError where a latent is not finite."""
        finite = np.isfinite(latents).reshape(len(latents), -1).all(axis=1)
        if not finite.all():
            raise FloatingPointError(
                f"its latent is not finite under {self.stages.moving.name} {parameters[~finite][0].tolist()}."
            )

    def _rounded(self, gaps: np.ndarray, between: np.ndarray, float32: "_Float32") -> np.ndarray:
        """Bounds [N] how far rounding to levels moves a latent anywhere in boxes with these L2 gaps [N].

        An entry is moved by ``stages.jump`` at most, and by its distance from a ``fixed`` value at most. The entries of
        such a value at the nearer end of the box are together no further from there, in L2, than the image can get on
        half the way; all the others are ``between`` [N] in number. (Enumerated values have no gap: only ties count.)
        Of its way to where a rounding first takes it elsewhere, an entry may owe ``off`` at most to float32.
        """
        jump, left = self.stages.jump, self.stages.reach - float32.off
        gone = gaps * (jump / left) if left > 0.0 else np.full(np.shape(gaps), np.inf)
        inside = np.sqrt(between * jump**2 + gone**2)
        return self.noise.lipschitz_upper * np.minimum(inside, math.sqrt(self.image.size) * jump)

    def _float32(self, low: np.ndarray, high: np.ndarray) -> "_Float32":
        """What float32 does to the transformed images of a box of parameters (THEORY J13)."""
        image = self.stages.whole.float32_upper(self._given, low, high)
        latent = self.noise.lipschitz_upper * image.error + self.noise.float32_upper(image)
        return _Float32(slack=2 * latent, off=2 * image.entry)

    @functools.cached_property
    def _given(self) -> Computed:
        return Computed.of(self.image)


class _Float32(NamedTuple):
    """What float32 does, once in the attacker's program and once in ours.

    Attributes:
      slack: to a latent, in the distance of the noise.
      off: to an entry of an image.
    """

    slack: float
    off: float


def _batched(kernel: Callable[..., tuple[jax.Array, ...]], *boxes: np.ndarray) -> list[np.ndarray]:
    """Calls a kernel on arrays [N, P], a batch at a time, the last one padded; returns each of its results [N, ...]."""
    parts, start, count = [], 0, len(boxes[0])
    while start < count:
        stop = start + (_BATCH if count - start >= _BATCH else _FEW)
        padded = np.minimum(np.arange(start, stop), count - 1)
        parts.append(kernel(*(a[padded].astype(np.float32) for a in boxes)))  # dispatched ahead; fetched below
        start = stop
    return [np.concatenate(jax.device_get(results))[:count] for results in zip(*parts, strict=True)]


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
