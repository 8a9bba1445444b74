"""How steep a bilinear image is: the largest pixel difference over any box of cells, for Lipschitz bounds.

A cell is the unit square between four neighbouring pixels. Inside it the derivative along x of the interpolated image
lies between the two horizontal differences of its corners, and the derivative along y between the two vertical ones.
The image is extended by a ring of zeros, as ``_warp`` reads it, so there are (H + 1) (W + 1) cells. A table of maxima
over all blocks of 2^i x 2^j cells answers the maximum over any box with four overlapping blocks; the boxes may be
traced values. Memory: log2(H) log2(W) copies of the image.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np


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


def block_maxima(image: jax.Array) -> jax.Array:
    """Returns [Ly, Lx, H + 1, W + 1, 2, C]: maxima of |dy|, |dx| over blocks of 2^i x 2^j cells from each cell on.

    Blocks that reach over the last cell end there. Device.
    """
    ring = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))
    dy, dx = jnp.abs(jnp.diff(ring, axis=0)), jnp.abs(jnp.diff(ring, axis=1))
    steep = jnp.stack(
        [jnp.maximum(dy[:, :-1], dy[:, 1:]), jnp.maximum(dx[:-1], dx[1:])], axis=2
    )  # [H + 1, W + 1, 2, C]
    in_y = _doublings(steep, axis=0)
    return jnp.stack([jnp.stack(_doublings(level, axis=1)) for level in in_y])


def steepest(maxima: jax.Array, boxes: Boxes) -> jax.Array:
    """Returns [H, W, 2, C]: the largest |d/dy| and |d/dx| of the bilinear image within each box. Device.

    A box that lies outside the ring of zeros sees 0; the part that sticks out of it counts as the nearest cell.
    """
    levels_y, levels_x, rows, columns, _, channels = maxima.shape
    table = maxima.reshape(levels_y * levels_x * rows * columns, 2, channels)
    y0, y1 = _cell(boxes.top, rows), _cell(boxes.bottom, rows)
    x0, x1 = _cell(boxes.left, columns), _cell(boxes.right, columns)
    level_y, level_x = _level(y1 - y0, rows), _level(x1 - x0, columns)
    base = (level_y * levels_x + level_x) * rows
    y1, x1 = y1 + 1 - (1 << level_y), x1 + 1 - (1 << level_x)

    def block(y: jax.Array, x: jax.Array) -> jax.Array:
        return table[(base + y) * columns + x]

    most = jnp.maximum(jnp.maximum(block(y0, x0), block(y0, x1)), jnp.maximum(block(y1, x0), block(y1, x1)))
    met = (boxes.bottom >= -1.0) & (boxes.top <= rows - 1.0) & (boxes.right >= -1.0) & (boxes.left <= columns - 1.0)
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
    return jnp.asarray(np.log2(np.arange(1, n + 1)).astype(np.int32))[extra]
