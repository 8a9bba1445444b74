import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.methods.cover.kernels import float32_upper
from gsmooth_jax.transforms import Rotation, composition_defect
from tests.transforms.contract import apply, check_transform, grid, read_bilinear, smooth_image, tightness


def _inside_disc(image):
    y, x, cy, cx = grid(image.shape)
    return np.where((y**2 + x**2 <= min(cy, cx) ** 2)[:, :, None], image, 0.0)


def test_contract():
    check_transform(Rotation())


def test_contract_with_mask():
    check_transform(Rotation(mask=True), at_identity=_inside_disc)


def test_matches_scipy():
    image = smooth_image((8, 13, 3))
    y, x, cy, cx = grid(image.shape)
    for degrees in (-170.0, -33.0, 0.5, 10.0, 90.0):
        sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
        expected = read_bilinear(image, x * sin + y * cos + cy, x * cos - y * sin + cx)
        np.testing.assert_allclose(apply(Rotation(), image, jnp.array([degrees])), expected, atol=2e-5)


@pytest.mark.parametrize("size", [28, 224])
def test_float32_moves_no_entry_further_than_cover_allows_for(size):
    image = np.random.default_rng(0).integers(0, 2, (size, size, 1)).astype(np.float32)
    y, x, cy, cx = grid(image.shape)
    for degrees in (10.0, 179.0, 3605.0):
        sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
        expected = read_bilinear(image, x * sin + y * cos + cy, x * cos - y * sin + cx)
        error = np.abs(apply(Rotation(), image, jnp.array([degrees])) - expected).max()
        assert 0.02 * float32_upper(image.shape) < error <= float32_upper(image.shape)


def test_positive_angles_turn_left():
    image = smooth_image((10, 10, 1))
    np.testing.assert_allclose(apply(Rotation(), image, jnp.array([90.0])), np.rot90(image), atol=1e-5)


def test_continuous_where_pixels_cross_the_border():
    angles = jnp.linspace(44.0, 46.0, 401)[:, None]
    turned = jax.jit(jax.vmap(Rotation(), in_axes=(None, 0)))(jnp.ones((8, 8, 1)), angles)
    assert float(jnp.abs(jnp.diff(turned, axis=0)).max()) < 1e-3  # 5.7 px from the centre times 8.7e-5 rad


def test_bound_is_within_two_and_a_half_times_the_change_of_a_natural_image():
    image = smooth_image((32, 32, 3))
    for low in (-20.0, 0.0, 7.0):
        assert tightness(Rotation(mask=True), image, [low], [low + 0.1]) > 0.4
        assert tightness(Rotation(), image, [low], [low + 0.1]) > 0.4


def test_wide_boxes_are_bounded_too():
    image = jnp.asarray(smooth_image((10, 10, 1)))
    bound = jax.jit(Rotation().lipschitz_upper)
    narrow = [float(bound(image, jnp.array([a]), jnp.array([a + 1.0]))[0]) for a in np.arange(-180.0, 180.0, 20.0)]
    assert float(bound(image, jnp.array([-180.0]), jnp.array([180.0]))[0]) >= max(narrow)


def test_interpolation_breaks_the_composition_law():
    images = jnp.asarray(smooth_image((16, 16, 1)))[None]
    assert composition_defect(Rotation(), images, jax.random.key(0)) > 0.1
