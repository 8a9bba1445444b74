"""Transforms applied one after the other."""

import dataclasses
import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms.quantize import Quantize
from gsmooth_jax.types import (
    Chainable,
    Computed,
    EntryBounded,
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

    ``a | b`` builds one, and nested compositions are flattened. Two stages that each have a composition law need not
    have one together (rounding between them, clipping, a border that is lost), so the group is ``none`` unless there is
    a single stage.

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
        """The law of the only stage; ``none`` when there are more."""
        return self.stages[0].group if len(self.stages) == 1 else "none"

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

    def unbounded(self, *, entries: bool = False) -> str:
        """Says why ``lipschitz_upper``, or ``entry_speeds_upper``, cannot be stated; empty where it can.

        Names the stage, and an order of the stages in which it could be, if there is one.
        """
        why = _stopped(self.stages, entries)
        if not why or len(self.stages) > _FEW:
            return why
        orders = (o for o in itertools.permutations(self.stages) if not _stopped(_unrounded(o), entries))
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
        return self._chained(image, low, high, entries=False)

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the change of each entry per unit of each parameter on the box [low, high]: [P, H, W, C]. Device.

        The chain of ``lipschitz_upper``, entry by entry: the stages behind the first that moves must be pointwise.

        Raises:
          ValueError: a stage states no speeds of entries, or none behind another stage, or mixes entries; names it.
        """
        return self._chained(image, low, high, entries=True)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Bounds what float32 makes of the result, one stage after the other. Host.

        Raises:
          ValueError: a stage states no bound; names it.
        """
        start = 0
        for stage in self.stages:
            if not isinstance(stage, Float32Bounded):
                raise ValueError(f"No bound on what float32 does to {self.name!r}: stage {stage.name!r} states none.")
            part = slice(start, start + param_dim(stage, image.shape))
            image, start = stage.float32_upper(image, low[part], high[part]), part.stop
        return image

    def _chained(self, image: jax.Array, low: jax.Array, high: jax.Array, *, entries: bool) -> jax.Array:
        """The bounds of both: numbers [P], or speeds of entries [P, H, W, C]."""
        if why := self.unbounded(entries=entries):
            kind = "bound on the entries' speeds" if entries else "Lipschitz bound"
            raise ValueError(f"No {kind} for {self.name!r}: {why}")
        whole, grown = self._chain(image, low, high, entries=entries)
        if grown is None:
            return whole
        counts = jnp.clip(jnp.ceil(grown / _GROWN), 1, _PIECES).astype(jnp.int32)
        total = jnp.prod(counts)

        def worse(piece: jax.Array, worst: jax.Array) -> jax.Array:
            index = piece // jnp.concatenate([jnp.ones(1, jnp.int32), jnp.cumprod(counts)[:-1]]) % counts
            ends = (low + (high - low) * ((index + i) / counts) for i in (0, 1))
            wider = 2e-7 * (jnp.abs(low) + jnp.abs(high))  # neighbours overlap, whatever has been rounded
            first, last = (jnp.clip(end + sign * wider, low, high) for end, sign in zip(ends, (-1, 1), strict=True))
            return jnp.maximum(worst, self._chain(image, first, last, entries=entries)[0])

        cut = total > 1
        return jax.lax.fori_loop(0, jnp.where(cut, total, 0), worse, jnp.where(cut, 0.0, whole))

    def _chain(
        self, image: jax.Array, low: jax.Array, high: jax.Array, *, entries: bool
    ) -> tuple[jax.Array, jax.Array | None]:
        """The chain rule on one box: the bounds, and which share [P] of a later one each parameter's own way makes up.

        That share is what cutting the box along the parameter would save; None where it is 0 for any image.
        """
        bounds: list[jax.Array] = []
        ways: list[jax.Array] = []  # [p, ...] for each stage: how far its parameters have moved the image
        shares: list[jax.Array] = []
        radius = jnp.zeros(image.shape if entries else (), image.dtype)
        start, grows = 0, False
        for stage in self.stages:
            part = slice(start, start + param_dim(stage, image.shape))
            lowest, highest, start = low[part], high[part], part.stop
            growth, reached = None, radius
            if bounds:
                assert isinstance(stage, Chainable)
                apart, growth = stage.sensitivity_upper(image.shape, lowest, highest)
                bounds, ways, radius = [apart * b for b in bounds], [apart * w for w in ways], apart * radius
            if stage.params:
                own = _bound(stage, entries)(image, lowest, highest)
                if growth is not None:
                    shares = [jnp.maximum(s, _share(growth, w, own)) for s, w in zip(shares, ways, strict=True)]
                    own, grows = own + jnp.multiply.outer(growth, reached), True
                way = own * (0.5 * (highest - lowest)).reshape(-1, *(1,) * radius.ndim)
                bounds, ways, radius = [*bounds, own], [*ways, way], radius + jnp.sum(way, axis=0)
                shares = [*shares, jnp.zeros_like(lowest)]
            image = stage(image, 0.5 * (lowest + highest))
        if not bounds:
            return jnp.zeros((0, *radius.shape), image.dtype), None
        return jnp.concatenate(bounds), jnp.concatenate(shares) if grows else None


def _share(growth: jax.Array, ways: jax.Array, alone: jax.Array) -> jax.Array:
    """[p]: the largest part, over a stage's parameters [q], that ways [p, ...] of the image add to its bounds [q, ...].

    0 / 0 counts as nothing.
    """
    norms = [jnp.sqrt(jnp.sum(a * a, axis=tuple(range(1, a.ndim)))) for a in (ways, alone)]
    grown = jnp.multiply.outer(norms[0], growth)  # [p, q]
    return jnp.max(jnp.where(grown > 0.0, grown / jnp.maximum(norms[1], 1e-30)[None], 0.0), axis=1, initial=0.0)


def _stopped(stages: tuple[Transform, ...], entries: bool) -> str:
    """Says which stage states no bound where it stands; empty where all do."""
    moving = False
    for stage in stages:
        if moving and (not isinstance(stage, Chainable) or getattr(stage, "first_only", False)):
            return f"stage {stage.name!r} states none behind another, only where it comes first."
        if moving and entries and not getattr(stage, "pointwise", False):
            return f"stage {stage.name!r} mixes entries behind another."
        if stage.params and not isinstance(stage, EntryBounded if entries else LipschitzBounded):
            return f"stage {stage.name!r} states none."
        moving |= bool(stage.params)
    return ""


def _unrounded(stages: tuple[Transform, ...]) -> tuple[Transform, ...]:
    """The stages without a rounding at the end, which methods see to."""
    return stages[:-1] if isinstance(stages[-1], Quantize) else stages


def _bound(stage: Transform, entries: bool) -> Callable[..., jax.Array]:
    if entries:
        assert isinstance(stage, EntryBounded)
        return stage.entry_speeds_upper
    assert isinstance(stage, LipschitzBounded)
    return stage.lipschitz_upper
