import jax
import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.testing.laws import check_smoothing


def test_contract():
    check_smoothing(Gaussian(sigma=0.7), stats.norm(scale=0.7))


def test_vector_is_the_mahalanobis_distance():
    law = Gaussian(sigma=(0.5, 2.0))
    q = (stats.norm.ppf(0.9) - stats.norm.ppf(0.05)) / 2
    direction = np.array([0.6 * 0.5, -0.8 * 2.0])  # one standard deviation long
    assert law.certifies(direction * q * (1 - 1e-6), 0.9, 0.05)
    assert not law.certifies(direction * q, 0.9, 0.05)
    with pytest.raises(ValueError, match="shift of 2"):
        law.certifies(np.zeros(3), 0.9, 0.05)
    with pytest.raises(ValueError, match="one sigma"):
        law.radius_integral(0.9, 0.1)


def test_diagonal_draws():
    law = Gaussian(sigma=(0.1, 10.0))
    draws = jax.jit(jax.vmap(lambda key: law.sample(key, 2)))(jax.random.split(jax.random.key(0), 4000))
    np.testing.assert_allclose(np.std(np.asarray(draws), axis=0), law.sigma, rtol=0.06)  # 5 standard errors
    with pytest.raises(ValueError, match="3 parameters"):
        law.sample(jax.random.key(1), 3)


def test_near_one_keeps_its_digits():
    # ppf(1 - 1e-15) read off the wrong tail is off in the third digit.
    p = 1 - 2.0**-50
    np.testing.assert_allclose(Gaussian(sigma=1).radius_integral(p, 1 - p), stats.norm.isf(2.0**-50), rtol=1e-13)


@pytest.mark.parametrize(
    "sigma", [0, -1, np.ones((2, 2)), np.array(-1.0), np.nan, np.inf, True, "1", [], (1, -1), ((1, 2),)]
)
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma"):
        Gaussian(sigma=sigma)
