"""What an attack is up against, and where it may look. Host."""

import dataclasses
from typing import Any, ClassVar, Protocol

import numpy as np

from gsmooth_jax.models import Model
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Noise, Region, Transform, param_dim


@dataclasses.dataclass(frozen=True, eq=False)
class Space:
    """The parameters that a claim speaks of: a box, or the part of it inside a ball.

    Attributes:
      low: [P] float64, in parameter units; at most 0.
      high: [P], at least 0.
      radius: of the ball, or None.
      whole: [P], whether the region holds whole numbers only.
      factor: [P], whether uniform draws are of the factor whose logarithm the parameter is.
    """

    low: np.ndarray
    high: np.ndarray
    radius: float | None
    whole: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(
        cls, transform: Transform, region: Region, image_shape: tuple[int, ...], *, factors: bool = False
    ) -> "Space":
        """Returns the region's parameters within the transform's range, for images of this shape.

        Args:
          transform: what the adversary applies.
          region: of its parameters.
          image_shape: [H, W, C].
          factors: of parameters that are logarithms of factors, the factors are drawn uniformly.

        Raises:
          ValueError: the region has another number of parameters than the transform.
        """
        dim = param_dim(transform, image_shape)
        each = [1 if not p.per_pixel else int(np.prod(image_shape)) for p in transform.params]
        range_low, range_high, whole, log = (
            np.repeat([getattr(p, field) for p in transform.params], each) for field in ("low", "high", "whole", "log")
        )
        match region:
            case Box() if len(region.low) == dim:
                low, high, radius = np.array(region.low), np.array(region.high), None
            case Ball() if region.dim in (None, dim):
                low, high, radius = np.full(dim, -region.radius), np.full(dim, region.radius), region.radius
            case _:
                raise ValueError(f"Expected a region of {dim} parameters for {transform.name}, got {region}.")
        return cls(np.maximum(low, range_low), np.minimum(high, range_high), radius, whole, log & factors)

    def uniform(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Draws [count, P] float32 parameters, uniformly: of a ball by direction and distance."""
        dim = len(self.low)
        if self.radius is None:
            # Each whole number gets an interval of length 1, the outermost ones too.
            wider = 0.5 * self.whole
            low, high = (np.where(self.factor, np.exp(end), end) for end in (self.low - wider, self.high + wider))
            drawn = random.uniform(low, high, (count, dim))
            return self.inside(np.log(drawn, out=drawn, where=np.broadcast_to(self.factor, drawn.shape)))
        direction = random.standard_normal((count, dim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return self.inside(direction * self.radius * random.uniform(size=(count, 1)) ** (1.0 / dim))

    def inside(self, xi: np.ndarray) -> np.ndarray:
        """Returns the nearest parameters [M, P] that the claim speaks of, as float32 numbers not beyond its ends.

        Whole parameters become the nearest whole number or, where that has left the region, the next one towards 0.
        """
        xi = np.clip(np.asarray(xi, np.float64), self.low, self.high)
        if self.radius is not None:
            norm = np.linalg.norm(xi, axis=1, keepdims=True)
            xi = np.where(norm > self.radius, xi * (self.radius / np.maximum(norm, self.radius)), xi)
        rounded = np.where(self.whole, np.rint(xi), xi)
        left = (rounded < self.low) | (rounded > self.high)
        if self.radius is not None:
            left |= np.linalg.norm(rounded, axis=1, keepdims=True) > self.radius
        xi = np.where(self.whole & left, np.trunc(xi), rounded)
        single = xi.astype(np.float32)
        return np.where(np.abs(single) > np.abs(xi), np.nextafter(single, np.float32(0.0)), single)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """One image, the events that are to lose their majority there, and everything that decides them.

    Attributes:
      classifier: its weights may already be on the device.
      noise: what one vote does to its centre.
      transform: what the adversary applies.
      space: the parameters to search.
      image: float32, an input of the classifier.
      image_id: part of every random number's key.
      events: the claimed ones, such as one class.
      seed: of all random numbers.
    """

    classifier: Model
    noise: Noise
    transform: Transform
    space: Space
    image: np.ndarray
    image_id: int
    events: tuple[int, ...]
    seed: int


class Attack(Protocol):
    """Proposes parameters; what they do to the smoothed classifier is found out by ``attack_stream``.

    A frozen dataclass of settings.
    """

    name: ClassVar[str]
    climbs: ClassVar[bool]
    """Whether it follows the gradient of a class's loss."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def tries(self) -> int:
        """How many parameters are proposed, at most."""
        ...

    def check(self, transform: Transform, space: Space, image_shape: tuple[int, ...]) -> None:
        """Raises ValueError unless the attack applies."""
        ...

    def propose(self, target: Target) -> np.ndarray:
        """Returns the candidates [M, P] float32 of one image, inside its space. A function of the target alone."""
        ...
