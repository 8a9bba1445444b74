import pathlib

import pytest

from gsmooth_jax.certificates import CERTIFICATES, default_for, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Gaussian, Product, Rayleigh, Uniform
from gsmooth_jax.transforms import parse
from gsmooth_jax.types import Certificate
from tests.certificates import stubs

TWO = Product([Gaussian(sigma=1), Gaussian(sigma=1)])


@pytest.mark.parametrize("name", CERTIFICATES)
def test_every_certificate(name):
    certificate: Certificate = CERTIFICATES[name]()
    assert certificate.name == name
    assert (pathlib.Path(__file__).parent / f"test_{name}.py").exists()


@pytest.mark.parametrize(
    ("transform", "law", "name"),
    [
        (stubs.BLUR, Gaussian(sigma=1), "resolvable"),
        (stubs.GAMMA, Gaussian(sigma=1), "resolvable"),
        (stubs.GAMMA, Rayleigh(), "multiplicative"),
        (stubs.PIXELS, Gaussian(sigma=1), "additive"),
        (stubs.CONTRAST_BRIGHTNESS, Gaussian(sigma=1), "brightness_contrast"),
        (parse("brightness|contrast"), Gaussian(sigma=1), "composition"),
        (parse("brightness|contrast"), TWO, "composition"),
        (stubs.BRIGHTNESS, TWO, "composition"),
    ],
)
def test_default(transform, law, name):
    assert default_for(transform, law) == name


def test_no_default_without_a_group():
    with pytest.raises(ValueError, match="no exact composition law"):
        default_for(stubs.ROTATION, Gaussian(sigma=1))
    for law in (Gaussian(sigma=1), TWO):
        with pytest.raises(
            ValueError, match=r"no exact composition law, .*: 'gamma' before 'brightness' has none.* cover"
        ):
            default_for(parse("gamma|brightness"), law)


def test_unreachable_regions():
    resolvable = CERTIFICATES["resolvable"]()
    assert search.threshold(resolvable, Uniform(low=0, high=1), Box([0], [0.6])) == 1.0
    assert search.threshold(resolvable, Gaussian(sigma=1), Ball(20, 1)) == 1.0


def test_scale_does_not_matter():
    resolvable = CERTIFICATES["resolvable"]()
    for scale in (1e-6, 1.0, 1e6):
        radius = search.radius(resolvable, Gaussian(sigma=scale), Box([-1], [1]), 0.9, 0.1)
        assert radius == pytest.approx(1.2815515655 * scale)


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.1])
def test_bad_probabilities(name, bad):
    region = Ball(0.1) if name == "additive" else Box([-0.1, 0], [0.1, 0]) if "contrast" in name else Box([-0.1], [0.1])
    law = Rayleigh() if name == "multiplicative" else Gaussian(sigma=1)
    for p_lower, p_upper in ((bad, 0.1), (0.9, bad)):
        with pytest.raises(ValueError, match="probabilities"):
            CERTIFICATES[name]().certifies(law, region, p_lower, p_upper)
        with pytest.raises(ValueError, match="probabilities"):
            search.radius(CERTIFICATES[name](), law, region, p_lower, p_upper)
