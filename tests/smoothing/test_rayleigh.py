import types

import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Rayleigh
from gsmooth_jax.testing.laws import check_smoothing


def test_contract():
    factor = stats.rayleigh(scale=np.sqrt(2 / np.pi))
    logarithm = types.SimpleNamespace(
        cdf=lambda u: factor.cdf(np.exp(u)),
        pdf=lambda u: factor.pdf(np.exp(u)) * np.exp(u),
        ppf=lambda p: np.log(factor.ppf(p)),
    )
    check_smoothing(Rayleigh(), logarithm)
    assert factor.mean() == pytest.approx(1.0)


def test_published_interval():
    # One-sided: gamma_1 = sqrt(-log2 p), gamma_2 = sqrt(-log2(1 - p)); independent of the scale.
    for scale in (0.5, 3.0):
        law = Rayleigh(scale=scale)
        for p in (0.6, 0.9, 0.9999, 1 - 1e-12):
            np.testing.assert_allclose(np.exp(law.radius_integral(p, 1 - p)), np.sqrt(-np.log2(1 - p)), rtol=1e-9)
            np.testing.assert_allclose(np.exp(-law.radius_integral(p, 1 - p, -1)), np.sqrt(-np.log2(p)), rtol=1e-3)


def test_one_parameter_only():
    with pytest.raises(ValueError, match="1 parameters"):
        Rayleigh().certifies(np.zeros(2), 0.9, 0.1)


@pytest.mark.parametrize("scale", [0, -1, np.nan])
def test_bad_scale(scale):
    with pytest.raises(ValueError, match="scale"):
        Rayleigh(scale=scale)
