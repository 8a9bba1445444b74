"""The compiled programs of the geometry: latents of transformed images, and how fast these move. Device."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms import Quantize
from gsmooth_jax.types import EntryBounded, LatentNoise, LipschitzBounded, Transform


class NearTieRounding(NamedTuple):
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
    ties: NearTieRounding | None,
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


@functools.partial(jax.jit, static_argnames=("whole", "moving", "rounding"))
def rounded_kernel(
    noise: LatentNoise,
    image: jax.Array,
    theta: jax.Array,
    speeds: jax.Array,
    coarse: jax.Array,
    half: jax.Array,
    off: jax.Array | float,
    *,
    whole: Transform,
    moving: Transform,
    rounding: Quantize,
) -> tuple[jax.Array, jax.Array]:
    """Follows a transformed image that is rounded to levels through the latent space (THEORY M1).

    Args:
      noise: encodes images.
      image: [H, W, C].
      theta: [N + 1, P], parameters at the ends of N boxes that follow each other.
      speeds: [M, P, H, W, C], bounds on how fast each entry moves before it is rounded, in some coarse boxes.
      coarse: [N], in which of these each box lies.
      half: [N, P], half the boxes' widths.
      off: how far float32 may take an entry.
      whole: with the rounding.
      moving: without it.
      rounding: which follows.

    Returns:
      The latents [N + 1, ...] of the rounded images, and [N] the largest sum of squares of the whole levels that
      entries may be from the nearer of a box's two, anywhere in the box.
    """
    level = rounding.position(jax.vmap(moving, in_axes=(None, 0))(image, theta))
    rounded = jax.vmap(whole, in_axes=(None, 0))(image, theta)
    # One weight a parameter: an entry moves by the sum of its speeds times half the widths.
    moves = jnp.einsum("np,np...->n...", half, speeds[coarse])
    moves = (moves * (1.0 + 1e-5) + off) * rounding.density
    steps = [rounding.levels_within(level[:-1], moves), rounding.levels_within(level[1:], moves)]
    squares = [jnp.sum(s * s, axis=tuple(range(1, s.ndim))) for s in steps]
    return noise.encode(rounded), jnp.maximum(*squares)


@functools.partial(jax.jit, static_argnames=("transform",))
def entry_speed_kernel(image: jax.Array, low: jax.Array, high: jax.Array, *, transform: EntryBounded) -> jax.Array:
    """Bounds how fast each entry of a transformed image moves in boxes of parameters [N, P]: [N, P, H, W, C]."""
    return jax.vmap(transform.entry_speeds_upper, in_axes=(None, 0, 0))(image, low, high)


@functools.partial(jax.jit, static_argnames=("transform",))
def speed_kernel(image: jax.Array, low: jax.Array, high: jax.Array, *, transform: LipschitzBounded) -> jax.Array:
    """Bounds how fast a transformed image moves in boxes of parameters [N, P].

    Returns:
      [N, P] L2 change per unit of each parameter, anywhere in the box (THEORY D7). Rounded up.
    """
    return jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0))(image, low, high) * (1.0 + 1e-6)
