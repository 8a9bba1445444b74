"""The theorem of pairs, against events whose probabilities are known."""

import numpy as np
import pytest
from scipy import special

from gsmooth_jax.methods.cover import pairs


def probability(boxes, point):
    """Of a union of disjoint boxes [M, 2, 2] (corners) under N(point, 1) in the plane."""
    ends = special.ndtr(boxes - point)
    return np.prod(ends[:, 1] - ends[:, 0], axis=1).sum()


def bound(half, aside, along, beyond=0.0):
    return float(pairs.pair_bounds(*(np.array(value) for value in (half, aside, along, beyond))))


def stripes(rng):
    """Disjoint boxes: stripes across the line of the centres, of random widths and heights."""
    ends = np.sort(rng.normal(0.0, rng.uniform(0.3, 2.0), 2 * rng.integers(1, 4))).reshape(-1, 2)
    heights = np.sort(rng.normal(rng.uniform(-1, 1), rng.uniform(2.0, 20.0), (len(ends), 2)), axis=1)
    return np.stack([ends, heights], axis=2)


def test_no_event_that_is_improbable_between_is_more_probable_at_both_than_said():
    rng, near = np.random.default_rng(0), 0
    for _ in range(20_000):
        half, aside, along = rng.uniform(0.0, 2.2), abs(rng.normal(0.0, 0.4)), abs(rng.normal(0.0, 0.4))
        errors = stripes(rng)
        there = probability(errors, np.array([rng.uniform(-along, along), rng.uniform(-aside, aside)]))
        right = 1.0 - np.mean([probability(errors, np.array([x, 0.0])) for x in (-half, half)])
        if there >= 0.5:
            said = bound(half, aside, along)
            assert right <= said
            near += right > said - 0.05
    assert near > 30  # of these some were not far from it


def test_a_slab_half_way_is_the_worst_of_what_is_not_aside():
    band = special.ndtri(0.75)  # half the noise at its middle falls inside
    slab = np.array([[[-band, -np.inf], [band, np.inf]]])
    assert probability(slab, np.zeros(2)) == pytest.approx(0.5)
    for half in (0.5, 1.0, 1.5, 2.0):
        at_centre = 1.0 - probability(slab, np.array([half, 0.0]))
        assert at_centre <= bound(half, 0.0, 0.0) <= at_centre + 0.03  # some of it is for ``aside`` that is rounded up


@pytest.mark.parametrize(("half", "aside", "along"), [(0.5, 0.25, 0.0), (1.0, 0.5, 0.25), (0.25, 0.375, 0.5)])
def test_the_bound_is_what_the_lemma_of_neyman_and_pearson_gives(half, aside, along):
    """On a grid of the plane: the most probable event at both centres with one half at most at the latent."""
    line = np.linspace(-8.0, 8.0, 801)
    x, y = np.meshgrid(line, line, indexing="ij")

    def density(a, b):
        return np.exp(-0.5 * ((x - a) ** 2 + (y - b) ** 2)) * (line[1] - line[0]) ** 2 / (2 * np.pi)

    most = 0.0
    for t in np.linspace(0.0, along, 9):
        there, both = density(t, aside), 0.5 * (density(-half, 0.0) + density(half, 0.0))
        order = np.argsort(-(both / there).ravel())
        inside = there.ravel()[order].cumsum() <= 0.5
        most = max(most, both.ravel()[order][inside].sum())
    assert most - 2e-3 <= bound(half, aside, along) <= most + 0.012


def test_the_table_holds_what_is_computed():
    rng = np.random.default_rng(0)
    assert pairs._TABLE.shape == pairs._COUNTS
    for place in (rng.integers(0, pairs._COUNTS).tolist() for _ in range(150)):
        assert pairs._TABLE[tuple(place)] == pairs.computed(*place)


def test_the_quadrature_is_finer_than_what_is_added_for_it(monkeypatch):
    places = [(40, 0, 8), (72, 0, 0), (72, 2, 25), (8, 16, 4), (30, 48, 25)]
    monkeypatch.setattr(pairs, "_SCALE", 10**9)
    monkeypatch.setattr(pairs, "_OUTWARD", 0.0)
    coarse = [pairs.computed(*place) for place in places]
    monkeypatch.setattr(pairs, "_NODES", np.linspace(-8.5, 12.0, 20 * len(pairs._NODES)))
    np.testing.assert_allclose(coarse, [pairs.computed(*place) for place in places], rtol=0, atol=2e-6 * 10**9)


def test_a_ball_around_a_point_is_no_worse_than_the_box_around_it_and_no_better_than_any_of_its_points():
    rng = np.random.default_rng(0)
    for half, aside, along, beyond in rng.uniform(0.0, (2.0, 0.3, 0.3, 0.5), (200, 4)):
        said = bound(half, aside, along, beyond)
        assert said <= bound(half, aside + beyond, along + beyond)
        for angle in np.linspace(0.0, np.pi / 2, 7):
            t, w = along + beyond * np.cos(angle), aside + beyond * np.sin(angle)
            assert said >= pairs.computed(int(half * 32), int(w * 32), int(t * 16)) / 1e4 - 0.01
    assert bound(1.0, 0.0, 0.0, 0.5) < bound(1.0, 0.5, 0.5) - 0.005


def test_it_says_nothing_far_away_and_what_one_centre_says_near():
    for arguments in ((2.3, 0.1, 0.0), (1.0, 1.6, 0.0), (1.0, 0.1, 1.7), (np.inf, 0.0, 0.0)):
        assert bound(*arguments) == 1.0
    # Two centres in one place: the answer carries as far as a half-space lets it.
    for far in (0.25, 0.5, 1.0):
        assert special.ndtr(far) <= bound(0.0, far, 0.0) <= special.ndtr(far) + 0.02
        assert bound(1e-3, far, 0.0) >= special.ndtr(far)
