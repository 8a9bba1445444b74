import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks import Grid
from gsmooth_jax.attacks.target import Space
from gsmooth_jax.transforms import Additive, Brightness, BrightnessContrast, Clip, Pixelate, Quantize, Translation

SHAPE = (4, 4, 1)


def points(transform, region, tries, target, guarantee):
    made = target(guarantee)
    space = Space.of(transform, region, SHAPE)
    Grid(tries=tries).check(transform, space, SHAPE)
    return Grid(tries=tries).propose(type(made)(**{**vars(made), "transform": transform, "space": space}))


def test_a_box_has_its_corners_and_even_steps(target, guarantee):
    (low,), (high,) = guarantee.region.low, guarantee.region.high
    grid = Grid(tries=7).propose(target(guarantee))
    np.testing.assert_allclose(grid[:, 0], np.linspace(low, high, 7), atol=1e-7)
    box = gs.Box([-0.5, -0.2], [0.5, 0.3])
    grid = points(BrightnessContrast(), box, 30, target, guarantee)
    assert len(grid) == 25
    np.testing.assert_allclose(grid[[0, -1]], [[-0.5, -0.2], [0.5, 0.3]], rtol=1e-6)


def test_a_ball_has_its_sphere(target, guarantee):
    grid = points(BrightnessContrast(), gs.Ball(0.5, 2), 25, target, guarantee)
    norms = np.linalg.norm(grid.astype(np.float64), axis=1)
    assert norms.max() <= 0.5
    assert (norms > 0.4999).sum() >= 12


@pytest.mark.parametrize(
    ("transform", "region", "count"),
    [
        (Pixelate(), gs.Box([0.0], [0.5]), 3),  # of 4 px: 4, 3 and 2
        (Pixelate() | Clip() | Quantize(bits=8), gs.Box([0.0], [0.5]), 3),
        (Translation(), gs.Box([-1.0, -1.0], [1.0, 1.0]), 9),
        (Translation(), gs.Ball(1.0, 2), 5),
    ],
)
def test_finitely_many_values_are_all_listed(transform, region, count, target, guarantee):
    assert len(points(transform, region, 100, target, guarantee)) == count
    assert len(points(transform, region, 2, target, guarantee)) == 2


def test_too_many_parameters_are_refused(target, guarantee):
    with pytest.raises(ValueError, match=r"tries >= 2\^16 for a grid of 16 parameters, got tries=100"):
        points(Additive(), gs.Ball(1.0), 100, target, guarantee)
    with pytest.raises(ValueError, match="tries >= 1"):
        Grid(tries=0)
    with pytest.raises(ValueError, match=r"tries >= 2\^1"):
        points(Brightness(), gs.Ball(1.0, 1), 1, target, guarantee)
