"""Where an attack may look: exactly the region, in float32, whole numbers where only they are attacks."""

import jax
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks.target import Space
from gsmooth_jax.transforms import Additive, Brightness, BrightnessContrast, GaussianBlur, Rotation, Translation

SHAPE = (4, 4, 1)


def norms(xi, p=2):
    return np.linalg.norm(xi.astype(np.float64), ord=p, axis=1)


def test_a_box_is_filled_and_never_left():
    space = Space.of(BrightnessContrast(), gs.Box([-0.1, 0.0], [0.3, 0.7]), SHAPE)
    xi = space.uniform(np.random.default_rng(0), 20_000)
    assert xi.dtype == np.float32
    np.testing.assert_allclose(xi.mean(axis=0), [0.1, 0.35], atol=0.01)
    np.testing.assert_allclose(xi.min(axis=0), [-0.1, 0.0], atol=1e-3)
    # float32 rounds 0.1, 0.3 and 0.7 to either side; the ends themselves stay inside.
    for points in (xi, space.inside(np.array([[9.0, 9.0], [-9.0, -9.0]]))):
        assert (points.astype(np.float64) >= space.low).all()
        assert (points.astype(np.float64) <= space.high).all()


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_a_ball_is_filled_evenly_and_never_left(p):
    space = Space.of(Additive(), gs.Ball(0.3, p=p), SHAPE)
    xi = space.uniform(np.random.default_rng(0), 4000)
    assert xi.shape == (4000, 16)
    assert norms(xi, p).max() <= 0.3
    # The share within a radius r of a ball in 16 dimensions is r^16.
    np.testing.assert_allclose(np.median(norms(xi, p)) / 0.3, 0.5 ** (1 / 16), rtol=2e-3)
    outside = space.inside(10 * xi)
    assert norms(outside, p).max() <= 0.3
    assert norms(outside, p).min() > 0.3 * (1 - 1e-6)


def test_an_l1_ball_is_no_l2_ball():
    """Of evenly spread points in two dimensions a coordinate is past r/2 with probability 1/4 in L1."""
    space = Space.of(Translation(), gs.Ball(1000.0, 2, 1), SHAPE)
    xi = space.uniform(np.random.default_rng(0), 20_000)
    assert np.mean(np.abs(xi[:, 0]) > 500.0) == pytest.approx(0.25, abs=0.015)
    assert (xi == np.rint(xi)).all()


def test_the_transforms_range_bounds_a_ball():
    space = Space.of(GaussianBlur(), gs.Ball(4.0, 1), SHAPE)
    assert space.uniform(np.random.default_rng(0), 100).min() >= 0.0


def test_whole_parameters_are_whole_and_equally_likely():
    space = Space.of(Translation(), gs.Box([-2.0, -1.5], [2.0, 1.5]), SHAPE)
    xi = space.uniform(np.random.default_rng(0), 20_000)
    assert {tuple(x) for x in xi} == {(a, b) for a in (-2, -1, 0, 1, 2) for b in (-1, 0, 1)}
    shares = np.unique(xi[:, 0], return_counts=True)[1] / len(xi)
    np.testing.assert_allclose(shares, 0.2, atol=0.02)
    ball = Space.of(Translation(), gs.Ball(2.0, 2), SHAPE)
    assert {tuple(x) for x in ball.uniform(np.random.default_rng(0), 5000)} == {
        (a, b) for a in range(-2, 3) for b in range(-2, 3) if a * a + b * b <= 4
    }


@pytest.mark.parametrize("region", [gs.Ball(8.0, 2), gs.Ball(2.5, 2), gs.Box([-8, 0], [3, 8])], ids=str)
def test_what_is_attacked_is_what_the_translation_does(region):
    """Rounded by T, (5.6, 5.6) would leave the ball of radius 8: no such shift is an attack, or claimed."""
    space, image = Space.of(Translation(), region, (28, 28, 1)), np.arange(784.0, dtype=np.float32).reshape(28, 28, 1)
    rng = np.random.default_rng(0)
    anywhere = np.concatenate([rng.uniform(-9, 9, (200, 2)), [[5.6, 5.6], [-7.5, 2.5], [0.5, 7.5]]])
    tried = np.concatenate([space.uniform(rng, 200), space.inside(anywhere)])
    moved = np.asarray(jax.jit(jax.vmap(Translation(), in_axes=(None, 0)))(image, tried))
    for xi, found in zip(tried, moved, strict=True):
        np.testing.assert_array_equal(found, np.roll(image, xi.astype(int), (0, 1)))  # by xi itself
    if isinstance(region, gs.Ball):
        assert norms(tried).max() <= region.radius
    else:
        assert (region.low <= tried).all()
        assert (tried <= region.high).all()
        # In a box with whole ends T rounds every other shift to one that is attacked.
        inside = rng.uniform(region.low, region.high, (200, 2)).astype(np.float32)
        steps = np.floor(inside + 0.5)
        assert (region.low <= steps).all()
        assert (steps <= region.high).all()


@pytest.mark.parametrize(
    ("transform", "region"),
    [
        (Brightness(), gs.Box([-1, -1], [1, 1])),
        (Additive(), gs.Box([-1], [1])),
        (Rotation(), gs.Ball(3.0, 2)),
    ],
)
def test_another_number_of_parameters_is_refused(transform, region):
    with pytest.raises(ValueError, match=f"parameters for {transform.name}"):
        Space.of(transform, region, SHAPE)
