import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Shift, describe, parse, states
from gsmooth_jax.types import LipschitzBounded
from tests.transforms.test_rotation import by_catmull_rom


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


@pytest.mark.parametrize("interpolation", ["nearest", "bicubic"])
def test_other_interpolations(interpolation):
    shift = Shift(interpolation=interpolation)
    check_transform(shift)
    assert parse(describe(shift)) == shift
    assert not states(shift, LipschitzBounded)
    with pytest.raises(ValueError, match="states none"):
        shift.lipschitz_upper(jnp.ones((5, 5, 1)), jnp.zeros(2), jnp.ones(2))
    image = smooth_image((9, 12, 3))
    y, x, cy, cx = grid(image.shape)
    for theta in ((1.25, -2.5), (-0.3, 7.6), (2.0, 3.0)):
        ys, xs = y + cy - theta[0], x + cx - theta[1]
        if interpolation == "bicubic":
            expected = by_catmull_rom(image, ys, xs)
        else:
            i, j = (np.floor(v + 0.5).astype(int) for v in (ys, xs))
            expected = np.pad(image, ((8, 8), (8, 8), (0, 0)))[i + 8, j + 8]
        np.testing.assert_allclose(apply(shift, image, jnp.array(theta)), expected, atol=2e-6)


def test_texts_of_earlier_versions_stay_equal():
    assert describe(Shift()) == "shift"
    with pytest.raises(ValueError, match="Known: bicubic, bilinear, nearest"):
        Shift(interpolation="lanczos")
