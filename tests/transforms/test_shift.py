import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Shift


def test_contract():
    check_transform(Shift())


@pytest.mark.parametrize("theta", [(1.25, -2.5), (-0.3, 7.6), (20.0, 0.0)])
def test_matches_scipy(theta):
    image = smooth_image((9, 12, 3))
    y, x, cy, cx = grid(image.shape)
    expected = read_bilinear(image, y + cy - theta[0], x + cx - theta[1])
    np.testing.assert_allclose(apply(Shift(), image, jnp.array(theta)), expected, atol=2e-6)


def test_whole_shifts_move_down_and_right():
    image = smooth_image((9, 12, 3))
    expected = np.zeros_like(image)
    expected[2:, 1:] = image[:-2, :-1]
    np.testing.assert_array_equal(apply(Shift(), image, jnp.array([2.0, 1.0])), expected)


def test_bound_is_nearly_reached_inside_a_pixel():
    assert tightness(Shift(), smooth_image((32, 32, 3)), [0.2, 0.0], [0.3, 0.0]) > 0.75
