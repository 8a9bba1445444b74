"""The grid attack: evenly spaced parameters, or every value of a transform that has finitely many."""

import dataclasses
from typing import ClassVar

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.attacks.target import Space, Target
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import FiniteValued, Transform


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """The same points for every image.

    A box: as many points along each parameter as ``tries`` allows, ends and corners included. A ball: the grid of its
    bounding box, points outside drawn onto the sphere. Where the transform enumerates its values: these, all of them if
    ``tries`` is enough (then the attack is exhaustive), else evenly many.

    Attributes:
      tries: most points.
    """

    name: ClassVar[str] = "grid"
    climbs: ClassVar[bool] = False

    tries: int = 100

    def __post_init__(self):
        _validate.at_least(1, tries=self.tries)

    def check(self, transform: Transform, space: Space, image_shape: tuple[int, ...]) -> None:
        """Raises ValueError if there are too many parameters for two points along each."""
        self._points(transform, space, image_shape)

    def propose(self, target: Target) -> np.ndarray:
        """Returns the points [M, P] float32. Host."""
        return self._points(target.transform, target.space, target.image.shape)

    def _points(self, transform: Transform, space: Space, image_shape: tuple[int, ...]) -> np.ndarray:
        values = _values(transform)
        if values is not None:
            listed = values.representatives(image_shape, space.low, space.high)
            if space.ball is not None:
                listed = listed[space.ball.norms(listed) <= space.ball.radius]
            return space.inside(_thinned(listed, self.tries))
        moving = np.flatnonzero(space.high > space.low)
        side = int(self.tries ** (1.0 / max(len(moving), 1)) + 1e-9)
        if side < 2:
            raise ValueError(
                f"Expected tries >= 2^{len(moving)} for a grid of {len(moving)} parameters, got tries={self.tries}; "
                f"random and eot-pgd take fewer."
            )
        axes = [np.linspace(a, b, side if b > a else 1) for a, b in zip(space.low, space.high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        return np.unique(space.inside(points), axis=0)


def _values(transform: Transform) -> FiniteValued | None:
    """The stage that enumerates its values, if no other stage has parameters."""
    stages = stages_of(transform)
    moving = [s for s in stages if s.params]
    return moving[0] if len(moving) == 1 and isinstance(moving[0], FiniteValued) else None


def _thinned(points: np.ndarray, count: int) -> np.ndarray:
    """At most ``count`` of the points, evenly spread over their order, first and last included."""
    return points[np.unique(np.linspace(0, len(points) - 1, min(count, len(points))).round().astype(int))]
