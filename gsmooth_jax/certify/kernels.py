"""The compiled programs of the certify path; the only ``jit`` in it."""

import functools
from collections.abc import Callable

import jax
from jax.sharding import Mesh, PartitionSpec

from gsmooth_jax.certify.sharding import ROWS
from gsmooth_jax.estimation.votes import Rows, count_votes
from gsmooth_jax.types import Smoothing, Transform


@functools.partial(jax.jit, static_argnames=("transform", "mesh", "votes", "chunk"))
def vote_kernel(
    classifier: Callable[[jax.Array], jax.Array],
    law: Smoothing,
    run_key: jax.Array,
    rows: Rows,
    *,
    transform: Transform,
    mesh: Mesh,
    votes: int,
    chunk: int,
) -> jax.Array:
    """Counts the votes of S rows, S / devices of them on each device of the mesh; see ``count_votes``.

    The classifier's weights and the law's numbers are traced: other weights or another sigma compile nothing.

    Returns:
      [S, K + 1] int32.
    """

    def local(classifier: Callable[[jax.Array], jax.Array], law: Smoothing, key: jax.Array, rows: Rows) -> jax.Array:
        return count_votes(classifier, transform, law, key, rows, votes=votes, chunk=chunk)

    whole, split = PartitionSpec(), PartitionSpec(ROWS)
    return jax.shard_map(local, mesh=mesh, in_specs=(whole, whole, whole, split), out_specs=split, check_vma=False)(
        classifier, law, run_key, rows
    )
