import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Rotation, RotationalBlur


def test_contract():
    check_transform(RotationalBlur())


def test_is_the_mean_of_eleven_rotations():
    image = smooth_image((8, 11, 3))
    frames = [apply(Rotation(), image, jnp.array([8.0 * i / 10])) for i in range(11)]
    np.testing.assert_allclose(apply(RotationalBlur(), image, jnp.array([8.0])), np.mean(frames, axis=0), atol=2e-6)


def test_bound_is_within_four_times_the_change_of_a_natural_image():
    assert tightness(RotationalBlur(), smooth_image((32, 32, 3)), [1.0], [1.1]) > 0.25
