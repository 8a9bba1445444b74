"""The outer draws of one image: their parameters, their errors, and what is seen there. Host."""

import dataclasses
from typing import Literal, NamedTuple

import numpy as np

from gsmooth_jax.estimation import _threefry, keys
from gsmooth_jax.methods.spt import errors, kernels
from gsmooth_jax.methods.spt.stages import Adversary, Filter
from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.types import Example, Region

Error = Literal["image", "data", "random", "none"]
"""Where E(z) comes from; see ``method``."""

PILOTS = 16
"""Outer draws that choose the class."""

BATCH = 32
"""Outer draws that are laid out at a time."""

_ATTACKERS = 10
"""Random adversaries of an outer draw, as in the published code."""

_SLACK = 0.15
"""Of the inner noise's standard deviation, by which E(z) may be too large for want of cells."""


class Node(NamedTuple):
    """An outer draw.

    Attributes:
      number: of it.
      at: z.
      error: E(z).
      centre: P T_z x.
    """

    number: int
    at: tuple[float, ...]
    error: float
    centre: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draws:
    """The outer draws of one image.

    Attributes:
      example: the image.
      adversary: Q T.
      region: of the adversary.
      seed: of the run.
      law: of the draws.
      prepare: P.
      error: where E(z) comes from.
      inner: standard deviation of the inner noise.
      limit: E(z), where neither the image nor random adversaries say it.
    """

    example: Example
    adversary: Adversary
    region: Region
    seed: int
    law: Gaussian
    prepare: Filter
    error: Error
    inner: float
    limit: float

    def centres(self) -> list[np.ndarray]:
        """What is seen of the image at those that choose the class."""
        return list(self._drawn(np.arange(PILOTS), keys.OUTER_SELECT)[1])

    def nodes(self, start: int, count: int) -> list[Node]:
        """Those from a number on: a batch, or fewer."""
        numbers = np.arange(start, start + BATCH)  # a shape that stays, whatever is wanted
        z, centres = self._drawn(numbers, keys.OUTER)
        ends = zip(numbers.tolist(), z.astype(float).tolist(), self._errors(numbers, z), centres, strict=True)
        return [Node(n, tuple(at), float(error), centre) for n, at, error, centre in ends][:count]

    def _drawn(self, numbers: np.ndarray, phase: int) -> tuple[np.ndarray, np.ndarray]:
        names = np.uint32(self.example.id), numbers.astype(np.uint32), np.uint32(phase)
        key, stages = _threefry.key(self.seed), {"moving": self.adversary.moving, "prepare": self.prepare}
        z, centres = kernels.outer_kernel(self.law, key, self.example.image, *names, **stages)
        return np.asarray(z), np.asarray(centres)

    def _errors(self, numbers: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[M]: E(z)."""
        given = self.adversary, self.prepare, self.region
        if self.error == "image":
            return errors.errors_upper(self.example.image, z, *given, given="z", slack=_SLACK * self.inner)
        if self.error == "random":
            random = {"given": "z", "count": _ATTACKERS, "seed": self.seed}
            return errors.random_errors(self.example, z, numbers.astype(np.uint32), *given, **random)
        return np.full(len(z), self.limit)
