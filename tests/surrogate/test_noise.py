"""The metric of THEORY D1 and D2, against dense matrices and half-spaces."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax import _spec, pytrees
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise, loaded, save
from gsmooth_jax.surrogate.jacobian import cost, gram, linear, power_step
from gsmooth_jax.types import LatentNoise
from tests.known import distances
from tests.surrogates import SHAPE, random_surrogate

UNITS = jnp.asarray([0.8, 0.02])


@pytest.fixture(scope="module")
def covariance(noise):
    matrix = np.asarray(noise.surrogate.matrix, np.float64).reshape(2, -1)
    return matrix.T @ np.diag([2.0**2, 0.1**2]) @ matrix + 0.2**2 * np.eye(64)


def test_distances_are_those_of_the_dense_inverse(noise, covariance):
    rng = np.random.default_rng(0)
    matrix = np.asarray(noise.surrogate.matrix, np.float64).reshape(2, -1)
    # Differences along A1, where Woodbury's difference would cancel, and across it.
    differences = np.concatenate([rng.normal(0, 1, (20, 64)), rng.normal(0, 5, (20, 2)) @ matrix])
    centre = rng.random(64)
    found = distances(noise, centre + differences, centre)
    exact = np.sqrt(np.einsum("md,md->m", differences, np.linalg.solve(covariance, differences.T).T))
    np.testing.assert_allclose(found, exact * (1 + 1e-10), rtol=1e-12)
    single = (centre + differences).astype(np.float32)
    rounded = single.astype(np.float64) - centre
    exact = np.sqrt(np.einsum("md,md->m", rounded, np.linalg.solve(covariance, rounded.T).T))
    assert (distances(noise, single, centre) >= exact).all()


def test_a_half_space_flips_exactly_at_the_proved_distance(noise, covariance):
    rng = np.random.default_rng(1)
    for radius in (0.3, 1.0, 2.5):
        delta = rng.normal(0, 1, 64)
        normal = np.linalg.solve(covariance, delta)
        delta *= radius / np.sqrt(delta @ normal)
        normal = np.linalg.solve(covariance, delta)
        # Votes for {z : normal (z - u) < radius^2}: at u its probability is Phi(radius), at u + delta it is 1/2.
        share = special.ndtr(delta @ normal / np.sqrt(normal @ covariance @ normal))
        assert special.ndtri(share) == pytest.approx(distances(noise, delta[None], np.zeros(64))[0], rel=1e-9)


def test_the_bound_is_that_of_the_weights_even_when_they_are_replaced(noise):
    steeper = {
        **noise.surrogate.variables,
        "encoder": jax.tree.map(lambda w: 3.0 * w, noise.surrogate.variables["encoder"]),
    }
    other = dataclasses.replace(noise, surrogate=dataclasses.replace(noise.surrogate, variables=steeper))
    assert other.lipschitz_upper > 2.0 * noise.lipschitz_upper


def test_draws_have_the_stated_covariance(noise, covariance):
    plain = dataclasses.replace(noise, surrogate=_identity_decoder(noise.surrogate))
    draws = jax.jit(jax.vmap(plain, in_axes=(0, None)))(jax.random.split(jax.random.key(0), 20000), jnp.zeros(SHAPE))
    flat = np.asarray(draws, np.float64).reshape(len(draws), -1)
    bias = np.asarray(noise.surrogate.variables["shift"]["bias"]).ravel()
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), (flat - bias).T)
    assert np.abs(whitened.mean(axis=1)).max() < 5 / np.sqrt(len(flat))
    assert np.abs(whitened @ whitened.T / len(flat) - np.eye(64)).max() < 7 / np.sqrt(len(flat))


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Undecoded:
    inner: object

    matrix = property(lambda self: self.inner.matrix)
    variables = property(lambda self: self.inner.variables)
    networks = property(lambda self: self.inner.networks)

    def shift(self, theta):
        return self.inner.shift(theta)

    def decode(self, latents):
        return latents


def _identity_decoder(surrogate):
    return _Undecoded(inner=surrogate)


def test_latents_are_no_further_apart_than_the_lipschitz_bound_says(noise, image):
    assert isinstance(noise, LatentNoise)
    others = np.clip(image + np.random.default_rng(2).normal(0, 0.2, (50, *SHAPE)), 0, 1).astype(np.float32)
    latents = np.asarray(noise.encode(np.concatenate([image[None], others])), np.float64).reshape(51, -1)
    apart = np.linalg.norm((others - image).reshape(50, -1), axis=1)
    assert (distances(noise, latents[1:], latents[0]) <= noise.lipschitz_upper * apart).all()


def test_the_gram_matrix_the_dense_jacobian_and_power_iteration_agree(noise, image):
    xi = jnp.asarray([3.0, 0.05])
    dense = jax.jit(jax.jacfwd(lambda p: noise.encode(noise.surrogate(image, p)[None]).ravel()))(xi)
    rest = (np.asarray(dense, np.float64) - np.asarray(noise.surrogate.matrix).reshape(2, -1).T) * np.asarray(UNITS)
    whole = np.concatenate([np.diag(np.asarray(UNITS) / [2.0, 0.1]), rest / 0.2])
    exact = np.linalg.norm(whole, 2)
    grams = np.asarray(jax.jit(gram)(noise, image, xi, UNITS), np.float64)
    assert np.sqrt(np.linalg.eigvalsh(grams)[-1]) == pytest.approx(exact, rel=1e-4)
    step = jax.jit(lambda noise, v: power_step(linear(noise, image, xi, UNITS), v))
    v, lengths = jnp.asarray([0.6, 0.8]), []
    for _ in range(30):
        length, back = step(noise, v)
        v = back / jnp.linalg.norm(back)
        lengths.append(float(length))
    assert lengths[-1] == pytest.approx(exact, rel=1e-4)
    assert max(lengths) <= exact * (1 + 1e-4)


def test_the_chord_is_never_longer_than_what_corollary_1_charges(noise, image):
    # THEORY D3: |F2(tau(xi)) - F2(tau(0))|_(S^-1) <= |xi| times the largest M on the way.
    ends = np.random.default_rng(3).uniform([-8, -0.2], [8, 0.2], (6, 2)).astype(np.float32)
    steps = np.linspace(0, 1, 201, dtype=np.float32)

    @jax.jit
    def travel(xi):
        cell = jax.vmap(lambda r: cost(noise, image, r * xi, xi)(jnp.ones(2)))(jnp.asarray(steps))
        own, rest = cell
        speed = jnp.sqrt(jnp.sum(own**2, axis=1) + jnp.sum(rest**2, axis=(1, 2, 3)))
        path = jax.vmap(lambda r: noise.encode(noise.surrogate(image, r * xi)[None])[0])(jnp.asarray([0.0, 1.0]))
        return speed, path

    for xi in ends:
        speed, path = (np.asarray(a, np.float64) for a in travel(xi))
        start, end = path.reshape(2, -1)
        assert distances(noise, end[None], start)[0] <= speed.max() * (1 + 1e-3)


def test_its_text_names_the_surrogate_that_it_was(tmp_path, surrogate):
    save(tmp_path, surrogate)
    spec = SurrogateNoise(path=str(tmp_path), sigma_parameter=(2.0, 0.1), sigma=0.2).pinned()
    noise = spec.load()
    assert noise is loaded(spec)
    assert len(spec.fingerprint) == 16
    text = _spec.describe(noise)
    assert text == _spec.describe(spec)
    assert _spec.build(text, {SurrogateNoise.name: SurrogateNoise}, kind="law") == spec
    save(tmp_path, random_surrogate(seed=1))
    other = SurrogateNoise(path=str(tmp_path), sigma_parameter=1.0, sigma=0.2)
    assert other.pinned().fingerprint != spec.fingerprint
    with pytest.raises(ValueError, match=r"another surrogate .*expected fingerprint"):
        dataclasses.replace(spec, sigma=0.3).load()
    with pytest.raises(ValueError, match="save it"):
        _spec.describe(AugmentedNoise(surrogate=surrogate, sigma_parameter=1.0, sigma=0.2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": 0.0}, "sigma > 0"),
        ({"sigma_parameter": -1.0}, "sigma_parameter > 0"),
        ({"sigma_parameter": (1.0, 1.0, 1.0)}, "1 or 2 numbers"),
    ],
)
def test_bad_noise(surrogate, change, message):
    with pytest.raises(ValueError, match=message):
        AugmentedNoise(**({"surrogate": surrogate, "sigma_parameter": 1.0, "sigma": 0.2} | change))


def test_one_number_stands_for_every_parameter(surrogate):
    noise = gs.AugmentedNoise(surrogate=surrogate, sigma_parameter=1.5, sigma=0.2)
    np.testing.assert_array_equal(noise.scales, [1.5, 1.5])
