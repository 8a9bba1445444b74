import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Brightness


def test_contract():
    check_transform(Brightness())


def test_definition_and_exact_bound():
    image = smooth_image((8, 8, 3))
    np.testing.assert_allclose(Brightness()(image, jnp.array([0.7])), image + 0.7, atol=1e-6)  # not clipped
    assert tightness(Brightness(), image, [-0.5], [0.5]) > 0.9999
