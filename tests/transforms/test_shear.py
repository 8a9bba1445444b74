import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Shear


def test_contract():
    check_transform(Shear())


def test_contract_along_the_other_axis():
    check_transform(Shear(axis="vertical"))


def test_matches_scipy():
    image = smooth_image((8, 13, 3))
    y, x, cy, cx = grid(image.shape)
    for k in (-2.0, -0.3, 0.01, 0.5, 40.0):
        expected = read_bilinear(image, y + cy, x - k * y + cx)
        np.testing.assert_allclose(apply(Shear(), image, jnp.array([k])), expected, atol=2e-5)
        expected = read_bilinear(image, y - k * x + cy, x + cx)
        np.testing.assert_allclose(apply(Shear(axis="vertical"), image, jnp.array([k])), expected, atol=2e-5)


def test_matches_pillow_where_it_sees_the_image():
    # Pillow's coordinates are of pixels' corners; it cuts off at the canvas, where ours fades out.
    image, k = smooth_image((16, 20, 1))[:, :, 0], 0.3
    about = 1.0, -k, k * 8.0, 0.0, 1.0, 0.0
    theirs = np.asarray(Image.fromarray(image).transform((20, 16), Image.Transform.AFFINE, about, Image.BILINEAR))
    ours = apply(Shear(), image[:, :, None], jnp.array([k]))[:, :, 0]
    np.testing.assert_allclose(ours[:, 3:-3], theirs[:, 3:-3], atol=2e-5)


def test_positive_moves_what_lies_below_to_the_right():
    image = np.zeros((5, 7, 1), np.float32)
    image[:, 3] = 1.0
    out = np.asarray(apply(Shear(), image, jnp.array([1.0])))[:, :, 0]
    assert out.argmax(axis=1).tolist() == [1, 2, 3, 4, 5]
    out = np.asarray(apply(Shear(axis="vertical"), image.swapaxes(0, 1), jnp.array([1.0])))[:, :, 0]
    assert out.argmax(axis=0).tolist() == [1, 2, 3, 4, 5]


def test_bound_is_nearly_reached_within_a_pixel():
    # Until something leaves, or a row has moved on by a pixel, the bound is the distance itself.
    image = np.pad(smooth_image((32, 24, 3)), ((0, 0), (4, 4), (0, 0)))
    assert tightness(Shear(), image, [0.0], [0.02]) > 0.99
    assert tightness(Shear(axis="vertical"), image.swapaxes(0, 1), [0.0], [0.02]) > 0.99
    assert tightness(Shear(), image, [-0.1], [-0.09]) > 0.7


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match="horizontal, vertical"):
        Shear(axis="x")
