"""How far a transformed image travels in the latent space: cells of the region, each within reach of its centre.

A cell's ``distance`` rests on a bound, for every parameter of the cell, on how far the latent of the transformed image
lies from the cell's centre, or from the segment to the next: exact values at the ends of small boxes plus what the
transform's Lipschitz bound allows between them (THEORY D7). It is never a maximum over sampled points. A region of
several parameters is cut into strips with a path along the middle of each; ``walk`` places the centres of a path. Host,
but for the values themselves.

A path at most T long, whose ends are d apart, strays from the segment between them by b = sqrt(T^2 - d^2) / 2 at most:
its points lie in an ellipsoid with the ends for foci, a = T / 2 and b its half axes. Between the foci nothing of it is
further than b from the segment, and what lies beyond one is within b^2 / a <= b of it. So a path whose bound on the
speed is close needs few values. Lengths are Euclidean there; divided by sigma they bound distances: S >= sigma^2 I.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from gsmooth_jax.methods.cover.kernels import Ties, latent_kernel, speed_kernel
from gsmooth_jax.methods.cover.two_centres import Cell, Path, outward
from gsmooth_jax.transforms import Clip, Composition, Quantize
from gsmooth_jax.types import Computed, FiniteValued, Float32Bounded, LatentNoise, LipschitzBounded, Transform

_FEW, _BATCH = 16, 64
"""Boxes a device call: the smaller number for what is left, padded, so nothing recompiles."""

_COARSE = 16
"""Boxes with which the walk along a path begins."""

_SHARE = 0.2
"""Of a target, beyond what rounding takes of it, half the way through a box may cost this share; smaller boxes cost
more evaluations."""

_ACROSS = 0.55
"""And a strip this share, half way across: two centres then prove the largest area, whatever the target."""

_Box = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, each [P]."""

Target = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""The distances [N] wanted of cells at parameters [N, P] where rounding alone makes these distances [N]."""


@dataclasses.dataclass(frozen=True)
class Stages:
    """A transform as the geometry sees it.

    Attributes:
      whole: all of it.
      moving: the transform without a rounding that follows everything else; all of it where its values are enumerated.
      values: the stage whose values are enumerated, or None.
      jump: how far a rounding to levels may take an entry: ``Quantize.jump`` where it was left out of ``moving``, a
        whole level at a tie where it was not.
      reach: how near to a fixed value an entry is still taken to it.
      ties: the rounding inside ``moving``, or None.
      fixed: values that many entries have exactly, and that the rounding leaves where they are: ends of a clip and of
        the file's range, and 0, which enters where content left. Nor does it take an entry beside one further than its
        distance from there.
    """

    whole: Composition
    moving: Transform
    values: FiniteValued | None
    jump: float
    reach: float = math.inf
    ties: Ties | None = None
    fixed: tuple[float, ...] = ()

    @classmethod
    @functools.lru_cache(maxsize=16)  # asked once an image
    def of(cls, transform: Transform) -> "Stages":
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
            return cls(whole, transform, stages[0], 2 * roundings[0].jump, ties=Ties(before, roundings[0]))
        moving = Composition((*stages, *(t for t in tail if isinstance(t, Clip))))
        _require_bound(moving)
        # A clip behind the rounding moves no two images further apart: it may as well stand in front.
        ends = {0.0, *(end for t in tail if isinstance(t, Clip | Quantize) for end in (t.low, t.high))}
        if down:  # takes what is a little below a level a whole one further: only below the first is nothing
            ends = {max(t.low for t in tail[: tail.index(down[0])] if isinstance(t, Clip))}
        fixed = tuple(sorted(value for value in ends if all(r.keeps(value) for r in roundings)))
        jump, reach = (roundings[0].jump, roundings[0].reach) if roundings else (0.0, math.inf)
        return cls(whole, moving, None, jump, reach, fixed=fixed)


def _require_bound(transform: Composition) -> None:
    """Raises ValueError, before any image, where the transform will not be able to state a bound."""
    if why := transform.unbounded():
        raise ValueError(
            f"cover has no cell bound for {transform.name!r}: {why} "
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
    """One image's path or sheet of latents under a transform."""

    image: np.ndarray
    stages: Stages
    noise: LatentNoise

    def point(self, parameter: np.ndarray) -> Cell:
        """Returns the cell of a single parameter [P]."""
        latents, between = self.values(parameter[None])
        floor = float(self._floors(between, self._float32(parameter, parameter))[0])
        return Cell(parameter, parameter, latents[0], floor, floor)

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
        finite = np.isfinite(latents).reshape(len(latents), -1).all(axis=1)
        if not finite.all():
            raise FloatingPointError(f"its latent is not finite under {moving.name} {parameters[~finite][0].tolist()}.")
        return latents, between

    def cells(self, low: np.ndarray, high: np.ndarray, target: Target) -> list[Cell]:
        """Covers a box of parameters by cells whose distance is about the target where they lie.

        Args:
          low: [P], lower corner.
          high: [P], upper corner.
          target: a cell may exceed it only where no box is small enough.

        Raises:
          ValueError: parameters that stand for a transform's values do not ascend inside the box.
          Unbounded: see there.
        """
        if self.stages.values is not None:
            # The image itself, at 0, is the first value from there on.
            ends = [low, *([np.zeros(1)] if low[0] < 0.0 < high[0] else []), high]
            return [cell for a, b in itertools.pairwise(ends) for cell in self._values(a, b, target)]
        along, strips = self._strips(low, high, target)
        return [cell for strip in strips for cell in self._strip(*strip, along, target)]

    def _values(self, low: np.ndarray, high: np.ndarray, target: Target) -> list[Cell]:
        """Covers an interval of a parameter by cells for each of the transform's values there."""
        assert self.stages.values is not None
        points = self.stages.values.representatives(self.image.shape, low, high)
        # Where one value ends and the next begins is not asked: each cell speaks for the values inside it, and its ends
        # are drawn half way to its neighbours'.
        ends = np.concatenate([low[None], 0.5 * (points[:-1] + points[1:]), high[None]])
        if len(points) == 0 or not (np.diff(ends, axis=0) >= 0.0).all() or not (np.diff(points, axis=0) > 0.0).all():
            raise ValueError(
                f"Expected representatives of {self.stages.moving.name} that ascend from {low[0]:g} to {high[0]:g}, "
                f"got {points[:, 0].tolist()}."
            )
        latents, between = self.values(points)
        float32 = self._float32(low, high)
        floors = self._floors(between, float32)
        beyond = self._rounded(np.zeros(len(points)), between, float32) + float32.slack
        return Path(ends[:-1], ends[1:], latents, beyond, floors, target(points, floors), self.noise).cells()

    def _speeds(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """[N, P] float64: bounds on the image's L2 speed along each parameter in boxes [N, P].

        Raises:
          FloatingPointError: a bound is NaN.
          Unbounded: one is infinite.
        """
        moving = self.stages.moving
        assert isinstance(moving, LipschitzBounded)  # as Stages has made sure
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

    def _strips(self, low: np.ndarray, high: np.ndarray, target: Target) -> tuple[int, list[_Box]]:
        """The parameter that the latent travels furthest along, and the strips in its direction that make up a box."""
        if len(low) == 1:
            return 0, [(low, high)]
        travel = self._scales * self._speeds(low[None], high[None])[0] * (high - low)
        along = int(np.where(high > low, travel, -1.0).argmax())
        middle, floors = 0.5 * (low + high)[None], np.array([self._own_floor(self._float32(low, high))])
        width = 2 * _ACROSS * (target(middle, floors) - floors)[0] / (len(low) - 1)
        counts = np.ceil(travel / width).astype(int).clip(1)
        counts[along] = 1
        edges = [_cut(np.array([a, b]), np.array([n])) for a, b, n in zip(low, high, counts, strict=True)]
        lows, highs = (itertools.product(*sides) for sides in ([e[:-1] for e in edges], [e[1:] for e in edges]))
        return along, [(np.array(a), np.array(b)) for a, b in zip(lows, highs, strict=True)]

    def _strip(self, low: np.ndarray, high: np.ndarray, along: int, target: Target) -> list[Cell]:
        """Cuts a strip into boxes of small gap along one parameter, then places centres among them."""
        float32 = self._float32(low, high)
        edges = _cut(np.array([low[along], high[along]]), np.array([_COARSE]))
        lows, highs = _sliced(low, high, along, edges)
        speeds = self._speeds(lows, highs)
        floors = np.full(_COARSE, self._own_floor(float32))
        wanted = target(0.5 * (lows + highs), floors) - floors
        # A bound costs far more than a value, and a box's own holds in each of its pieces.
        gaps = self._scales[along] * (speeds * _half_widths(lows, highs))[:, along]
        pieces = np.ceil(gaps / (_SHARE * wanted)).astype(int).clip(1)
        edges = _cut(edges, pieces)
        lows, highs = _sliced(low, high, along, edges)
        gaps = np.repeat(speeds, pieces, axis=0) * _half_widths(lows, highs)
        points = np.tile(0.5 * (low + high), (len(edges), 1))
        points[:, along] = edges
        latents, between = self.values(points)
        floors = self._floors(between, float32)
        beyond = (
            self._strayed(latents, gaps[:, along], along, float32.slack)
            + np.delete(gaps, along, axis=1) @ np.delete(self._scales, along)
            + self._rounded(gaps.sum(axis=1), np.maximum(between[:-1], between[1:]), float32)
            + float32.slack
        )
        return Path(lows, highs, latents, beyond, floors, target(points, floors), self.noise).cells()

    def _strayed(self, latents: np.ndarray, gaps: np.ndarray, along: int, slack: float) -> np.ndarray:
        """Bounds [N] how far a path gets from the segments between its latents [N + 1, ...]; see the module.

        Args:
          latents: of images on the way.
          gaps: [N], half the way of the image from each to the next, at most, in L2.
          along: the parameter that changes.
          slack: how far float32 may take two latents apart.
        """
        flat = latents.reshape(len(latents), -1)
        steps = np.subtract(flat[1:], flat[:-1], dtype=np.float64)
        apart = np.sqrt(np.einsum("nd,nd->n", steps, steps)) / float(self.noise.sigma)
        # The true latents may be nearer to each other than those that float32 gave, which the square root magnifies.
        closest = np.maximum(0.5 * (apart - slack), 0.0)
        longest = self.noise.lipschitz_upper * (1.0 + 1e-6) * gaps
        sideways = np.sqrt(np.maximum(longest**2 - closest**2, 0.0))
        # Nor further than half the way to the nearer end, which an offset of the image may make short.
        return np.minimum(sideways, self._scales[along] * gaps)

    def _own_floor(self, float32: "_Float32") -> float:
        """The floor of the image itself: as good as those of a box's images for its size."""
        return float(self._floors(np.asarray(np.sum(~np.isin(self.image, self.stages.fixed))), float32))

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

    def _floors(self, between: np.ndarray, float32: "_Float32") -> np.ndarray:
        """What rounding and float32 make of distances, given the entries that a rounding may change; rounded up."""
        return outward(self._rounded(np.zeros(np.shape(between)), between, float32) + float32.slack)

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
