"""The compiled program that casts and counts votes. Device."""

import functools
from collections.abc import Callable

import jax
from jax.sharding import Mesh, PartitionSpec

from gsmooth_jax.engine.sharding import ROWS
from gsmooth_jax.estimation.votes import Draws, count_votes
from gsmooth_jax.types import Vote


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
