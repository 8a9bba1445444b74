"""The Rayleigh law of a factor, such as gamma correction's exponent."""

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
class Rayleigh:
    """A Rayleigh factor. Traced: a new ``scale`` never recompiles. Certifies one parameter only.

    Attributes:
      scale: the mode of the factor; the default sqrt(2 / pi) has mean 1. The radius does not depend on it.
    """

    scale: float = math.sqrt(2.0 / math.pi)

    name: ClassVar[str] = "rayleigh"
    acts: ClassVar[Acts] = "multiplicative"
    support: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def __post_init__(self):
        object.__setattr__(self, "scale", _host.positive_number(self.scale, "scale"))

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws factors [dim] > 0, float32; their logarithm is theta. Device. The key is consumed."""
        # Uniform on [tiny, 1): neither logarithm is ever infinite, nor the factor 0.
        uniform = jax.random.uniform(key, (dim,), jnp.float32, minval=jnp.finfo(jnp.float32).tiny)
        return jnp.float32(self.scale) * jnp.sqrt(-2.0 * jnp.log(uniform))

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns how far ln(factor) may move, the supremum, rounded down by a bisection. Exact. Host, float64.

        Right (+1), factor g > 1: certified exactly if (1 - p_lower)^(1/g^2) + p_upper^(1/g^2) < 1.
        Left (-1), factor g < 1: exactly if (1 - p_upper)^(1/g^2) + p_lower^(1/g^2) > 1.
        Muravev and Petiushko 2021; the theorem of log-concave laws, for the logarithm (THEORY A4).
        """
        direction = _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        if direction > 0:
            return _host.supremum(lambda d: _power(1.0 - settled[0], -d) + _power(settled[1], -d) < 1.0)
        return _host.supremum(lambda d: _power(1.0 - settled[1], d) + _power(settled[0], d) > 1.0)

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether the one log shift is below the radius of its direction. Several parameters: ValueError. Host."""
        (delta,) = _host.shift_vector(shift, 1)
        if delta == 0.0:
            return _host.settle(p_lower, p_upper) is not None
        radius = self.radius_integral(p_lower, p_upper, 1 if delta > 0 else -1)
        return float(abs(delta)) * (1.0 + _host.GUARD) < radius


def _power(p: float, delta: float) -> float:
    """p^(e^(2 delta)), without overflow."""
    if p in (0.0, 1.0):
        return p
    return math.exp(math.exp(min(2.0 * delta, 700.0)) * math.log(p))
