"""Shearing about the centre."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import _cells, _warp, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shear(Pipe, resamples=True):
    """Moves each row along itself, by so many px for each px that it lies below the centre, bilinear, zeros outside.

    Parameter: px per px (the tangent of the angle); positive moves what lies below the centre (H - 1) / 2 to the right,
    and what lies above to the left; identity 0. No group law: interpolating twice blurs twice, and what left the canvas
    is lost. The ``ShearX`` of AutoAugment (Cubuk et al. 2019) is this with the other sign, about a corner.

    Attributes:
      axis: along which pixels move: ``horizontal``; ``vertical`` exchanges rows and columns, so that positive moves
        what lies right of the centre down.
    """

    name = "shear"
    params = (Param(name="shear", unit="px/px"),)
    typical = ((-0.3, 0.3),)

    axis: Literal["horizontal", "vertical"] = "horizontal"

    def __post_init__(self):
        _validate.known(dict.fromkeys(("horizontal", "vertical")), axis=self.axis)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        rows = self._turned(image)
        h, w, _ = rows.shape
        y = jnp.arange(h, dtype=jnp.float32)[:, None]
        return self._turned(_warp.read(rows, y, _sources(h, w, theta[0])))

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of the differences along rows, each times its row's distance, on any box. Device.

        As for ``Shift``, row by row (THEORY D8).
        """
        del low, high
        rows = self._turned(image)
        steps = jnp.diff(jnp.pad(rows, ((0, 0), (1, 1), (0, 0))), axis=1)
        return norm_upper(_warp.offsets(rows.shape[0])[:, None, None] * steps)[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: the steepest slope where the entry reads its row, times the row's distance. Device.

        Their norm is no smaller than ``lipschitz_upper``: two entries of a row do not read the same slope at once.
        """
        rows = self._turned(image)
        h, w, _ = rows.shape
        ends, slack, zeros = (_sources(h, w, low[0]), _sources(h, w, high[0])), _cells.slack(h, w), jnp.zeros((1, w))

        def steepest(row: jax.Array, first: jax.Array, last: jax.Array) -> jax.Array:
            boxes = _cells.Boxes(zeros, zeros, first[None] - slack, last[None] + slack)
            return _cells.steepest(_cells.block_maxima(row[None]), boxes)[0, :, 2:].max(axis=1)

        slopes = jax.vmap(steepest)(rows, jnp.minimum(*ends), jnp.maximum(*ends))  # [H, W, C]
        return rounded_up(self._turned(jnp.abs(_warp.offsets(h))[:, None, None] * slopes))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1 and twice the outermost row's distance: each row is shifted (THEORY D7.3). Device."""
        del low
        furthest = 0.5 * (shape[0 if self.axis == "horizontal" else 1] - 1)
        return jnp.full((), 1.0 + 1e-5, high.dtype), jnp.full_like(high, 2.0 * furthest * (1.0 + 1e-5))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Reads at positions with the roundings of a product and of a difference. Host."""
        h, w = image.shape[:2] if self.axis == "horizontal" else image.shape[1::-1]
        px = position_errors(h, w, max(abs(low[0]), abs(high[0])))
        return float32.read(image, px if self.axis == "horizontal" else px.T, units=float32.READ)

    def _turned(self, image: jax.Array) -> jax.Array:
        """The image [H, W, C] as the rows that move; and back."""
        return image if self.axis == "horizontal" else image.swapaxes(0, 1)


def _sources(h: int, w: int, shear: jax.Array) -> jax.Array:
    """[H, W]: which column each pixel reads."""
    return jnp.arange(w, dtype=jnp.float32)[None, :] - shear * _warp.offsets(h)[:, None]


def position_errors(h: int, w: int, shear: float) -> np.ndarray:
    """[H, W]: by how many px float32 may misplace what pixels of moving rows read, for shears up to this. Host."""
    moved = np.minimum(shear * np.abs(np.arange(h) - 0.5 * (h - 1)), 2 * w)[:, None]
    # Beyond the canvas nothing is read, wherever it is.
    return float32.UNIT * moved + float32.half_ulp(np.minimum(np.arange(w)[None, :] + moved, w + 1))
