"""What every transform of the catalogue declares, and ``a | b``."""

import typing
from typing import TypeVar

from gsmooth_jax.types import Group, Param, Transform

if typing.TYPE_CHECKING:
    from typing_extensions import TypeIs

    from gsmooth_jax.transforms.composition import Composition

P = TypeVar("P")


class Pipe:
    """Gives a transform the ``|`` operator and types its class attributes; no other behaviour is inherited.

    The attributes are annotated here and assigned without annotation in each class, so that dataclasses do not take
    them for fields. The group is named in the class line, ``class Contrast(Pipe, group="additive")``, because a literal
    assigned without annotation would be typed as any string. So are ``pointwise`` and ``resamples``.
    """

    name: str
    params: tuple[Param, ...]
    group: Group = "none"
    pointwise: bool = False
    """Whether each entry depends on that entry of the image alone; ``sensitivity_upper`` then holds for each one."""
    resamples: bool = False
    """Whether it reads pixels at positions, a few for each entry."""
    first_only: bool = False
    """Whether it states bounds for given images alone, and so behind no stage that has parameters."""
    boundless: bool = False
    """Whether it states no bound, whatever its class has methods for; see ``states``."""
    typical: tuple[tuple[float, float], ...]
    """(low, high) of each parameter: the published region where there is one."""

    def __init_subclass__(cls, *, group: Group = "none", pointwise: bool = False, resamples: bool = False):
        cls.group, cls.pointwise, cls.resamples = group, pointwise, resamples

    def __or__(self, other: Transform) -> "Composition":
        """Returns the composition that applies this transform first."""
        from gsmooth_jax.transforms.composition import Composition  # it imports Clip, which is a Pipe: only when called

        return Composition((typing.cast(Transform, self), other))


def states(transform: object, protocol: type[P]) -> "TypeIs[P]":
    """Whether a transform states the bounds of a protocol, such as ``LipschitzBounded``: a setting may leave none."""
    return isinstance(transform, protocol) and not getattr(transform, "boundless", False)


def stages_of(transform: Transform) -> tuple[Transform, ...]:
    """Returns the stages of a composition, the first one first, or the transform alone."""
    return getattr(transform, "stages", (transform,))
