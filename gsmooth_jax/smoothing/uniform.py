"""The uniform law on an interval (a cube, for several parameters)."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import pytrees
from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Acts


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Uniform:
    """Independent uniform parameters on [low, high]. Traced: new ends never recompile.

    Attributes:
      low: the lower end, in parameter units.
      high: the upper end.
    """

    low: float
    high: float

    name: ClassVar[str] = "uniform"
    acts: ClassVar[Acts] = "additive"

    def __post_init__(self):
        object.__setattr__(self, "low", _host.number(self.low, "low"))
        object.__setattr__(self, "high", _host.number(self.high, "high"))
        if isinstance(self.low, float) and isinstance(self.high, float) and not self.low < self.high:
            raise ValueError(f"Expected low < high, got low={self.low}, high={self.high}.")

    @property
    def support(self) -> tuple[float, float]:
        """The interval itself."""
        return (self.low, self.high)

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws theta [dim] float32. Device. The key is consumed."""
        low, high = jnp.float32(self.low), jnp.float32(self.high)
        return low + (high - low) * jax.random.uniform(key, (dim,), jnp.float32)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns (high - low) (p_lower - p_upper) / 2 in one parameter, the supremum; the same both ways. Exact.

        Yang et al. 2020 give it as an L1 radius. GSmooth's general formula is infinite here: it drops the boundary
        terms of a density with edges (THEORY A7). Host, float64.
        """
        _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        return 0.5 * float(self.high - self.low) * (settled[0] - settled[1]) if settled else 0.0

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether p_lower - p_upper > 2 (1 - kappa), kappa = prod_j (1 - |shift_j| / width)_+. Host, float64.

        Exact (THEORY A3): kappa is the part of the cube that the shifted cube still covers; what is outside is the
        adversary's for nothing.
        """
        covered = np.abs(_host.shift_vector(shift)) / float(self.high - self.low)
        settled = _host.settle(p_lower, p_upper)
        if settled is None or (covered >= 1.0).any():
            return False
        lost = -float(np.expm1(np.log1p(-covered).sum()))
        return 2.0 * lost * (1.0 + _host.GUARD) < settled[0] - settled[1]
