import dataclasses

import numpy as np
import pytest

from gsmooth_jax.attacks import Random


def test_draws_are_a_function_of_seed_and_image(target, guarantee):
    draws = Random(tries=50).propose(target(guarantee))
    assert draws.shape == (50, 1)
    assert np.array_equal(draws, Random(tries=50).propose(target(guarantee)))
    other_seed = dataclasses.replace(guarantee, seed=1)
    for other in (target(guarantee, image_id=4), target(other_seed)):
        assert not np.array_equal(draws, Random(tries=50).propose(other))


def test_more_tries_only_add(target, guarantee):
    few, many = (Random(tries=k).propose(target(guarantee)) for k in (20, 50))
    assert np.array_equal(many[:20], few)
    with pytest.raises(ValueError, match="tries >= 1"):
        Random(tries=0)
