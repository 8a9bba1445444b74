"""The Gram matrices of many points are computed a few at a time, and are those of each point by itself."""

import jax
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax.methods.surrogate_kernel import gram_kernel
from gsmooth_jax.surrogate import jacobian
from tests.surrogates import SHAPE, random_surrogate

COUNT = 16


def given(points):
    ends = (1.0,) * COUNT
    surrogate = random_surrogate(transform="anything", low=tuple(-e for e in ends), high=ends)
    noise = gs.AugmentedNoise(surrogate=surrogate, sigma_parameter=0.5, sigma=0.2)
    random = np.random.default_rng(0)
    xi, units = random.uniform(-1, 1, (points, COUNT)), random.uniform(0.1, 1.0, COUNT)
    return noise, *(a.astype(np.float32) for a in (random.uniform(size=SHAPE), xi, units))


def test_chunks_are_the_points_themselves():
    noise, image, xi, units = given(75)  # two chunks of 32, and a part of one
    found = np.asarray(gram_kernel(noise, image, xi, units))
    one = jax.jit(jacobian.gram)
    alone = np.stack([one(noise, image, x, units) for x in xi])
    apart = np.abs(found - alone).max(axis=(1, 2)) / np.abs(alone).max(axis=(1, 2))
    # Where a rectifier's input is as good as 0, its derivative is either of two numbers.
    assert np.mean(apart < 1e-4) > 0.9
    assert apart.max() < 0.1


def test_memory_does_not_grow_with_the_points():
    def temporary(points):
        memory = gram_kernel.lower(*given(points)).compile().memory_analysis()
        return memory.temp_size_in_bytes

    few, chunk, many = (temporary(points) for points in (8, 32, 320))
    assert chunk > 2 * few
    assert many < 1.3 * chunk
