import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import smooth_image
from gsmooth_jax.transforms import BrightnessContrast, Gamma, Pixelate, Quantize, composed, composition_defect


@pytest.fixture(scope="module")
def images():
    return jnp.asarray(smooth_image((8, 8, 1)))[None]


def test_exact_law_shows_rounding_alone(images):
    assert 0.0 < composition_defect(Gamma(), images, jax.random.key(0), pairs=4) < 1e-5


def test_missing_law_shows(images):
    assert composition_defect(Pixelate(), images, jax.random.key(0), pairs=4) > 0.1


def test_rounding_twice_is_rounding_once(images):
    assert composition_defect(Quantize(), images, jax.random.key(0), pairs=1) < 1e-6


def test_joint_law_of_brightness_and_contrast():
    theta = composed(BrightnessContrast(), jnp.array([0.5, 0.1]), jnp.array([-0.2, 0.3]))
    np.testing.assert_allclose(theta, [0.3, 0.1 + np.exp(-0.5) * 0.3], rtol=1e-6)
