"""The compiled programs of the certify path; the only ``jit`` in it."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec

from gsmooth_jax.certify.sharding import ROWS
from gsmooth_jax.estimation.votes import Rows, count_votes
from gsmooth_jax.surrogate import AugmentedNoise, jacobian
from gsmooth_jax.types import LatentNoise, LipschitzBounded, Noise, Transform


@functools.partial(jax.jit, static_argnames=("mesh", "votes", "chunk"))
def vote_kernel(
    classifier: Callable[[jax.Array], jax.Array],
    noise: Noise,
    run_key: jax.Array,
    rows: Rows,
    *,
    mesh: Mesh,
    votes: int,
    chunk: int,
) -> jax.Array:
    """Counts the votes of S rows, split over the mesh's axis ``"rows"``; see ``count_votes``.

    The classifier's weights and the noise's numbers are traced: other weights or another sigma compile nothing. The
    mesh's other axes, if any, hold weights that the caller has split; XLA divides the network's work over them.

    Returns:
      [S, K + 1] int32.
    """

    def local(classifier: Callable[[jax.Array], jax.Array], noise: Noise, key: jax.Array, rows: Rows) -> jax.Array:
        return count_votes(classifier, noise, key, rows, votes=votes, chunk=chunk)

    whole, split = PartitionSpec(), PartitionSpec(ROWS)
    specs = {"in_specs": (whole, whole, whole, split), "out_specs": split}
    mapped = jax.shard_map(local, mesh=mesh, axis_names={ROWS}, check_vma=False, **specs)
    return mapped(classifier, noise, run_key, rows)


class Ties(NamedTuple):
    """A rounding inside a transform: what comes before it, and its levels less one."""

    before: Transform
    levels: int


def float32_upper(image_shape: tuple[int, ...]) -> float:
    """How far float32 arithmetic may take one entry of a transformed image [H, W, C] from the real numbers. Host.

    What is rounded most are positions, which grow with the image; intensities are taken to be of the order of 1.
    """
    return 5e-6 * max(1.0, max(image_shape[:2]) / 32.0)


@functools.partial(jax.jit, static_argnames=("transform", "ties", "fixed"))
def latent_kernel(
    noise: LatentNoise,
    image: jax.Array,
    theta: jax.Array,
    *,
    transform: Transform,
    ties: Ties | None,
    fixed: tuple[float, ...] = (0.0, 1.0),
) -> tuple[jax.Array, jax.Array]:
    """Follows a transformed image through the latent space.

    Returns:
      The latents [N, ...] of an image [H, W, C] transformed by the parameters [N, P], and [N] how many entries of each
      transformed image a rounding may take elsewhere. Without ``ties`` it is still to come: all entries but those of a
      ``fixed`` value. With them it has been done: entries so near half way between two levels that another program may
      round them the other way.
    """
    moved = jax.vmap(transform, in_axes=(None, 0))(image, theta)
    if ties is None:
        doubtful = functools.reduce(jnp.logical_and, [moved != value for value in fixed])
    else:
        level = jax.vmap(ties.before, in_axes=(None, 0))(image, theta) * ties.levels
        near = 4 * float32_upper(image.shape) * ties.levels
        doubtful = jnp.abs(level - jnp.floor(level) - 0.5) <= near
    return noise.encode(moved), jnp.sum(doubtful, axis=(1, 2, 3))


@functools.partial(jax.jit, static_argnames=("transform",))
def speed_kernel(image: jax.Array, low: jax.Array, high: jax.Array, *, transform: LipschitzBounded) -> jax.Array:
    """Bounds how fast a transformed image [H, W, C] moves in boxes of parameters [N, P].

    Returns:
      [N, P] L2 change per unit of each parameter, anywhere in the box (THEORY D7). Rounded up.
    """
    return jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0))(image, low, high) * (1.0 + 1e-6)


@functools.partial(jax.jit, static_argnames=("transform",))
def surrogate_kernel(
    noise: AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array, *, transform: Transform
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Looks at an image's way through the latent as the surrogate has it, and at the surrogate's error.

    Args:
      noise: the surrogate and its standard deviations.
      image: [H, W, C].
      points: [N, P] parameters.
      units: [P], in which changes of the parameters are measured.
      transform: the real one.

    Returns:
      Gram matrices [N, P, P], whose largest eigenvalues are the squares of M at the points (see ``jacobian.gram``);
      latents [N, H, W, C] of the image as really transformed; and [N], how far in L2 the surrogate's image is from it.
    """
    real = jax.vmap(transform, in_axes=(None, 0))(image, points)
    found = noise.surrogate.decode(noise.encode(image[None]) + jax.vmap(noise.surrogate.shift)(points))
    grams = jax.vmap(jacobian.gram, in_axes=(None, None, 0, None))(noise, image, points, units)
    return grams, noise.encode(real), jnp.sqrt(jnp.sum((found - real) ** 2, axis=(1, 2, 3)))
