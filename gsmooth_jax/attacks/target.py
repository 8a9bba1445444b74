"""What an attack is up against, and where it may look. Host."""

import dataclasses
import math
from typing import Any, ClassVar, Protocol

import numpy as np

from gsmooth_jax.models import Model
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Noise, Region, Transform, param_dim


@dataclasses.dataclass(frozen=True, eq=False)
class Space:
    """The parameters that a claim speaks of: a box, or the part of it inside a ball that is none.

    Attributes:
      low: [P] float64, in parameter units; at most 0.
      high: [P], at least 0.
      ball: around 0, of the norm L1 or L2, or None.
      whole: [P], whether the region holds whole numbers only.
      factor: [P], whether uniform draws are of the factor whose logarithm the parameter is.
    """

    low: np.ndarray
    high: np.ndarray
    ball: Ball | None
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
                low, high, ball = np.array(region.low), np.array(region.high), None
            case Ball() if region.dim in (None, dim):
                low, high = np.full(dim, -region.radius), np.full(dim, region.radius)
                ball = None if region.p == math.inf else region
            case _:
                raise ValueError(f"Expected a region of {dim} parameters for {transform.name}, got {region}.")
        return cls(np.maximum(low, range_low), np.minimum(high, range_high), ball, whole, log & factors)

    def uniform(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Draws [count, P] float32 parameters, uniformly: of a ball by direction and distance."""
        dim = len(self.low)
        if self.ball is None:
            # Each whole number gets an interval of length 1, the outermost ones too.
            wider = 0.5 * self.whole
            low, high = (np.where(self.factor, np.exp(end), end) for end in (self.low - wider, self.high + wider))
            drawn = random.uniform(low, high, (count, dim))
            return self.inside(np.log(drawn, out=drawn, where=np.broadcast_to(self.factor, drawn.shape)))
        size = (count, dim)
        direction = random.laplace(size=size) if self.ball.p == 1.0 else random.standard_normal(size)
        direction /= self.ball.norms(direction)[:, None]
        return self.inside(direction * self.ball.radius * random.uniform(size=(count, 1)) ** (1.0 / dim))

    def inside(self, xi: np.ndarray) -> np.ndarray:
        """Returns the nearest parameters [M, P] that the claim speaks of, as float32 numbers not beyond its ends.

        What lies outside a ball moves straight towards 0, which in L1 is not the nearest way. Whole parameters become
        the nearest whole number or, where that has left the region, the next one towards 0.
        """
        xi = np.clip(np.asarray(xi, np.float64), self.low, self.high)
        if self.ball is not None:
            norm, radius = self.ball.norms(xi)[:, None], self.ball.radius
            xi = np.where(norm > radius, xi * (radius / np.maximum(norm, radius)), xi)
        rounded = np.where(self.whole, np.rint(xi), xi)
        left = (rounded < self.low) | (rounded > self.high)
        if self.ball is not None:
            left |= (self.ball.norms(rounded) > self.ball.radius)[:, None]
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
