import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Laplace
from gsmooth_jax.testing.laws import check_smoothing, discrete_gap


def test_contract():
    check_smoothing(Laplace(scale=0.8), stats.laplace(scale=0.8))


def test_dominates_the_published_formula():
    for a, b in ((0.8, 0.1), (0.9, 0.1), (0.6, 0.2), (0.45, 0.3)):
        published = max(0.5 * np.log(a / b), -np.log(1 - a + b))
        assert Laplace(scale=1).radius_integral(a, b) >= published - 1e-12
    np.testing.assert_allclose(Laplace(scale=1).radius_integral(0.8, 0.1), 1.2629, atol=1e-4)


@pytest.mark.parametrize("direction", [(0.5, 0.5), (0.8, -0.2)])
def test_vector_is_sound_against_brute_force(direction):
    laplace, law = stats.laplace(), Laplace(scale=1)
    base = np.concatenate([[-np.inf], laplace.ppf(np.linspace(1e-7, 1 - 1e-7, 500)), [np.inf]])
    for p_lower, p_upper in ((0.7, 0.3), (0.8, 0.1), (0.4, 0.2)):
        radius = law.radius_integral(p_lower, p_upper)
        shift = np.array(direction) * radius * 0.98
        assert law.certifies(shift, p_lower, p_upper)
        p0 = np.outer(np.diff(laplace.cdf(base)), np.diff(laplace.cdf(base))).ravel()
        p1 = np.outer(*[np.diff(laplace.cdf(base - s)) for s in shift]).ravel()
        assert discrete_gap(p0, p1, p_lower, p_upper) > 0


@pytest.mark.parametrize("scale", [0, -1, np.nan])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Laplace(scale=scale)
