import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gsmooth_jax.estimation import bounds


@pytest.mark.parametrize(("n", "alpha"), [(20, 0.05), (200, 0.001)])
def test_coverage_is_exact(n, alpha):
    """Sums the binomial law instead of simulating: the failure probability never exceeds alpha, and comes near it."""
    s, p = np.arange(n + 1), np.linspace(0.001, 0.999, 999)[:, None]
    law = stats.binom.pmf(s, n, p)
    above = (law * (bounds.proportion_lower(s, n, alpha) > p)).sum(1)
    below = (law * (bounds.proportion_upper(s, n, alpha) < p)).sum(1)
    assert max(above.max(), below.max()) <= alpha
    assert min(above.max(), below.max()) > 0.9 * alpha


def test_against_the_binomial_tail():
    for s, n, alpha in ((950, 1000, 1e-3), (1, 30, 0.05), (99_999, 100_000, 1e-3), (7, 7, 0.01)):
        bound = float(bounds.proportion_lower(s, n, alpha))
        assert stats.binom.sf(s - 1, n, bound) <= alpha
        np.testing.assert_allclose(stats.binom.sf(s - 1, n, bound), alpha, rtol=1e-6)
        np.testing.assert_allclose(bounds.proportion_upper(n - s, n, alpha), 1 - bound, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("n", "alpha"), [(20, 0.05), (200, 0.001)])
def test_the_tail_at_a_bound_is_never_above_alpha(n, alpha):
    """As SciPy's inverse has it, it is at about half of the counts, by a few units in the last place."""
    s = np.arange(n + 1)
    assert (stats.binom.sf(s[1:] - 1, n, bounds.proportion_lower(s[1:], n, alpha)) <= alpha).all()
    assert (stats.binom.cdf(s[:-1], n, bounds.proportion_upper(s[:-1], n, alpha)) <= alpha).all()


def test_ends():
    assert bounds.proportion_lower(0, 10, 0.01) == 0.0
    assert bounds.proportion_upper(10, 10, 0.01) == 1.0
    np.testing.assert_allclose(bounds.largest_p_lower(100, 1e-3), 1e-3**0.01, rtol=1e-11)
    assert bounds.proportion_lower(np.arange(3)[:, None], np.array([5, 6]), 0.1).shape == (3, 2)


def test_two_sided_splits_over_every_class():
    counts = np.array([5, 900, 60, 35])
    p_lower, p_upper = bounds.top_and_runner_up(counts, 1, 0.001)
    np.testing.assert_allclose(p_lower, bounds.proportion_lower(900, 1000, 0.0005))
    np.testing.assert_allclose(p_upper, bounds.proportion_upper(60, 1000, 0.001 / 6))
    # One class to beat, and nothing else: then the runner-up has what the top class leaves.
    p_lower, p_upper = bounds.top_and_runner_up(np.array([100, 0]), 0, 0.001)
    assert p_upper == pytest.approx(1 - p_lower, abs=1e-11)
    assert p_upper <= 1 - p_lower
    with pytest.raises(ValueError, match=r"\[K\]"):
        bounds.top_and_runner_up(np.array([3]), 0, 0.1)
    with pytest.raises(ValueError, match="top"):
        bounds.top_and_runner_up(np.array([3, 1]), 2, 0.1)


@given(st.floats(0.5, 1 - 1e-6), st.floats(1e-9, 0.2))
def test_fewest_votes_is_the_fewest(threshold, alpha):
    n = bounds.smallest_n(threshold, alpha)
    assert bounds.largest_p_lower(n, alpha) > threshold
    assert n == 1 or bounds.largest_p_lower(n - 1, alpha) <= threshold


def test_sequential_needs_a_little_more():
    for threshold, fixed, anytime in ((0.6915, 19, 22), (0.8413, 40, 47), (0.97725, 301, 351)):
        assert bounds.smallest_n(threshold, 1e-3) == fixed
        assert bounds.smallest_n_sequential(threshold, 1e-3) == anytime


@pytest.mark.parametrize(("s", "n"), [(-1, 5), (6, 5), (2.5, 5), (0, 0), (np.nan, 3)])
def test_bad_counts(s, n):
    with pytest.raises(ValueError, match="successes"):
        bounds.proportion_lower(s, n, 0.1)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, np.nan])
def test_bad_alpha(alpha):
    with pytest.raises(ValueError, match="alpha"):
        bounds.proportion_upper(1, 2, alpha)
    with pytest.raises(ValueError, match="alpha"):
        bounds.smallest_n(0.9, alpha)
