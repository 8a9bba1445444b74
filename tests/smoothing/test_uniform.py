import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.smoothing import Uniform
from gsmooth_jax.testing.laws import check_smoothing, discrete_gap


def test_contract():
    check_smoothing(Uniform(low=-0.5, high=1.0), stats.uniform(-0.5, 1.5))


@pytest.mark.parametrize("shift", [(0.2, 0.1), (-0.3, 0.3), (0.9, 0.0)])
def test_cube_against_brute_force(shift):
    width, cells = 1.5, 300
    edges = np.sort(np.concatenate([np.linspace(0, width, cells), np.linspace(-width, 2 * width, cells)]))
    law, uniform = Uniform(low=0, high=width), stats.uniform(0, width)
    clean = np.diff(uniform.cdf(edges))
    moved = [np.diff(uniform.cdf(edges - s)) for s in shift]
    p0, p1 = np.outer(clean, clean).ravel(), np.outer(*moved).ravel()
    for p_lower, p_upper in ((0.7, 0.3), (0.9, 0.05), (0.99, 0.01), (0.4, 0.1)):
        gap = discrete_gap(p0, p1, p_lower, p_upper)
        if abs(gap) > 0.02:  # what the cells blur
            assert law.certifies(np.array(shift), p_lower, p_upper) == (gap > 0)


def test_the_boundary_counts():
    # GSmooth's formula without the boundary term is infinite here: the score of a flat density is 0.
    assert Uniform(low=0, high=1).radius_integral(0.999, 0.001) < 0.5
    assert not Uniform(low=0, high=1).certifies(np.array([0.0, 1.5]), 1.0, 0.0)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (1, 0), (np.nan, 1), (0, np.inf)])
def test_bad_ends(low, high):
    with pytest.raises(ValueError, match=r"low|high"):
        Uniform(low=low, high=high)
