"""The norm of a Jacobian: exact, and from below by power iteration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.surrogate import AugmentedNoise
from gsmooth_jax.surrogate.jacobian import cost, gram, linear, norm_estimate, power_step
from tests.surrogates import random_surrogate


def tall(count, ratio=0.95):
    """Three matrices [60, count] with singular values 3, 3 ratio, 3 ratio^2, ..., and these."""
    random = np.random.default_rng(0)
    values = 3.0 * ratio ** np.arange(count)
    sides = [[np.linalg.qr(random.normal(size=(n, count)))[0] for n in (60, count)] for _ in range(3)]
    return jnp.asarray(np.stack([left * values @ right.T for left, right in sides]), jnp.float32), values


def steps_of(matrices):
    """The compiled step of maps to two arrays of different shapes, as ``cost`` has them."""

    def one(matrix, v):
        return power_step(lambda v: (matrix[:10] @ v, (matrix[10:] @ v).reshape(5, 10)), v)

    compiled = jax.jit(jax.vmap(one))
    return lambda v: compiled(matrices, v)


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_power_iteration_stays_below_and_comes_as_near_as_it_says(count):
    matrices, values = tall(count)
    step, start = steps_of(matrices), np.cos(np.arange(1, count + 1))
    along = np.abs(np.linalg.svd(matrices)[2][:, 0] @ start) / np.linalg.norm(start)
    tangent, ratio = np.sqrt(np.maximum(1 / along**2 - 1, 0.0)), values[1] / values[0] if count > 1 else 0.0
    before = np.zeros(3)
    for steps in (0, 1, 5, 20, 80):
        found = norm_estimate(step, (3, count), steps=steps, tolerance=0.0)
        promised = values[0] / np.sqrt(1 + tangent**2 * ratio ** (4 * steps))
        assert (promised * (1 - 1e-5) <= found).all()
        assert (before * (1 - 1e-6) <= found).all()
        assert (found <= values[0] * (1 + 1e-5)).all()
        before = found
    assert (found > (1 - 1e-3) * values[0]).all()


def test_power_iteration_ends_when_nothing_grows_any_more():
    matrices, values = tall(5, ratio=0.3)
    step, calls = steps_of(matrices), []

    def counted(v):
        calls.append(None)
        return step(v)

    assert norm_estimate(counted, (3, 5)) == pytest.approx(values[0], rel=1e-4)
    assert 3 <= len(calls) <= 8


@pytest.fixture(scope="module", params=[1, 5, 16])
def many(request, image):
    """A surrogate of so many parameters at an image, places and units that differ; and the exact singular values."""
    count = request.param
    surrogate = random_surrogate(transform="anything", low=(-1.0,) * count, high=(1.0,) * count, seed=count)
    noise = AugmentedNoise(surrogate=surrogate, sigma_parameter=tuple(np.linspace(0.2, 2.0, count)), sigma=0.2)
    random = np.random.default_rng(count)
    points = random.uniform(-1, 1, (2, count)).astype(np.float32)
    units = random.uniform(0.1, 1.0, count).astype(np.float32)

    def columns(noise, image, xi, units):
        own, rest = jax.vmap(cost(noise, image, xi, units))(jnp.eye(count))
        return jnp.concatenate([own, rest.reshape(count, -1)], axis=1)

    each = jax.jit(jax.vmap(columns, in_axes=(None, None, 0, None)))
    values = np.linalg.svd(np.asarray(each(noise, image, points, units), np.float64), compute_uv=False)
    return noise, image, points, units, values


def test_a_surrogates_norm_from_all_sides(many):
    noise, image, points, units, values = many

    @jax.jit
    def step(noise, image, points, units, v):
        return jax.vmap(lambda xi, v: power_step(linear(noise, image, xi, units), v))(points, v)

    def here(v):
        return step(noise, image, points, units, v)

    grams = jax.jit(jax.vmap(gram, in_axes=(None, None, 0, None)))(noise, image, points, units)
    grams = np.asarray(grams, np.float64)
    np.testing.assert_allclose(np.sqrt(np.linalg.eigvalsh(grams)[:, -1]), values[:, 0], rtol=1e-5)
    below = norm_estimate(here, points.shape)
    assert (below <= values[:, 0] * (1 + 1e-5)).all()
    assert (below > 0.97 * values[:, 0]).all()
    # A step is a product with the Gram matrix.
    v = np.full(points.shape, points.shape[1] ** -0.5, np.float32)
    lengths, back = here(v)
    np.testing.assert_allclose(back, np.einsum("npq,nq->np", grams, v), rtol=1e-3, atol=1e-4 * values.max() ** 2)
    np.testing.assert_allclose(lengths, np.sqrt(np.einsum("np,npq,nq->n", v, grams, v)), rtol=1e-4)
