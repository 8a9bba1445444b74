import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import LogNormal
from gsmooth_jax.testing.laws import check_smoothing


def test_contract():
    check_smoothing(LogNormal(sigma=0.4), stats.norm(scale=0.4))


def test_vector():
    law = LogNormal(sigma=(0.3, 0.6))
    q = stats.norm.ppf(0.9)
    assert law.certifies(np.array([0.0, 0.6 * q * 0.999]), 0.9, 0.1)
    assert not law.certifies(np.array([0.3 * q, 0.0]), 0.9, 0.1)


@pytest.mark.parametrize("sigma", [0, -1, np.nan])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma"):
        LogNormal(sigma=sigma)
