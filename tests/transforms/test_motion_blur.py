import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import MotionBlur, Shift


def test_contract():
    check_transform(MotionBlur(nodes=5))


def test_is_the_mean_of_shifts_along_the_vector():
    image = smooth_image((9, 12, 3))
    vector = jnp.array([3.0, -5.0])
    frames = [apply(Shift(), image, vector * r) for r in np.linspace(-0.5, 0.5, 17).astype(np.float32)]
    np.testing.assert_allclose(apply(MotionBlur(), image, vector), np.mean(frames, axis=0), atol=2e-6)


def test_has_no_sense_of_direction():
    image, vector = smooth_image((9, 12, 3)), jnp.array([3.0, -5.0])
    np.testing.assert_allclose(apply(MotionBlur(), image, vector), apply(MotionBlur(), image, -vector), atol=2e-6)


def test_bound_is_within_four_times_the_change_of_a_natural_image():
    assert tightness(MotionBlur(), smooth_image((32, 32, 3)), [0.0, 2.0], [0.0, 2.1]) > 0.25


def test_one_node_is_no_blur():
    with pytest.raises(ValueError, match="nodes >= 2"):
        MotionBlur(nodes=1)
