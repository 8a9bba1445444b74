"""Resampling with zero-padded reads, shared by the geometric transforms: bilinear, but where they say otherwise.

The image is read as if it went on with zeros on all sides, and reads between two pixels (the border's zeros included)
are interpolated. So a warped image is continuous in the warp's parameter everywhere, also where a pixel leaves the
canvas. Resampling that moves rows and columns separately is two small matrix products; anything else is four reads a
pixel.
"""

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp

Interpolation = Literal["bilinear", "nearest", "bicubic"]
"""Of the four, one, or sixteen pixels around a position; ``bicubic`` by the kernel of Catmull and Rom, which goes
through the pixels and overshoots beside edges."""

TAPS: dict[str, int] = {"bilinear": 2, "nearest": 2, "bicubic": 4}
"""Neighbouring pixels along an axis among which are all that have a weight."""


def offsets(n: int) -> jax.Array:
    """Returns [n]: each pixel's distance to the centre (n - 1) / 2 of its axis, in px, negative in front of it."""
    return jnp.arange(n, dtype=jnp.float32) - 0.5 * (n - 1)


def hat(source: jax.Array, n: int, interpolation: Interpolation = "bilinear") -> jax.Array:
    """Returns [M, n]: the matrix that reads an axis of n pixels at the coordinates ``source`` [M]. Device."""
    return weight(source[:, None] - jnp.arange(n, dtype=jnp.float32)[None, :], interpolation)


def check_bounded(name: str, interpolation: Interpolation) -> None:
    """Raises ValueError where a transform of that name states no bound: bounds are those of bilinear reads. Host."""
    if interpolation != "bilinear":
        raise ValueError(f"No bound for {name}(interpolation={interpolation!r}): it states none but bilinear ones.")


def weight(distance: jax.Array, interpolation: Interpolation) -> jax.Array:
    """Returns how much of a pixel is read at a position so far behind it (any shape), along one axis, in px. Device.

    Catmull and Rom 1974; Keys 1981 with a = -1/2.
    """
    if interpolation == "bilinear":
        return jnp.clip(1.0 - jnp.abs(distance), 0.0, 1.0)
    if interpolation == "nearest":
        return ((distance >= -0.5) & (distance < 0.5)).astype(jnp.float32)
    d = jnp.abs(distance)
    near, far = (1.5 * d - 2.5) * d * d + 1.0, ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    return jnp.where(d <= 1.0, near, jnp.where(d < 2.0, far, 0.0))


def hat_norm_upper(ratio: jax.Array) -> jax.Array:
    """Bounds the L2 norm of ``hat`` for sources at least 1 / ratio apart (scalar). Device.

    No row has a sum above 1; no column one above that of hats around a source, 1 + 2 sum_i max(1 - i / ratio, 0).
    (THEORY D7.3.)
    """
    beside = jnp.floor(ratio)
    return jnp.sqrt(1.0 + beside * (2.0 - (beside + 1.0) / ratio)) * (1.0 + 1e-5)


def hat_slope_upper(ratio: jax.Array) -> jax.Array:
    """Bounds the L2 norm of the derivative of ``hat`` in the position, sources at least 1 / ratio apart. Device.

    Differences of neighbours, whose norm is 2, of which a cell's is read by floor(ratio) + 1 sources at most.
    """
    return 2.0 * jnp.sqrt(jnp.floor(ratio * (1.0 + 1e-6)) + 1.0) * (1.0 + 1e-5)


def separable(image: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Applies ``rows`` [H', H] and ``columns`` [W', W] to an image [H, W, C]; returns [H', W', C]. Device."""
    return jnp.einsum("ih,hwc,jw->ijc", rows, image, columns, precision="highest")


def mean(first: jax.Array, frame: Callable[[jax.Array], jax.Array], n: int) -> jax.Array:
    """Returns the mean of ``first`` and of ``frame(i)``, i = 1 ... n - 1, all of one shape. Device.

    One frame after the other: side by side under vmap they leave the cache, and take up to 10 times as long on a CPU.
    """
    return jax.lax.fori_loop(1, n, lambda i, total: total + frame(i), first) / n


def read(image: jax.Array, y: jax.Array, x: jax.Array) -> jax.Array:
    """Reads an image [H, W, C] at the coordinates y, x [M, N] px; returns [M, N, C]. Device.

    A compiler may compute a coordinate twice, once for where to read and once for how much of it to take, and round it
    differently. With a whole part from each, a coordinate that is a whole number but for rounding would be read a pixel
    away. So both take their place from one table: a read is not done twice.
    """
    h, w, c = image.shape
    y, x = jnp.clip(y, -1.0, h), jnp.clip(x, -1.0, w)  # further out all reads are 0 as well
    top, left = jnp.minimum(jnp.floor(y), h - 1.0), jnp.minimum(jnp.floor(x), w - 1.0)
    pixels = (h + 2) * (w + 2)
    ring = jnp.pad(image, ((1, 1), (1, 1), (0, 0))).reshape(pixels, c)
    corner = (top.astype(jnp.int32) + 1) * (w + 2) + left.astype(jnp.int32) + 1
    corner = jnp.arange(pixels)[corner]
    number = corner.astype(jnp.float32)
    row = jnp.floor((number + 0.5) / (w + 2))
    dy, dx = (y - (row - 1.0))[..., None], (x - (number - row * (w + 2) - 1.0))[..., None]
    above = (1.0 - dx) * ring[corner] + dx * ring[corner + 1]
    below = (1.0 - dx) * ring[corner + w + 2] + dx * ring[corner + w + 3]
    return (1.0 - dy) * above + dy * below


def read_by(image: jax.Array, y: jax.Array, x: jax.Array, interpolation: Interpolation) -> jax.Array:
    """Reads an image [H, W, C] at the coordinates y, x [M, N] px by any interpolation; returns [M, N, C]. Device.

    Each weight is of the distance to the pixel that is read, so a coordinate that is rounded twice does no harm.
    """
    if interpolation == "bilinear":
        return read(image, y, x)
    h, w, _ = image.shape
    taps = TAPS[interpolation]
    y, x = jnp.clip(y, -2.0, h + 1.0), jnp.clip(x, -2.0, w + 1.0)  # further out all reads are 0 as well
    ring = jnp.pad(image, ((taps, taps), (taps, taps), (0, 0)))
    top, left = (jnp.floor(v).astype(jnp.int32) + 1 - taps // 2 for v in (y, x))
    total = jnp.zeros((*y.shape, image.shape[2]), image.dtype)
    for i in range(taps):
        for j in range(taps):
            share = weight(y - (top + i), interpolation) * weight(x - (left + j), interpolation)
            total += share[:, :, None] * ring[top + (i + taps), left + (j + taps)]
    return total


def squared_radius(h: int, w: int) -> jax.Array:
    """[H, W]: the squared distance of each pixel to the image's centre; exact in float32 for sides up to 2,000 px."""
    return offsets(h)[:, None] ** 2 + offsets(w)[None, :] ** 2


def disc(shape: tuple[int, ...]) -> jax.Array:
    """[H, W]: whether a pixel lies inside the inscribed disc, of radius (min(H, W) - 1) / 2."""
    h, w = shape[:2]
    return squared_radius(h, w) <= (0.5 * (min(h, w) - 1)) ** 2
