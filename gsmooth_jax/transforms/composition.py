"""Transforms applied one after the other."""

import dataclasses
import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

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
        """Says why ``lipschitz_upper``, or ``entry_speeds_upper``, cannot be stated; empty where it can."""
        moving = False
        for stage in self.stages:
            if moving and not isinstance(stage, Chainable):
                return f"stage {stage.name!r} states none behind another, only where it comes first."
            if moving and entries and not getattr(stage, "pointwise", False):
                return f"stage {stage.name!r} mixes entries behind another."
            if stage.params and not isinstance(stage, EntryBounded if entries else LipschitzBounded):
                return f"stage {stage.name!r} states none."
            moving |= bool(stage.params)
        return ""

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the L2 change of the result per unit of each parameter on the box [low, high]. Device.

        Stages in front of the first that has parameters only prepare the image. Each later one sees an image somewhere
        in a ball: the earlier stages at the middle of their box, and at most the sum of their bounds times the half
        widths from it. Its own bound there is the one at the ball's centre plus what it can grow within the radius;
        the earlier bounds are multiplied by how far it drives images apart. (Chain rule, THEORY D7.2.)

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
        bounds: list[jax.Array] = []
        radius = jnp.zeros(image.shape if entries else (), image.dtype)
        start, moving = 0, False
        for stage in self.stages:
            part = slice(start, start + param_dim(stage, image.shape))
            lowest, highest, start = low[part], high[part], part.stop
            if moving:
                assert isinstance(stage, Chainable)
                apart, growth = stage.sensitivity_upper(lowest, highest)
                bounds = [apart * b for b in bounds]
            else:
                apart, growth = jnp.ones((), image.dtype), jnp.zeros_like(lowest)
            own = jnp.multiply.outer(growth, radius)
            if stage.params:
                own = own + _bound(stage, entries)(image, lowest, highest)
                moving = True
            half = (0.5 * (highest - lowest)).reshape(-1, *(1,) * radius.ndim)
            radius = apart * radius + jnp.sum(own * half, axis=0)
            image = stage(image, 0.5 * (lowest + highest))
            bounds.append(own)
        return jnp.concatenate(bounds)


def _bound(stage: Transform, entries: bool) -> Callable[..., jax.Array]:
    if entries:
        assert isinstance(stage, EntryBounded)
        return stage.entry_speeds_upper
    assert isinstance(stage, LipschitzBounded)
    return stage.lipschitz_upper
