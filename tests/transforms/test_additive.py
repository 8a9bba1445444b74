import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import Additive


def test_contract():
    check_transform(Additive())


def test_theta_is_in_memory_order():
    image, delta = smooth_image((4, 5, 3)), np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    np.testing.assert_array_equal(Additive()(image, delta.ravel()), image + delta)
