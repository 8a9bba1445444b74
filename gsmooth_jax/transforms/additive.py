"""One number a pixel."""

import dataclasses

import jax
import numpy as np

from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Additive(Pipe, group="additive", pointwise=True):
    """Adds its own number to every entry: x + delta, the Lp setting of Cohen et al. 2019.

    Parameter: delta, H W C numbers in units of the [0, 1] intensity range, in the image's memory order (row, column,
    channel); identity 0. Never clips, so the law T(T(x, a), b) = T(x, a + b) is exact.
    """

    name = "additive"
    params = (Param(name="delta", unit="intensity", per_pixel=True),)
    typical = ((-0.5, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [H W C] -> [H, W, C]. Device."""
        return image + theta.reshape(image.shape)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A sum: one rounding. Host."""
        return image.pointwise(image.low + low.min(), image.high + high.max(), units=1)
