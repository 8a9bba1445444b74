"""Translation by fractions of a pixel."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms import _cells, _warp, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shift(Pipe, resamples=True):
    """Moves the image by any distance, bilinear unless told otherwise; zeros enter where content left.

    Parameters: (dy, dx) in px, positive down and right; identity (0, 0). No group law: half a pixel twice is a blur,
    and what left the canvas is lost.

    Attributes:
      interpolation: ``bilinear``; or ``nearest`` or ``bicubic`` (Catmull-Rom), which state no bound.
    """

    interpolation: _warp.Interpolation = dataclasses.field(default="bilinear", metadata=LATER)

    name = "shift"
    params = (Param(name="dy", unit="px"), Param(name="dx", unit="px"))
    typical = ((-8.0, 8.0), (-8.0, 8.0))

    def __post_init__(self):
        _validate.known(_warp.TAPS, interpolation=self.interpolation)
        object.__setattr__(self, "boundless", self.interpolation != "bilinear")

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [2] = (dy, dx) -> [H, W, C]. Device."""
        rows, columns = (moved(n, d, self.interpolation) for n, d in zip(image.shape[:2], theta, strict=True))
        return _warp.separable(image, rows, columns)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2]: the L2 norms of the vertical and horizontal differences, wherever the box lies. Device."""
        del low, high
        self._check_bounded()
        return difference_norms(image)

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2, H, W, C]: ``speeds_upper`` on the box. Device.

        Their norms are no smaller than ``lipschitz_upper``, which averages the differences that these maximise.
        """
        self._check_bounded()
        return rounded_up(speeds_upper(_cells.block_maxima(image), low, high))

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1 and 2: each pixel is read with weights of sum 1 at most, and a difference has two terms. Device."""
        del shape, low
        self._check_bounded()
        return jnp.full((), 1.0 + 1e-5, high.dtype), jnp.full_like(high, 2.0 * (1.0 + 1e-5))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Two matrices of reads at positions with one rounding. Host."""
        self._check_bounded()
        px = [moved_errors(n, a, b) for n, a, b in zip(image.shape[:2], low, high, strict=True)]
        return float32.read(image, np.add.outer(*px), units=float32.SEPARABLE)

    def _check_bounded(self) -> None:
        _warp.check_bounded(self.name, self.interpolation)


def moved(n: int, distance: jax.Array, interpolation: _warp.Interpolation = "bilinear") -> jax.Array:
    """Returns [n, n]: the matrix that moves an axis of n pixels by ``distance`` px (scalar). Device."""
    return _warp.hat(jnp.arange(n, dtype=jnp.float32) - distance, n, interpolation)


def speeds_upper(maxima: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """Bounds how fast each entry changes per px down, and right, on a box of shifts [2]. [2, H, W, C]. Device.

    The pixel at (y, x) reads at (y - dy, x - dx): the steepest vertical and horizontal slope over all such positions.

    Args:
      maxima: from ``_cells.block_maxima`` of the image.
      low: the smallest shifts.
      high: the largest ones.
    """
    h, w = maxima.shape[2] - 1, maxima.shape[3] - 1
    y, x = jnp.meshgrid(jnp.arange(h, dtype=jnp.float32), jnp.arange(w, dtype=jnp.float32), indexing="ij")
    boxes = _cells.spanned(y - low[0], y - high[0], x - low[1], x - high[1], _cells.slack(h, w))
    steepest = _cells.steepest(maxima, boxes)  # [H, W, 4, C]
    return jnp.stack([steepest[:, :, :2].max(axis=2), steepest[:, :, 2:].max(axis=2)])


def difference_norms(image: jax.Array) -> jax.Array:
    """Returns [2]: how far shifting by 1 px down, and right, moves the zero-extended image in L2; rounded up. Device.

    The derivative of a bilinear shift in dy is the vertical difference of the zero-extended image, shifted by whole
    pixels and averaged along x: its norm is at most that of the difference (THEORY D8).
    """
    ring = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))
    return jnp.stack([norm_upper(jnp.diff(ring, axis=0)), norm_upper(jnp.diff(ring, axis=1))])


def moved_errors(n: int, low: float, high: float) -> np.ndarray:
    """[n]: by how many px float32 may misplace what pixels of a moved axis read; distances in [low, high]. Host."""
    pixels = np.arange(n)
    # Beyond the canvas nothing is read, wherever it is.
    return float32.half_ulp(np.minimum(np.maximum(np.abs(pixels - low), np.abs(pixels - high)), n + 1))
