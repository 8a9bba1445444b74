"""JPEG files."""

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._colour import is_grey
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.int32,
)
"""Quantisation steps of quality 50, for luma and for grey images (ITU-T T.81, table K.1)."""

_CHROMA = np.array(
    [
        [17, 18, 24, 47, 99, 99, 99, 99],
        [18, 21, 26, 66, 99, 99, 99, 99],
        [24, 26, 56, 99, 99, 99, 99, 99],
        [47, 66, 99, 99, 99, 99, 99, 99],
        *[[99] * 8] * 4,
    ],
    np.int32,
)
"""For chroma (table K.2)."""

_COSINES = np.array(
    [
        [8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192],
        [11363, 9633, 6437, 2260, -2260, -6437, -9633, -11363],
        [10703, 4433, -4433, -10703, -10703, -4433, 4433, 10703],
        [9633, -2259, -11362, -6436, 6436, 11362, 2259, -9633],
        [8192, -8192, -8192, 8192, 8192, -8192, -8192, 8192],
        [6437, -11362, 2261, 9633, -9633, -2261, 11362, -6437],
        [4433, -10704, 10704, -4433, -4433, 10704, -10704, 4433],
        [2260, -6436, 9633, -11363, 11363, -9633, 6436, -2260],
    ],
    np.int32,
)
"""2^13 sqrt(8) times the orthonormal DCT-II, as the 13-bit constants of libjpeg's ``islow`` transform multiply out."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Jpeg(Pipe):
    """What is read back from a JPEG file of the image: 8 bits, baseline DCT, the standard tables.

    Parameter: 101 - quality, a whole number from 1 (the file of quality 100) to 100; 0 leaves the image as it is, and
    is no file. Anything between is rounded to the nearest, halves up. No group law, but finitely many values, which
    ``representatives`` lists. The image is rounded to 8 bits in [0, 1] first, and what is read back has 8 bits.

    Qualities scale the tables as libjpeg does, and every step is done in the whole numbers of its default methods
    (``islow`` transforms, 16-bit colours, triangular chroma). So the result is, pixel by pixel, what Pillow with
    libjpeg-turbo reads from ``image.save(file, "JPEG", quality=..., subsampling=...)``, and the same on every device.
    Images of three channels are red, green and blue; one channel is grey.

    Attributes:
      subsampling: of colours: ``4:2:0`` halves both sides of the chroma planes, ``4:4:4`` keeps them.
    """

    name = "jpeg"
    params = (Param(name="101 - quality", unit="quality", low=0.0, high=100.0, whole=True),)
    typical = ((0.0, 76.0),)

    subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0"

    def __post_init__(self):
        _validate.known(dict.fromkeys(("4:2:0", "4:4:4")), subsampling=self.subsampling)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, 3] or [H, W, 1], [1] -> the same. Device."""
        loss = jnp.floor(theta[0] + 0.5).astype(jnp.int32)
        quality = jnp.clip(101 - loss, 1, 100)
        scale = jnp.where(quality < 50, 5000 // quality, 200 - 2 * quality)
        luma, chroma = (jnp.clip((scale * jnp.asarray(t) + 50) // 100, 1, 255) for t in (_LUMA, _CHROMA))
        levels = jnp.clip(jnp.round(image * 255.0), 0.0, 255.0).astype(jnp.int32)
        if is_grey(image):
            out = _decoded(levels[..., 0], luma)[..., None]
        else:
            y, *colours = _to_luma_and_chroma(levels)
            planes = [_decoded(y, luma), *(self._chroma(c, chroma) for c in colours)]
            out = _to_red_green_blue(*planes)
        return jnp.where(loss > 0, out.astype(image.dtype) / 255.0, image)

    def _chroma(self, plane: jax.Array, table: jax.Array) -> jax.Array:
        """[H, W] -> [H, W]."""
        if self.subsampling == "4:4:4":
            return _decoded(plane, table)
        h, w = plane.shape
        small = _decoded(_halved(plane), table)[:, : (w + 1) // 2]
        return _doubled(small)[:h, :w]

    def representatives(self, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns [M, 1] float64: the whole numbers that the box rounds to, ascending. Host."""
        del image_shape
        first, last = (math.floor(float(end[0]) + 0.5) for end in (low, high))
        return np.arange(first, last + 1, dtype=np.float64)[:, None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A quotient, where it is known to which levels the image is rounded; else nothing is known of a file. Host."""
        del low, high
        least, most = min(image.low, 0.0), max(image.high, 1.0)
        own = float32.MARGIN * float32.division(constant=True)
        if image.exact is not None:
            place = 255.0 * np.clip(image.exact, 0.0, 1.0)
            if np.all(np.abs(place - np.floor(place) - 0.5) > 255.0 * float32.UNIT):
                return image.then(least, most, own)
        return image.then(least, most, image.entry + most - least)


def _to_luma_and_chroma(levels: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Levels [H, W, 3] of red, green and blue as planes [H, W] of Y, Cb and Cr (JFIF), in libjpeg's 16-bit steps."""
    red, green, blue = (levels[..., c] for c in range(3))
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    middle = (128 << 16) + 32767
    cb = (32768 * blue - 11059 * red - 21709 * green + middle) >> 16
    cr = (32768 * red - 27439 * green - 5329 * blue + middle) >> 16
    return luma, cb, cr


def _to_red_green_blue(luma: jax.Array, cb: jax.Array, cr: jax.Array) -> jax.Array:
    """Planes [H, W] as levels [H, W, 3]."""
    cb, cr = cb - 128, cr - 128
    red = luma + ((91881 * cr + 32768) >> 16)
    green = luma + ((32768 - 22554 * cb - 46802 * cr) >> 16)
    blue = luma + ((116130 * cb + 32768) >> 16)
    return jnp.clip(jnp.stack([red, green, blue], axis=-1), 0, 255)


def _decoded(plane: jax.Array, table: jax.Array) -> jax.Array:
    """Returns levels [H, W] after quantising the DCT of 8 x 8 blocks in steps of the table [8, 8]. Device.

    Blocks that reach over the border see the outermost pixels again. What is not a level is clipped.
    """
    h, w = plane.shape
    table = table[None, None]
    padded = jnp.pad(plane, ((0, -h % 8), (0, -w % 8)), mode="edge") - 128
    blocks = padded.reshape(padded.shape[0] // 8, 8, padded.shape[1] // 8, 8).transpose(0, 2, 1, 3)
    cosines = jnp.asarray(_COSINES)
    rows = _scaled(jnp.einsum("abij,vj->abiv", blocks, cosines), 11)
    spectrum = _scaled(jnp.einsum("abiv,ui->abuv", rows, cosines), 15)  # 8 times the orthonormal one
    steps = jnp.sign(spectrum) * ((jnp.abs(spectrum) + 4 * table) // (8 * table))
    columns = _scaled(jnp.einsum("abuv,ui->abiv", steps * table, cosines), 11)
    blocks = _scaled(jnp.einsum("abiv,vj->abij", columns, cosines), 18)
    whole = blocks.transpose(0, 2, 1, 3).reshape(padded.shape)[:h, :w]
    return jnp.clip(whole + 128, 0, 255)


def _scaled(values: jax.Array, bits: int) -> jax.Array:
    """Divides by 2^bits, rounded to nearest, halves up."""
    return (values + (1 << (bits - 1))) >> bits


def _halved(plane: jax.Array) -> jax.Array:
    """[H, W] -> [ceil(H / 2), W']: means of 2 x 2 pixels, halves rounded down and up in turns; W' fills blocks of 8.

    As libjpeg has it the right border is repeated before the means are taken, and the lower one after it.
    """
    h, w = plane.shape
    padded = jnp.pad(plane, ((0, h % 2), (0, -w % 16)), mode="edge")
    sums = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).sum(axis=(1, 3))
    return (sums + 1 + jnp.arange(sums.shape[1], dtype=jnp.int32)[None, :] % 2) >> 2


def _doubled(plane: jax.Array) -> jax.Array:
    """[h, w] -> [2 h, 2 w]: a pixel lies a quarter of the way to its neighbours on both axes, of which it takes 1/4.

    Of two columns or one, libjpeg makes 2 x 2 copies.
    """
    h, w = plane.shape
    if w <= 2:
        return jnp.repeat(jnp.repeat(plane, 2, axis=0), 2, axis=1)
    ring = jnp.pad(plane, ((1, 1), (0, 0)), mode="edge")
    tall = jnp.stack([3 * plane + ring[:-2], 3 * plane + ring[2:]], axis=1).reshape(2 * h, w)
    ring = jnp.pad(tall, ((0, 0), (1, 1)), mode="edge")
    return jnp.stack([3 * tall + ring[:, :-2] + 8, 3 * tall + ring[:, 2:] + 7], axis=2).reshape(2 * h, 2 * w) >> 4
