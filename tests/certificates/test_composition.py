import dataclasses
import itertools
import math
import re

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gsmooth_jax import smoothing
from gsmooth_jax.certificates import (
    BrightnessContrast,
    Composition,
    Multiplicative,
    Resolvable,
    _rescaled,
    composition,
    search,
)
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Exponential, Gaussian, LogNormal, Product, Rayleigh
from gsmooth_jax.testing.certificates import check_certificate
from gsmooth_jax.testing.laws import discrete_gap
from gsmooth_jax.transforms import parse
from tests.certificates import stubs

WHOLE = "translation|gaussian_blur(border='cyclic')|contrast|brightness"
WHOLE_LAW = "gaussian(sigma=10)|exponential(scale=3)|gaussian(sigma=0.3)|gaussian(sigma=0.3)"


def factors(low, high):
    return math.log(low), math.log(high)


ROWS = [
    ("contrast|brightness", "gaussian(sigma=0.4)|gaussian(sigma=0.4)", [factors(0.6, 1.4), (-0.4, 0.4)], 0.9543),
    ("contrast|brightness", "gaussian(sigma=0.3)|gaussian(sigma=0.3)", [factors(0.6, 1.4), (-0.4, 0.4)], 0.9864),
    ("gamma|contrast", "rayleigh|log_normal(sigma=0.6)", [factors(0.8, 1.4), factors(0.6, 2.0)], 0.9045),
    ("brightness|translation", "gaussian(sigma=0.4)|gaussian(sigma=15)", [(-0.2, 0.2), (-5, 5), (-5, 5)], 0.7540),
    ("contrast|translation", "gaussian(sigma=0.4)|gaussian(sigma=15)", [factors(0.8, 1.2), (-5, 5), (-5, 5)], 0.7674),
    (
        "contrast|brightness|translation",
        "gaussian(sigma=0.4)|gaussian(sigma=0.4)|gaussian(sigma=15)",
        [factors(0.8, 1.2), (-0.2, 0.2), (-5, 5), (-5, 5)],
        0.8207,
    ),
    (WHOLE, WHOLE_LAW, [(-3, 3), (-3, 3), (0, 3), factors(0.95, 1.05), (-0.1, 0.1)], 0.8967),
]
"""What has to be shown, with the smallest one-sided p_A."""

NAMES = [f"{text.replace('(border=' + repr('cyclic') + ')', '')} {p}" for text, *_, p in ROWS]


def box(ranges):
    return Box(*zip(*ranges, strict=True))


def certificate(text):
    return Composition(transform=parse(text))


def needed(text, law, ranges):
    certificate(text).check(parse(text), smoothing.parse(law), box(ranges))
    return search.threshold(certificate(text), smoothing.parse(law), box(ranges))


@pytest.mark.parametrize(("text", "law", "ranges", "p"), ROWS, ids=NAMES)
def test_what_is_needed(text, law, ranges, p):
    found = needed(text, law, ranges)
    assert found == pytest.approx(p, abs=1e-4)
    # Python's own numbers: records hold them.
    assert certificate(text).certifies(smoothing.parse(law), box(ranges), found, 1 - found) is True
    assert certificate(text).certifies(smoothing.parse(law), box(ranges), found - 1e-3, 1.001 - found) is False


def densities(law):
    """SciPy's law of each parameter of a stage: of the logarithm of a factor."""
    match law:
        case Gaussian():
            return stats.norm(0, law.sigma)
        case LogNormal():
            return stats.norm(0, law.sigma)
        case Exponential():
            return stats.expon(0, law.scale)
        case Rayleigh():
            return stats.loggamma(1.0, loc=0.5 * math.log(2.0 * law.scale**2), scale=0.5)
    raise AssertionError(law)


def undone(transform, theta, attack):
    """The draws c [N, P] with gamma_attack(c) = theta [N, P], and log |d c / d theta|, by hand."""
    names, c, volume = [p.name for p in transform.params], theta - attack, 0.0
    if "g" in names and "k" in names:  # gamma, then contrast
        c[:, names.index("k")] = theta[:, names.index("k")] - np.exp(c[:, names.index("g")]) * attack[names.index("k")]
    elif "k" in names and "b" in names:
        k, b = names.index("k"), names.index("b")
        if k < b:
            c[:, b] = theta[:, b] - np.exp(c[:, k]) * attack[b]
        else:
            c[:, b], volume = np.exp(attack[k]) * (theta[:, b] - attack[b]), attack[k]
    return c, volume


MORE = [
    (
        "brightness|translation|contrast",
        "gaussian(sigma=0.3)|gaussian(sigma=12)|gaussian(sigma=0.4)",
        [(-0.2, 0.2), (-4, 4), (-4, 4), factors(0.8, 1.3)],
        None,
    ),
    ("gamma|translation", "rayleigh|gaussian(sigma=10)", [factors(0.8, 1.4), (-4, 4), (-4, 4)], None),
]


@pytest.mark.parametrize(("text", "law", "ranges", "p"), ROWS + MORE, ids=[*NAMES, *(row[0] for row in MORE)])
def test_what_is_needed_against_monte_carlo(text, law, ranges, p):
    """Draws of the laws, the composition law of the transform, and SciPy's densities."""
    transform, pairs = parse(text), smoothing.parse(law).over(parse(text))
    each = [densities(one) for stage, one in pairs for _ in stage.params]
    resolve = jax.jit(jax.vmap(transform.resolve, in_axes=(None, 0)))
    rng, n, worst = np.random.default_rng(0), 400_000, 0.0
    clean = np.stack([d.rvs(n, random_state=rng) for d in each], axis=1)

    def log_ratio(theta, attack):
        c, volume = undone(transform, theta, attack)
        np.testing.assert_allclose(resolve(attack, c[:100]), theta[:100], atol=1e-4)
        return volume + sum(d.logpdf(c[:, j]) - d.logpdf(theta[:, j]) for j, d in enumerate(each))

    for attack in itertools.product(*[[high] if low == -high else [low, high] for low, high in ranges]):
        attacked = np.asarray(resolve(np.array(attack), clean), np.float64)
        threshold = np.median(log_ratio(attacked, np.array(attack)))
        worst = max(worst, float((log_ratio(clean, np.array(attack)) <= threshold).mean()))
    assert worst == pytest.approx(needed(text, law, ranges) if p is None else p, abs=3e-3)


@pytest.mark.parametrize(
    "ranges",
    [
        [(-0.5, 0.5), (-0.5, 0.5)],
        [(-0.2, 0.35), (-0.1, 0.4)],
        [(-0.4, 0.0), (-0.3, 0.0)],
        [(-0.3, 0.3), (0.0, 0.0)],
        [(0.0, 0.0), (-0.3, 0.2)],
    ],
    ids=str,
)
def test_brightness_then_contrast_is_the_joint_theorem(ranges):
    for sigmas in ((0.6, 0.6), (0.3, 0.5)):
        law = Product([Gaussian(sigma=sigmas[1]), Gaussian(sigma=sigmas[0])])
        found = search.threshold(certificate("brightness|contrast"), law, box(ranges[::-1]))
        joint = search.threshold(BrightnessContrast(), Gaussian(sigma=sigmas), box(ranges))
        assert found == pytest.approx(joint, abs=1e-6)
        law = Product([Gaussian(sigma=sigmas), Gaussian(sigma=3.0)])
        moved = certificate("brightness_contrast|translation")
        assert search.threshold(moved, law, box([*ranges, (0, 0), (0, 0)])) == pytest.approx(joint, abs=1e-6)
        assert search.threshold(moved, law, box([*ranges, (0, 1), (0, 0)])) > joint + 1e-3


@pytest.mark.parametrize("ends", [(0.8, 1.4), (0.6, 1.0), (1.0, 1.3)])
def test_a_rayleigh_factor_alone_is_that_of_muravev_and_petiushko(ends):
    """The rule cannot resolve the step that is left then, and asks for a little more."""
    p = search.threshold(Multiplicative(), Rayleigh(), box([factors(*ends)]))
    made, law = certificate("gamma|translation"), smoothing.parse("rayleigh|gaussian(sigma=3)")
    region = box([factors(*ends), (0, 0), (0, 0)])
    assert made.certifies(law, region, p + 1e-4, 1 - p - 1e-4)
    assert not made.certifies(law, region, p - 1e-6, 1 - p + 1e-6)


def test_a_blur_alone_is_that_of_the_exponential_law():
    law = smoothing.parse("exponential(scale=2)|gaussian(sigma=1)")
    found = search.threshold(certificate("gaussian_blur|brightness"), law, box([(0, 1.5), (0, 0)]))
    assert found == pytest.approx(search.threshold(Resolvable(), Exponential(scale=2), Box([0], [1.5])), abs=1e-9)


@pytest.mark.parametrize(("low", "high"), [(-0.2, 0.5), (-0.5, 0.2)])
def test_asymmetric_boxes_and_all_that_is_inside(low, high):
    """Attacks from all over the box, its small ones too, keep their slack where the box is just certified."""
    law = smoothing.parse("gaussian(sigma=0.4)|gaussian(sigma=0.3)|gaussian(sigma=9)")
    made, region = certificate("contrast|brightness|translation"), box([(low, high), (-0.1, 0.3), (-2, 3), (0, 4)])
    p = search.threshold(made, law, region)
    attack = composition._attack(made.transform, law, region)
    assert (attack.low, attack.high) == (low, high)
    assert attack.rho == pytest.approx(5 / 9)
    for k, beta, rho in itertools.product(np.linspace(low, high, 7), (0.0, 0.1, 0.5, 1.0), (0.0, 0.3, 5 / 9)):
        part = dataclasses.replace(attack, beta=beta, rho=rho)
        assert composition._slack(part, float(k), p, 1 - p) > 0
    assert search.threshold(made, law, box([(low, high), (-0.3, 0.1), (-3, 2), (-4, 0)])) == pytest.approx(p, abs=1e-9)
    assert search.threshold(made, law, box([(-0.5, 0.5), (-0.3, 0.3), (-3, 3), (-4, 4)])) >= p


FACTORS = [_rescaled.Normal(0.3), _rescaled.Normal(0.7), _rescaled.Rayleigh(math.sqrt(2 / math.pi))]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(FACTORS),
    st.floats(-0.7, 0.7),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 1),
    st.floats(1e-3, 0.9),
)
def test_power_grows_with_every_shift_of_a_normal_parameter(factor, k, beta, rho, more, size):
    powers = [
        _rescaled.Curve(factor, k, b, r).power_upper(size)
        for b, r in ((beta, rho), (beta + more, rho), (beta, rho + more))
    ]
    assert powers[0] <= min(powers[1:]) + 1e-7


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FACTORS),
    st.floats(-1, 1),
    st.floats(0, 3),
    st.floats(0, 3),
    st.sampled_from([0.9, 0.3, 5e-3, 1e-6]),
)
def test_quadrature_has_converged(factor, k, beta, rho, size):
    coarse, fine = (_rescaled.Curve(factor, k, beta, rho, refine=r).power_upper(size) for r in (1, 4))
    assert abs(coarse - fine) < 1e-10


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_an_attack_too_small_for_the_quadrature_is_not_free(factor):
    for rho in (1e-10, 9e-10):
        assert _rescaled.Curve(factor, 0.0, 0.0, rho).power_upper(0.5) >= 0.5 + 0.39 * rho
        assert _rescaled.Curve(factor, 0.3 * rho, 0.0, 0.0).power_upper(0.5) >= 0.5 + 0.3 * rho * 0.1
    assert _rescaled.Curve(factor, 0.2, 1.0, 1.0).power_upper(0.0) == 0.0


@pytest.mark.parametrize("factor", FACTORS, ids=str)
def test_rules_have_the_laws_moments(factor):
    u, weights = factor.rule(0.05)
    law = densities(
        Gaussian(sigma=factor.sigma) if isinstance(factor, _rescaled.Normal) else Rayleigh(scale=factor.scale)
    )
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights @ u == pytest.approx(law.mean(), abs=1e-10)
    assert weights @ np.exp(u) == pytest.approx(factor.mean, rel=1e-10)
    for k in (0.3, -0.4):
        np.testing.assert_allclose(factor.log_ratio(u, k), law.logpdf(u - k) - law.logpdf(u), atol=1e-9)


@pytest.mark.parametrize("factor", FACTORS, ids=str)
@pytest.mark.parametrize("beta", [0.0, 0.3, 2.0])
def test_speed_bounds_the_total_variation(factor, beta):
    """Of attacked laws at neighbouring factors, by a grid."""
    law = densities(
        Gaussian(sigma=factor.sigma) if isinstance(factor, _rescaled.Normal) else Rayleigh(scale=factor.scale)
    )
    r, y = np.linspace(law.ppf(1e-7), law.ppf(1 - 1e-7), 1500)[:, None], np.linspace(-12, 25, 1500)

    def density(k):
        return law.pdf(r - k) * stats.norm.pdf(y, beta * np.exp(r - k))

    step = 0.01
    cell = (r[1, 0] - r[0, 0]) * (y[1] - y[0])
    distance = 0.5 * np.abs(density(step) - density(0.0)).sum() * cell
    bound = _rescaled.Curve(factor, 0.0, beta, 0.0).speed_upper * step
    assert 0.6 * bound < distance <= bound * (1 + 1e-4)


@pytest.mark.parametrize("factor", FACTORS, ids=str)
@pytest.mark.parametrize(("k", "beta"), [(0.3, 0.7), (-0.4, 1.0), (0.0, 0.5)])
def test_slack_against_brute_force(factor, k, beta):
    """The lemma on cells of the plane, two-sided too."""
    law = densities(
        Gaussian(sigma=factor.sigma) if isinstance(factor, _rescaled.Normal) else Rayleigh(scale=factor.scale)
    )
    edges = np.concatenate([law.ppf(np.linspace(1e-6, 1 - 1e-6, 700)) + shift for shift in (0.0, k)])
    r = np.unique(edges)
    y = np.concatenate([[-np.inf], np.linspace(-7, 11, 700), [np.inf]])
    middle = 0.5 * (r[1:] + r[:-1])
    p0 = np.outer(np.diff(law.cdf(r)), np.diff(stats.norm.cdf(y)))
    p1 = np.diff(law.cdf(r - k))[:, None] * np.diff(stats.norm.cdf(y - beta * np.exp(middle - k)[:, None]), axis=1)
    attack = composition._Attack(factor=factor, low=k, high=k, beta=beta)
    for p_lower, p_upper in ((0.8, 0.2), (0.9, 0.03), (0.97, 0.01)):
        gap = discrete_gap(p0.ravel(), p1.ravel(), p_lower, p_upper)
        assert 2 * composition._slack(attack, k, p_lower, p_upper) == pytest.approx(gap, abs=2e-3)


@pytest.mark.parametrize(
    ("text", "law", "ranges", "p"), [ROWS[0], ROWS[2], ROWS[3], ROWS[6]], ids=lambda v: str(v)[:20]
)
def test_contract(text, law, ranges, p):
    del p
    check_certificate(certificate(text), parse(text), smoothing.parse(law), box(ranges), wrong_transform=stubs.ROTATION)


def test_two_sided_reaches_further():
    made, law, region = certificate(WHOLE), smoothing.parse(WHOLE_LAW), box(ROWS[6][2])
    assert not made.certifies(law, region, 0.88, 0.12)
    assert made.certifies(law, region, 0.88, 0.05)


def test_of_a_ball_the_box_around_it():
    made, law = certificate("contrast|brightness"), smoothing.parse(ROWS[0][1])
    assert search.threshold(made, law, Ball(0.3, 2)) == pytest.approx(
        search.threshold(made, law, box([(-0.3, 0.3)] * 2)), abs=1e-9
    )


def test_beyond_reach():
    made, law = certificate("contrast|brightness"), smoothing.parse("gaussian(sigma=0.1)|gaussian(sigma=0.1)")
    assert search.threshold(made, law, box([(-3.5, 0), (0, 0.1)])) == 1.0
    assert not certificate(WHOLE).certifies(
        smoothing.parse(WHOLE_LAW), box([*[(0, 0)] * 2, (0, 9e3), *[(0, 0)] * 2]), 0.9, 0.1
    )
    assert made.certifies(law, box([(-0.1, 0.1)] * 2), 1.0, 0.0)
    assert search.radius(certificate("brightness|translation"), law, box([(-1, 1)] * 3), 1.0, 0.0) > 1e5


TWO = "gaussian(sigma=1)|gaussian(sigma=1)"
BOX = box([(-0.1, 0.1)] * 2)


@pytest.mark.parametrize(
    ("text", "law", "region", "message"),
    [
        ("gamma|brightness", TWO, BOX, "'gamma' before 'brightness' has none"),
        ("contrast|gamma", TWO, BOX, "In this order it would: gamma|contrast"),
        ("brightness|clip|contrast", TWO, BOX, "stage 'clip' has none"),
        ("brightness|contrast|quantize", TWO, BOX, "stage 'quantize' has none"),
        ("brightness", TWO, Box([-1], [1]), "got brightness: it is one transform"),
        ("brightness|contrast", "gaussian(sigma=1)", BOX, "a law for each stage of brightness|contrast, joined by |"),
        ("brightness|contrast", f"{TWO}|gaussian(sigma=1)", BOX, "each of the 2 stages .* got 3"),
        ("brightness|contrast", "log_normal(sigma=1)|gaussian(sigma=1)", BOX, "log_normal draws a factor"),
        ("brightness|contrast", "gaussian(sigma=1)|rayleigh", BOX, "gaussian or log_normal law for contrast"),
        ("gamma|contrast", "rayleigh|rayleigh", BOX, "gaussian or log_normal law for contrast"),
        ("brightness|contrast", "laplace(scale=1)|gaussian(sigma=1)", BOX, "gaussian or log_normal law for brightness"),
        ("gaussian_blur|brightness", "uniform(low=0, high=1)|gaussian(sigma=1)", box([(0, 1)] * 2), "exponential law"),
        ("gaussian_blur|brightness", TWO, box([(0, 1)] * 2), "leaves the range"),
        ("gaussian_blur|brightness", f"exponential(scale=1)|{TWO[:17]}", box([(-1, 1)] * 2), r"v in \[-1.0, 1.0\]"),
        ("brightness|contrast", TWO, Box([-1], [1]), "region of 2 parameters"),
        ("brightness|translation", TWO, box([(-1, 1), (-0.5, 1), (0, 1)]), "whole numbers of px"),
        ("brightness|translation", "gaussian(sigma=1)|gaussian(sigma=(1,1,1))", box([(-1, 1)] * 3), "3"),
    ],
)
def test_hypotheses(text, law, region, message):
    with pytest.raises(ValueError, match=message):
        certificate(text).check(parse(text), smoothing.parse(law), region)


def test_it_speaks_of_the_transform_that_it_was_built_for():
    for made in (Composition(), certificate("gamma|contrast")):
        with pytest.raises(ValueError, match=re.escape("certificate composition of brightness|contrast")):
            made.check(parse("brightness|contrast"), smoothing.parse(TWO), BOX)
    with pytest.raises(ValueError, match="of a transform"):
        Composition().certifies(smoothing.parse(TWO), BOX, 0.9, 0.1)
