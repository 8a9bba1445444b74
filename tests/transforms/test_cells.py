import jax
import numpy as np

from gsmooth_jax.transforms import _cells
from tests.transforms.contract import smooth_image


def test_largest_differences_over_boxes_match_brute_force():
    image = smooth_image((5, 9, 2))
    h, w, _ = image.shape
    ring = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    dy, dx = np.abs(np.diff(ring, axis=0)), np.abs(np.diff(ring, axis=1))
    cells = np.stack([np.maximum(dy[:, :-1], dy[:, 1:]), np.maximum(dx[:-1], dx[1:])], axis=2)
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
                np.testing.assert_array_equal(found[i, j], met * block.max(axis=(0, 1)))
