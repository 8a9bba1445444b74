"""Transforms applied one after the other."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms.clip import Clip
from gsmooth_jax.types import Group, LipschitzBounded, Param, Transform, param_dim


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
        """The stages' parameters, in the order of ``theta``."""
        return tuple(p for s in self.stages for p in s.params)

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

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the L2 change of the result per unit of each parameter on the box [low, high]. Device.

        Stages in front of the one that has parameters only prepare the image. Behind it only ``Clip`` may follow: it
        moves no two images further apart, so the bound survives it.

        Raises:
          ValueError: two stages have parameters, or a stage behind them may enlarge a distance; names the stage.
        """
        bounded: Transform | None = None
        for stage in self.stages:
            if bounded is not None and not isinstance(stage, Clip):
                raise ValueError(
                    f"No Lipschitz bound for {self.name!r}: only clip may follow {bounded.name!r}, got {stage.name!r}."
                )
            if stage.params:
                bounded = stage
            elif bounded is None:
                image = stage(image, jnp.zeros((0,), image.dtype))
        if bounded is None:
            return jnp.zeros((0,), image.dtype)
        if not isinstance(bounded, LipschitzBounded):
            raise ValueError(f"No Lipschitz bound for {self.name!r}: stage {bounded.name!r} states none.")
        return bounded.lipschitz_upper(image, low, high)
