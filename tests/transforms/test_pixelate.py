import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image
from gsmooth_jax.transforms import Pixelate


def test_contract():
    check_transform(Pixelate())


def _resize(values: np.ndarray, size: int) -> np.ndarray:
    """Bilinear along axis 0 with pixel centres at (i + 1/2) / n, clamped at the ends."""
    n = len(values)
    at = (np.arange(size) + 0.5) * n / size - 0.5
    return np.apply_along_axis(lambda v: np.interp(at, np.arange(n), v), 0, values)


def test_shrinks_and_enlarges():
    image = smooth_image((9, 14, 3))
    shape = image.shape
    for c in (1.0, 0.9, 0.5, 0.31, 0.01):
        expected = image.astype(np.float64)
        for axis in (0, 1):
            moved = np.moveaxis(expected, axis, 0)
            small = _resize(moved, max(1, int(np.floor(shape[axis] * c))))
            expected = np.moveaxis(_resize(small, shape[axis]), 0, axis)
        np.testing.assert_allclose(apply(Pixelate(), image, jnp.array([1.0 - c])), expected, atol=5e-6)


@pytest.mark.parametrize(("shape", "count"), [((32, 32, 1), 17), ((28, 28, 1), 15), ((9, 6, 1), 7)])
def test_representatives_list_every_output_once(shape, count):
    chosen = Pixelate().representatives(shape, np.array([0.0]), np.array([0.5]))
    assert chosen.shape == (count, 1)
    sweep = np.linspace(0.0, 0.5, 1001)[:, None]
    run = jax.jit(jax.vmap(Pixelate(), in_axes=(None, 0)))
    outputs = np.asarray(run(smooth_image(shape), np.float32([*chosen, *sweep]))).reshape(count + 1001, -1)
    listed, swept = outputs[:count], outputs[count:]
    assert np.abs(np.diff(listed, axis=0)).max(axis=1).min() > 1e-3
    # Neighbours in the sweep are equal up to rounding, or differ visibly; every one is listed.
    jumps = np.abs(np.diff(swept, axis=0)).max(axis=1)
    assert 1 + np.count_nonzero(jumps > 1e-3) == count
    assert max(np.abs(listed - s).max(axis=1).min() for s in swept) < 1e-5


def test_representatives_go_down_to_a_single_pixel():
    chosen = Pixelate().representatives((5, 5, 1), np.zeros(1), np.ones(1))[:, 0]
    assert np.maximum(np.floor(5 * (1 - chosen + 1e-6)), 1).tolist() == [5, 4, 3, 2, 1]


def test_float32_does_not_lose_a_pixel():
    """0.9 x 10 is 9 also where float32 says 8.9999998."""
    image = smooth_image((10, 10, 1))
    for k in range(1, 10):
        exact = apply(Pixelate(), image, jnp.array([1.0 - k / 10]))
        inside = apply(Pixelate(), image, jnp.array([1.0 - (k + 0.5) / 10]))
        np.testing.assert_array_equal(exact, inside)


def test_two_sides_that_shrink_together_do_so_in_float32_too():
    """Where k / 240 = l / 320, rounding each by itself gave (125, 168), a pair of sizes that no exact ratio gives."""
    image, theta = smooth_image((240, 320, 1)), np.float32(0.4750010073184967)
    near = Pixelate().representatives(image.shape, np.array([theta - 1e-3]), np.array([theta + 1e-3]))
    listed = [apply(Pixelate(), image, jnp.asarray(p)) for p in near]
    assert min(np.abs(apply(Pixelate(), image, jnp.array([theta])) - one).max() for one in listed) < 1e-6
