"""Pixel noise with a common draw: its metric against dense matrices, its draws, and its text."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import smoothing
from gsmooth_jax.smoothing import PixelNoise
from gsmooth_jax.smoothing.rounded_normal import rounded_normal, shared_upper
from gsmooth_jax.types import Computed, LatentNoise
from tests.known import distances

SHAPE, ENTRIES = (4, 5, 2), 40
NOISE = PixelNoise(sigma=0.2, brightness=0.3)
EXACT = PixelNoise(sigma=0.2, exact=True)
EXACT_TOO = PixelNoise(sigma=0.2, brightness=0.3, exact=True)
COVARIANCE = 0.2**2 * np.eye(ENTRIES) + 0.3**2


def dense(differences, covariance=COVARIANCE):
    return np.sqrt(np.einsum("md,md->m", differences, np.linalg.solve(covariance, differences.T).T))


def test_distances_are_those_of_the_dense_inverse():
    rng = np.random.default_rng(0)
    # Anything, offsets alone (where S^-1 itself would cancel), and offsets with a little of anything.
    anything, offsets = rng.normal(size=(20, ENTRIES)), rng.normal(size=(20, 1)) * np.ones(ENTRIES)
    differences, centre = np.concatenate([anything, offsets, offsets + 1e-3 * anything]), rng.random(ENTRIES)
    found = distances(NOISE, centre + differences, centre)
    np.testing.assert_allclose(found, dense(differences) * (1 + 1e-10), rtol=1e-12)
    single = (centre + differences).astype(np.float32)
    assert (distances(NOISE, single, centre) >= dense(single.astype(np.float64) - centre)).all()


def test_the_split_is_the_cheapest():
    difference = np.random.default_rng(1).normal(0.4, 0.1, ENTRIES)
    shifts = np.linspace(0.0, 0.8, 8001)
    costs = (shifts / 0.3) ** 2 + ((difference[None] - shifts[:, None]) ** 2).sum(axis=1) / 0.2**2
    distance = distances(NOISE, difference[None], np.zeros(ENTRIES))[0]
    assert distance**2 == pytest.approx(costs.min(), rel=1e-6)
    assert distance < np.sqrt(min(costs[0], costs[-1]))


def test_its_bounds_on_speed_are_reached():
    assert isinstance(NOISE, LatentNoise)
    assert NOISE.lipschitz_upper == 1 / 0.2
    across, along = np.zeros(ENTRIES), np.ones(ENTRIES) / np.sqrt(ENTRIES)
    across[:2] = 0.5**0.5, -(0.5**0.5)
    found = distances(NOISE, np.stack([across, along]), np.zeros(ENTRIES))
    np.testing.assert_allclose(found, [NOISE.lipschitz_upper, NOISE.offset_upper(ENTRIES)], rtol=1e-9)


def _draws(noise, centre, count):
    return jax.jit(jax.vmap(noise, in_axes=(0, None)))(jax.random.split(jax.random.key(0), count), centre)


@pytest.mark.parametrize("noise", [NOISE, EXACT_TOO], ids=["float32", "exact"])
def test_draws_have_the_stated_covariance(noise):
    count = 20_000
    flat = np.asarray(_draws(noise, jnp.zeros(SHAPE), count), np.float64).reshape(count, -1)
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
    np.testing.assert_allclose(distances(PixelNoise(sigma=0.2), difference, np.zeros(ENTRIES)), norms, rtol=1e-14)


@pytest.mark.parametrize(
    ("noise", "text"),
    [
        (PixelNoise(sigma=0.25), "pixel_noise(sigma=0.25)"),  # as before there was any brightness
        (PixelNoise(sigma=0.25, brightness=0.3), "pixel_noise(sigma=0.25, brightness=0.3)"),
        (PixelNoise(sigma=0.25, exact=True), "pixel_noise(sigma=0.25, exact=True)"),
        (PixelNoise(sigma=0.25, brightness=0.3, exact=True), "pixel_noise(sigma=0.25, brightness=0.3, exact=True)"),
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
        ({"exact": 1}, "exact=True or exact=False"),
        ({"exact": True, "brightness": 20.0}, "brightness <= 32 sigma for exact noise"),
    ],
)
def test_bad_noise(change, message):
    with pytest.raises(ValueError, match=message):
        PixelNoise(**({"sigma": 0.2} | change))


@pytest.mark.parametrize("noise", [EXACT, EXACT_TOO], ids=["alone", "brightness too"])
def test_exact_noise_is_added_without_rounding(noise):
    images = np.random.default_rng(4).uniform(-1.0, 2.0, (3, *SHAPE)).astype(np.float32)
    latents = np.asarray(noise.encode(images))
    step = noise.samplers[0].step
    seen = [np.asarray(_draws(noise, u, 500)) for u in latents]
    for u, found in zip(latents, seen, strict=True):
        whole = found.astype(np.float64) / step
        np.testing.assert_array_equal(whole, np.rint(whole))
        # The same keys draw the same, wherever: what the classifier sees is u and that, and no trace of either.
        np.testing.assert_array_equal(found - u, seen[0] - latents[0])
        np.testing.assert_array_equal(u + (found - u), found)


def test_far_away_float32_rounds_the_exact_sum_and_nothing_else():
    far = np.full(SHAPE, 2.0**24 * EXACT.samplers[0].step * 37.0, np.float32)
    np.testing.assert_array_equal(EXACT.encode(far[None])[0], far)
    drawn = np.asarray(_draws(EXACT, jnp.zeros(SHAPE), 200), np.float64)
    np.testing.assert_array_equal(_draws(EXACT, far, 200), (far + drawn).astype(np.float32))


def test_exact_latents_are_the_nearest_of_the_grid():
    step = EXACT.samplers[0].step
    near = np.float32(step) * np.array([0.0, 0.49, 0.51, -0.49, -1.51, 1e5 + 0.49], np.float32)
    np.testing.assert_array_equal(EXACT.encode(near), np.float32(step) * np.array([0, 0, 1, 0, -2, 1e5], np.float32))
    half = (np.arange(ENTRIES).reshape(SHAPE) + 0.499) * step
    moved = (np.asarray(EXACT.encode(half.astype(np.float32))) - half).ravel()
    stated = EXACT.float32_upper(Computed.of(half))
    assert 0.99 * stated < np.linalg.norm(moved) / 0.2 <= stated
    assert NOISE.float32_upper(Computed.of(half)) == 0.0
    # Attacks climb through the rounding.
    slope = jax.grad(lambda image: jnp.sum(EXACT.encode(image) ** 2))(jnp.full(SHAPE, 0.3))
    np.testing.assert_allclose(slope, 0.6, rtol=1e-4)


def test_draws_are_apart_from_their_law_by_all_their_tables():
    (own, one), common = EXACT._grids[0], rounded_normal(0.3, EXACT_TOO._grids[1][1])[1]
    each = rounded_normal(own, one)[1]
    assert EXACT.total_variation_upper(3072) == pytest.approx(3072 * each)
    both = 3072 * each + common + shared_upper(3072, 0.2, 0.3, EXACT_TOO.samplers[1].step)
    assert EXACT_TOO.total_variation_upper(3072) == pytest.approx(both, rel=1e-12)
    assert 1e-6 < EXACT.total_variation_upper(3072) < EXACT_TOO.total_variation_upper(3072) < 1e-5
    assert EXACT.total_variation_upper(10**12) == 1.0
    assert NOISE.total_variation_upper(3072) == 0.0


def test_grids_fit_each_other_and_the_numbers_they_are_made_of():
    for brightness in (1e-3, 0.05, 0.2, 1.0, 6.4):
        noise = PixelNoise(sigma=0.2, brightness=brightness, exact=True)
        fine, coarse = (sampler.step for sampler in noise.samplers)
        assert fine == EXACT.samplers[0].step <= coarse
        assert np.abs(np.array([2**17 * fine, 2**17 * coarse])).sum() / fine <= 2**24
    other = dataclasses.replace(EXACT, sigma=0.4)
    assert other == PixelNoise(sigma=0.4, exact=True) != EXACT
    assert other.samplers[0].step == 2 * EXACT.samplers[0].step
    assert dataclasses.replace(EXACT, exact=False).samplers == ()


def test_noise_that_is_not_exact_is_handed_over_as_before():
    assert jax.tree.leaves(NOISE) == [0.2, 0.3]
    assert len(jax.tree.leaves(EXACT)) == 6
    assert "samplers" not in repr(EXACT)
    assert hash(EXACT) == hash(PixelNoise(sigma=0.2, exact=True))
