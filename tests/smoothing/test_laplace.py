import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Laplace
from gsmooth_jax.testing.laws import check_smoothing


def test_contract():
    check_smoothing(Laplace(scale=0.8), stats.laplace(scale=0.8))


def test_dominates_the_published_formula():
    for a, b in ((0.8, 0.1), (0.9, 0.1), (0.6, 0.2), (0.45, 0.3)):
        published = max(0.5 * np.log(a / b), -np.log(1 - a + b))
        assert Laplace(scale=1).radius_integral(a, b) >= published - 1e-12
    np.testing.assert_allclose(Laplace(scale=1).radius_integral(0.8, 0.1), 1.2629, atol=1e-4)


@pytest.mark.parametrize("scale", [0, -1, np.nan])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Laplace(scale=scale)
