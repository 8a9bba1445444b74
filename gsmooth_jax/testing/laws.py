"""What every smoothing law promises: ``check_smoothing``."""

from typing import Any

import jax
import numpy as np
from scipy import integrate, optimize, stats

from gsmooth_jax.testing.refusal import refused


def check_smoothing(law: Any, dist: Any, *, seed: int = 0) -> None:
    """Checks a law against an independent distribution, in one parameter and, where it takes them, in two.

    In one parameter radii have to be exact; in two it may certify less than is true, and nothing else.

    Args:
      law: a Smoothing whose parameters have one distribution.
      dist: that distribution in the additive coordinate (the logarithm for a multiplicative law), with ``cdf``, ``pdf``
        and ``ppf`` as in ``scipy.stats``.
      seed: of the draws.
    """
    draws = _check_sampler(law, dist, seed)
    # The test can fail: a law a third narrower or half as wide again is refused.
    assert stats.kstest(draws, dist.cdf).pvalue > 1e-3
    assert stats.kstest(draws * (2 / 3), dist.cdf).pvalue < 1e-9
    assert stats.kstest(draws * 1.5, dist.cdf).pvalue < 1e-9

    for p_lower, p_upper in ((0.6, 0.4), (0.8, 0.1), (0.4, 0.25), (0.99, 0.001)):
        for direction in (1, -1):
            radius = law.radius_integral(p_lower, p_upper, direction)
            if p_lower == 0.8:  # slow
                np.testing.assert_allclose(radius, _integrated_radius(dist, p_lower, p_upper, direction), rtol=1e-6)
            # Cells of the brute force blur the answer by about 1e-3 of it.
            assert neyman_pearson_gap(dist.cdf, dist.ppf, 0.99 * radius * direction, p_lower, p_upper) > 0
            assert neyman_pearson_gap(dist.cdf, dist.ppf, 1.01 * radius * direction, p_lower, p_upper) < 0
            assert law.certifies(np.array([0.999999 * radius * direction]), p_lower, p_upper)
            assert not law.certifies(np.array([radius * direction]), p_lower, p_upper)
    _check_probabilities(law)
    _check_vectors(law, dist)


def neyman_pearson_gap(cdf: Any, ppf: Any, shift: float, p_lower: float, p_upper: float, cells: int = 20_000) -> float:
    """Returns how far the top class stays ahead under the worst test: beta - (1 - beta'), in cells."""
    clean = np.concatenate([[-np.inf], np.linspace(float(ppf(1e-9)), float(ppf(1 - 1e-9)), cells), [np.inf]])
    edges = np.unique(np.concatenate([clean, clean + shift]))
    p0, p1 = np.diff(cdf(edges)), np.diff(cdf(edges - shift))
    return discrete_gap(p0, p1, p_lower, p_upper)


def discrete_gap(p0: np.ndarray, p1: np.ndarray, p_lower: float, p_upper: float) -> float:
    """As ``neyman_pearson_gap``, for two laws on finitely many cells."""
    keep = (p0 > 0) | (p1 > 0)
    p0, p1 = p0[keep], p1[keep]
    with np.errstate(divide="ignore"):
        order = np.argsort(p1 / p0)
    size, power = np.concatenate([[0], np.cumsum(p0[order])]), np.concatenate([[0], np.cumsum(p1[order])])
    beta = np.interp(p_lower, size, power)  # the least attacked probability of a test with clean probability p_lower
    gain = 1 - np.interp(1 - p_upper, size, power)  # the largest, with clean probability p_upper
    return float(beta - gain)


def _check_sampler(law: Any, dist: Any, seed: int) -> np.ndarray:
    """Draws [20000] in the additive coordinate, after checks of shape, range, determinism and recompilation."""
    traces = []

    def sample(law: Any, key: jax.Array) -> jax.Array:
        traces.append(None)
        return law.sample(key, 20_000)

    compiled = jax.jit(sample)
    draws = compiled(law, jax.random.key(seed))
    assert draws.shape == (20_000,)
    assert draws.dtype == np.float32
    other = jax.tree.map(lambda leaf: 1.25 * leaf, law)  # another parameter, same program
    assert type(other) is type(law)
    assert not np.array_equal(compiled(other, jax.random.key(seed)), draws)
    assert len(traces) == 1
    values = np.asarray(draws, dtype=np.float64)
    assert values.min() >= law.support[0]
    assert values.max() <= law.support[1]
    if law.acts == "multiplicative":
        values = np.log(values)
    assert np.isfinite(values).all()
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 5 / np.sqrt(len(values))
    return values


def _integrated_radius(dist: Any, p_lower: float, p_upper: float, direction: int) -> float:
    """The radius as two integrals that meet: the top class falls and the runner-up rises at the density's rates.

    Under a shift to the right the worst test of the top class at level p is {x < F^-1(p)}, which loses at the rate
    g(F^-1(p)), and of the runner-up {x > F^-1(1 - p)}, which gains at the rate g(F^-1(1 - p)). These are the tail means
    of the score, with the boundary term that a density with an edge adds.
    """
    lose = (lambda p: 1 / dist.pdf(dist.ppf(p))) if direction > 0 else (lambda p: 1 / dist.pdf(dist.ppf(1 - p)))
    gain = (lambda p: 1 / dist.pdf(dist.ppf(1 - p))) if direction > 0 else (lambda p: 1 / dist.pdf(dist.ppf(p)))

    def fall(level: float) -> float:
        return integrate.quad(lose, level, p_lower, epsabs=1e-8, epsrel=1e-7)[0]

    def rise(level: float) -> float:
        return integrate.quad(gain, p_upper, level, epsabs=1e-8, epsrel=1e-7)[0]

    meeting: Any = optimize.brentq(lambda c: fall(c) - rise(c), p_upper, p_lower, xtol=1e-9)
    return fall(float(meeting))


def _check_vectors(law: Any, dist: Any) -> None:
    """No test of two independent draws exceeds a shift of both that the law certifies."""
    try:
        law.certifies(np.zeros(2), 0.9, 0.1)
    except ValueError as error:  # a law may be of one parameter alone
        assert "parameter" in str(error), f"expected a refusal of two parameters, got: {error}"  # noqa: PT017
        return
    edges = np.concatenate([[-np.inf], dist.ppf(np.linspace(1e-7, 1 - 1e-7, 200)), [np.inf]])
    for p_lower, p_upper in ((0.6, 0.4), (0.8, 0.1), (0.4, 0.25), (0.99, 0.001)):
        for direction in ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 0.25), (0.25, -1.0)):
            shift = _longest(law, np.array(direction), p_lower, p_upper) * np.array(direction)
            assert shift.any(), f"no shift along {direction} is certified"
            # Cells only hide what a test could tell, so that a sound law is never refused.
            p0, p1 = (
                np.outer(*masses).ravel() for masses in zip(*(_cells(dist, edges, s) for s in shift), strict=True)
            )
            gap = discrete_gap(p0, p1, p_lower, p_upper)
            assert gap > -1e-6, f"the shift {shift} is certified with {p_lower=}, {p_upper=}, and loses by {-gap}"


def _longest(law: Any, direction: np.ndarray, p_lower: float, p_upper: float) -> float:
    """The largest certified multiple of a direction, after a check that all smaller ones are certified too."""
    high = 1.0
    while law.certifies(high * direction, p_lower, p_upper):
        high *= 2.0
        assert high < 1e9, f"every shift along {direction} is certified with {p_lower=}, {p_upper=}"
    low = 0.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if law.certifies(middle * direction, p_lower, p_upper) else (low, middle)
    shares = np.linspace(0.0, 2.0, 41) + 1e-3
    assert [law.certifies(s * low * direction, p_lower, p_upper) for s in shares] == (shares < 1.0).tolist()
    return low


def _cells(dist: Any, edges: np.ndarray, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """The masses of cells under one parameter's distribution, and under the shifted one."""
    edges = np.unique(np.concatenate([edges, edges + shift]))
    return np.diff(dist.cdf(edges)), np.diff(dist.cdf(edges - shift))


def _check_probabilities(law: Any) -> None:
    assert law.radius_integral(0.5, 0.5) == 0.0
    assert law.radius_integral(0.2, 0.6) == 0.0
    assert not law.certifies(np.zeros(1), 0.5, 0.5)
    assert law.certifies(np.zeros(1), 0.51, 0.49)
    # A runner-up bound above what the top class leaves is no worse than 1 - p_lower.
    assert law.radius_integral(0.8, 0.9) == law.radius_integral(0.8, 0.2)
    for bad in (np.nan, -0.1, 1.1):
        with refused("probabilities"):
            law.radius_integral(bad, 0.1)
        with refused("probabilities"):
            law.radius_integral(0.9, bad)
    with refused("direction"):
        law.radius_integral(0.9, 0.1, 0)
    for bad_shift in (np.array([np.nan]), np.zeros(0), np.zeros((1, 1))):
        with refused("shift"):
            law.certifies(bad_shift, 0.9, 0.1)
    grid = np.array([law.radius_integral(p, 1 - p) for p in np.linspace(0.5, 1 - 1e-9, 60)])
    assert (np.diff(grid) > 0).all()
