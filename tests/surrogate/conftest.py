"""A tiny surrogate with random weights, and noise in it."""

import numpy as np
import pytest

from gsmooth_jax.surrogate import AugmentedNoise
from tests.surrogates import SHAPE, random_surrogate


@pytest.fixture(scope="session")
def surrogate():
    return random_surrogate()


@pytest.fixture(scope="session")
def noise(surrogate):
    return AugmentedNoise(surrogate=surrogate, sigma_parameter=(2.0, 0.1), sigma=0.2)


@pytest.fixture(scope="session")
def image():
    rng = np.random.default_rng(1)
    return np.clip(rng.random(SHAPE) * 0.6 + np.linspace(0, 0.4, 8)[:, None, None], 0, 1).astype(np.float32)
