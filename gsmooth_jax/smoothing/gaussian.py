"""The normal law of a parameter vector."""

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
class Gaussian:
    """Independent normal parameters with mean 0. Traced: a new ``sigma`` never recompiles.

    Attributes:
      sigma: the standard deviation, in parameter units: one number for all parameters, or a tuple of P.
    """

    sigma: float | tuple[float, ...]

    name: ClassVar[str] = "gaussian"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "sigma", positive_numbers(self.sigma, "sigma"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws theta [dim] float32. Device. The key is consumed."""
        return scale_vector(self.sigma, dim) * jax.random.normal(key, (dim,), jnp.float32)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns sigma (Phi^-1(p_lower) - Phi^-1(p_upper)) / 2 in one parameter, the supremum; the same both ways.

        Exact (Cohen et al. 2019, Theorem 1, and its tightness, Theorem 2). Host, float64. Several standard deviations
        have no single answer: a ValueError; ``certifies`` takes vectors.
        """
        _host.sign(direction)
        if isinstance(self.sigma, tuple) and len(self.sigma) != 1:
            raise ValueError(f"Expected one sigma for a radius in one parameter, got sigma={self.sigma!r}.")
        settled = _host.settle(p_lower, p_upper)
        (sigma,) = self.sigma if isinstance(self.sigma, tuple) else (self.sigma,)
        return float(sigma) * _host.half_gap(*settled) if settled else 0.0

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether sqrt(sum_j (shift_j / sigma_j)^2) < (Phi^-1(p_lower) - Phi^-1(p_upper)) / 2. Host, float64.

        Exact (Fischer et al. 2020, Appendix B: whiten, then Cohen et al. 2019; THEORY D1).
        """
        return mahalanobis_certifies(self.sigma, shift, p_lower, p_upper)


def mahalanobis_certifies(sigma: float | tuple[float, ...], shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
    """Says whether the shift [P], in standard deviations, is shorter than half the quantile gap."""
    vector = _host.shift_vector(shift, len(sigma) if isinstance(sigma, tuple) else None)
    settled = _host.settle(p_lower, p_upper)
    if settled is None:
        return False
    distance = float(np.linalg.norm(vector / np.asarray(sigma, dtype=np.float64)))
    return distance * (1.0 + _host.GUARD) < _host.half_gap(*settled)


def scale_vector(sigma: float | tuple[float, ...], dim: int) -> jax.Array | float:
    """Returns the factor of a draw [dim]: the scalar, or the tuple stacked; a tuple of another length is an error."""
    if not isinstance(sigma, tuple):
        return jnp.float32(sigma)
    if len(sigma) != dim:
        raise ValueError(f"Expected {dim} standard deviations for {dim} parameters, got {sigma=}.")
    return jnp.stack([jnp.asarray(s, jnp.float32) for s in sigma])


def positive_numbers(sigma: object, name: str) -> object:
    """Checks one standard deviation, or each of a sequence of them (returned as a tuple)."""
    if isinstance(sigma, np.ndarray):
        sigma = sigma.tolist()
    if isinstance(sigma, list | tuple):
        if len(sigma) == 0:
            raise ValueError(f"Expected {name} to be a number or a sequence of P numbers, got {name}={sigma!r}.")
        return tuple(_host.positive_number(s, f"{name}_{j}") for j, s in enumerate(sigma))
    return _host.positive_number(sigma, name)
