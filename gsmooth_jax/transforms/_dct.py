"""The spectrum of a small image as two dense matrices, fast and exact: the orthonormal DCT-II, whose border reflects,
or, ``cyclic``, the real DFT in the orthonormal basis of cosines and sines, whose border is the opposite one."""  # noqa: D205, D209

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import float32
from gsmooth_jax.types import Computed


@functools.cache
def matrix(n: int, cyclic: bool = False) -> np.ndarray:
    """Returns the orthonormal matrix [n, n] float32: row k is the k-th cosine, of the DFT cosine 0, 1, sine 1, ..."""
    if cyclic:
        turns = frequency(n, True)[:, None] * np.arange(n)[None, :]
        rows = np.where(np.arange(n)[:, None] % 2 == 1, np.cos(turns), np.sin(turns))
        rows[0] = 1.0
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    rows = np.cos(np.pi * np.arange(n)[:, None] * (2 * np.arange(n)[None, :] + 1) / (2 * n)) * np.sqrt(2.0 / n)
    rows[0] = np.sqrt(1.0 / n)
    return rows.astype(np.float32)


@functools.cache
def frequency(n: int, cyclic: bool = False) -> np.ndarray:
    """Returns the angular frequencies [n] float64 of the rows, in radians a pixel: pi k / n; of the DFT 2 pi j / n.

    None is above pi.
    """
    return np.pi * (2 * ((np.arange(n) + 1) // 2) if cyclic else np.arange(n)) / n


def forward(image: jax.Array, cyclic: bool = False) -> jax.Array:
    """Returns the spectrum [H, W, C] of an image [H, W, C]; keeps the L2 norm. Device."""
    h, w, _ = image.shape
    return jnp.einsum("kh,hwc,lw->klc", matrix(h, cyclic), image, matrix(w, cyclic), precision="highest")


def inverse(spectrum: jax.Array, cyclic: bool = False) -> jax.Array:
    """Returns the image [H, W, C] that has this spectrum. Device."""
    h, w, _ = spectrum.shape
    # Two plain matrix products are faster under vmap than one product of three operands.
    rows = jnp.tensordot(spectrum, matrix(w, cyclic), ((1,), (0,)), precision="highest")  # [K, C, W]
    return jnp.tensordot(matrix(h, cyclic), rows, ((0,), (0,)), precision="highest").transpose(0, 2, 1)


def entries_upper(spectrum: jax.Array, spread: jax.Array, cyclic: bool = False) -> jax.Array:
    """Bounds the entries of every image whose spectrum is within ``spread`` of ``spectrum``. Device.

    A frequency moves an entry by the product of its two cosines: |inverse(spectrum)| and the sum of |cosines| x spread.
    What float32 loses in the sums is in it.

    Args:
      spectrum: [H, W, C].
      spread: [H, W, C], >= 0.
      cyclic: which spectrum it is.

    Returns:
      [H, W, C].
    """
    h, w, _ = spectrum.shape
    share = _rounding(h, w)
    rows, columns = (jnp.abs(matrix(n, cyclic)).T for n in (h, w))
    wide = _absolute(rows, spread + share * jnp.abs(spectrum), columns)
    return jnp.abs(inverse(spectrum, cyclic)) + wide * (1.0 + 2.0 * share)


def forward_error(image: jax.Array, cyclic: bool = False) -> jax.Array:
    """Bounds how far float32 takes ``forward(image)`` from the true spectrum. [H, W, C]. Device."""
    h, w, _ = image.shape
    share = _rounding(h, w)
    rows, columns = (jnp.abs(matrix(n, cyclic)) for n in (h, w))
    return share * (1.0 + 2.0 * share) * _absolute(rows, jnp.abs(image), columns)


def _absolute(rows: jax.Array, values: jax.Array, columns: jax.Array) -> jax.Array:
    return jnp.einsum("kh,hwc,lw->klc", rows, values, columns, precision="highest")


def _rounding(h: int, w: int) -> float:
    """Of the sum of a product's terms, all taken positive, the share that float32 may lose: h + w roundings a term,
    and those of the cosines."""  # noqa: D205, D209
    return (h + w + 8) * 2.0**-24


def changed(
    image: Computed,
    low: float,
    high: float,
    *,
    change: float,
    off: float,
    constant_off: float,
    cyclic: bool = False,
) -> Computed:
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
      cyclic: which spectrum it is.
    """
    norm, spread = image.norm, 0.5 * math.sqrt(image.size) * (image.high - image.low)
    if image.exact is not None:
        spread = float(np.linalg.norm(image.exact - image.exact.mean(axis=(0, 1), keepdims=True)))

    there, back = (products(image.shape, length, cyclic=cyclic) for length in (norm, change * spread))
    factor = change * there + off * spread + constant_off * norm + float32.UNIT * change * spread
    own = float32.MARGIN * (factor + back + float32.UNIT * norm)
    return image.then(low, high, image.error + own, image.error + own)


def products(shape: tuple[int, ...], length: float, *, cyclic: bool) -> float:
    """Bounds what float32 takes from the transform, or its inverse, of an image [H, W, C] of so large a norm. Host."""
    return sum(
        float32.product(n, absolute * length, length) + float32.UNIT * absolute * length
        for n in shape[:2]
        for absolute in [_absolute_norm(n, cyclic)]
    )


@functools.cache
def _absolute_norm(n: int, cyclic: bool) -> float:
    """The L2 norm of the matrix of the transform's absolute values."""
    return float(np.linalg.norm(np.abs(matrix(n, cyclic)).astype(np.float64), 2)) * (1.0 + 1e-6)
