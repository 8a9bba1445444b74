import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Perspective, _cells, scaling


def test_contract():
    check_transform(Perspective())


def test_contract_along_the_other_axis():
    check_transform(Perspective(axis="horizontal"))


def test_matches_scipy():
    image = smooth_image((8, 13, 3))
    y, x, cy, cx = grid(image.shape)
    for t in (-0.8, -0.3, 0.01, 0.5):
        s = 1 + t * y / 4.0
        expected = read_bilinear(image, y / s + cy, x / s + cx)
        np.testing.assert_allclose(apply(Perspective(), image, jnp.array([t])), expected, atol=2e-5)
        s = 1 + t * x / 6.5
        expected = read_bilinear(image, y / s + cy, x / s + cx)
        found = apply(Perspective(axis="horizontal"), image, jnp.array([t]))
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_is_a_projective_map_of_pillow():
    """Its eight coefficients, in the coordinates of pixels' corners: (a x + b y + c) / (g x + h y + 1), and so on."""
    h, w, t = 16, 20, 0.4
    image = np.pad(smooth_image((h - 6, w - 6, 1))[:, :, 0], 3)  # black where Pillow cuts off and ours fades out
    to_centre = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1]])
    matrix = np.linalg.inv(to_centre) @ np.array([[1, 0, 0], [0, 1, 0], [0, t / (h / 2), 1]]) @ to_centre
    eight = tuple((matrix / matrix[2, 2]).ravel()[:8])
    theirs = np.asarray(Image.fromarray(image).transform((w, h), Image.Transform.PERSPECTIVE, eight, Image.BILINEAR))
    ours = apply(Perspective(), image[:, :, None], jnp.array([t]))[:, :, 0]
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_positive_brings_the_lower_edge_nearer():
    image = np.zeros((21, 21, 1), np.float32)
    image[:, 8:13] = 1.0
    widths = np.asarray(apply(Perspective(), image, jnp.array([0.5])))[:, :, 0].sum(axis=1)
    assert (np.diff(widths[4:]) > 0).all()
    np.testing.assert_allclose(widths[10], 5.0)
    out = np.asarray(apply(Perspective(axis="horizontal"), image.swapaxes(0, 1), jnp.array([0.5])))[:, :, 0]
    np.testing.assert_allclose(out.sum(axis=0), widths, atol=1e-4)


def test_bound_is_within_two_and_a_half_times_the_change_of_a_natural_image():
    image = smooth_image((32, 32, 3))
    for low in (-0.3, 0.0, 0.2):
        assert tightness(Perspective(), image, [low], [low + 0.005]) > 0.4


def test_scaling_bounds_each_pixel_over_its_own_ratios():
    """One ratio for all pixels, or the same one for each, give the same speeds."""
    maxima = _cells.block_maxima(jnp.asarray(smooth_image((9, 7, 2))))
    each = scaling.speed_upper(maxima, jnp.full((9, 7), 0.8), jnp.full((9, 1), 1.1))
    np.testing.assert_array_equal(each, scaling.speed_upper(maxima, jnp.float32(0.8), jnp.float32(1.1)))


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match="horizontal, vertical"):
        Perspective(axis="y")
