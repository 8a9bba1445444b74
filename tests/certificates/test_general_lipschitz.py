import math

import numpy as np
import pytest
from scipy import stats

from gsmooth_jax import smoothing
from gsmooth_jax.certificates import GeneralLipschitz, composition, general_lipschitz, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Gaussian, Product
from gsmooth_jax.transforms import parse
from tests.certificates.test_composition import NAMES, ROWS, box, certificate

ONE = Box([-0.4], [0.4])
LAW = Gaussian(sigma=0.4)


def sampled(text):
    return GeneralLipschitz(transform=parse(text))


def test_brightness_within_one_standard_deviation():
    """The truth is Phi(1); a draw of 20,000 is off by less than .005, to either side."""
    sampled("brightness").check(parse("brightness"), LAW, ONE)
    assert search.threshold(sampled("brightness"), LAW, ONE) == pytest.approx(stats.norm.cdf(1), abs=5e-3)
    assert search.radius(sampled("brightness"), LAW, ONE, 0.8413, 0.1587) == pytest.approx(0.4, abs=5e-3)


def test_the_released_codes_error():
    """Weighed by its place on the path once more, the same integral is half as long, and asks for Phi(1/2)."""
    exponent = math.ceil(math.log2(0.4))
    share = 0.4 / 2.0**exponent
    paths = general_lipschitz._paths(parse("brightness"), Product([LAW]), Box([-1], [1]), exponent)
    place = np.linspace(0.0, 1.0, paths.speeds.shape[1]) / share
    theirs = general_lipschitz.Paths(paths.speeds * place, paths.shapes)

    def needs(found):
        return next(p for p in np.linspace(0.5, 0.999, 2000) if found.ahead(share, p, 1 - p))

    assert needs(paths) == pytest.approx(stats.norm.cdf(1), abs=5e-3)
    assert needs(theirs) == pytest.approx(stats.norm.cdf(0.5), abs=5e-3)


@pytest.mark.parametrize(("text", "law", "ranges", "p"), ROWS, ids=NAMES)
def test_what_it_asks_for_beside_what_is_needed(text, law, ranges, p):
    made, of = sampled(text), smoothing.parse(law)
    made.check(parse(text), of, box(ranges))
    found = search.threshold(made, of, box(ranges))
    exact = search.threshold(made.exact, of, box(ranges))
    print(f"{text} under {law}: {found:.4f} by general_lipschitz, {exact:.4f} exactly")
    assert made.exact == certificate(text)
    assert exact == pytest.approx(p, abs=1e-4)
    assert p - 5e-3 < found < 1.0 - (1.0 - p) / 10


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("contrast|brightness", "gaussian(sigma=0.4)|gaussian(sigma=0.3)"),
        ("brightness|contrast", "gaussian(sigma=0.3)|gaussian(sigma=0.4)"),
        ("gamma|contrast", "rayleigh(scale=0.7)|gaussian(sigma=0.6)"),
    ],
)
def test_scores_are_derivatives_of_the_density(text, law):
    """d/dt of the log density along a path, by differences of SciPy's densities at the same draws."""
    found = composition.roles(parse(text), smoothing.parse(law))
    (_, factor), (_, sigma) = found.factor, found.scaled
    k, beta, t, step = 0.4, 0.8, 0.6, 1e-5
    rng = np.random.default_rng(0)
    x, y, q = rng.standard_normal(50), rng.standard_normal(50), rng.exponential(size=50)
    rayleigh = hasattr(factor, "scale")
    own = stats.loggamma(1, 0.5 * math.log(2 * 0.7**2), 0.5) if rayleigh else stats.norm(0, factor.sigma)
    u = 0.5 * np.log(2 * 0.7**2 * q) if rayleigh else factor.sigma * y

    def laws(t, r):
        """The mean and the deviation of what is rescaled, given r, at t on the path."""
        if found.behind:
            return t * beta * sigma, sigma * np.exp(-t * k)
        return np.exp(r - t * k) * t * beta * sigma, sigma

    r = u + t * k
    mean, deviation = laws(t, r)
    seen = mean + deviation * x

    def log_density(t):
        return own.logpdf(r - t * k) + stats.norm.logpdf(seen, *laws(t, r))

    expected = (log_density(t + step) - log_density(t - step)) / (2 * step)
    score = general_lipschitz._of_factor(found, t, k, beta, x, y, q)
    np.testing.assert_allclose(score, expected, rtol=1e-6, atol=1e-6)


def test_a_blur_is_the_exponential_laws_own():
    law = smoothing.parse("exponential(scale=2)|gaussian(sigma=1)")
    found = search.threshold(sampled("gaussian_blur|brightness"), law, box([(0, 1.5), (0, 0)]))
    assert found == pytest.approx(1 - 0.5 * math.exp(-0.75), abs=1e-3)


def test_better_bounds_and_smaller_regions_stay_certified():
    made, law, region = sampled("contrast|brightness"), smoothing.parse(ROWS[0][1]), box(ROWS[0][2])
    radii = [search.radius(made, law, region, *p) for p in ((0.6, 0.4), (0.8, 0.2), (0.8, 0.1), (0.99, 0.01))]
    assert 0 < radii[0] < radii[1] < radii[2] < radii[3]
    assert search.radius(made, law, region, 0.5, 0.5) == 0.0
    assert made.certifies(law, region, 1.0, 0.0) is True
    assert made.certifies(law, Ball(0.05, 2), 0.9, 0.1)


@pytest.mark.parametrize(
    ("text", "law", "region", "message"),
    [
        ("rotation", LAW, ONE, "none of rotation"),
        ("volume", LAW, ONE, "none of volume"),
        (
            "gamma|brightness",
            smoothing.parse("rayleigh|gaussian(sigma=1)"),
            box([(-1, 1)] * 2),
            "general_lipschitz needs",
        ),
        ("brightness|contrast", LAW, box([(-1, 1)] * 2), "a law for each stage"),
        ("brightness", smoothing.Uniform(low=-1, high=1), ONE, "gaussian or log_normal law for brightness"),
    ],
)
def test_hypotheses(text, law, region, message):
    with pytest.raises(ValueError, match=message):
        sampled(text).check(parse(text), law, region)


def test_it_speaks_of_a_transform():
    with pytest.raises(ValueError, match="of a transform, got one of none"):
        GeneralLipschitz().certifies(LAW, ONE, 0.9, 0.1)
