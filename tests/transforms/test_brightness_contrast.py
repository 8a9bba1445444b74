import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Brightness, BrightnessContrast, Contrast


def test_contract():
    check_transform(BrightnessContrast())


def test_brightness_acts_first():
    image, theta = jnp.asarray(smooth_image((8, 8, 3))), jnp.array([0.4, -0.3])
    stages = (Brightness() | Contrast())(image, theta[::-1])
    np.testing.assert_allclose(BrightnessContrast()(image, theta), stages, rtol=1e-6)


def test_tight_bound_in_each_parameter():
    image = smooth_image((8, 8, 3))
    assert tightness(BrightnessContrast(), image, [0.2, 0.1], [0.21, 0.1]) > 0.99
    assert tightness(BrightnessContrast(), image, [0.2, 0.1], [0.2, 0.11]) > 0.99


def test_a_dark_image_is_fastest_where_it_is_darkest():
    image, low, high = jnp.full((4, 4, 1), 0.125), jnp.array([0.0, -0.5]), jnp.array([0.0, 0.125])
    for bound in (BrightnessContrast().lipschitz_upper, BrightnessContrast().entry_speeds_upper):
        speed = np.linalg.norm(np.ravel(bound(image, low, high)[0]))
        assert 4 * 0.375 <= speed <= 4 * 0.375 * (1 + 1e-4)
