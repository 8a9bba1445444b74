"""The exponential law: smoothing for parameters that cannot be negative, such as a blur's variance."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import pytrees
from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Acts


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Exponential:
    """Independent exponential parameters. Traced: a new ``scale`` never recompiles.

    Attributes:
      scale: the mean, in parameter units (one over the rate).
    """

    scale: float

    name: ClassVar[str] = "exponential"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "scale", _host.positive_number(self.scale, "scale"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws theta [dim] >= 0, float32. Device. The key is consumed."""
        return jnp.float32(self.scale) * jax.random.exponential(key, (dim,), jnp.float32)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns the supremum of the certified shifts of one parameter. Exact. Host, float64.

        Right (+1): -scale ln(1 - p_lower + p_upper), as in TSS (Li et al. 2021).
        Left (-1): scale ln(1 + p_lower - p_upper), which is smaller: mass leaves the support. (THEORY A2.)
        """
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            _host.sign(direction)
            return 0.0
        if _host.sign(direction) > 0:
            # (1 - p_lower) + p_upper is exact enough near p_lower = 1, where the radius is large.
            kept = (1.0 - settled[0]) + settled[1]
            return -float(self.scale) * math.log(kept) if kept > 0.0 else math.inf
        return float(self.scale) * math.log1p(settled[0] - settled[1])

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether e^N + (1 - p_lower + p_upper) e^P < 2, with P, N the sums of the shift's positive and negative
        parts in units of ``scale``. Host, float64.

        Exact (THEORY A3): on the common support the likelihood ratio is constant, and what lies outside is the
        adversary's for nothing.
        """  # noqa: D205
        vector = _host.shift_vector(shift) / float(self.scale)
        settled = _host.settle(p_lower, p_upper)
        positive, negative = float(vector.clip(min=0.0).sum()), float((-vector).clip(min=0.0).sum())
        if settled is None or max(positive, negative) > 700.0:  # e^700 is the last that float64 holds
            return False
        gap = settled[0] - settled[1]
        # The condition with the ones taken out, so that small shifts keep their digits; the guard widens the shift.
        positive, negative = positive * (1.0 + _host.GUARD), negative * (1.0 + _host.GUARD)
        return math.expm1(negative) + (1.0 - gap) * math.expm1(positive) < gap * (1.0 - _host.GUARD)
