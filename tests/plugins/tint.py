"""A transform, a law, noise and a certificate from outside; nothing here is registered."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from gsmooth_jax import pytrees
from gsmooth_jax.certificates import Resolvable
from gsmooth_jax.smoothing import Gaussian, PixelNoise
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tint:
    """Adds theta times a gain to every entry: brightness in another unit."""

    gain: float = 1.0

    name: ClassVar[str] = "tint"
    params: ClassVar[tuple[Param, ...]] = (Param(name="t", unit="1", offset=True),)
    group: ClassVar[str] = "additive"
    typical: ClassVar[tuple[tuple[float, float], ...]] = ((-0.1, 0.1),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]."""
        return image + self.gain * theta[0]

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """[1]: gain times the root of the number of entries."""
        del low, high
        return jnp.full(1, abs(self.gain) * image.size**0.5 * (1 + 1e-6))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A product, with a rounded constant, and a sum; none larger than the image and the largest shift together."""
        shift = abs(self.gain) * max(abs(low[0]), abs(high[0]))
        return image.pointwise(image.low - shift, image.high + shift, units=3)


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Wide:
    """The normal law, given by twice its standard deviation."""

    width: float

    name: ClassVar[str] = "wide"
    acts: ClassVar[str] = "additive"
    support: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """[dim] draws."""
        return 0.5 * self.width * jax.random.normal(key, (dim,))

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """As of the normal law."""
        return Gaussian(sigma=0.5 * self.width).radius_integral(p_lower, p_upper, direction)

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """As of the normal law."""
        length = np.linalg.norm(shift) / (0.5 * self.width)
        return bool(2.0 * length < special.ndtri(p_lower) - special.ndtri(min(p_upper, 1.0 - p_lower)))


@dataclasses.dataclass(frozen=True)
class Mine(Resolvable):
    """A theorem of one's own, here the library's under another name."""

    name: ClassVar[str] = "mine"


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Grain(PixelNoise):
    """Pixel noise under another name."""

    name: ClassVar[str] = "grain"
