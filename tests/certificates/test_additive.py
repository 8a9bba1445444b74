import pytest
from scipy import stats

from gsmooth_jax.certificates import Additive, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Gaussian, Laplace
from gsmooth_jax.testing.certificates import check_certificate
from tests.certificates import stubs


def test_contract():
    check_certificate(Additive(), stubs.PIXELS, Gaussian(sigma=0.25), Ball(0.2), wrong_transform=stubs.BRIGHTNESS)


def test_cohen():
    radius = search.radius(Additive(), Gaussian(sigma=0.25), Ball(1.0, 3072), 0.9, 0.02)
    assert radius == pytest.approx(0.125 * (stats.norm.ppf(0.9) - stats.norm.ppf(0.02)))


@pytest.mark.parametrize(
    ("law", "region", "message"),
    [
        (Laplace(scale=1), Ball(1), "gaussian law"),
        (Gaussian(sigma=(1, 2)), Ball(1), "gaussian law"),
        (Gaussian(sigma=1), Box([-1], [1]), "Ball"),
    ],
)
def test_hypotheses(law, region, message):
    with pytest.raises(ValueError, match=message):
        Additive().check(stubs.PIXELS, law, region)
