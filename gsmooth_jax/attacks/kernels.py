"""The compiled programs of the attacks; votes are counted by the certify path's own. Device."""

import functools

import jax
import jax.numpy as jnp

from gsmooth_jax.estimation import keys
from gsmooth_jax.models import Classifier
from gsmooth_jax.types import LatentNoise, Noise, Transform

_AT_ONCE = 8
"""Climbs side by side: memory grows with this times the draws."""


@functools.partial(jax.jit, static_argnames=("transform",))
def centre_kernel(noise: Noise, image: jax.Array, xi: jax.Array, *, transform: Transform) -> jax.Array:
    """Returns the smoothing centres [M, ...] of an image [H, W, C] transformed by parameters [M, P].

    They are what the noise is drawn around: latents where it has an encoder, else the transformed images.
    """
    return _centres(noise, image, xi, transform)


@functools.partial(jax.jit, static_argnames=("transform", "steps", "draws"))
def ascent_kernel(
    classifier: Classifier,
    noise: Noise,
    run_key: jax.Array,
    image: jax.Array,
    image_id: jax.Array,
    top: jax.Array,
    starts: jax.Array,
    low: jax.Array,
    high: jax.Array,
    radius: jax.Array | None,
    first: jax.Array,
    *,
    transform: Transform,
    steps: int,
    draws: int,
) -> jax.Array:
    """Climbs the smoothed classifier's loss from several starts.

    Args:
      classifier: its weights are traced.
      noise: what one vote does to its centre; traced.
      run_key: the run's key.
      image: [H, W, C].
      image_id: uint32 scalar.
      top: int32 scalar, the class whose probability is to fall.
      starts: [M, P] parameters.
      low: [P], lower corner of the box to stay in.
      high: [P], upper corner.
      radius: scalar, of the ball to stay in as well; None: the box alone.
      first: scalar, the first step as a share of half the box's width (of the radius).
      transform: what xi is the parameter of; differentiable.
      steps: of a climb.
      draws: fresh smoothing draws a step.

    Returns:
      [M, P], where the climbs end.
    """
    half = 0.5 * (high - low)

    def loss(xi: jax.Array, stream: jax.Array, number: jax.Array) -> jax.Array:
        indices = number * draws + jnp.arange(draws)
        each = jax.vmap(keys.sample_key, in_axes=(None, 0))(stream, indices)
        centre = _centres(noise, image, xi[None], transform)[0]
        logits = classifier(jax.vmap(noise, in_axes=(0, None))(each, centre))
        own = jnp.arange(logits.shape[-1])[None, :] == top
        others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, logits), axis=-1)
        # log softmax by the margin: keeps its gradient where softmax rounds to 1.
        log_p = -jax.nn.softplus(others - logits[:, top])
        return jnp.log(float(draws)) - jax.nn.logsumexp(log_p)

    def climb(start: jax.Array, number: jax.Array) -> jax.Array:
        stream = keys.phase_key(run_key, image_id, number, jnp.uint32(keys.PROPOSE))

        def step(xi: jax.Array, count: jax.Array) -> tuple[jax.Array, None]:
            slope = jax.grad(loss)(xi, stream, count)
            slope = jnp.where(jnp.isfinite(slope), slope, 0.0)  # such as a root at 0: no direction from there
            size = first * (1.0 - count / steps)
            if radius is None:
                xi = xi + size * half * jnp.sign(slope)
            else:
                slope = slope / jnp.maximum(jnp.abs(slope).max(), jnp.finfo(slope.dtype).tiny)
                xi = xi + size * radius * slope / jnp.maximum(jnp.linalg.norm(slope), 1.0)
            return _projected(xi, low, high, radius), None

        return jax.lax.scan(step, start, jnp.arange(steps))[0]

    numbers = jnp.arange(len(starts), dtype=jnp.uint32)
    return jax.lax.map(lambda pair: climb(*pair), (starts, numbers), batch_size=_AT_ONCE)


def _centres(noise: Noise, image: jax.Array, xi: jax.Array, transform: Transform) -> jax.Array:
    images = jax.vmap(transform, in_axes=(None, 0))(image, xi)
    return noise.encode(images) if isinstance(noise, LatentNoise) else images


def _projected(xi: jax.Array, low: jax.Array, high: jax.Array, radius: jax.Array | None) -> jax.Array:
    xi = jnp.clip(xi, low, high)
    if radius is None:
        return xi
    return xi * jnp.minimum(1.0, radius / jnp.maximum(jnp.linalg.norm(xi), jnp.finfo(xi.dtype).tiny))
