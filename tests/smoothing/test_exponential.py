import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Exponential
from gsmooth_jax.testing.laws import check_smoothing, discrete_gap


def test_contract():
    check_smoothing(Exponential(scale=2.0), stats.expon(scale=2.0))


@pytest.mark.parametrize("shift", [(0.2, 0.1), (-0.1, 0.3), (-0.2, -0.1), (0.05, -0.4)])
def test_vector_against_brute_force(shift):
    expon = stats.expon()
    base = np.concatenate([[-1.0, 0.0], expon.ppf(np.linspace(0, 1 - 1e-6, 400))[1:], [np.inf]])

    def masses(s):
        edges = np.unique(np.concatenate([base, base + s]))
        return np.diff(expon.cdf(edges)), np.diff(expon.cdf(edges - s))

    (c0, m0), (c1, m1) = masses(shift[0]), masses(shift[1])
    p0, p1 = np.outer(c0, c1).ravel(), np.outer(m0, m1).ravel()
    law = Exponential(scale=1.0)
    for p_lower, p_upper in ((0.7, 0.3), (0.8, 0.1), (0.9, 0.05), (0.99, 0.01), (0.4, 0.1)):
        gap = discrete_gap(p0, p1, p_lower, p_upper)
        if abs(gap) > 0.01:
            assert law.certifies(np.array(shift), p_lower, p_upper) == (gap > 0)


def test_left_is_not_right():
    law = Exponential(scale=1)
    np.testing.assert_allclose(law.radius_integral(0.9, 0.1), np.log(5))
    np.testing.assert_allclose(law.radius_integral(0.9, 0.1, -1), np.log(1.8))
    assert not law.certifies(np.array([-1.0]), 0.9, 0.1)
    assert not law.certifies(np.array([-1e9]), 1.0, 0.0)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Exponential(scale=scale)
