import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from gsmooth_jax.certificates import BrightnessContrast, _joint, brightness_contrast, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Gaussian, Laplace
from gsmooth_jax.testing.certificates import check_certificate
from tests.certificates import stubs

JOINT = BrightnessContrast()
LAW = Gaussian(sigma=(0.4, 0.5))


def percent(share):
    """Contrast and brightness within +-share, as TSS states it."""
    return Box([np.log(1 - share), -share], [np.log(1 + share), share])


@pytest.mark.parametrize(
    "region", [percent(0.2), Box([-0.2, 0], [0, 0.3]), Box([0, -0.4], [0, 0.4]), Ball(0.2, 2)], ids=str
)
def test_contract(region):
    check_certificate(JOINT, stubs.CONTRAST_BRIGHTNESS, LAW, region, wrong_transform=stubs.TRANSLATION)


@pytest.mark.parametrize(
    ("share", "sigma", "exact", "two_step"),
    [(0.4, 0.6, 0.8922, 0.9767), (0.2, 0.3, 0.8455, 0.9063), (0.4, 0.4, 0.9566, 0.9966)],
)
def test_published_regions(share, sigma, exact, two_step):
    threshold = search.threshold(JOINT, Gaussian(sigma=sigma), percent(share))
    assert threshold == pytest.approx(exact, abs=1e-4)
    assert threshold < two_step


def test_attacked_noise_law():
    """T(T(x, a), theta) sees x under the law that the theorem says, for the transform e^k (x + b) itself."""
    rng = np.random.default_rng(0)
    (ak, ab), (k, b), x = rng.normal(size=2), rng.normal(size=(2, 5)), np.array([0.2, 0.7])[:, None]
    twice = np.exp(k) * (np.exp(ak) * (x + ab) + b)
    once = np.exp(k + ak) * (x + ab + np.exp(-ak) * b)
    np.testing.assert_allclose(twice, once)


@pytest.mark.parametrize(("k", "b"), [(0.3, 0.4), (-0.5, -0.2), (0.02, 0.5), (-0.3, 0.0), (0.0, 0.3), (0.2, 1.5)])
def test_power_against_monte_carlo(k, b):
    rng, n, (sk, sb) = np.random.default_rng(1), 400_000, LAW.sigma
    ratio = lambda kk, bb: (  # noqa: E731
        stats.norm.logpdf(kk, k, sk)
        + stats.norm.logpdf(bb, b, np.exp(-k) * sb)
        - stats.norm.logpdf(kk, 0, sk)
        - stats.norm.logpdf(bb, 0, sb)
    )
    clean = ratio(sk * rng.normal(size=n), sb * rng.normal(size=n))
    attacked = ratio(k + sk * rng.normal(size=n), b + np.exp(-k) * sb * rng.normal(size=n))
    curve = _joint.Curve(k, k / sk, abs(b) / sb)
    for c in np.quantile(clean, (0.1, 0.5, 0.8, 0.98)):
        for law, draws in enumerate((clean, attacked)):
            seen = (draws > c).mean()
            assert curve.tail(law, c) == pytest.approx(seen, abs=5 * np.sqrt(seen * (1 - seen) / n) + 1e-5)
        # The lemma: at the size of a ratio test, its power is the largest.
        power = curve.power_upper(curve.tail(0, c))
        assert power == pytest.approx(curve.tail(1, c), abs=1e-8)
        assert power >= curve.tail(1, c) + 0.9 * _joint.QUADRATURE_MARGIN  # rounded up


def test_an_attack_too_small_for_the_quadrature_is_not_free():
    """Brightness alone moves the power of a half of all draws from 1/2 to Phi(beta): by .399 beta."""
    for beta in (1e-10, 9e-10):
        assert _joint.Curve(0.0, 0.0, beta).power_upper(0.5) >= 0.5 + 0.39 * beta


@pytest.mark.parametrize(("p_lower", "p_upper"), [(0.9, 0.05), (0.7, 0.3), (0.51, 0.2)])
def test_without_an_attack_each_power_may_grow_by_half_of_what_is_between_the_bounds(p_lower, p_upper):
    slack = brightness_contrast._slack(LAW.sigma, 0.0, 0.0, p_lower, p_upper)
    assert slack == pytest.approx((p_lower - p_upper) / 2, abs=1e-8)


@pytest.mark.parametrize("steep", [1.0, 0.6])
@pytest.mark.parametrize("at", [-0.3, -0.29, -0.171, 0.0, 0.02, 0.123, 0.199, 0.2])
def test_a_dip_that_falls_as_fast_as_it_may_is_found_wherever_it_is(monkeypatch, at, steep):
    speed = steep * _joint.total_variation_speed(LAW.sigma[0])

    def certified(least):
        monkeypatch.setattr(brightness_contrast, "_slack", lambda sigmas, k, *_: least + speed * abs(k - at))
        return brightness_contrast._covered.__wrapped__(LAW.sigma, -0.3, 0.2, 0.4, 0.9, 0.1)

    assert certified(1e-2)
    assert not certified(-1e-3)


def test_darker_is_as_bad_as_brighter():
    for p in (0.8, 0.9, 0.97):
        dark, bright = (JOINT.certifies(LAW, Box([-0.2, -a], [0.2, b]), p, 1 - p) for a, b in ((0.4, 0.1), (0.1, 0.4)))
        assert dark == bright
    assert not JOINT.certifies(LAW, Box([-0.2, -0.4], [0.2, 0.1]), 0.8, 0.2)
    assert JOINT.certifies(LAW, Box([-0.2, -0.1], [0.2, 0.1]), 0.8, 0.2)


def test_quadrature_has_converged():
    for k, sk, b in (
        (0.3, 0.4, 1),
        (-0.5, 0.4, 1),
        (0.01, 0.4, 1),
        (1e-4, 0.3, 0.5),
        (0.5, 0.3, 3),
        (-1, 0.4, 1),
        (1, 1, 3),
        (3, 2, 0),
        (2.5, 1, 1),
        (-2.5, 0.6, 2),
        (-3, 3, 0.5),
    ):
        for size in (0.9, 0.3, 5e-3, 1e-3, 1e-8):
            coarse, fine = (_joint.Curve(k, k / sk, b, refine=r).power_upper(size) for r in (1, 5))
            assert abs(coarse - fine) < 1e-12


def test_both_integrals_agree():
    for k in (0.04, -0.04):
        curve = _joint.Curve(k, 2.5 * k, 1.0)
        for law in (0, 1):
            over_k, over_b = curve._tail_over_contrast(law, 0.5), curve._tail_over_brightness(law, 0.5)
            assert over_k == pytest.approx(over_b, abs=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.7, 0.7), st.floats(0, 2), st.floats(0, 1), st.floats(1e-3, 0.9))
@example(0.0, 0.0, 5e-324, 0.5)
def test_power_grows_with_brightness(k, b, more, size):
    """Step 1 of the proof, seen numerically."""
    powers = [_joint.Curve(k, k / 0.4, beta).power_upper(size) for beta in (b, b + more)]
    assert powers[0] <= powers[1] + 3e-9


@pytest.mark.parametrize("sigma_k", [0.2, 0.6])
def test_speed_bounds_the_total_variation(sigma_k):
    """Step 2 of the proof: total variation of neighbouring attacked laws, by a grid."""
    speed, step = _joint.total_variation_speed(sigma_k), 0.02
    k, b = np.linspace(-8, 8, 1201)[:, None], np.linspace(-8, 8, 1200)
    density = stats.norm.pdf(k) * stats.norm.pdf(b)
    moved = stats.norm.pdf(k, step / sigma_k) * stats.norm.pdf(b, 0, np.exp(-step))
    distance = 0.5 * np.abs(density - moved).sum() * (16 / 1200) * (16 / 1199)
    assert 0.97 * speed * step < distance <= speed * step


def test_a_dense_grid_of_attacks_stays_certified():
    region = percent(0.3)
    p = search.threshold(JOINT, LAW, region)
    for k in np.linspace(region.low[0], region.high[0], 9):
        for b in np.linspace(-0.3, 0.3, 5):
            assert brightness_contrast._slack(LAW.sigma, k, b, p, 1 - p) > 0


def test_two_sided_reaches_further():
    one = search.radius(JOINT, LAW, percent(0.2), 0.8, 0.2)
    two = search.radius(JOINT, LAW, percent(0.2), 0.8, 0.1)
    assert two > 1.05 * one


def test_brightness_alone_is_cohen():
    radius = search.radius(JOINT, LAW, Box([0, -1], [0, 1]), 0.9, 0.05)
    assert radius == pytest.approx(0.25 * (stats.norm.ppf(0.9) - stats.norm.ppf(0.05)), rel=1e-4)


def test_beyond_reach():
    assert search.threshold(JOINT, Gaussian(sigma=0.1), Box([-3.5, 0], [0, 0])) == 1.0
    assert not JOINT.certifies(LAW, percent(0.9), 1.0 - 1e-12, 1e-12)
    assert JOINT.certifies(LAW, percent(0.2), 1.0, 0.0)


@pytest.mark.parametrize(
    ("law", "region", "message"),
    [
        (Laplace(scale=1), percent(0.2), "gaussian law"),
        (Gaussian(sigma=(1, 1, 1)), percent(0.2), "sigma_k, sigma_b"),
        (Gaussian(sigma=1), Box([-1], [1]), "2 parameters"),
    ],
)
def test_hypotheses(law, region, message):
    with pytest.raises(ValueError, match=message):
        JOINT.check(stubs.CONTRAST_BRIGHTNESS, law, region)
