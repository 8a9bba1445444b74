"""Regions of adversarial parameters. Host, float64.

Of a parameter whose values are whole numbers (``Param.whole``) a region holds the whole numbers only.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.types import Transform

NORMS = (1.0, 2.0, math.inf)
"""The p of a ball."""


@dataclasses.dataclass(frozen=True)
class Box:
    """All xi with low <= xi <= high, coordinate by coordinate; contains the identity 0.

    Attributes:
      low: P lower ends, in parameter units.
      high: P upper ends.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def __init__(self, low: Sequence[float], high: Sequence[float]):
        given = f"got low={low!r}, high={high!r}."
        try:
            lower, upper = (tuple(float(v) for v in ends) for ends in (low, high))
        except (TypeError, ValueError):
            raise ValueError(f"Expected two sequences of numbers, such as gs.Box([-0.5], [0.5]), {given}") from None
        if len(lower) != len(upper) or not lower:
            raise ValueError(f"Expected as many lower as upper ends and at least one, {given}")
        if not all(np.isfinite((a, b)).all() and a <= 0.0 <= b for a, b in zip(lower, upper, strict=True)):
            raise ValueError(f"Expected finite low <= 0 <= high (a region holds the identity), {given}")
        if not any((*lower, *upper)):
            raise ValueError(f"Expected a region larger than the identity alone, {given}")
        object.__setattr__(self, "low", lower)
        object.__setattr__(self, "high", upper)

    @property
    def size(self) -> float:
        """The largest absolute corner coordinate."""
        return max(abs(v) for v in (*self.low, *self.high))

    def within(self, other: "Box") -> bool:
        """Whether another box holds all of this one."""
        ends = zip(self.low, self.high, other.low, other.high, strict=True)
        return all(a >= low and b <= high for a, b, low, high in ends)

    def scaled(self, size: float) -> "Box":
        """The similar box whose largest absolute corner coordinate is ``size`` > 0."""
        _validate.positive(size=size)
        factor = size / self.size
        return Box([v * factor for v in self.low], [v * factor for v in self.high])

    def corners(self) -> np.ndarray:
        """[M, P] the corners, each once."""
        ends = [sorted({a, b}) for a, b in zip(self.low, self.high, strict=True)]
        return np.array(list(itertools.product(*ends)), dtype=np.float64)

    def spread(self, count: int) -> np.ndarray:
        """[count, P] points that fill the box evenly, the same ones each time; the first so many of one sequence.

        Where the points of a grid are too many. Additive recurrence with the powers of 1/phi, phi > 1 the root of
        phi^(P + 1) = phi + 1: of one parameter the golden ratio (M. Roberts, The unreasonable effectiveness of
        quasirandom sequences, 2018).
        """
        _validate.at_least(1, count=count)
        dim = len(self.low)
        phi = 1.5
        for _ in range(64):  # a contraction: each turn halves the error at least
            phi = (1.0 + phi) ** (1.0 / (dim + 1))
        share = (0.5 + np.arange(1, count + 1)[:, None] * phi ** -np.arange(1.0, dim + 1)) % 1.0
        low, high = np.array(self.low), np.array(self.high)
        return np.clip(low + share * (high - low), low, high)


@dataclasses.dataclass(frozen=True)
class Ball:
    """All xi of P parameters with |xi|_p <= radius.

    Attributes:
      radius: in parameter units.
      dim: P; None: one number a pixel, whatever the image.
      p: 1, 2, or ``math.inf``: a cube.
    """

    radius: float
    dim: int | None = None
    p: float = 2.0

    def __post_init__(self):
        _validate.positive(radius=self.radius)
        if self.dim is not None:
            _validate.at_least(1, dim=self.dim)
        if not isinstance(self.p, int | float) or isinstance(self.p, bool) or self.p not in NORMS:
            raise ValueError(f"Expected p to be 1, 2 or inf, got p={self.p!r}.")
        object.__setattr__(self, "p", float(self.p))

    @property
    def size(self) -> float:
        """The radius."""
        return self.radius

    def scaled(self, size: float) -> "Ball":
        """The ball of radius ``size`` > 0."""
        return dataclasses.replace(self, radius=size)

    def norms(self, xi: np.ndarray) -> np.ndarray:
        """[M, P] -> [M] the lengths |xi|_p of parameters."""
        return np.linalg.norm(xi, ord=self.p, axis=-1)

    def norm_in_words(self) -> str:
        """The norm's name, such as L2."""
        return f"L{self.p:g}"


def check_whole_ends(transform: Transform, lows: Iterable[float], highs: Iterable[float]) -> None:
    """Raises ValueError where a box [P] reads as if it held more than its whole numbers: T rounds (0, .5) to (0, 1)."""
    for param, low, high in zip(transform.params, lows, highs, strict=True):
        if param.whole and not (float(low).is_integer() and float(high).is_integer()):
            raise ValueError(
                f"Expected whole numbers of {param.unit} for {transform.name}'s {param.name}, got [{low:g}, {high:g}]: "
                "its values are whole numbers, and others are rounded to these."
            )
