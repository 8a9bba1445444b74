"""The view of a tilted plane."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import _cells, _warp, float32, scaling
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Perspective(Pipe, resamples=True):
    """Enlarges each row about the centre by a factor of its own, 1 + t at the lower edge, 1 - t at the upper one.

    The projective map that keeps the centre ((H - 1) / 2, (W - 1) / 2), and what is near it, as they are: the pixel at
    (y, x) from there reads at (y, x) / s with s = 1 + t y / (H / 2); bilinear, zeros outside. It is what a camera sees
    of a plane that leans towards it.

    Parameter: t, a ratio in [-0.8, 0.8]; positive brings the lower edge nearer; identity 0. No group law: interpolating
    twice blurs twice, and what left the canvas is lost. One stage of each axis, one after the other, leans both ways.

    Attributes:
      axis: along which the enlargement grows: ``vertical``; ``horizontal`` exchanges rows and columns, so that positive
        brings the right edge nearer.
    """

    name = "perspective"
    params = (Param(name="tilt", unit="ratio", low=-0.8, high=0.8),)
    typical = ((-0.3, 0.3),)

    axis: Literal["horizontal", "vertical"] = "vertical"

    def __post_init__(self):
        _validate.known(dict.fromkeys(("horizontal", "vertical")), axis=self.axis)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        rows = self._turned(image)
        h, w, _ = rows.shape
        ratios = 1.0 + theta[0] * _depths(h)[:, None]
        y, x = (offset / ratios + 0.5 * (n - 1) for offset, n in zip(_offsets(h, w), (h, w), strict=True))
        return self._turned(_warp.read(rows, y, x))

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of the speeds of the entries, as for rotation. Device."""
        return norm_upper(self._speeds(image, low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: those of scaling by each row's own ratios, times its y / (H / 2). Device.

        A row's ratio s is affine in t, so its source moves on a straight line through the centre. (THEORY C3.)
        """
        return rounded_up(self._speeds(image, low, high))[None]

    def _speeds(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        rows = self._turned(image)
        maxima = _cells.block_maxima(rows)
        depths = _depths(rows.shape[0])[:, None]
        ends = 1.0 + low[0] * depths, 1.0 + high[0] * depths
        speeds = scaling.speed_upper(maxima, jnp.minimum(*ends), jnp.maximum(*ends))
        return self._turned(jnp.abs(depths)[:, :, None] * speeds)

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Bounds the norm of T = X Y, and of T' = X' Y + X Y', the rows' matrices X and that of the columns Y. Device.

        Rows are scaled by s. The sources y / s of a column are at least 1 / s^2 apart for the largest s. (THEORY D7.3.)
        """
        h, w = shape[:2] if self.axis == "vertical" else shape[1::-1]
        ends = 1.0 + low[0] * _depths(h), 1.0 + high[0] * _depths(h)  # [H] each
        smallest, largest = jnp.minimum(*ends), jnp.max(jnp.maximum(*ends))
        # Nothing is read where the source, at y / s from the centre, is beyond the ring.
        reach_y = jnp.minimum(jnp.abs(_warp.offsets(h)) / smallest**2, 0.5 * (h + 1) / smallest)
        reach_x = jnp.minimum(0.5 * (w - 1) / smallest**2, 0.5 * (w + 1) / smallest)
        fastest_y, fastest_x = (jnp.max(jnp.abs(_depths(h)) * reach) for reach in (reach_y, reach_x))
        (rows, rows_change), (column, column_changes) = (
            (_warp.hat_norm_upper(ratio), _warp.hat_slope_upper(ratio)) for ratio in (largest, largest**2)
        )
        return rows * column, (rows_change * fastest_x * column + rows * column_changes * fastest_y)[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Four reads at positions that ``position_errors`` bounds. Host."""
        h, w = image.shape[:2] if self.axis == "vertical" else image.shape[1::-1]
        px = position_errors(h, w, max(abs(low[0]), abs(high[0])))
        return float32.read(image, px if self.axis == "vertical" else px.T, units=float32.READ)

    def _turned(self, image: jax.Array) -> jax.Array:
        """The image [H, W, C] as the rows that have a ratio each; and back."""
        return image if self.axis == "vertical" else image.swapaxes(0, 1)


def _depths(h: int) -> jax.Array:
    """[H]: y / (H / 2), what a row's ratio gains for each unit of the tilt."""
    return _warp.offsets(h) * (2.0 / h)


def _offsets(h: int, w: int) -> tuple[jax.Array, jax.Array]:
    """Each pixel's offset from the centre: two arrays [H, 1] and [1, W], which broadcast."""
    return _warp.offsets(h)[:, None], _warp.offsets(w)[None, :]


def position_errors(h: int, w: int, tilt: float) -> np.ndarray:
    """[H, W]: by how many px float32 may misplace what pixels read, down and right together, for tilts up to this.

    Of a ratio s = 1 + t d a rounded constant, two products and a sum are wrong; then a quotient, and a sum. Host.
    """
    off_y, off_x = np.abs(np.arange(h) - 0.5 * (h - 1))[:, None], np.abs(np.arange(w) - 0.5 * (w - 1))[None, :]
    change = tilt * off_y / (0.5 * h)
    smallest = 1.0 - change
    of_ratio = float32.UNIT * (3 * change + 1.0 + change) / smallest
    wrong = (off_y + off_x) / smallest * (of_ratio + float32.division())
    # Beyond the canvas nothing is read, wherever it is.
    return wrong + sum(
        float32.half_ulp(np.minimum(0.5 * (n - 1) + off / smallest, n)) for n, off in ((h, off_y), (w, off_x))
    )
