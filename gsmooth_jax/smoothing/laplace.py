"""The Laplace law."""

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
class Laplace:
    """Independent two-sided exponential parameters with mean 0. Traced: a new ``scale`` never recompiles.

    Attributes:
      scale: the mean absolute value, in parameter units.
    """

    scale: float

    name: ClassVar[str] = "laplace"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "scale", _host.positive_number(self.scale, "scale"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws theta [dim] float32. Device. The key is consumed."""
        return jnp.float32(self.scale) * jax.random.laplace(key, (dim,), jnp.float32)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns scale (F^-1(p_lower) - F^-1(p_upper)) / 2 in one parameter, the supremum; the same both ways.

        With p_lower >= 1/2 it is -(scale / 2) ln(4 (1 - p_lower) p_upper), below it (scale / 2) ln(p_lower / p_upper).
        Exact, and never below the published maximum of (scale / 2) ln(p_lower / p_upper) and
        -scale ln(1 - p_lower + p_upper) (Teng et al. 2020; Yang et al. 2020; THEORY A2). Host, float64.
        """
        _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        a, b = settled  # settled: b <= 1 - a, hence b <= 1/2
        if a == 1.0 or b == 0.0:
            return math.inf
        # log1p of the distance to 1/2 keeps the digits of a small radius.
        quantile_a = -math.log1p(1.0 - 2.0 * a) if a >= 0.5 else math.log(2.0 * a)
        return 0.5 * float(self.scale) * (quantile_a - math.log(2.0 * b))

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether |shift|_1 < ``radius_integral``. Host, float64.

        The radius of one parameter is an L1 radius in several, exact on the axes: the rate at which a class probability
        can fall is convex in the direction, so on the L1 ball it is largest at an axis (THEORY A3).
        """
        norm = float(np.abs(_host.shift_vector(shift)).sum())
        if _host.settle(p_lower, p_upper) is None:
            return False
        return norm == 0.0 or norm * (1.0 + _host.GUARD) < self.radius_integral(p_lower, p_upper)
