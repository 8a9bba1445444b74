"""The log-normal law of a factor, such as gamma correction's exponent."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import pytrees
from gsmooth_jax.smoothing import gaussian
from gsmooth_jax.types import Acts


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class LogNormal:
    """Independent factors whose logarithms are normal with mean 0. Traced: a new ``sigma`` never recompiles.

    Attributes:
      sigma: the standard deviation of the logarithm: one number for all parameters, or a tuple of P.
    """

    sigma: float | tuple[float, ...]

    name: ClassVar[str] = "log_normal"
    acts: ClassVar[Acts] = "multiplicative"
    support: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "sigma", gaussian.positive_numbers(self.sigma, "sigma"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws factors [dim] > 0, float32; their logarithm is theta. Device. The key is consumed."""
        return jnp.exp(gaussian.scale_vector(self.sigma, dim) * jax.random.normal(key, (dim,), jnp.float32))

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns sigma (Phi^-1(p_lower) - Phi^-1(p_upper)) / 2, of the logarithm, the supremum; the same both ways.

        Exact: the normal law's radius, applied to the logarithm. Host, float64.
        """
        return gaussian.Gaussian(sigma=self.sigma).radius_integral(p_lower, p_upper, direction)

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """As ``Gaussian.certifies``, for a shift [P] of the logarithms. Exact. Host, float64."""
        return gaussian.mahalanobis_certifies(self.sigma, shift, p_lower, p_upper)
