import numpy as np
import pytest

from gsmooth_jax.certificates import Multiplicative, search
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import Gaussian, LogNormal, Rayleigh
from gsmooth_jax.testing.certificates import check_certificate
from tests.certificates import stubs


@pytest.mark.parametrize("law", [Rayleigh(), LogNormal(sigma=0.5)], ids=str)
def test_contract(law):
    region = Box([-0.3], [0.4])
    check_certificate(Multiplicative(), stubs.GAMMA, law, region, wrong_transform=stubs.BRIGHTNESS)


def test_rayleigh_interval():
    # Muravev and Petiushko: sqrt(-log2 p) < gamma < sqrt(-log2(1 - p)).
    p = 0.9
    low, high = (np.log(np.sqrt(-np.log2(q))) for q in (p, 1 - p))
    certifies = lambda a, b: Multiplicative().certifies(Rayleigh(), Box([a], [b]), p, 1 - p)  # noqa: E731
    assert certifies(low * 0.9999, high * 0.9999)
    assert not certifies(low * 0.9999, high * 1.0001)
    assert not certifies(low * 1.0001, high * 0.9999)


def test_hypotheses():
    with pytest.raises(ValueError, match="law of a factor"):
        Multiplicative().check(stubs.GAMMA, Gaussian(sigma=1), Box([-1], [1]))
    with pytest.raises(ValueError, match="log factors"):
        Multiplicative().check(stubs.ROTATION, Rayleigh(), Box([-1], [1]))
    with pytest.raises(ValueError, match="log factors"):
        Multiplicative().check(stubs.CONTRAST_BRIGHTNESS, LogNormal(sigma=1), Box([-1, -1], [1, 1]))


def test_certain_votes_reach_without_end():
    assert search.radius(Multiplicative(), LogNormal(sigma=1), Box([-1], [1]), 1.0, 0.0) == np.inf
