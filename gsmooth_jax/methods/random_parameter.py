"""A parameter drawn from a region, and how far it moves probabilities: what a draw of ``cc_cert`` decides. Device."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.estimation.votes import outputs
from gsmooth_jax.types import Noise, Transform, param_dim

STEPS = 1024
"""Of Z, which is in [0, 1]; d is 1/2 at most."""

MARGINS, DISTANCES = STEPS // 2 + 1, STEPS + 1
CHANGED = MARGINS + DISTANCES
"""How many events say what d is, how many what Z is; and the number of the one after them."""


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class RandomParameter:
    """Transforms the image by a parameter that is uniform in a box or ball: what the attacker draws.

    Attributes:
      transform: what is drawn from.
      low: [P] of a box; of a ball [1], minus its radius. Traced.
      high: [P]; of a ball [1], its radius.
      ball: whether it is one.
      factors: whether the factor e^xi is uniform where xi is its logarithm.
    """

    transform: Transform = dataclasses.field(metadata={"static": True})
    low: Any
    high: Any
    ball: bool = dataclasses.field(metadata={"static": True})
    factors: bool = dataclasses.field(metadata={"static": True})

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        return self.transform(centre, self.draw(key, centre.shape))

    def draw(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draws xi [P] for images of a shape [H, W, C]. The key is consumed."""
        low, high = jnp.asarray(self.low, jnp.float32), jnp.asarray(self.high, jnp.float32)
        dim = param_dim(self.transform, shape)
        if self.ball:
            along, length = jax.random.split(key)
            direction = jax.random.normal(along, (dim,))
            radius = high * jax.random.uniform(length) ** (1.0 / dim)
            return radius * direction / jnp.maximum(jnp.linalg.norm(direction), jnp.finfo(jnp.float32).tiny)
        share = jax.random.uniform(key, (dim,))
        drawn = low + share * (high - low)
        whole = jnp.array([p.whole for p in self.transform.params])
        drawn = jnp.where(whole, jnp.floor(low + share * (high - low + 1.0)), drawn)
        if self.factors:
            least, most = jnp.exp(low), jnp.exp(high)
            log = jnp.array([p.log for p in self.transform.params])
            drawn = jnp.where(log, jnp.log(least + share * (most - least)), drawn)
        return jnp.clip(drawn, low, high)


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class DistanceVote:
    """What of a draw the estimate counts: d, Z, and the answer at the input itself, each in one event of several.

    The events "floor(1024 d) is j" (513), "ceil(1024 Z) is j" (1025), "the answer is not the input's own" (1), "the
    input's own answer is k" (K), and "the logits of input or draw are not finite", which speaks for no other.

    Attributes:
      noise: draws the image from the input.
    """

    noise: Noise

    def __call__(self, model: Callable[[jax.Array], jax.Array], keys: jax.Array, centres: jax.Array) -> jax.Array:
        """See ``types.Vote``: [S, N, 513 + 1025 + 1 + K + 1]."""
        drawn_of = keys.shape[:2]

        def both(images: jax.Array) -> jax.Array:
            # One call of the model: it is compiled once, and the inputs themselves are few.
            logits = model(jnp.concatenate([images, centres]))
            own = jnp.repeat(logits[len(images) :], drawn_of[1], axis=0)
            return jnp.stack([logits[: len(images)], own], axis=-1)

        logits = outputs(both, self.noise, keys, centres)  # [S, N, K, 2]
        finite = jnp.isfinite(logits).all(axis=(-2, -1))
        drawn, own = jnp.moveaxis(jax.nn.softmax(logits, axis=-2), -1, 0)
        second, first = jnp.moveaxis(jnp.sort(own, axis=-1)[..., -2:], -1, 0)
        margin = jnp.floor(0.5 * (first - second) * STEPS).astype(jnp.int32)
        distance = jnp.ceil(jnp.abs(drawn - own).max(axis=-1) * STEPS).astype(jnp.int32)
        answer = jnp.argmin(-own, axis=-1)
        changed = jnp.argmin(-drawn, axis=-1) != answer

        def among(value: jax.Array, count: int) -> jax.Array:
            return value.clip(0, count - 1)[..., None] == jnp.arange(count)[None, None, :]

        events = [
            among(margin, MARGINS),
            among(distance, DISTANCES),
            changed[..., None],
            among(answer, own.shape[-1]),
        ]
        return jnp.concatenate([*(e & finite[..., None] for e in events), ~finite[..., None]], axis=-1)
