"""The keys draw what JAX's own draw, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.estimation import _threefry


def draws(key):
    keys = jax.random.split(jax.random.fold_in(key, 7), (3, 3))
    return [
        jax.random.key_data(keys),
        jax.random.bits(keys[0, 0], (0,)),
        jax.random.bits(keys[0, 1], ()),
        jax.random.bits(keys[0, 2], (3, 5)),
        jax.random.bits(keys[1, 0], (4,), "uint16"),
        jax.random.bits(keys[1, 1], (3,), "uint8"),
        jax.random.permutation(keys[1, 2], 11),
        jax.vmap(lambda k: jax.random.normal(k, (3, 2)))(keys[2]),
    ]


@pytest.mark.parametrize("seed", [0, 12345])
def test_the_draws_are_those_of_jax(seed):
    expected, found = (jax.jit(draws)(make(seed)) for make in (jax.random.key, _threefry.key))
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [0, 1, 2, 7])
@pytest.mark.parametrize("width", [8, 32])
def test_accelerators_draw_what_cpus_draw(size, width):
    key = jnp.uint32([3, 4])
    in_parts, in_one = (way(key, width, size) for way in (_threefry._in_parts, _threefry._in_one))
    np.testing.assert_array_equal(in_parts, in_one)
    assert in_one.shape == (size,)


def test_a_compact_key_draws_the_same():
    key = _threefry.key(3)
    compact = _threefry.compact(key.copy())
    assert compact.dtype == jax.random.key(3).dtype != key.dtype
    np.testing.assert_array_equal(jax.random.bits(compact, (5,)), jax.random.bits(key, (5,)))


def test_wide_words_are_those_of_jax():
    with jax.enable_x64(True):
        for make in (jax.random.bits, jax.random.normal):
            np.testing.assert_array_equal(make(_threefry.key(1), (3,)), make(jax.random.key(1), (3,)))


def test_too_many_numbers_of_one_key_are_refused():
    with pytest.raises(ValueError, match="2\\^32"):
        jax.jit(lambda key: jax.random.bits(key, (2**17, 2**16))).lower(_threefry.key(0))
