"""A transform as ``cover`` takes it apart: what moves, what rounds, what enumerates. Host."""

import dataclasses
import functools
import math

from gsmooth_jax.methods.cover.kernels import NearTieRounding
from gsmooth_jax.transforms import Clip, Composition, Quantize, states
from gsmooth_jax.types import FiniteValued, Float32Bounded, Transform


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
      nearest: a rounding to the nearest level that was left out of ``moving``, or None.
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
    nearest: Quantize | None = None
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
        nearest = roundings[0] if roundings and not down else None
        return cls(whole, moving, None, jump, reach, nearest=nearest, fixed=fixed)


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
        if not states(stage, Float32Bounded):
            raise ValueError(
                f"cover allows for what float32 does to an image, and stage {stage.name!r} of {transform.name!r} does "
                "not say: give it a float32_upper (types.Float32Bounded; transforms/float32.py has the parts)."
            )
