import numpy as np
import pytest
from scipy.stats import qmc

import gsmooth_jax as gs


@pytest.mark.parametrize("dim", [1, 2, 4, 16])
def test_points_are_spread_more_evenly_than_by_chance(dim):
    box = gs.Box(-np.arange(1.0, dim + 1), np.linspace(0.5, 3.0, dim))
    points = box.spread(500)
    assert points.shape == (500, dim)
    assert ((box.low <= points) & (points <= box.high)).all()
    np.testing.assert_array_equal(points[:20], box.spread(20))
    unit = (points - box.low) / (np.array(box.high) - box.low)
    chance = [qmc.discrepancy(np.random.default_rng(seed).uniform(size=(500, dim)), method="MD") for seed in range(20)]
    assert qmc.discrepancy(unit, method="MD") < min(chance)
    # One parameter: no gap is wider than three times the even one.
    assert max(np.diff(np.sort(unit[:, 0]))) < 3 / 500 or dim > 1


def test_the_steps_are_those_of_the_published_sequence():
    # 1 / phi of one, two and three parameters.
    for dim, ratio in ((1, 0.6180339887498949), (2, 0.7548776662466927), (3, 0.8191725133961645)):
        found = np.diff(gs.Box([0.0] * dim, [1.0] * dim).spread(2), axis=0)[0] % 1.0
        np.testing.assert_allclose(found, ratio ** np.arange(1, dim + 1), rtol=1e-12)
    with pytest.raises(ValueError, match="count >= 1"):
        gs.Box([0.0], [1.0]).spread(0)
