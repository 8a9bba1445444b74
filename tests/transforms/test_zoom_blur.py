import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Scaling, ZoomBlur


def test_contract():
    check_transform(ZoomBlur())


def test_is_the_mean_of_eleven_zooms():
    image = smooth_image((8, 11, 3))
    frames = [apply(Scaling(), image, jnp.array([0.4 * i / 10])) for i in range(11)]
    np.testing.assert_allclose(apply(ZoomBlur(), image, jnp.array([0.4])), np.mean(frames, axis=0), atol=2e-6)


def test_bound_is_within_four_times_the_change_of_a_natural_image():
    assert tightness(ZoomBlur(), smooth_image((32, 32, 3)), [0.05], [0.052]) > 0.25
