import dm_pix
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Clip, Quantize, Rotation, Saturation
from tests.transforms.test_hue import colour_image


def test_contract():
    check_transform(Saturation())


@pytest.mark.parametrize("transform", [Rotation() | Saturation(), Saturation() | Clip()], ids=lambda t: t.name)
def test_contract_behind_and_before_another(transform):
    check_transform(transform)


def test_keeps_the_grey_of_dm_pix():
    image = colour_image()
    grey = image.astype(np.float64) @ np.array([[0.299], [0.587], [0.114]])
    # dm-pix has .2989 for red, as TensorFlow does: the shares of BT.601 cut off.
    np.testing.assert_allclose(dm_pix.rgb_to_grayscale(jnp.asarray(image)), grey, atol=1.1e-4)
    for k in (-2.0, -0.3, 0.0, 0.7):
        found = apply(Saturation(), image, jnp.array([k]))  # not clipped
        np.testing.assert_allclose(found, grey + np.exp(k) * (image - grey), atol=2e-6)


def test_differs_from_the_saturation_of_hsv_by_a_grey_level():
    image = 0.3 + 0.4 * colour_image()  # far from a saturation of 1, which dm-pix does not exceed
    for k in (-0.4, 0.3):
        difference = apply(Saturation(), image, jnp.array([k])) - dm_pix.adjust_saturation(
            jnp.asarray(image), float(np.exp(k))
        )
        assert float(jnp.ptp(difference, axis=2).max()) < 1e-5
        assert float(jnp.abs(difference).max()) > 0.02


def test_is_the_colour_enhancement_of_pillow():
    file = (colour_image() * 255).astype(np.uint8)
    for factor in (0.4, 1.5):
        expected = np.asarray(ImageEnhance.Color(Image.fromarray(file)).enhance(factor)).astype(float)
        saved = Saturation() | Clip() | Quantize()
        found = np.asarray(apply(saved, file / np.float32(255), jnp.log(jnp.array([factor]))), np.float64) * 255
        # Pillow rounds the grey to a level first, then the result down: (.5 |1 - f| + 1) levels, and half of one here.
        assert np.abs(found - expected).max() <= 0.5 * abs(1 - factor) + 1.5


def test_the_bound_is_tight():
    assert tightness(Saturation(), colour_image(), [0.1], [0.11]) > 0.99


def test_the_sensitivity_is_the_operator_norm():
    w = np.array([0.299, 0.587, 0.114])
    for low, high in ((-2.0, -0.5), (-0.5, 0.2), (0.0, 0.0), (0.3, 1.5)):
        apart, growth = Saturation().sensitivity_upper((4, 4, 3), jnp.array([low]), jnp.array([high]))
        factors = np.exp(np.linspace(low, high, 21))
        exact = max(np.linalg.norm(f * np.eye(3) + (1 - f) * np.outer(np.ones(3), w), 2) for f in factors)
        assert exact <= float(apart) <= exact * (1 + 2e-5)
        exact = np.exp(high) * np.linalg.norm(np.eye(3) - np.outer(np.ones(3), w), 2)
        assert exact <= float(growth[0]) <= exact * (1 + 2e-5)


def test_grey_images_stay_as_they_are():
    grey = jnp.asarray(smooth_image((6, 6, 1)))
    k = jnp.array([0.4])
    np.testing.assert_array_equal(Saturation()(grey, k), grey)
    assert float(Saturation().lipschitz_upper(grey, k, k)[0]) == 0.0
    with pytest.raises(ValueError, match=r"3 channels"):
        Saturation()(jnp.zeros((4, 4, 4)), k)
