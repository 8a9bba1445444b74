"""The theorem of two centres, against classifiers whose probabilities are known."""

import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.methods.cover.geometry import Geometry, Stages
from gsmooth_jax.methods.cover.two_centres import Path, two_centres
from gsmooth_jax.transforms import Clip, Quantize, Rotation


def probability(boxes, point):
    """Of a union of disjoint boxes [M, 2, 2] (corners) under N(point, 1) in the plane."""
    ends = special.ndtr(boxes - point)
    return np.prod(ends[:, 1] - ends[:, 0], axis=1).sum()


def stripes(rng):
    """Disjoint boxes: stripes across the line of the centres or aslant to it, of random widths and heights."""
    ends = np.sort(rng.normal(0.0, rng.uniform(0.3, 2.0), 2 * rng.integers(1, 4))).reshape(-1, 2)
    heights = np.sort(rng.normal(rng.uniform(-1, 1), rng.uniform(2.0, 20.0), (len(ends), 2)), axis=1)
    return np.stack([ends, heights], axis=2)


def test_what_both_centres_allow_is_right_between_them():
    """Errors that the distance allows at both centres are fewer than half wherever the theorem says so."""
    rng, near = np.random.default_rng(0), 0
    for _ in range(20_000):
        apart, aside = rng.uniform(0.0, 3.0), abs(rng.normal(0.0, 0.4))
        errors = stripes(rng)
        worst = max(probability(errors, np.array([x, 0.0])) for x in (-0.5 * apart, 0.5 * apart))
        if worst < special.ndtr(-two_centres(apart, aside)):
            angle, along = rng.uniform(0.0, 2 * np.pi), rng.uniform(-0.5, 0.5) * apart
            there = probability(errors, np.array([along, 0.0]) + aside * np.array([np.cos(angle), np.sin(angle)]))
            assert there < 0.5
            near += there > 0.4
    assert near > 30  # of these some were not far from a half


@pytest.mark.parametrize("apart", [0.1, 1.0, 2.5, 5.0])
def test_a_band_half_way_is_the_worst(apart):
    band = special.ndtri(0.75)  # half the noise at its middle falls inside
    there = np.array([[[-band, -np.inf], [band, np.inf]]])
    assert probability(there, np.zeros(2)) == pytest.approx(0.5)
    at_centre = probability(there, np.array([0.5 * apart, 0.0]))
    assert special.ndtr(-two_centres(apart, 0.0)) == pytest.approx(at_centre, rel=1e-9)


def test_the_distance_grows_with_either_and_is_never_below_the_second():
    for aside in (0.0, 0.1, 1.0):
        distances = [two_centres(apart, aside) for apart in (0.0, 0.01, 0.5, 2.0, 8.0, 40.0)]
        assert distances == sorted(distances)
        assert distances[0] == pytest.approx(aside, abs=1e-8)
        assert distances[0] >= aside
        assert distances[-1] == np.inf
    assert two_centres(1.0, 0.2) > two_centres(1.0, 0.1)
    # One centre that speaks for itself reaches half as far as D; two reach much further.
    assert two_centres(2.0, 0.0) < 0.55


def test_a_digits_path_takes_half_as_many_centres(monkeypatch):
    found = []
    monkeypatch.setattr(Path, "cells", lambda self: found.append(self) or [])
    geometry = Geometry(
        image=embedded_images().images[0].astype(np.float32) / 255.0,
        stages=Stages.of(Rotation() | Clip() | Quantize()),
        noise=gs.PixelNoise(sigma=0.15),
    )
    geometry.cells(np.array([-10.0]), np.array([10.0]), lambda points, floors: np.full(len(points), 0.65))
    (path,) = found
    chained, single = path._chained(), list(path._single())
    assert all(c.distance <= 0.65 for c in chained + single)
    assert len(chained) <= 0.55 * len(single)
