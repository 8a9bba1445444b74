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


def gap(shift, p_lower, p_upper):
    """How far the top class stays ahead after a shift of two parameters, by brute force."""
    laplace = stats.laplace()
    base = np.concatenate([[-np.inf], laplace.ppf(np.linspace(1e-7, 1 - 1e-7, 500)), [np.inf]])
    p0 = np.outer(np.diff(laplace.cdf(base)), np.diff(laplace.cdf(base))).ravel()
    p1 = np.outer(*[np.diff(laplace.cdf(base - s)) for s in shift]).ravel()
    return discrete_gap(p0, p1, p_lower, p_upper)


@pytest.mark.parametrize("direction", [(0.5, 0.5), (0.8, -0.2)])
def test_vector_is_sound_against_brute_force(direction):
    law = Laplace(scale=1)
    for p_lower, p_upper in ((0.7, 0.3), (0.8, 0.1), (0.4, 0.2)):
        shift = np.array(direction) * law.radius_integral(p_lower, p_upper) * 0.98
        assert law.certifies(shift, p_lower, p_upper)
        assert gap(shift, p_lower, p_upper) > 0


@pytest.mark.parametrize(("p_lower", "p_upper"), [(0.8, 0.1), (0.9, 0.1), (0.99, 0.01)])
def test_the_radius_is_none_in_l2(p_lower, p_upper):
    law = Laplace(scale=1)
    shift = np.array([0.7, 0.7]) * law.radius_integral(p_lower, p_upper)
    assert gap(shift, p_lower, p_upper) < -0.05
    assert not law.certifies(shift, p_lower, p_upper)


@pytest.mark.parametrize("scale", [0, -1, np.nan])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Laplace(scale=scale)
