"""Vote counts: how often a classifier names each class on random transformations of an image. Device."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gsmooth_jax.estimation import keys
from gsmooth_jax.types import Noise


class Rows(NamedTuple):
    """S independent requests for votes: row s asks for the draws ``start[s] <= index < stop[s]`` of one stream.

    Attributes:
      centres: [S, ...] float32, what the noise is drawn around: images [H, W, C], or latents.
      image_id: [S] uint32.
      node: [S] uint32, which smoothing centre of the image.
      phase: [S] uint32, ``keys.SELECT`` or ``keys.ESTIMATE``.
      start: [S] int32, the first index.
      stop: [S] int32, one past the last; a padding row has stop = start.
    """

    centres: jax.Array
    image_id: jax.Array
    node: jax.Array
    phase: jax.Array
    start: jax.Array
    stop: jax.Array


def count_votes(
    classifier: Callable[[jax.Array], jax.Array],
    noise: Noise,
    run_key: jax.Array,
    rows: Rows,
    *,
    votes: int,
    chunk: int,
) -> jax.Array:
    """Counts the votes of every row.

    The draws are made ``chunk`` a row at a time under ``lax.scan``, so memory grows with S * chunk and not with
    ``votes``. The counts do not depend on ``chunk``.

    Args:
      classifier: images [B, H, W, C] -> logits [B, K].
      noise: draws the image to classify from the row's centre.
      run_key: the run's key.
      rows: the S requests; each may ask for ``votes`` draws at most.
      votes: draws made for every row; those at or past the row's ``stop`` count nothing.
      chunk: divides ``votes``.

    Returns:
      [S, K + 1] int32: votes for each class; last, draws whose logits held a NaN or an infinity and which therefore
      voted for none. Each row sums to its stop - start.
    """
    size = len(rows.centres)
    streams = jax.vmap(keys.phase_key, in_axes=(None, 0, 0, 0))(run_key, rows.image_id, rows.node, rows.phase)

    def drawn(centre: jax.Array, stream: jax.Array, index: jax.Array) -> jax.Array:
        return noise(keys.sample_key(stream, index), centre)

    def step(counts: jax.Array | None, offset: jax.Array) -> tuple[jax.Array, None]:
        index = rows.start[:, None] + offset + jnp.arange(chunk, dtype=jnp.int32)[None, :]
        batch = jax.vmap(jax.vmap(drawn, in_axes=(None, None, 0)))(rows.centres, streams, index)
        logits = classifier(batch.reshape(size * chunk, *batch.shape[2:]))
        classes = logits.shape[-1]
        finite = jnp.isfinite(logits).all(axis=-1)
        # As argmax, which would start from -inf as max pooling does: of the shared constant XLA's CPU pooling makes a
        # variable, and a ConvNet takes 1.7 times as long.
        choice = jnp.where(finite, jnp.argmin(-logits, axis=-1), classes).reshape(size, chunk)
        valid = index < rows.stop[:, None]
        ballots = (choice[..., None] == jnp.arange(classes + 1)[None, None, :]) & valid[..., None]
        new = ballots.sum(axis=1, dtype=jnp.int32)
        return (new if counts is None else counts + new), None

    offsets = jnp.arange(0, votes, chunk, dtype=jnp.int32)
    counts, _ = step(None, offsets[0])
    if votes > chunk:
        counts, _ = jax.lax.scan(step, counts, offsets[1:])
    return counts
