import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Gamma


def test_contract():
    check_transform(Gamma())


def test_definition():
    image = smooth_image((8, 8, 3))
    np.testing.assert_allclose(Gamma()(image, jnp.log(jnp.array([2.2]))), image**2.2, atol=1e-6)


def test_black_pixels_and_their_derivatives_are_finite():
    image = jnp.zeros((2, 2, 1)).at[0, 0, 0].set(1.0)
    differentiate = jax.jit(lambda x, g: jax.jvp(Gamma(), (x, g), (jnp.ones_like(x), jnp.ones(1))))
    for g in (-2.0, 0.0, 2.0):
        value, change = differentiate(image, jnp.array([g]))
        np.testing.assert_array_equal(value, image)
        assert np.isfinite(change).all()


def test_bound_is_tight():
    assert tightness(Gamma(), smooth_image((8, 8, 3)), [0.1], [0.11]) > 0.99


def test_the_bound_holds_beyond_the_range_of_images():
    image = np.linspace(0.0, 3.0, 30, dtype=np.float32)
    low, high = np.float32([-0.3]), np.float32([0.4])
    ends = np.asarray(Gamma()(image, high), np.float64) - np.asarray(Gamma()(image, low), np.float64)
    assert np.linalg.norm(ends) <= 0.7 * float(Gamma().lipschitz_upper(jnp.asarray(image), low, high)[0])
