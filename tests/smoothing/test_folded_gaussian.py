import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import FoldedGaussian
from gsmooth_jax.testing.laws import check_smoothing


def test_contract():
    check_smoothing(FoldedGaussian(sigma=1.5), stats.halfnorm(scale=1.5))


def test_published_closed_forms():
    law, phi = FoldedGaussian(sigma=2), stats.norm.ppf
    np.testing.assert_allclose(law.radius_integral(0.9, 0.1), 2 * (phi(0.95) - phi(0.75)))
    np.testing.assert_allclose(law.radius_integral(0.9, 0.1, -1), 2 * (phi(0.75) - phi(0.55)))
    assert law.radius_integral(0.8, 0.1) > 2 * (phi(0.9) - phi(0.75)) * 1.2  # TSS's two-sided value


def test_one_parameter_only():
    with pytest.raises(ValueError, match="1 parameters"):
        FoldedGaussian(sigma=1).certifies(np.zeros(2), 0.9, 0.1)


def test_certain_votes():
    law = FoldedGaussian(sigma=1)
    assert law.radius_integral(1.0, 0.0) == np.inf
    np.testing.assert_allclose(law.radius_integral(1.0, 0.0, -1), stats.norm.ppf(0.75))


@pytest.mark.parametrize("sigma", [0, -1, np.nan, (1, 2)])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma"):
        FoldedGaussian(sigma=sigma)
