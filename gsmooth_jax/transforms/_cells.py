"""How steep a bilinear image is: the range of the pixel differences over any box of cells, for Lipschitz bounds.

A cell is the unit square between four neighbouring pixels. Inside it the derivative along x of the interpolated image
lies between the two horizontal differences of its corners, and the derivative along y between the two vertical ones
(THEORY C2).
The image is extended by a ring of zeros, as ``_warp`` reads it, so there are (H + 1) (W + 1) cells. A table of maxima
over all blocks of 2^i x 2^j cells answers the maximum over any box with four overlapping blocks; the boxes may be
traced values. Memory: 4 log2(H) log2(W) copies of the image.

Derivatives keep their signs: an entry whose source moves along an edge changes little, although both of its derivatives
are large, and only their ranges can tell.
"""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class Boxes:
    """One box of source positions for each pixel, in px: four arrays [H, W]."""

    top: jax.Array
    bottom: jax.Array
    left: jax.Array
    right: jax.Array

    def moved(self, down: float, right: float) -> "Boxes":
        """The boxes moved by so many px."""
        return Boxes(self.top + down, self.bottom + down, self.left + right, self.right + right)


def spanned(y0: jax.Array, y1: jax.Array, x0: jax.Array, x1: jax.Array, margin: jax.Array | float) -> Boxes:
    """Returns the boxes spanned by the points (y0, x0) and (y1, x1) [H, W], enlarged by ``margin`` px on all sides."""
    return Boxes(
        jnp.minimum(y0, y1) - margin,
        jnp.maximum(y0, y1) + margin,
        jnp.minimum(x0, x1) - margin,
        jnp.maximum(x0, x1) + margin,
    )


def slack(h: int, w: int) -> float:
    """What the float32 rounding of a source position may amount to, in px, with a wide margin."""
    return 1e-5 * max(h, w)


def block_maxima(image: jax.Array, beyond: Literal["constant", "edge"] = "constant") -> jax.Array:
    """Returns [Ly, Lx, H + 1, W + 1, 4, C]: maxima of dy, -dy, dx, -dx over blocks of 2^i x 2^j cells from each on.

    Blocks that reach over the last cell end there. Device.

    Args:
      image: [H, W, C].
      beyond: what the ring around it is: zeros (``constant``), or the outermost pixels again (``edge``).
    """
    slopes = []
    for sign in (1.0, -1.0):
        ring = jnp.pad(sign * image, ((1, 1), (1, 1), (0, 0)), mode=beyond)
        dy, dx = jnp.diff(ring, axis=0), jnp.diff(ring, axis=1)
        slopes.append((jnp.maximum(dy[:, :-1], dy[:, 1:]), jnp.maximum(dx[:-1], dx[1:])))  # the sides of each cell
    (down, right), (up, left) = slopes
    steep = jnp.stack([down, up, right, left], axis=2)  # [H + 1, W + 1, 4, C]
    in_y = _doublings(steep, axis=0)
    return jnp.stack([jnp.stack(_doublings(level, axis=1)) for level in in_y])


def fastest(
    maxima: jax.Array, boxes: Boxes, down: tuple[jax.Array, jax.Array], right: tuple[jax.Array, jax.Array]
) -> jax.Array:
    """Bounds how fast an entry changes whose source moves: |v_y d/dy + v_x d/dx|. [H, W, C]. Device.

    With each factor within a radius of its middle, v = v0 +- dv and d = d0 +- dd, a product is within
    |v0| dd + dv (|d0| + dd) of v0 d0. The middles keep their signs, and may cancel.

    Args:
      maxima: from ``block_maxima`` of the image.
      boxes: where the sources are.
      down: the ends [H, W] of v_y; enlarge them by ``slack``, which covers the rounding of a sum that cancels.
      right: those of v_x.
    """
    in_y, minus_in_y, in_x, minus_in_x = jnp.moveaxis(steepest(maxima, boxes), 2, 0)
    middle_y, rest_y = _product(down, in_y, minus_in_y)
    middle_x, rest_x = _product(right, in_x, minus_in_x)
    return jnp.abs(middle_y + middle_x) + rest_y + rest_x


def _product(
    velocity: tuple[jax.Array, jax.Array], most: jax.Array, minus_least: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Middle and radius [H, W, C] of an interval that holds every product of a velocity [H, W] and a slope."""
    low, high = velocity[0][:, :, None], velocity[1][:, :, None]
    v, dv = 0.5 * (low + high), 0.5 * (high - low)
    slope, d_slope = 0.5 * (most - minus_least), 0.5 * (most + minus_least)
    return v * slope, jnp.abs(v) * d_slope + dv * (jnp.abs(slope) + d_slope)


def steepest(maxima: jax.Array, boxes: Boxes) -> jax.Array:
    """Returns [H, W, 4, C]: the largest d/dy, -d/dy, d/dx, -d/dx of the bilinear image within each box. Device.

    A box that lies outside the ring of zeros sees 0; the part that sticks out of it counts as 0 and the nearest cell.
    """
    levels_y, levels_x, rows, columns, kinds, channels = maxima.shape
    table = maxima.reshape(levels_y * levels_x * rows * columns, kinds, channels)
    y0, y1 = _cell(boxes.top, rows), _cell(boxes.bottom, rows)
    x0, x1 = _cell(boxes.left, columns), _cell(boxes.right, columns)
    level_y, level_x = _level(y1 - y0, rows), _level(x1 - x0, columns)
    base = (level_y * levels_x + level_x) * rows
    y1, x1 = y1 + 1 - (1 << level_y), x1 + 1 - (1 << level_x)

    def block(y: jax.Array, x: jax.Array) -> jax.Array:
        return table[(base + y) * columns + x]

    most = jnp.maximum(jnp.maximum(block(y0, x0), block(y0, x1)), jnp.maximum(block(y1, x0), block(y1, x1)))
    met = (boxes.bottom >= -1.0) & (boxes.top <= rows - 1.0) & (boxes.right >= -1.0) & (boxes.left <= columns - 1.0)
    whole = (boxes.top >= -1.0) & (boxes.bottom <= rows - 1.0) & (boxes.left >= -1.0) & (boxes.right <= columns - 1.0)
    most = jnp.where(whole[:, :, None, None], most, jnp.maximum(most, 0.0))
    return jnp.where(met[:, :, None, None], most, 0.0)


def _doublings(values: jax.Array, axis: int) -> list[jax.Array]:
    """Running maxima over 1, 2, 4, ... neighbours along the axis, up to its length."""
    n, out, width = values.shape[axis], [values], 1
    while 2 * width <= n:
        last = out[-1]
        ahead = jnp.concatenate(
            [jax.lax.slice_in_dim(last, width, n, axis=axis), jax.lax.slice_in_dim(last, n - width, n, axis=axis)], axis
        )
        out.append(jnp.maximum(last, ahead))
        width *= 2
    return out


def _cell(position: jax.Array, n: int) -> jax.Array:
    """The index, 0 ... n - 1, of the cell that holds a position; cell 0 begins at the ring, position -1."""
    return jnp.clip(jnp.floor(position) + 1.0, 0.0, n - 1.0).astype(jnp.int32)


def _level(extra: jax.Array, n: int) -> jax.Array:
    """floor(log2(1 + extra)) for whole 0 <= extra < n."""
    return 31 - jax.lax.clz(1 + extra)
