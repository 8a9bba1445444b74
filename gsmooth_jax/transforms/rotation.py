"""Rotation about the centre."""

import dataclasses
import math

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms import _cells, _warp
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rotation(Pipe):
    """Turns the image about its centre ((H - 1) / 2, (W - 1) / 2), bilinear, zeros outside.

    Parameter: degrees, positive turns left (counter-clockwise on a screen with row 0 at the top); identity 0. No group
    law: interpolating twice blurs twice, and corners that left the canvas are lost.

    Attributes:
      mask: set everything outside the inscribed disc of radius (min(H, W) - 1) / 2 to 0, as TSS does. Then angle 0
        masks as well: it is the identity on masked images only.
    """

    name = "rotation"
    params = (Param(name="angle", unit="deg"),)
    typical = ((-50.0, 50.0),)

    mask: bool = False

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        out = rotate(image, theta[0])
        return out * _disc(image.shape)[:, :, None] if self.mask else out

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of ``speed_upper`` over the pixels. Device.

        Two images are no further apart than the path between them is long (THEORY C3).
        """
        return norm_upper(self._speeds(image, low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: ``speed_upper``. Device."""
        return rounded_up(self._speeds(image, low, high))[None]

    def _speeds(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        speed = speed_upper(_cells.block_maxima(image), low[0], high[0])
        return speed * _disc(image.shape)[:, :, None] if self.mask else speed


def rotate(image: jax.Array, degrees: jax.Array) -> jax.Array:
    """Returns the image [H, W, C] turned left by an angle (scalar). Device."""
    h, w, _ = image.shape
    y, x = _source(h, w, degrees)
    return _warp.read(image, y + 0.5 * (h - 1), x + 0.5 * (w - 1))


def speed_upper(maxima: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """Bounds how fast each entry changes, per degree, while the angle runs over [low, high]. [H, W, C]. Device.

    A pixel's source moves on a circle: at position (y, x) from the centre with velocity (x, -y) per radian. Chain rule:
    the entry changes at x d/dy - y d/dx, with positions and image derivatives anywhere in a box that holds the arc: the
    box of the arc's ends, enlarged by the sagitta d (1 - cos(half angle)) with d the radius, or by the diameter when
    the arc is longer than a half circle. (THEORY C3.)

    Args:
      maxima: from ``_cells.block_maxima`` of the image.
      low: the smallest angle (scalar), in degrees.
      high: the largest angle.
    """
    h, w = maxima.shape[2] - 1, maxima.shape[3] - 1
    (y0, x0), (y1, x1) = _source(h, w, low), _source(h, w, high)
    radius = jnp.hypot(_warp.offsets(h)[:, None], _warp.offsets(w)[None, :])
    half = jnp.deg2rad(0.5 * jnp.abs(high - low))
    sagitta = jnp.where(half <= 0.5 * math.pi, 2.0 * jnp.sin(0.5 * half) ** 2, 2.0)  # 1 - cos, without cancellation
    boxes = _cells.spanned(y0, y1, x0, x1, radius * sagitta + _cells.slack(h, w))
    reach = radius + _cells.slack(h, w)
    top, bottom, left, right = (jnp.clip(v, -reach, reach) for v in (boxes.top, boxes.bottom, boxes.left, boxes.right))
    centred = boxes.moved(0.5 * (h - 1), 0.5 * (w - 1))
    return math.radians(1.0) * _cells.fastest(maxima, centred, (left, right), (-bottom, -top))


def _source(h: int, w: int, degrees: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Where each pixel reads from, relative to the centre: two arrays [H, W] (down, right)."""
    angle = jnp.deg2rad(jnp.fmod(degrees, 360.0))  # exact, where a large angle in radians would be rounded
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    y, x = _warp.offsets(h)[:, None], _warp.offsets(w)[None, :]
    return x * sin + y * cos, x * cos - y * sin


def _disc(shape: tuple[int, ...]) -> jax.Array:
    """[H, W]: 1 inside the inscribed disc, 0 outside."""
    h, w = shape[:2]
    squared = _warp.offsets(h)[:, None] ** 2 + _warp.offsets(w)[None, :] ** 2
    return (squared <= (0.5 * (min(h, w) - 1)) ** 2).astype(jnp.float32)
