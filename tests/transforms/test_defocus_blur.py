import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import DefocusBlur


def test_contract():
    check_transform(DefocusBlur(max_radius=5.0))


def test_matches_a_convolution_with_a_mirror_border():
    image = smooth_image((11, 20, 3))
    y, x = np.mgrid[-9:10, -9:10]
    for r in (0.3, 0.8, 2.6, 5.0, 8.0):
        disc = np.clip(r + 0.5 - np.hypot(y, x), 0.0, 1.0)
        kernel = (disc / disc.sum())[:, :, None]
        expected = ndimage.convolve(image.astype(np.float64), kernel, mode="reflect")
        np.testing.assert_allclose(apply(DefocusBlur(), image, jnp.array([r])), expected, atol=3e-6)


def test_small_radii_are_the_identity_to_the_last_bit():
    image = smooth_image((11, 20, 3))
    for r in (0.0, 0.5):
        np.testing.assert_array_equal(apply(DefocusBlur(), image, jnp.array([r])), image)


def test_bound_is_tight_on_every_piece():
    image = smooth_image((16, 16, 3))
    for low in (0.6, 0.95, 1.55, 2.93, 4.97):
        assert tightness(DefocusBlur(), image, [low], [low + 0.004]) > 0.9


def test_bound_covers_boxes_beyond_the_largest_radius():
    blur, image = DefocusBlur(max_radius=2.0), jnp.asarray(smooth_image((9, 9, 1)))
    bound = jax.jit(blur.lipschitz_upper)
    inside = bound(image, jnp.array([1.0]), jnp.array([2.0]))
    np.testing.assert_allclose(bound(image, jnp.array([1.0]), jnp.array([9.0])), inside)
    assert float(bound(image, jnp.array([-1.0]), jnp.array([0.4]))[0]) < 1e-5
    assert blur.params[0].high == 2.0
    with pytest.raises(ValueError, match="max_radius"):
        DefocusBlur(max_radius=0.0)
