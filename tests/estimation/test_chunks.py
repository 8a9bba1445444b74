"""What a row's votes are cut into: neither more program nor, on a CPU, another speed."""

import functools

import jax
import jax.numpy as jnp
import pytest

from gsmooth_jax.estimation.votes import ClassVote, Draws, count_votes
from gsmooth_jax.smoothing import PixelNoise


def model(images):
    maxima = jax.lax.reduce_window(images, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return jnp.stack([maxima.mean(axis=(1, 2, 3)), 1.0 - maxima.mean(axis=(1, 2, 3))], axis=-1)


@pytest.mark.parametrize("chunk", [32, 16, 8, 1])
def test_the_model_stands_in_the_program_once(chunk):
    """XLA's CPU compiler makes a variable of a constant that two copies share, and pools 2.5 times as long from it."""
    names = (jnp.zeros(3, jnp.uint32),) * 3
    rows = Draws(jnp.full((3, 4, 4, 1), 0.5), *names, jnp.zeros(3, jnp.int32), jnp.full(3, 30, jnp.int32))
    count = functools.partial(count_votes, model, ClassVote(noise=PixelNoise(sigma=0.2)), votes=32, chunk=chunk)
    program = str(jax.make_jaxpr(count)(jax.random.key(0), rows))
    assert program.count("reduce_window_max[") == 1
