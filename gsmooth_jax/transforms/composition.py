"""Transforms applied one after the other."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _cells, _group
from gsmooth_jax.transforms._pipe import states
from gsmooth_jax.transforms.quantize import Quantize
from gsmooth_jax.types import (
    Chainable,
    Computed,
    Float32Bounded,
    Group,
    LipschitzBounded,
    Param,
    Transform,
    param_dim,
)

_GROWN = 0.25
"""Of a bound, what the way of earlier stages may add before the box is cut."""

_PIECES = 32
"""Along each parameter, at most."""

_FEW = 5
"""Stages whose orders are tried, for a message."""


@dataclasses.dataclass(frozen=True)
class Composition:
    """Applies the stages in order, the first one first; theta is their thetas, concatenated in the same order.

    ``a | b`` builds one, and nested compositions are flattened. Stages that each have a composition law need not have
    one together (rounding between them, clipping, a border that is lost): ``lawless`` says which do not.

    Attributes:
      stages: one transform or more.
    """

    stages: tuple[Transform, ...]

    def __post_init__(self):
        if not self.stages:
            raise ValueError("Expected a composition of at least one stage, got none.")
        nested = [s.stages if isinstance(s, Composition) else (s,) for s in self.stages]
        object.__setattr__(self, "stages", tuple(itertools.chain.from_iterable(nested)))

    @property
    def name(self) -> str:
        """The stages' names, joined by ``|``."""
        return "|".join(s.name for s in self.stages)

    @property
    def params(self) -> tuple[Param, ...]:
        """The stages' parameters, in the order of ``theta``; an offset stays one in the last stage alone."""
        earlier = (dataclasses.replace(p, offset=False) for s in self.stages[:-1] for p in s.params)
        return (*earlier, *self.stages[-1].params)

    @property
    def group(self) -> Group:
        """The law of the only stage; ``composition`` where several have one together, else ``none``."""
        if len(self.stages) == 1:
            return self.stages[0].group
        return "none" if self.lawless() else "composition"

    @property
    def typical(self) -> tuple[tuple[float, float], ...]:
        """The stages' typical ranges, in the order of ``theta``."""
        return tuple(r for s in self.stages for r in getattr(s, "typical", ()))

    def __or__(self, other: Transform) -> "Composition":
        """Returns the composition that applies ``other`` last."""
        return Composition((self, other))

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [P] -> [H, W, C]. Device."""
        start = 0
        for stage in self.stages:
            stop = start + param_dim(stage, image.shape)
            image, start = stage(image, theta[start:stop]), stop
        return image

    def lawless(self) -> str:
        """Says which stages have no composition law together; empty where all have one (THEORY B3)."""
        return _group.lawless(self.stages)

    def resolve(self, first: jax.Array, second: jax.Array) -> jax.Array:
        """Returns gamma_first(second) [P]: the parameter that does what ``first`` [P] and then ``second`` do. Device.

        Raises:
          ValueError: the stages have no composition law together; names two that have none.
        """
        if why := self.lawless():
            raise ValueError(f"No composition law for {self.name!r}: {why}")
        return _group.resolve(self.stages, first, second)

    def unbounded(self) -> str:
        """Says why ``lipschitz_upper`` cannot be stated; empty where it can.

        Names the stage, and an order of the stages in which it could be, if there is one.
        """
        why = _stopped(self.stages)
        if not why or len(self.stages) > _FEW:
            return why
        orders = (o for o in itertools.permutations(self.stages) if not _stopped(_unrounded(o)))
        order = next(orders, None)
        return f"{why} In this order it would: {'|'.join(s.name for s in order)}." if order else why

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the L2 change of the result per unit of each parameter on the box [low, high]. Device.

        Stages in front of the first that has parameters only prepare the image. Each later one sees an image somewhere
        in a ball: the earlier stages at the middle of their box, and at most the sum of their bounds times the half
        widths from it. Its own bound there is the one at the ball's centre plus what it can grow within the radius;
        the earlier bounds are multiplied by how far it drives images apart. A box so wide that this growth would count
        is cut into smaller ones, the worst of which decides. (Chain rule, THEORY D7.2.)

        Raises:
          ValueError: a stage states no bound, or none that holds behind another stage; names the stage.
        """
        if why := self.unbounded():
            raise ValueError(f"No Lipschitz bound for {self.name!r}: {why}")
        whole, grown = self._chain(image, low, high)
        if grown is None:
            return whole
        counts = jnp.clip(jnp.ceil(grown / _GROWN), 1, _PIECES).astype(jnp.int32)
        total = jnp.prod(counts)

        def worse(piece: jax.Array, worst: jax.Array) -> jax.Array:
            index = piece // jnp.concatenate([jnp.ones(1, jnp.int32), jnp.cumprod(counts)[:-1]]) % counts
            ends = (low + (high - low) * ((index + i) / counts) for i in (0, 1))
            wider = 2e-7 * (jnp.abs(low) + jnp.abs(high))  # neighbours overlap, whatever has been rounded
            first, last = (jnp.clip(end + sign * wider, low, high) for end, sign in zip(ends, (-1, 1), strict=True))
            return jnp.maximum(worst, self._chain(image, first, last)[0])

        cut = total > 1
        return jax.lax.fori_loop(0, jnp.where(cut, total, 0), worse, jnp.where(cut, 0.0, whole))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Bounds what float32 makes of the result, one stage after the other. Host.

        Raises:
          ValueError: a stage states no bound; names it.
        """
        start = 0
        for stage in self.stages:
            if not states(stage, Float32Bounded):
                raise ValueError(f"No bound on what float32 does to {self.name!r}: stage {stage.name!r} states none.")
            part = slice(start, start + param_dim(stage, image.shape))
            image, start = stage.float32_upper(image, low[part], high[part]), part.stop
        return image

    def _chain(self, image: jax.Array, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        """The chain rule on one box: the bounds [P], and which share [P] of a later one each parameter's way makes up.

        That share is what cutting the box along the parameter would save; None where it is 0 for any image.
        """
        bounds = ways = shares = jnp.zeros(0, image.dtype)  # a way: how far a parameter has moved the image, at most
        radius, start, grows = jnp.zeros((), image.dtype), 0, False
        for stage in self.stages:
            part = slice(start, start + param_dim(stage, image.shape))
            box, start, reached = (low[part], high[part]), part.stop, radius
            middle, half = _middle(*box)
            moved = stage(image, middle)
            apart, growth = _sensitivity(stage, image.shape, *box)
            own = bounds[:0]
            if stage.params:
                assert isinstance(stage, LipschitzBounded)
                own = stage.lipschitz_upper(image, *box)
                if len(bounds) and growth is not None:
                    shares, grows = jnp.maximum(shares, _share(growth, ways, own)), True
                    own = own + growth * reached
            bounds, ways = jnp.concatenate([apart * bounds, own]), jnp.concatenate([apart * ways, own * half])
            radius = apart * reached + jnp.sum(own * half) + _off(stage, image, moved, apart)
            shares, image = jnp.concatenate([shares, jnp.zeros_like(half)]), moved
        return bounds, shares if grows else None


def _middle(low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The middle [P] of a box, and how far its ends are from it, rounded up."""
    middle = 0.5 * (low + high)
    return middle, jnp.maximum(high - middle, middle - low) * (1.0 + 1e-6)


def _sensitivity(
    stage: Transform, shape: tuple[int, ...], low: jax.Array, high: jax.Array
) -> tuple[jax.Array, jax.Array | None]:
    """What a stage states of differences between images; a stage that cannot follow another one need not."""
    if isinstance(stage, Chainable):
        return stage.sensitivity_upper(shape, low, high)
    return jnp.ones((), low.dtype), None


def _off(stage: Transform, image: jax.Array, moved: jax.Array, apart: jax.Array) -> jax.Array:
    """Bounds how far float32 takes what a stage makes of an image, in L2.

    Positions are wrong by a tenth of ``_cells.slack`` at most (THEORY D7.2).
    """
    short = getattr(stage, "pointwise", False) or getattr(stage, "resamples", False)
    norm, side = jnp.linalg.norm, max(image.shape[:2])
    units = 200.0 if short else 300.0 + 4.0 * (side**1.5 + side)
    off = units * 2.0**-24 * (apart * norm(image.ravel()) + norm(moved.ravel()))
    if getattr(stage, "resamples", False):
        ring = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))
        steps = sum(norm(jnp.diff(ring, axis=axis).ravel()) for axis in (0, 1))
        off = off + 0.3 * _cells.slack(*image.shape[:2]) * apart * steps
    return off


def _share(growth: jax.Array, ways: jax.Array, alone: jax.Array) -> jax.Array:
    """[P]: the largest part that ways [P] of the image add to any of a stage's bounds [Q]; 0 / 0 counts as nothing."""
    grown = jnp.multiply.outer(ways, growth)  # [P, Q]
    return jnp.max(jnp.where(grown > 0.0, grown / jnp.maximum(alone, 1e-30)[None], 0.0), axis=1, initial=0.0)


def _stopped(stages: tuple[Transform, ...]) -> str:
    """Says which stage states no bound where it stands; empty where all do."""
    moving = False
    for stage in stages:
        if moving and (not states(stage, Chainable) or getattr(stage, "first_only", False)):
            return f"stage {stage.name!r} states none behind another, only where it comes first."
        if stage.params and not states(stage, LipschitzBounded):
            return f"stage {stage.name!r} states none."
        moving |= bool(stage.params)
    return ""


def _unrounded(stages: tuple[Transform, ...]) -> tuple[Transform, ...]:
    """The stages without a rounding at the end, which methods see to."""
    return stages[:-1] if isinstance(stages[-1], Quantize) else stages
