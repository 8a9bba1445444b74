"""A black border outside the inscribed disc."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _warp
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vignette(Pipe, pointwise=True):
    """Sets everything outside the inscribed disc, of radius (min(H, W) - 1) / 2, to 0. No parameter.

    A projection, so Lipschitz bounds survive it. What a rotation takes off the canvas lies outside the disc
    (Fischer et al. 2020).
    """

    name = "vignette"
    params = ()
    typical = ()

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        h, w, _ = image.shape
        return image * _warp.disc((h, w))[:, :, None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, None]:
        """Returns 1: a projection. Device."""
        del shape, high
        return jnp.ones((), low.dtype), None

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Products with 0 and 1 are exact. Host."""
        del low, high
        if image.exact is not None:
            return Computed.of(image.exact * np.asarray(_warp.disc(image.shape))[:, :, None])
        return image.then(min(image.low, 0.0), max(image.high, 0.0), image.entry, image.error)
