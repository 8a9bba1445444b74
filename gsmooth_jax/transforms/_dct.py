"""The orthonormal DCT-II of a small image as two dense matrices: exact under reflection at the border, and fast."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import float32
from gsmooth_jax.types import Computed


@functools.cache
def matrix(n: int) -> np.ndarray:
    """Returns the orthonormal DCT-II matrix [n, n] float32: row k is the k-th cosine."""
    rows = np.cos(np.pi * np.arange(n)[:, None] * (2 * np.arange(n)[None, :] + 1) / (2 * n)) * np.sqrt(2.0 / n)
    rows[0] = np.sqrt(1.0 / n)
    return rows.astype(np.float32)


@functools.cache
def frequency(n: int) -> np.ndarray:
    """Returns the n angular frequencies pi k / n [n] float64, in radians a pixel."""
    return np.pi * np.arange(n) / n


def forward(image: jax.Array) -> jax.Array:
    """Returns the spectrum [H, W, C] of an image [H, W, C]; keeps the L2 norm. Device."""
    h, w, _ = image.shape
    return jnp.einsum("kh,hwc,lw->klc", matrix(h), image, matrix(w), precision="highest")


def inverse(spectrum: jax.Array) -> jax.Array:
    """Returns the image [H, W, C] that has this spectrum. Device."""
    h, w, _ = spectrum.shape
    # Two plain matrix products are faster under vmap than one product of three operands.
    rows = jnp.tensordot(spectrum, matrix(w), ((1,), (0,)), precision="highest")  # [K, C, W]
    return jnp.tensordot(matrix(h), rows, ((0,), (0,)), precision="highest").transpose(0, 2, 1)


def entries_upper(spectrum: jax.Array, spread: jax.Array) -> jax.Array:
    """Bounds the entries of every image whose spectrum is within ``spread`` of ``spectrum``. Device.

    A frequency moves an entry by the product of its two cosines: |inverse(spectrum)| and the sum of |cosines| x spread.
    What float32 loses in the sums is in it.

    Args:
      spectrum: [H, W, C].
      spread: [H, W, C], >= 0.

    Returns:
      [H, W, C].
    """
    h, w, _ = spectrum.shape
    share = _rounding(h, w)
    wide = _absolute(jnp.abs(matrix(h)).T, spread + share * jnp.abs(spectrum), jnp.abs(matrix(w)).T)
    return jnp.abs(inverse(spectrum)) + wide * (1.0 + 2.0 * share)


def forward_error(image: jax.Array) -> jax.Array:
    """Bounds how far float32 takes ``forward(image)`` from the true spectrum. [H, W, C]. Device."""
    h, w, _ = image.shape
    share = _rounding(h, w)
    return share * (1.0 + 2.0 * share) * _absolute(jnp.abs(matrix(h)), jnp.abs(image), jnp.abs(matrix(w)))


def _absolute(rows: jax.Array, values: jax.Array, columns: jax.Array) -> jax.Array:
    return jnp.einsum("kh,hwc,lw->klc", rows, values, columns, precision="highest")


def _rounding(h: int, w: int) -> float:
    """Of the sum of a product's terms, all taken positive, the share that float32 may lose: h + w roundings a term,
    and those of the cosines."""  # noqa: D205, D209
    return (h + w + 8) * 2.0**-24


def changed(image: Computed, low: float, high: float, *, change: float, off: float, constant_off: float) -> Computed:
    """Bounds what float32 makes of x + inverse(forward(x) (m - 1)), for multipliers m in [-1, 1]. Host.

    The transform and its inverse keep norms, and so errors, and float32 takes from each of their two products what
    ``float32.product`` says, and a rounding of the cosines. What is multiplied is the image less its mean, but for
    errors: the mean has frequency 0, where m is 1. The result is not longer than the image; its sum has a rounding.

    Args:
      image: x, [H, W, C].
      low: no entry of the result is smaller.
      high: none is larger.
      change: bounds |m - 1|.
      off: how wrong a factor m - 1 may be.
      constant_off: the same at frequency 0.
    """
    norm, spread = image.norm, 0.5 * math.sqrt(image.size) * (image.high - image.low)
    if image.exact is not None:
        spread = float(np.linalg.norm(image.exact - image.exact.mean(axis=(0, 1), keepdims=True)))

    def products(length: float) -> float:
        return sum(
            float32.product(n, _absolute_norm(n) * length, length) + float32.UNIT * _absolute_norm(n) * length
            for n in image.shape[:2]
        )

    factor = change * products(norm) + off * spread + constant_off * norm + float32.UNIT * change * spread
    own = float32.MARGIN * (factor + products(change * spread) + float32.UNIT * norm)
    return image.then(low, high, image.error + own, image.error + own)


@functools.cache
def _absolute_norm(n: int) -> float:
    """The L2 norm of the matrix of the DCT's absolute values."""
    return float(np.linalg.norm(np.abs(matrix(n)).astype(np.float64), 2)) * (1.0 + 1e-6)
