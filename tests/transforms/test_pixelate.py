import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.transforms import Pixelate
from tests.transforms.contract import check_transform, smooth_image


def test_contract():
    check_transform(Pixelate())


def _resize(values: np.ndarray, size: int) -> np.ndarray:
    """Bilinear along axis 0 with pixel centres at (i + 1/2) / n, clamped at the ends."""
    n = len(values)
    at = (np.arange(size) + 0.5) * n / size - 0.5
    return np.apply_along_axis(lambda v: np.interp(at, np.arange(n), v), 0, values)


@pytest.mark.parametrize("shape", [(12, 12, 1), (9, 14, 3)])
def test_shrinks_and_enlarges(shape):
    image, run = smooth_image(shape), jax.jit(Pixelate())
    for c in (1.0, 0.9, 0.5, 0.31, 0.01):
        expected = image.astype(np.float64)
        for axis in (0, 1):
            moved = np.moveaxis(expected, axis, 0)
            small = _resize(moved, max(1, int(np.floor(shape[axis] * c))))
            expected = np.moveaxis(_resize(small, shape[axis]), 0, axis)
        np.testing.assert_allclose(run(image, jnp.array([1.0 - c])), expected, atol=5e-6)


@pytest.mark.parametrize(("shape", "count"), [((32, 32, 1), 17), ((28, 28, 1), 15), ((9, 6, 1), 7)])
def test_representatives_list_every_output_once(shape, count):
    image, run = smooth_image(shape), jax.jit(jax.vmap(Pixelate(), in_axes=(None, 0)))
    chosen = Pixelate().representatives(shape, np.array([0.0]), np.array([0.5]))
    assert chosen.shape == (count, 1)
    listed = np.asarray(run(image, chosen.astype(np.float32))).reshape(count, -1)
    assert len(np.unique(listed, axis=0)) == count
    sweep = np.asarray(run(image, np.linspace(0.0, 0.5, 2001, dtype=np.float32)[:, None])).reshape(2001, -1)
    changes = 1 + np.count_nonzero(np.abs(np.diff(sweep, axis=0)).max(axis=1))
    assert changes == count
    assert max(np.abs(listed - s).max(axis=1).min() for s in sweep[::20]) == 0.0


def test_float32_does_not_lose_a_pixel():
    """0.9 x 10 is 9 also where float32 says 8.9999998."""
    image = smooth_image((10, 10, 1))
    run = jax.jit(Pixelate())
    for k in range(1, 10):
        exact, inside = run(image, jnp.array([1.0 - k / 10])), run(image, jnp.array([1.0 - (k + 0.5) / 10]))
        np.testing.assert_array_equal(exact, inside)
