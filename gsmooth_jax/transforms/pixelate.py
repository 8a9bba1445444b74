"""Pixelation."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _warp
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param

_TOLERANCE = 1e-6  # a ratio this close below k / n counts as k / n: 0.9 of 10 px is 9 px also in float32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pixelate(Pipe):
    """Shrinks the image to floor(H c) x floor(W c) px (at least 1) and enlarges it again, both bilinear.

    Parameter: 1 - c, a ratio in [0, 1]; identity 0. Pixel i of n covers [i, i + 1] / n of the axis, reads are at
    centres and stop at the outermost ones (as OpenCV's resize without antialiasing). No group law, but piecewise
    constant: ``representatives`` lists every distinct output. (GSmooth, Hao et al. 2022.)
    """

    name = "pixelate"
    params = (Param(name="1 - c", unit="ratio", low=0.0, high=1.0),)
    typical = ((0.0, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        h, w, _ = image.shape
        # floor(H c) and floor(W c), both from one rounded number: where k / H = l / W, both sizes change or neither.
        common = math.lcm(h, w)
        whole = jnp.floor(common * (1.0 - theta[0] + _TOLERANCE)).astype(jnp.int32)
        return _warp.separable(image, *(_there_and_back(n, whole // (common // n)) for n in (h, w)))

    def representatives(self, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns [M, 1] float64: one parameter for each distinct pair of sizes over the box, ascending. Host.

        The output depends on the parameter through the two sizes alone, which change where c crosses a multiple of 1/H
        or 1/W. Each value is the middle of its interval, far from where float32 could decide otherwise.
        """
        (start,), (stop,) = np.asarray(low, np.float64), np.asarray(high, np.float64)
        jumps = np.concatenate([1.0 + _TOLERANCE - np.arange(2, n + 1) / n for n in image_shape[:2]])
        inside = np.unique(jumps[(jumps >= start) & (jumps < stop)].round(12))
        edges = np.concatenate([[start], inside, [stop]])
        return (0.5 * (edges[:-1] + edges[1:]))[:, None]


def _there_and_back(n: int, small: jax.Array) -> jax.Array:
    """[n, n]: one axis shrunk and enlarged. The small size is traced; rows beyond it are never read."""
    small = jnp.maximum(small.astype(jnp.float32), 1.0)
    centres = jnp.arange(n, dtype=jnp.float32) + 0.5
    down = _warp.hat(jnp.clip(centres * (n / small) - 0.5, 0.0, n - 1.0), n)
    up = _warp.hat(jnp.clip(centres * (small / n) - 0.5, 0.0, small - 1.0), n)
    return jnp.matmul(up, down, precision="highest")
