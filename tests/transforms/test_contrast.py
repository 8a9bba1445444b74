import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Contrast


def test_contract():
    check_transform(Contrast())


def test_definition_and_tight_bound():
    image = smooth_image((8, 8, 3))
    np.testing.assert_allclose(Contrast()(image, jnp.array([0.7])), image * np.exp(0.7), rtol=1e-6)  # not clipped
    assert tightness(Contrast(), image, [0.1], [0.11]) > 0.99
