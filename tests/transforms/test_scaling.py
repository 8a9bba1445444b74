import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Scaling


def test_contract():
    check_transform(Scaling())


def test_matches_scipy():
    image = smooth_image((8, 13, 3))
    y, x, cy, cx = grid(image.shape)
    for ratio in (0.6, 0.95, 1.3, 2.5):
        expected = read_bilinear(image, y / ratio + cy, x / ratio + cx)
        np.testing.assert_allclose(apply(Scaling(), image, jnp.array([ratio - 1.0])), expected, atol=1e-5)


def test_positive_parameters_enlarge():
    image = np.zeros((9, 9, 1), np.float32)
    image[3:6, 3:6] = 1.0
    assert apply(Scaling(), image, jnp.array([1.0])).sum() > 2 * image.sum()
    assert apply(Scaling(), image, jnp.array([-0.5])).sum() < 0.5 * image.sum()


def test_bound_is_within_two_and_a_half_times_the_change_of_a_natural_image():
    image = smooth_image((32, 32, 3))
    for low in (-0.25, 0.01, 0.2):
        assert tightness(Scaling(), image, [low], [low + 0.002]) > 0.4
