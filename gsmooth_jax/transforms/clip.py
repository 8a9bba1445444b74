"""Clipping to the range of a file."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip(Pipe, pointwise=True):
    """Clips every entry to [low, high]. No parameter.

    A projection on a convex set: no two images end further apart than they were, so Lipschitz bounds survive it. Group
    laws do not.

    Attributes:
      low: the least value, 0 for images; -1 for waveforms.
      high: the largest.
    """

    name = "clip"
    params = ()
    typical = ()

    low: float = dataclasses.field(default=0.0, metadata=LATER)
    high: float = dataclasses.field(default=1.0, metadata=LATER)

    def __post_init__(self):
        _validate.ascending(low=self.low, high=self.high)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        return jnp.clip(image, self.low, self.high)

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, None]:
        """Returns 1: a projection on a convex set. Device."""
        del shape, high
        return jnp.ones((), low.dtype), None

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """No two entries end further apart; the ends may have to be rounded. Host."""
        del low, high
        ends = max(abs(end) * float32.constant(end) for end in (self.low, self.high))
        if image.exact is not None and ends == 0.0:
            return Computed.of(np.clip(image.exact, self.low, self.high))
        least, most = (min(max(end, self.low), self.high) for end in (image.low, image.high))
        return image.then(least, most, image.entry + ends, image.error + ends * math.sqrt(image.size))
