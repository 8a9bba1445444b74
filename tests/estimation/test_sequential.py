import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from gsmooth_jax.estimation import bounds, sequential

ALPHA = 1e-3


def first_passing(passes, steps):
    """[steps + 1]: the fewest successes at which ``passes(s, n)`` holds, n + 1 if none. ``passes`` is monotone in s."""
    n = np.arange(steps + 1)
    low, high = np.full(steps + 1, -1), n + 1
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 0)
        ok = passes(middle, n)
        low, high = np.where(ok, low, middle), np.where(ok, middle, high)
        low = np.minimum(low, high - 1)
    return high


def stopping(boundary, p):
    """Exact P(boundary ever reached) and E[min(first time, steps)], by adding one draw at a time."""
    steps = len(boundary) - 1
    alive, hit, time = np.zeros(steps + 2), 0.0, 0.0
    alive[0] = 1.0
    for n in range(1, steps + 1):
        time += alive.sum()
        alive[1:] = alive[1:] * (1 - p) + alive[:-1] * p
        alive[0] *= 1 - p
        hit += alive[boundary[n] :].sum()
        alive[boundary[n] :] = 0.0
    return hit, time


def certify_boundary(t, steps, alpha=ALPHA):
    return first_passing(lambda s, n: sequential.decisions(np.minimum(s, n), n, t, alpha) > 0, steps)


@pytest.mark.parametrize("t", [0.6915, 0.9, 0.99])
def test_looking_after_every_draw_costs_nothing(t):
    boundary = certify_boundary(t, 3000)
    at_threshold, below = stopping(boundary, t)[0], stopping(boundary, t - 0.02)[0]
    assert below < at_threshold <= ALPHA
    assert at_threshold > 0.5 * ALPHA  # and the level is used


def test_looking_again_at_a_fixed_n_bound_does():
    """The mistake that the test above must be able to see: Clopper-Pearson after every 100 draws."""
    t = 0.9

    def passes(s, n):
        return (n % 100 == 0) & (bounds.proportion_lower(np.minimum(s, n), np.maximum(n, 1), ALPHA) > t)

    assert stopping(first_passing(passes, 3000), t)[0] > 4 * ALPHA


@pytest.mark.parametrize(
    ("t", "p", "expected"), [(0.6915, 0.84, 135), (0.8413, 0.92, 279), (0.8413, 0.99, 57), (0.97725, 0.999, 405)]
)
def test_expected_votes(t, p, expected):
    hit, time = stopping(certify_boundary(t, 2500), p)
    assert hit > 0.999
    assert time == pytest.approx(expected, rel=0.06)  # the table is a simulation


def test_giving_up_is_as_safe():
    t, futility = 0.84, 0.01
    boundary = first_passing(lambda s, n: sequential.decisions(n - np.minimum(s, n), n, t, ALPHA, futility) < 0, 1500)
    assert 0.3 * futility < stopping(boundary, 1 - t)[0] <= futility
    assert stopping(boundary, 1 - t + 0.1)[0] > 0.99


def test_e_value_is_the_mixture():
    for s, n, t in ((90, 100, 0.8), (3, 10, 0.5), (0, 5, 0.3), (40, 40, 0.99), (10, 200, 0.5)):

        def ratio(angle, s=s, n=n, t=t):  # p = cos^2(angle) makes the prior uniform
            p = np.cos(angle) ** 2
            return np.exp(s * np.log(p / t) + (n - s) * np.log1p((t - p) / (1 - t))) if p < 1 else float(n == s) / t**s

        top = np.arccos(np.sqrt(t))
        mean = integrate.quad(ratio, 0, top, epsabs=0, epsrel=1e-10)[0] / top
        np.testing.assert_allclose(sequential.log_e_value(s, n, t), np.log(mean), atol=1e-7)


def test_a_decision_allows_for_the_rounding_of_the_evidence():
    """Evidence that reaches 1 / alpha by no more than float64 may have added to it decides nothing."""
    for s, n, t in ((90, 100, 0.8), (999_000, 10**6, 0.9985), (60, 100, 0.8), (998_000, 10**6, 0.9985)):
        above = s > n * t
        evidence = sequential.log_e_value(s, n, t) if above else sequential.log_e_value(n - s, n, 1 - t)
        for less, verdict in ((0.0, 0), (5e-7, 0), (2e-6, 1 if above else -1)):
            level = float(np.exp(less - evidence))
            assert sequential.decisions(s, n, t, *((level, 0.01) if above else (0.001, level))) == verdict


def test_extremes_stay_in_order():
    n = 10**6
    for t in (0.3, 0.9, 1 - 1e-6):
        s = np.linspace(0, n, 4001).round()
        log_e = sequential.log_e_value(s, n, t)
        against = s >= n * t  # H0
        assert (np.diff(log_e[against]) > 0).all()
        assert np.isfinite(log_e[against]).all()
        assert (log_e[~against] <= 0).all()
    assert sequential.log_e_value(0, 0, 0.7) == pytest.approx(0.0, abs=1e-12)


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(1e-6, 0.3))
def test_lower_confidence_inverts_the_test(n, share, alpha):
    s = round(share * n)
    bound = float(sequential.lower_confidence(s, n, alpha))
    assert 0 <= bound <= s / n
    level = -np.log(alpha)
    if bound > 0:
        assert sequential.decisions(s, n, bound, alpha) == 1  # rounded down: the test itself passes there
        assert sequential.log_e_value(s, n, bound) >= level
        assert (sequential.log_e_value(s, n, bound * np.linspace(0.01, 1, 20)) >= level).all()  # an interval
    above = bound + 1e-9 * (1 - bound) + 1e-12
    assert sequential.log_e_value(s, n, above) < level + 1e-2


def test_lower_confidence_under_optional_stopping():
    rng, p, alpha, runs, steps = np.random.default_rng(0), 0.8, 0.05, 2000, 400
    looks = np.arange(20, steps + 1, 20)
    successes = (rng.random((runs, steps)) < p).cumsum(1)[:, looks - 1]
    table = sequential.lower_confidence(np.minimum(np.arange(steps + 1)[:, None], looks), looks, alpha)
    failures = (table[successes, np.arange(len(looks))].max(1) > p).mean()
    assert failures <= alpha + 5 * np.sqrt(alpha / runs)
    assert failures > 0.1 * alpha
    assert (sequential.lower_confidence(300, 400, alpha) < bounds.proportion_lower(300, 400, alpha)).all()


def test_decide():
    test = sequential.SequentialTest(0.8, 1e-3)
    assert [test.decide(s, 100) for s in (100, 85, 60)] == ["certified", "undecided", "rejected"]
    assert test.decide(0, 0) == "undecided"
    verdicts = sequential.decisions([100, 85, 60], 100, [0.8, 0.8, 0.8], 1e-3)
    assert verdicts.tolist() == [1, 0, -1]
    assert verdicts.dtype == np.int8


@pytest.mark.parametrize(
    "arguments",
    [{"t": 0.0}, {"t": 1.0}, {"t": np.nan}, {"alpha": 0.0}, {"alpha": 1.0}, {"futility": 0.0}, {"futility": 2}],
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="Expected 0 <"):
        sequential.SequentialTest(**({"t": 0.5, "alpha": 0.01} | arguments))
    with pytest.raises(ValueError, match="Expected 0 <"):
        sequential.decisions(1, 2, **({"t": 0.5, "alpha": 0.01} | arguments))


def test_bad_counts():
    with pytest.raises(ValueError, match="successes"):
        sequential.log_e_value(3, 2, 0.5)
    with pytest.raises(ValueError, match="successes"):
        sequential.SequentialTest(0.5, 0.1).decide(-1, 2)


def test_coverage_oracle():
    """The dynamic programme itself, against a binomial tail: a boundary at one n only."""
    boundary = np.arange(102)
    boundary[:] = 10**6
    boundary[100] = 60
    hit, _ = stopping(np.minimum(boundary, 200)[:101], 0.5)
    assert hit == pytest.approx(stats.binom.sf(59, 100, 0.5))
