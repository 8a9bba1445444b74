"""The compiled programs that cast and count votes, and that ask a classifier itself. Device."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec

from gsmooth_jax.engine.sharding import ROWS
from gsmooth_jax.estimation.votes import Draws, count_votes
from gsmooth_jax.types import Vote


@jax.jit
def answer_kernel(model: Callable[[jax.Array], jax.Array], image: jax.Array) -> jax.Array:
    """Returns the class that a classifier answers for one input [H, W, C] itself; K where its logits are not finite."""
    (logits,) = model(image[None])
    return jnp.where(jnp.isfinite(logits).all(), jnp.argmax(logits), len(logits))


@functools.partial(jax.jit, static_argnames=("mesh", "votes", "chunk"))
def vote_kernel(
    model: Callable[[jax.Array], jax.Array],
    vote: Vote,
    run_key: jax.Array,
    rows: Draws,
    *,
    mesh: Mesh,
    votes: int,
    chunk: int,
) -> jax.Array:
    """Counts the votes of S rows, split over the mesh's axis ``"rows"``; see ``count_votes``.

    The model's weights and the vote's numbers are traced: other weights or another sigma compile nothing. The mesh's
    other axes, if any, hold weights that the caller has split; XLA divides the network's work over them.

    Returns:
      [S, E] int32.
    """

    def local(model: Callable[[jax.Array], jax.Array], vote: Vote, key: jax.Array, rows: Draws) -> jax.Array:
        return count_votes(model, vote, key, rows, votes=votes, chunk=chunk)

    whole, split = PartitionSpec(), PartitionSpec(ROWS)
    specs = {"in_specs": (whole, whole, whole, split), "out_specs": split}
    mapped = jax.shard_map(local, mesh=mesh, axis_names={ROWS}, check_vma=False, **specs)
    return mapped(model, vote, run_key, rows)
