"""Transforms applied one after the other."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp

from gsmooth_jax.types import Chainable, Group, LipschitzBounded, Param, Transform, param_dim


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

    def unbounded(self) -> str:
        """Says why ``lipschitz_upper`` cannot be stated; empty where it can."""
        moving = False
        for stage in self.stages:
            if moving and not isinstance(stage, Chainable):
                return f"stage {stage.name!r} states none behind another, only where it comes first."
            if stage.params and not isinstance(stage, LipschitzBounded):
                return f"stage {stage.name!r} states none."
            moving |= bool(stage.params)
        return ""

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the L2 change of the result per unit of each parameter on the box [low, high]. Device.

        Stages in front of the first that has parameters only prepare the image. Each later one sees an image somewhere
        in a ball: the earlier stages at the middle of their box, and at most the sum of their bounds times the half
        widths from it. Its own bound there is the one at the ball's centre plus what it can grow within the radius;
        the earlier bounds are multiplied by how far it drives images apart. (Chain rule, triangle inequality.)

        Raises:
          ValueError: a stage states no bound, or none that holds behind another stage; names the stage.
        """
        if why := self.unbounded():
            raise ValueError(f"No Lipschitz bound for {self.name!r}: {why}")
        bounds: list[jax.Array] = []
        radius = jnp.zeros((), image.dtype)
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
            own = growth * radius
            if stage.params:
                assert isinstance(stage, LipschitzBounded)
                own = own + stage.lipschitz_upper(image, lowest, highest)
                moving = True
            radius = apart * radius + jnp.sum(own * (0.5 * (highest - lowest)))
            image = stage(image, 0.5 * (lowest + highest))
            bounds.append(own)
        return jnp.concatenate(bounds)
