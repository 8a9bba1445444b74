import itertools

import jax
import numpy as np

from gsmooth_jax.testing.transforms import smooth_image
from gsmooth_jax.transforms import _cells


def test_largest_differences_over_boxes_match_brute_force():
    image = smooth_image((5, 9, 2))
    h, w, _ = image.shape
    ring = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    dy, dx = np.diff(ring, axis=0), np.diff(ring, axis=1)
    corners = [np.stack([d, -d]) for d in (dy[:, :-1], dy[:, 1:], dx[:-1], dx[1:])]
    cells = np.concatenate([np.maximum(*corners[:2]), np.maximum(*corners[2:])]).transpose(1, 2, 0, 3)
    assert cells.min() < 0  # some cells rise on one side only
    rng = np.random.default_rng(0)
    steepest = jax.jit(lambda image, box: _cells.steepest(_cells.block_maxima(image), _cells.Boxes(*box)))
    for _ in range(8):
        y, x = np.sort(rng.uniform(-3, h + 2, (2, h, w)), axis=0), np.sort(rng.uniform(-3, w + 2, (2, h, w)), axis=0)
        found = np.asarray(steepest(image, (y[0], y[1], x[0], x[1])))
        row, column = (np.clip(np.floor(v) + 1, 0, n).astype(int) for v, n in ((y, h), (x, w)))
        for i in range(h):
            for j in range(w):
                block = cells[row[0, i, j] : row[1, i, j] + 1, column[0, i, j] : column[1, i, j] + 1]
                met = y[1, i, j] >= -1 and y[0, i, j] <= h and x[1, i, j] >= -1 and x[0, i, j] <= w
                whole = y[0, i, j] >= -1 and y[1, i, j] <= h and x[0, i, j] >= -1 and x[1, i, j] <= w
                expected = block.max(axis=(0, 1))
                expected = met * (expected if whole else np.maximum(expected, 0))
                np.testing.assert_array_equal(found[i, j], expected)


def test_boxes_are_enlarged_on_all_sides():
    y0, y1, x0, x1 = np.random.default_rng(2).normal(size=(4, 3, 5))
    boxes = _cells.spanned(y0, y1, x0, x1, 0.5)
    for low, high, ends in ((boxes.top, boxes.bottom, (y0, y1)), (boxes.left, boxes.right, (x0, x1))):
        np.testing.assert_allclose(low, np.minimum(*ends) - 0.5, rtol=1e-6)
        np.testing.assert_allclose(high, np.maximum(*ends) + 0.5, rtol=1e-6)


def test_no_velocity_and_slope_make_a_faster_change():
    image, rng = smooth_image((5, 6, 1)), np.random.default_rng(1)
    y, x = np.meshgrid(np.arange(5.0), np.arange(6.0), indexing="ij")
    ends = np.sort(rng.uniform(-2, 2, (4, 2, 5, 6)), axis=1).astype(np.float32)
    ends[2:, 1] = ends[2:, 0] + 0.1 * (ends[2:, 1] - ends[2:, 0])
    boxes = _cells.Boxes(y + ends[0, 0], y + ends[0, 1], x + ends[1, 0], x + ends[1, 1])
    maxima = _cells.block_maxima(image)
    found = np.asarray(_cells.fastest(maxima, boxes, tuple(ends[2]), tuple(ends[3])))[:, :, 0]
    in_y, minus_in_y, in_x, minus_in_x = np.moveaxis(np.asarray(_cells.steepest(maxima, boxes))[..., 0], 2, 0)
    # Of a sum of products, the ends of the intervals give the largest.
    signs = itertools.product(ends[2], ends[3], (in_y, -minus_in_y), (in_x, -minus_in_x))
    largest = np.max([np.abs(down * slope_y + right * slope_x) for down, right, slope_y, slope_x in signs], axis=0)
    assert (largest <= found * (1 + 1e-6)).all()
    assert (found <= 1.5 * largest).all()
