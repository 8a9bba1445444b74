"""Random keys whose draws are JAX's own, bit for bit, and are made quickly on CPU too.

JAX's own are those of its default, ``threefry2x32`` with ``jax_threefry_partitionable``; no setting changes these.
Where it compiles for CPU, JAX keeps the rounds of Threefry-2x32 (Salmon et al., SC 2011) in a loop over whole arrays.
Written out, they are one pass. Device.
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax.extend import random

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = 0x1BD11BDA

_PARTS = 2
"""Passes in which bits are drawn. Of a single one XLA makes a part of what uses the bits, and draws them anew for every
use, of which the inverse error function has many."""


def key(seed: int) -> jax.Array:
    """Returns the typed key of a seed, with the draws of JAX's ``jax.random.key(seed)``."""
    return jax.random.key(seed, impl=_IMPLEMENTATION)


def compact(key: jax.Array) -> jax.Array:
    """Returns JAX's key with the same draws, whose programs compile sooner and run slower: for those that run once."""
    return jax.random.wrap_key_data(jax.random.key_data(key), impl="threefry2x32")


def _hash(key: jax.Array, count: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Threefry-2x32 of 20 rounds of the counters (0, count) under a key [2]; two words for each."""
    word = jnp.uint32
    keys = key[0], key[1], key[0] ^ key[1] ^ word(_PARITY)
    a, b = jnp.broadcast_to(keys[0], count.shape), count + keys[1]
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            a = a + b
            b = a ^ ((b << word(distance)) | (b >> word(32 - distance)))
        a, b = a + keys[(group + 1) % 3], b + keys[(group + 2) % 3] + word(group + 1)
    return a, b


def _split(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.stack(_hash(key, _numbers(shape)), axis=-1)


def _fold_in(key: jax.Array, data: jax.Array | int) -> jax.Array:
    return jnp.stack(_hash(key, jnp.asarray(data).astype(jnp.uint32)))


def _random_bits(key: jax.Array, width: int, shape: tuple[int, ...]) -> jax.Array:
    size = math.prod(shape)
    if size >= 2**32:
        raise ValueError(f"Expected fewer than 2^32 numbers of one key, got shape={shape}.")
    ways = {"cpu": _in_parts, "default": _in_one}
    ways = {platform: functools.partial(way, width=width, size=size) for platform, way in ways.items()}
    return jax.lax.platform_dependent(key, **ways).reshape(shape)


def _in_parts(key: jax.Array, width: int, size: int) -> jax.Array:
    part = _numbers((-(-size // _PARTS),))
    starts = jnp.arange(_PARTS, dtype=jnp.uint32) * jnp.uint32(len(part))
    return jax.lax.map(lambda start: _word(*_hash(key, start + part), width), starts).ravel()[:size]


def _in_one(key: jax.Array, width: int, size: int) -> jax.Array:
    return _word(*_hash(key, _numbers((size,))), width)


def _word(a: jax.Array, b: jax.Array, width: int) -> jax.Array:
    if width == 64:
        return (a.astype(jnp.uint64) << 32) | b.astype(jnp.uint64)
    return (a ^ b).astype(f"uint{width}")


def _numbers(shape: tuple[int, ...]) -> jax.Array:
    return jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)


_IMPLEMENTATION = random.define_prng_impl(
    key_shape=(2,),
    seed=random.threefry_prng_impl.seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,
    name="gsmooth_threefry2x32",
    tag="gsf",
)
