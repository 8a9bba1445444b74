"""The compiled programs of the geometry: latents of transformed images, and how fast these move. Device."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms import Quantize
from gsmooth_jax.types import LatentNoise, LipschitzBounded, Transform


class NearTieRounding(NamedTuple):
    """A rounding inside a transform, and what comes before it."""

    before: Transform
    rounding: Quantize


@functools.partial(jax.jit, static_argnames=("transform", "ties", "rounding", "fixed"))
def latent_kernel(
    noise: LatentNoise,
    image: jax.Array,
    theta: jax.Array,
    near: jax.Array | float,
    *,
    transform: Transform,
    ties: NearTieRounding | None,
    rounding: Quantize | None,
    fixed: tuple[float, ...],
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Follows a transformed image through the latent space.

    Returns:
      The latents [N, ...] of an image transformed by the parameters [N, P]; [N] how many entries of each transformed
      image a rounding may take elsewhere; and [N] the sum of squares of its entries' distances from the nearest levels
      of the ``rounding`` to come, in levels: 0 without. As to the entries: without ``ties`` the rounding is still to
      come, and they are all but those of a ``fixed`` value. With them it has been done, and they are those within
      ``near`` of half way between two levels, in levels, which another program may round the other way.
    """
    moved = jax.vmap(transform, in_axes=(None, 0))(image, theta)
    if ties is None:
        doubtful = ~jnp.isin(moved, jnp.asarray(fixed, moved.dtype))
    else:
        level = ties.rounding.position(jax.vmap(ties.before, in_axes=(None, 0))(image, theta))
        doubtful = jnp.abs(level - jnp.floor(level) - 0.5) <= near
    away = jnp.zeros(()) if rounding is None else rounding.position(moved)
    squares = jnp.square(away - jnp.round(away)) * jnp.ones_like(moved)
    entries = tuple(range(1, moved.ndim))
    return noise.encode(moved), jnp.sum(doubtful, axis=entries), jnp.sum(squares, axis=entries)


@functools.partial(jax.jit, static_argnames=("transform",))
def speed_kernel(image: jax.Array, low: jax.Array, high: jax.Array, *, transform: LipschitzBounded) -> jax.Array:
    """Bounds how fast a transformed image moves in boxes of parameters [N, P].

    Returns:
      [N, P] L2 change per unit of each parameter, anywhere in the box (THEORY D7). Rounded up.
    """
    return jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0))(image, low, high) * (1.0 + 1e-6)
