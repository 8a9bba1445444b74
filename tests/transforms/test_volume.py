import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, tightness
from gsmooth_jax.transforms import Volume


def test_contract():
    check_transform(Volume())


def test_twenty_decibels_are_a_factor_of_ten():
    signal = np.sin(np.linspace(0, 9, 160, dtype=np.float32)).reshape(160, 1, 1)
    np.testing.assert_allclose(Volume()(signal, jnp.array([20.0])), 10 * signal, rtol=1e-6)
    np.testing.assert_allclose(Volume()(signal, jnp.array([-40.0])), 0.01 * signal, rtol=1e-6)
    assert tightness(Volume(), signal, [1.0], [1.05]) > 0.99
