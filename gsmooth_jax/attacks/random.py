"""The random attack: the worst of k uniform draws of the region."""

import dataclasses
from typing import ClassVar

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.attacks.target import Space, Target
from gsmooth_jax.estimation import keys
from gsmooth_jax.types import Transform


@dataclasses.dataclass(frozen=True, kw_only=True)
class Random:
    """Draws of its own for every image; applies to every transform.

    Attributes:
      tries: the k of "worst of k".
    """

    name: ClassVar[str] = "random"
    climbs: ClassVar[bool] = False

    tries: int = 100

    def __post_init__(self):
        _validate.at_least(1, tries=self.tries)

    def check(self, transform: Transform, space: Space, image_shape: tuple[int, ...]) -> None:
        """Nothing can be wrong."""

    def propose(self, target: Target) -> np.ndarray:
        """Returns the draws [tries, P] float32. Host."""
        random = np.random.default_rng((target.seed, target.image_id, keys.PROPOSE))
        return target.space.uniform(random, self.tries)
