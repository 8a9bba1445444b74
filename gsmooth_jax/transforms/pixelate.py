"""Pixelation."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _warp, float32
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

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

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Two matrices a side: reads of reads, at positions with a division's, a product's and no other error. Host.

        Taking 1/2 off is exact. A position of the small side is read between rows that are wrong themselves by what
        their own positions are; between two of those, errors are as large as the larger at most. For each side: two
        weights, their product and its sum; then products with the image and sums of four.
        """
        sides = []
        for n in image.shape[:2]:
            smallest, largest = int(n * (1.0 - high[0])), int(n * (1.0 - low[0] + 2 * _TOLERANCE))
            found = [_position_errors(n, small) for small in range(max(smallest, 1), min(max(largest, 1), n) + 1)]
            sides.append(np.max(found, axis=0))
        return float32.read(image, np.add.outer(*sides), units=16)


def _there_and_back(n: int, small: jax.Array) -> jax.Array:
    """[n, n]: one axis shrunk and enlarged. The small size is traced; rows beyond it are never read."""
    small = jnp.maximum(small.astype(jnp.float32), 1.0)
    centres = jnp.arange(n, dtype=jnp.float32) + 0.5
    down = _warp.hat(jnp.clip(centres * (n / small) - 0.5, 0.0, n - 1.0), n)
    up = _warp.hat(jnp.clip(centres * (small / n) - 0.5, 0.0, small - 1.0), n)
    return jnp.matmul(up, down, precision="highest")


def _position_errors(n: int, small: int) -> np.ndarray:
    """[n]: by how many px float32 may misplace what the pixels of an axis read, going over ``small`` pixels. Host."""

    def errors(count: int, ratio: float) -> np.ndarray:
        centres = np.arange(count) + 0.5
        off = float32.half_ulp(ratio) if float32.division() == float32.UNIT else float32.division() * ratio
        return centres * off + float32.half_ulp(centres * ratio)

    down, between = errors(small, n / small), (np.arange(n) + 0.5) * (small / n) - 0.5
    first = np.clip(np.floor(between).astype(int), 0, small - 1)
    return errors(n, small / n) + np.maximum(down[first], down[np.minimum(first + 1, small - 1)])
