"""The normal law on a grid: the table against high precision, draws against the table's law, and what is shared."""

import itertools
import math
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from gsmooth_jax.smoothing import rounded_normal as module
from gsmooth_jax.smoothing.rounded_normal import masses, rounded_normal, shared_upper, spacing

NUMBERS = np.arange(-(2**17), 2**17)
SIGMAS = [0.25, 0.12, 1e-3, 30.0]


def densities(sigma, step):
    """The masses by Taylor's formula around the middle of each cell, in extended precision."""
    h = np.longdouble(step) / np.longdouble(sigma)
    x = NUMBERS.astype(np.longdouble) * h
    second = x**2 - 1
    fourth = x**4 - 6 * x**2 + 3
    root = np.sqrt(2 * np.longdouble("3.14159265358979323846264338327950288"))
    return np.exp(-x * x / 2) / root * h * (1 + h**2 * second / 24 + h**4 * fourth / 1920)


def phi(x):
    """The normal distribution function to some 50 digits."""
    term = total = x
    k = 1
    while abs(term) > Decimal(10) ** -60:
        k += 2
        term = term * x * x / k
        total += term
    return Decimal("0.5") + (-x * x / 2).exp() * total / (2 * PI).sqrt()


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def probabilities(sampler):
    """What the columns of a table add up to, in parts of 2^50."""
    keep = sampler.keep.astype(np.int64)
    counts = keep.copy()
    np.add.at(counts, sampler.other.astype(int), 2**32 - keep)
    return counts


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_table_is_as_near_to_the_law_as_is_stated(sigma):
    sampler, stated = rounded_normal(sigma, spacing(sigma))
    counts, law = probabilities(sampler), densities(sigma, sampler.step)
    assert counts.sum() == 2**50
    missing = 2 * stats.norm.sf((2**17 - 0.5) * sampler.step / sigma)
    apart = 0.5 * (float(np.abs(counts.astype(np.longdouble) / 2**50 - law).sum()) + missing)
    assert 1e-11 < apart < 1e-10
    # Most of what is stated is what SciPy's distribution function is allowed.
    assert apart <= stated < 2e-9


def test_but_for_what_float64_is_allowed_the_distance_is_stated_as_it_is(monkeypatch):
    monkeypatch.setattr(module, "_NDTR", 0.0)
    sigma = (2**17 - 1) * 2.0**-16 / 6.6  # whose table is full: most is missing at its ends
    sampler, stated = rounded_normal.__wrapped__(sigma, spacing(sigma))
    counts, law = probabilities(sampler), densities(sigma, sampler.step)
    missing = 2 * stats.norm.sf(6.6)
    apart = 0.5 * (float(np.abs(counts.astype(np.longdouble) / 2**50 - law).sum()) + missing)
    assert sampler.step == 2.0**-16
    assert stated == pytest.approx(apart, rel=0.05)
    assert missing > 0.5 * apart


@pytest.mark.parametrize("sigma", [0.12])
def test_masses_are_those_of_fifty_digits(sigma):
    step = spacing(sigma)
    mass, error = masses(sigma, step)
    with localcontext() as context:
        context.prec = 70
        for number in (0, 1, -17, 30_000, -70_000, 110_000, -(2**17)):
            ends = [(Decimal(number) + Decimal(half)) * Decimal(step) / Decimal(sigma) for half in ("-0.5", "0.5")]
            exact = float(phi(ends[1]) - phi(ends[0]))
            assert mass[number + 2**17] == pytest.approx(exact, abs=2.3e-16, rel=1e-10)
            assert float(densities(sigma, step)[number + 2**17]) == pytest.approx(exact, rel=1e-14)
        assert error >= 2 * float(phi(-(Decimal(2**17) - Decimal("0.5")) * Decimal(step) / Decimal(sigma)))


def test_scipys_distribution_function_is_as_exact_as_it_is_taken_to_be():
    places = np.linspace(-9.0, 0.0, 300)
    with localcontext() as context:
        context.prec = 70
        exact = [phi(Decimal(float(x))) for x in places]
        wrong = [abs(Decimal(float(p)) / e - 1) for p, e in zip(special.ndtr(places), exact, strict=True)]
    assert 0 < max(wrong) < module._NDTR / 5


@pytest.mark.parametrize("sigma", [0.25, 0.12])
def test_draws_have_the_law(sigma):
    count = 2**21
    step = spacing(sigma)
    sampler, _ = rounded_normal(sigma, step)
    words = np.random.default_rng(0).integers(0, 2**32, (count, 2), dtype=np.uint32)
    drawn = np.asarray(jax.jit(lambda s, w: s(w))(sampler, jnp.asarray(words)))
    assert drawn.dtype == np.int32

    def p_value(sigma):
        edges = (np.rint(special.ndtri(np.arange(1, 400) / 400) * sigma / step) - 0.5) * step
        expected = np.diff(special.ndtr(np.concatenate([[-np.inf], edges, [np.inf]]) / sigma)) * count
        found = np.bincount(np.searchsorted(edges, drawn * step), minlength=400)
        return stats.chisquare(found, expected).pvalue

    assert p_value(sigma) > 1e-3
    assert p_value(1.01 * sigma) < 1e-6  # what such a test can tell
    assert stats.chisquare(np.bincount(drawn % 64, minlength=64)).pvalue > 1e-3
    assert stats.kstest((drawn + np.random.default_rng(1).random(count) - 0.5) * step / sigma, "norm").pvalue > 1e-3


def test_every_word_is_drawn_as_the_table_says():
    sampler, _ = rounded_normal(0.25, spacing(0.25))
    columns = np.concatenate([NUMBERS[:3], NUMBERS[-3:], [-70_000, 0, 1]]) + 2**17
    for column in columns.tolist():
        keep, other = int(sampler.keep[column]), int(sampler.other[column]) - 2**17
        words = np.array([[column << 14 | 5, max(keep - 1, 0)], [column << 14, keep]], np.uint32)
        first, second = np.asarray(sampler(jnp.asarray(words))).tolist()
        assert first == (column - 2**17 if keep else other)
        assert second == other


@pytest.mark.parametrize("sigma", [0.25, 0.12, 1.0, 6.6 / (2**17 - 1), 1e-6, 1e3])
def test_the_grid_is_the_finest_power_of_two_that_fits(sigma):
    step = spacing(sigma)
    assert math.frexp(step)[0] == 0.5
    assert 6.6 * sigma <= (2**17 - 1) * step < 2 * 6.6 * sigma


@pytest.mark.parametrize("entries", [1, 784, 3072, 150_528])
@pytest.mark.parametrize(("shared", "step"), [(0.3, 0.3 / 2**14), (0.3, 0.3 / 2**10), (0.01, 0.005), (2.0, 0.001)])
def test_what_a_shared_rounding_costs(entries, shared, step):
    """The entries' mean is all that tells a shift of all of them: a mixture of normal laws against one, on a line."""
    sigma = 0.25
    stated = shared_upper(entries, sigma, shared, step)
    nodes, weights = np.polynomial.legendre.leggauss(16)
    shifts = 0.5 * step * nodes
    x = np.linspace(-12.0, 12.0, 1201)
    total = 0.0
    numbers = np.unique(np.rint(np.linspace(-6, 6, 61) * shared / step))
    for number, following in itertools.pairwise(numbers):  # those between are much the same
        inside = weights * stats.norm.pdf((number * step + shifts) / shared)
        mixed = (stats.norm.pdf(x[:, None] - math.sqrt(entries) * shifts / sigma) * inside).sum(axis=1)
        apart = 0.5 * np.abs(mixed / max(inside.sum(), 1e-300) - stats.norm.pdf(x)).sum() * (x[1] - x[0])
        total += apart * stats.norm.pdf(number * step / shared) * step / shared * (following - number)
    assert total <= stated
    if total > 1e-9:
        assert stated < 40 * total or stated == 1.0


def test_what_is_too_much_to_share_is_all_lost():
    assert shared_upper(10**6, 0.1, 0.1, 0.01) == 1.0
