"""Pixel noise with a common draw: its metric against dense matrices, its draws, and its text."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import smoothing
from gsmooth_jax.smoothing import PixelNoise
from gsmooth_jax.types import LatentNoise

SHAPE, ENTRIES = (4, 5, 2), 40
NOISE = PixelNoise(sigma=0.2, brightness=0.3)
COVARIANCE = 0.2**2 * np.eye(ENTRIES) + 0.3**2


def dense(differences, covariance=COVARIANCE):
    return np.sqrt(np.einsum("md,md->m", differences, np.linalg.solve(covariance, differences.T).T))


def test_distances_are_those_of_the_dense_inverse():
    rng = np.random.default_rng(0)
    # Anything, offsets alone (where S^-1 itself would cancel), and offsets with a little of anything.
    anything, offsets = rng.normal(size=(20, ENTRIES)), rng.normal(size=(20, 1)) * np.ones(ENTRIES)
    differences, centre = np.concatenate([anything, offsets, offsets + 1e-3 * anything]), rng.random(ENTRIES)
    found = NOISE.distances(centre + differences, centre)
    np.testing.assert_allclose(found, dense(differences) * (1 + 1e-10), rtol=1e-12)
    single = (centre + differences).astype(np.float32)
    assert (NOISE.distances(single, centre) >= dense(single.astype(np.float64) - centre)).all()


def test_the_split_is_the_cheapest():
    difference = np.random.default_rng(1).normal(0.4, 0.1, ENTRIES)
    shifts = np.linspace(0.0, 0.8, 8001)
    costs = (shifts / 0.3) ** 2 + ((difference[None] - shifts[:, None]) ** 2).sum(axis=1) / 0.2**2
    distance = NOISE.distances(difference[None], np.zeros(ENTRIES))[0]
    assert distance**2 == pytest.approx(costs.min(), rel=1e-6)
    assert distance < np.sqrt(min(costs[0], costs[-1]))


def test_its_bounds_on_speed_are_reached():
    assert isinstance(NOISE, LatentNoise)
    assert NOISE.lipschitz_upper == 1 / 0.2
    across, along = np.zeros(ENTRIES), np.ones(ENTRIES) / np.sqrt(ENTRIES)
    across[:2] = 0.5**0.5, -(0.5**0.5)
    found = NOISE.distances(np.stack([across, along]), np.zeros(ENTRIES))
    np.testing.assert_allclose(found, [NOISE.lipschitz_upper, NOISE.offset_upper(ENTRIES)], rtol=1e-9)


def _draws(noise, centre, count):
    return jax.jit(jax.vmap(noise, in_axes=(0, None)))(jax.random.split(jax.random.key(0), count), centre)


def test_draws_have_the_stated_covariance():
    count = 20_000
    flat = np.asarray(_draws(NOISE, jnp.zeros(SHAPE), count), np.float64).reshape(count, -1)
    whitened = np.linalg.solve(np.linalg.cholesky(COVARIANCE), flat.T)
    assert np.abs(whitened.mean(axis=1)).max() < 5 / np.sqrt(count)
    assert np.abs(whitened @ whitened.T / count - np.eye(ENTRIES)).max() < 7 / np.sqrt(count)


def test_without_brightness_nothing_has_changed():
    centre = jnp.asarray(np.random.default_rng(2).random(SHAPE, np.float32))
    before = jax.jit(jax.vmap(lambda s, k: centre + s * jax.random.normal(k, centre.shape), in_axes=(None, 0)))
    expected = before(0.2, jax.random.split(jax.random.key(0), 100))
    np.testing.assert_array_equal(_draws(PixelNoise(sigma=0.2), centre, 100), expected)
    difference = np.random.default_rng(3).normal(size=(5, ENTRIES))
    norms = np.sqrt(np.einsum("md,md->m", difference, difference)) * ((1 + 1e-10) / 0.2)
    np.testing.assert_allclose(PixelNoise(sigma=0.2).distances(difference, np.zeros(ENTRIES)), norms, rtol=1e-14)


@pytest.mark.parametrize(
    ("noise", "text"),
    [
        (PixelNoise(sigma=0.25), "pixel_noise(sigma=0.25)"),  # as before there was any brightness
        (PixelNoise(sigma=0.25, brightness=0.3), "pixel_noise(sigma=0.25, brightness=0.3)"),
    ],
)
def test_texts_are_read_back(noise, text):
    assert smoothing.describe(noise) == text
    assert smoothing.parse(text) == noise
    assert smoothing.parse("pixel_noise(sigma=0.25, brightness=0.0)") == PixelNoise(sigma=0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": 0.0}, "sigma > 0"),
        ({"brightness": -0.1}, "brightness >= 0"),
        ({"brightness": float("nan")}, "brightness finite"),
        ({"brightness": "wide"}, "number brightness"),
    ],
)
def test_bad_noise(change, message):
    with pytest.raises(ValueError, match=message):
        PixelNoise(**({"sigma": 0.2} | change))
