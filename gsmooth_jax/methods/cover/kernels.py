"""The compiled programs of the geometry: latents of transformed images, and how fast these move. Device."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms import Quantize
from gsmooth_jax.types import LatentNoise, LipschitzBounded, Transform


class Ties(NamedTuple):
    """A rounding inside a transform, and what comes before it."""

    before: Transform
    rounding: Quantize


@functools.partial(jax.jit, static_argnames=("transform", "ties", "fixed"))
def latent_kernel(
    noise: LatentNoise,
    image: jax.Array,
    theta: jax.Array,
    near: jax.Array | float,
    *,
    transform: Transform,
    ties: Ties | None,
    fixed: tuple[float, ...],
) -> tuple[jax.Array, jax.Array]:
    """Follows a transformed image through the latent space.

    Returns:
      The latents [N, ...] of an image transformed by the parameters [N, P], and [N] how many entries of each
      transformed image a rounding may take elsewhere. Without ``ties`` it is still to come: all entries but those of a
      ``fixed`` value. With them it has been done: entries within ``near`` of half way between two levels, in levels,
      which another program may round the other way.
    """
    moved = jax.vmap(transform, in_axes=(None, 0))(image, theta)
    if ties is None:
        doubtful = ~jnp.isin(moved, jnp.asarray(fixed, moved.dtype))
    else:
        level = ties.rounding.position(jax.vmap(ties.before, in_axes=(None, 0))(image, theta))
        doubtful = jnp.abs(level - jnp.floor(level) - 0.5) <= near
    return noise.encode(moved), jnp.sum(doubtful, axis=tuple(range(1, doubtful.ndim)))


@functools.partial(jax.jit, static_argnames=("transform",))
def speed_kernel(image: jax.Array, low: jax.Array, high: jax.Array, *, transform: LipschitzBounded) -> jax.Array:
    """Bounds how fast a transformed image moves in boxes of parameters [N, P].

    Returns:
      [N, P] L2 change per unit of each parameter, anywhere in the box (THEORY D7). Rounded up.
    """
    return jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0))(image, low, high) * (1.0 + 1e-6)
