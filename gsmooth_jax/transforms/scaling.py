"""Scaling about the centre."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _cells, _warp, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scaling(Pipe, resamples=True):
    """Enlarges the image s times about its centre ((H - 1) / 2, (W - 1) / 2), bilinear, zeros outside.

    Parameter: s - 1, a ratio > -1; positive enlarges; identity 0. No group law: interpolating twice blurs twice, and
    what left the canvas is lost.
    """

    name = "scaling"
    params = (Param(name="s - 1", unit="ratio", low=-0.9),)
    typical = ((-0.3, 0.3),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        h, w, _ = image.shape
        return _warp.separable(image, zoom(h, 1.0 + theta[0]), zoom(w, 1.0 + theta[0]))

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of ``speed_upper`` over the pixels, as for rotation. Device."""
        return norm_upper(speed_upper(_cells.block_maxima(image), 1.0 + low[0], 1.0 + high[0]))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: ``speed_upper``. Device."""
        maxima = _cells.block_maxima(image)
        return rounded_up(speed_upper(maxima, 1.0 + low[0], 1.0 + high[0]))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns what ``sensitivity`` says. Device."""
        apart, growth = sensitivity(shape, 1.0 + low[0], 1.0 + high[0])
        return apart, growth[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Two matrices of reads at positions whose errors ``position_errors`` bounds. Host."""
        px = position_errors(image.shape, 1.0 + low[0], 1.0)
        return float32.read(image, px, units=float32.SEPARABLE)


def zoom(n: int, ratio: jax.Array) -> jax.Array:
    """Returns [n, n]: the matrix that enlarges an axis of n pixels by ``ratio`` > 0 about its centre. Device."""
    return _warp.hat(_warp.offsets(n) / ratio + 0.5 * (n - 1), n)


def speed_upper(maxima: jax.Array, smallest: jax.Array, largest: jax.Array) -> jax.Array:
    """Bounds how fast each entry changes, per unit of the ratio, between two ratios. [H, W, C]. Device.

    A pixel at (y, x) from the centre reads at (y, x) / s, which moves with velocity -(y, x) / s^2 on a straight line.
    Chain rule: the entry changes at -(y d/dy + x d/dx) / s^2, with the image's derivatives anywhere in the box of the
    line's ends. (THEORY C3.)

    Args:
      maxima: from ``_cells.block_maxima`` of the image.
      smallest: the smallest ratio, > 0: one for all pixels, or each its own ([H, W], or what broadcasts to it).
      largest: the largest ratio, likewise.
    """
    h, w = maxima.shape[2] - 1, maxima.shape[3] - 1
    y, x = _warp.offsets(h)[:, None], _warp.offsets(w)[None, :]
    ys, xs = jnp.broadcast_to(y, (h, w)), jnp.broadcast_to(x, (h, w))
    slack = _cells.slack(h, w)
    boxes = _cells.spanned(ys / smallest, ys / largest, xs / smallest, xs / largest, slack)
    centred = boxes.moved(0.5 * (h - 1), 0.5 * (w - 1))
    speed = _cells.fastest(maxima, centred, (ys - slack, ys + slack), (xs - slack, xs + slack))
    return speed / jnp.broadcast_to(smallest, (h, w))[:, :, None] ** 2


def sensitivity(shape: tuple[int, ...], smallest: jax.Array, largest: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Bounds the L2 norms of enlargements between two ratios, and of their derivatives in the ratio. Device.

    Of the matrices of the two axes, whose products these are: T = Y (x) X, T' = Y' (x) X + Y (x) X'. (THEORY D7.3.)
    """
    h, w = shape[:2]
    axis, slopes = _warp.hat_norm_upper(largest), _warp.hat_slope_upper(largest)
    # Nothing is read where the source, at y / s from the centre, is beyond the ring.
    reach = sum(jnp.minimum(0.5 * (n - 1) / smallest**2, 0.5 * (n + 1) / smallest) for n in (h, w))
    return axis**2, axis * slopes * reach


def position_errors(shape: tuple[int, ...], ratio: float, roundings: float) -> np.ndarray:
    """[H, W]: by how many px float32 may misplace what pixels read, down and right together. Host.

    Args:
      shape: (H, W, ...).
      ratio: the smallest of the enlargement, which may have ``roundings`` behind it.
      roundings: each of them UNIT of the ratio.
    """
    sides = []
    for n in shape[:2]:
        centre = 0.5 * (n - 1)
        read = np.abs(np.arange(n) - centre) / ratio
        # Beyond the canvas nothing is read, wherever it is.
        wrong = read * (roundings * float32.UNIT + float32.division())
        sides.append(wrong + float32.half_ulp(np.minimum(centre + read, n)))
    return np.add.outer(*sides)
