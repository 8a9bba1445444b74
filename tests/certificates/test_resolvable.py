import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.certificates import Resolvable, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Exponential, FoldedGaussian, Gaussian, Laplace, LogNormal, Uniform
from gsmooth_jax.testing.certificates import check_certificate
from tests.certificates import stubs

RESOLVABLE = Resolvable()


@pytest.mark.parametrize(
    ("transform", "law", "region"),
    [
        (stubs.BRIGHTNESS, Gaussian(sigma=0.4), Box([-0.4], [0.4])),
        (stubs.BRIGHTNESS, Uniform(low=-1, high=1), Ball(0.3, 1)),
        (stubs.BRIGHTNESS, FoldedGaussian(sigma=1), Box([-0.3], [0.3])),
        (stubs.BLUR, Exponential(scale=4), Box([0], [3])),
        (stubs.BLUR, FoldedGaussian(sigma=4), Box([0], [3])),
        (stubs.TRANSLATION, Gaussian(sigma=(2, 3)), Ball(2, 2)),
        (stubs.TRANSLATION, Laplace(scale=2), Box([-1, -1], [1, 2])),
        (stubs.TRANSLATION, Exponential(scale=9), Box([-1, -1], [1, 1])),
    ],
    ids=str,
)
def test_contract(transform, law, region):
    check_certificate(RESOLVABLE, transform, law, region, wrong_transform=stubs.ROTATION)


def test_within_rounding_of_the_exact_radius():
    for p in (0.51, 0.9, 1 - 1e-9):
        exact = 0.4 * stats.norm.isf(1 - p)
        radius = search.radius(RESOLVABLE, Gaussian(sigma=0.4), Box([-1], [1]), p, 1 - p)
        assert exact * (1 - 1e-8) < radius < exact


def test_threshold_is_the_tight_one():
    """General Lipschitz's released code integrates the wrong factor and certifies b = sigma from p = .692."""
    for sigma, b in ((0.4, 0.4), (0.4, 0.2), (0.3, 1.2)):
        threshold = search.threshold(RESOLVABLE, Gaussian(sigma=sigma), Box([-b], [b]))
        assert threshold >= stats.norm.cdf(b / sigma)
        assert threshold == pytest.approx(stats.norm.cdf(b / sigma), abs=1e-8)


def test_one_sided_regions_get_the_long_radius():
    law = Exponential(scale=1)
    right = search.radius(RESOLVABLE, law, Box([0], [1]), 0.9, 0.1)
    both = search.radius(RESOLVABLE, law, Box([-1], [1]), 0.9, 0.1)
    assert right == pytest.approx(np.log(5))
    assert both == pytest.approx(np.log(1.8))


def test_balls():
    gaussian = Gaussian(sigma=(0.5, 2.0))
    for law in (gaussian, Gaussian(sigma=(2.0, 0.5))):
        assert search.radius(RESOLVABLE, law, Ball(1, 2), 0.9, 0.1) == pytest.approx(0.5 * stats.norm.ppf(0.9))
    # Other laws certify the bounding box: sound, and for Laplace sqrt(2) away from the ball's own radius.
    laplace = Laplace(scale=1)
    expected = laplace.radius_integral(0.9, 0.1) / 2
    assert search.radius(RESOLVABLE, laplace, Ball(1, 2), 0.9, 0.1) == pytest.approx(expected)


def test_balls_of_other_norms():
    p = (0.9, 0.1)
    for law in (Laplace(scale=2), Uniform(low=-1, high=2), Gaussian(sigma=0.5)):
        one = law.radius_integral(*p)
        assert search.radius(RESOLVABLE, law, Ball(1, 2, 1), *p) == pytest.approx(one)
        box, cube = (
            search.radius(RESOLVABLE, law, region, *p) for region in (Box([-1, -1], [1, 1]), Ball(1, 2, np.inf))
        )
        assert cube == pytest.approx(box)
        assert cube < 0.71 * one
    # One way is shorter than the other.
    exponential = Exponential(scale=1)
    found = search.radius(RESOLVABLE, exponential, Ball(1, 2, 1), *p)
    assert found == pytest.approx(exponential.radius_integral(*p, -1))


@pytest.mark.parametrize(
    ("transform", "law", "region", "message"),
    [
        (stubs.ROTATION, Gaussian(sigma=1), Box([-1], [1]), "group 'none'"),
        (stubs.GAMMA, LogNormal(sigma=1), Box([-1], [1]), "draws a factor"),
        (stubs.BLUR, Gaussian(sigma=1), Box([0], [1]), "leaves the range"),
        (stubs.BLUR, Uniform(low=-0.1, high=1), Box([0], [1]), "leaves the range"),
        (stubs.BLUR, Exponential(scale=1), Box([-1], [1]), "leaves the range"),
        (stubs.BLUR, Exponential(scale=1), Ball(1, 1), "leaves the range"),
        (stubs.BLUR, Uniform(low=1, high=9), Box([-0.5], [1]), "leaves the range"),  # which no draw leaves
        (stubs.TRANSLATION, Gaussian(sigma=1), Box([-1], [1]), "2 parameters"),
        (stubs.TRANSLATION, Gaussian(sigma=1), Ball(1), "dim=2"),
        (stubs.TRANSLATION, Gaussian(sigma=(1, 1, 1)), Ball(1, 2), "shift of 3"),
        (stubs.TRANSLATION, FoldedGaussian(sigma=1), Ball(1, 2), "shift of 1"),
        (stubs.PIXELS, Gaussian(sigma=1), Ball(1), "use additive"),
        # T moves a whole pixel at (0, .5): a claim about this box would read as if it said so.
        (stubs.TRANSLATION, Gaussian(sigma=1), Box([0, -0.5], [0, 0.5]), r"whole numbers of px for .* dx, got \[-0.5"),
        (
            stubs.TRANSLATION,
            Gaussian(sigma=1),
            Box([-1, -1], [1.5, 1]),
            r"whole numbers of px for .* dy, got \[-1, 1.5",
        ),
        (stubs.TRANSLATION, Gaussian(sigma=1), Ball(0.7, 2), "radius >= 1 px"),
    ],
)
def test_hypotheses(transform, law, region, message):
    with pytest.raises(ValueError, match=message):
        RESOLVABLE.check(transform, law, region)
