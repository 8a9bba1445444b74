"""Votes: yes/no events of random draws, such as "the classifier answers k on this noisy image". Device."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.estimation import keys
from gsmooth_jax.types import Noise, Vote


class Draws(NamedTuple):
    """The draws ``start <= index < stop`` of one stream; on the device, S of them, every field with a leading axis.

    Attributes:
      centre: float32, what the noise is drawn around: an image [H, W, C], or a latent.
      image_id: the image's id, part of every draw's key. On the device uint32, as the next two.
      centre_id: which smoothing centre of the image.
      phase: what the draws are for, such as ``keys.ESTIMATE``.
      start: the first index; on the device int32, as the next.
      stop: one past the last; padding has stop = start.
    """

    centre: Any
    image_id: Any
    centre_id: Any
    phase: Any
    start: Any
    stop: Any


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassVote:
    """The events "the classifier answers k": one for each class, then "its logits are not all finite".

    Each draw is for exactly one of the K + 1 events: one whose logits hold a NaN or an infinity is for no class.

    Attributes:
      noise: draws the image to classify from a centre.
    """

    noise: Noise

    def __call__(self, model: Callable[[jax.Array], jax.Array], keys: jax.Array, centres: jax.Array) -> jax.Array:
        """See ``types.Vote``: [S, N, K + 1]."""
        logits = outputs(model, self.noise, keys, centres)
        classes = logits.shape[-1]
        finite = jnp.isfinite(logits).all(axis=-1)
        # As argmax, which would start from -inf as max pooling does: of the shared constant XLA's CPU pooling makes a
        # variable, and a ConvNet takes 1.7 times as long.
        choice = jnp.where(finite, jnp.argmin(-logits, axis=-1), classes)
        return choice[..., None] == jnp.arange(classes + 1)[None, None, :]


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class MajorityVote:
    """The events "most of a draw's own votes are for k": a classifier that is smoothed is smoothed once more.

    As of a ``ClassVote``, each draw is for exactly one of the K + 1 events; of several with equally many it is the
    first.

    Attributes:
      noise: draws a smoothing centre from an input.
      inner: draws what the classifier sees around that centre.
      votes: of one draw.
    """

    noise: Noise
    inner: Noise
    votes: int = dataclasses.field(metadata={"static": True})

    def __call__(self, model: Callable[[jax.Array], jax.Array], keys: jax.Array, centres: jax.Array) -> jax.Array:
        """See ``types.Vote``: [S, N, K + 1]."""
        pairs = jax.vmap(jax.vmap(jax.random.split))(keys)
        drawn = jax.vmap(jax.vmap(self.noise, in_axes=(0, None)))(pairs[..., 0], centres)
        each = jax.vmap(lambda key: jax.random.split(key, self.votes))(pairs[..., 1].reshape(-1))
        counts = ClassVote(noise=self.inner)(model, each, drawn.reshape(-1, *drawn.shape[2:])).sum(axis=1)
        most = jnp.argmax(counts, axis=-1).reshape(keys.shape)
        return most[..., None] == jnp.arange(counts.shape[-1])[None, None, :]


def outputs(model: Callable[[jax.Array], jax.Array], noise: Noise, keys: jax.Array, centres: jax.Array) -> jax.Array:
    """Applies the model to one noisy input for each of the keys [S, N] of the centres [S, ...]: [S, N, ...]. Device."""
    drawn = jax.vmap(jax.vmap(noise, in_axes=(0, None)))(keys, centres)
    found = model(drawn.reshape(-1, *drawn.shape[2:]))
    return found.reshape(*drawn.shape[:2], *found.shape[1:])


def count_votes(
    model: Callable[[jax.Array], jax.Array],
    vote: Vote,
    run_key: jax.Array,
    rows: Draws,
    *,
    votes: int,
    chunk: int,
) -> jax.Array:
    """Counts, for every row, how many of its draws each event is true of.

    The draws are made ``chunk`` a row at a time under ``lax.scan``, so memory grows with S * chunk and not with
    ``votes``. The counts do not depend on ``chunk``.

    Args:
      model: inputs [B, ...] -> outputs [B, ...], logits [B, K] for ``ClassVote``.
      vote: decides the events of a draw.
      run_key: the run's key.
      rows: the S requests; each may ask for ``votes`` draws at most.
      votes: draws made for every row; those at or past the row's ``stop`` count nothing.
      chunk: divides ``votes``.

    Returns:
      [S, E] int32, one count an event.
    """
    streams = jax.vmap(keys.phase_key, in_axes=(None, 0, 0, 0))(run_key, rows.image_id, rows.centre_id, rows.phase)

    def events(offset: jax.Array) -> jax.Array:
        index = rows.start[:, None] + offset + jnp.arange(chunk, dtype=jnp.int32)[None, :]
        each = jax.vmap(jax.vmap(keys.sample_key, in_axes=(None, 0)))(streams, index)
        cast = vote(model, each, rows.centre) & (index < rows.stop[:, None])[..., None]
        return cast.sum(axis=1, dtype=jnp.int32)

    offsets = jnp.arange(0, votes, chunk, dtype=jnp.int32)
    if votes == chunk:
        return events(offsets[0])
    none = jnp.zeros(jax.eval_shape(events, offsets[0]).shape, jnp.int32)
    counts, _ = jax.lax.scan(lambda counts, offset: (counts + events(offset), None), none, offsets)
    return counts
