"""The compiled programs of the attacks; votes are counted by the certify path's own. Device."""

import functools

import jax
import jax.numpy as jnp

from gsmooth_jax.estimation import keys
from gsmooth_jax.models import Classifier
from gsmooth_jax.types import LatentNoise, Noise, Transform


@functools.partial(jax.jit, static_argnames=("transform",))
def centre_kernel(noise: Noise, image: jax.Array, xi: jax.Array, *, transform: Transform) -> jax.Array:
    """Returns the smoothing centres [M, ...] of an image transformed by parameters [M, P].

    They are what the noise is drawn around: latents where it has an encoder, else the transformed images.
    """
    return _centres(noise, image, xi, transform)


@functools.partial(jax.jit, static_argnames=("transform", "norm", "draws"))
def ascent_kernel(
    classifier: Classifier,
    noise: Noise,
    run_key: jax.Array,
    image: jax.Array,
    image_id: jax.Array,
    climbs: jax.Array,
    count: jax.Array,
    top: jax.Array,
    xi: jax.Array,
    low: jax.Array,
    high: jax.Array,
    radius: jax.Array | None,
    step: jax.Array,
    *,
    transform: Transform,
    norm: float | None,
    draws: int,
) -> jax.Array:
    """Takes one step uphill on the smoothed classifier's loss, from several parameters.

    One step a call: on a CPU, XLA runs convolutions several times slower inside a loop of its own.

    Args:
      classifier: its weights are traced.
      noise: what one vote does to its centre; traced.
      run_key: the run's key.
      image: an input of the classifier.
      image_id: uint32 scalar.
      climbs: [M] uint32 numbers; with the image's id they name a climb's stream of draws.
      count: int32 scalar, steps taken before this one: each has fresh draws.
      top: int32 scalar, the class whose probability is to fall.
      xi: [M, P] parameters.
      low: [P], lower corner of the box to stay in.
      high: [P], upper corner.
      radius: scalar, of the ball to stay in as well; None: the box alone.
      step: scalar, the step's length as a share of half the box's width (of the radius).
      transform: what xi is the parameter of; differentiable.
      norm: of the ball, 1 or 2; None: there is none.
      draws: smoothing draws that the gradient is averaged over.

    Returns:
      [M, P].
    """

    def loss(xi: jax.Array, climb: jax.Array) -> jax.Array:
        stream = keys.phase_key(run_key, image_id, climb, jnp.uint32(keys.PROPOSE))
        each = jax.vmap(keys.sample_key, in_axes=(None, 0))(stream, count * draws + jnp.arange(draws))
        centre = _centres(noise, image, xi[None], transform)[0]
        logits = classifier(jax.vmap(noise, in_axes=(0, None))(each, centre))
        own = jnp.arange(logits.shape[-1])[None, :] == top
        others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, logits), axis=-1)
        # log softmax by the margin: keeps its gradient where softmax rounds to 1.
        log_p = -jax.nn.softplus(others - logits[:, top])
        return jnp.log(float(draws)) - jax.nn.logsumexp(log_p)

    def moved(xi: jax.Array, climb: jax.Array) -> jax.Array:
        slope = jax.grad(loss)(xi, climb)
        slope = jnp.where(jnp.isfinite(slope), slope, 0.0)  # such as a root at 0: no direction from there
        if radius is None:
            return jnp.clip(xi + step * 0.5 * (high - low) * jnp.sign(slope), low, high)
        tiny = jnp.finfo(slope.dtype).tiny
        slope = slope / jnp.maximum(jnp.abs(slope).max(), tiny)
        if norm == 1.0:
            slope = jnp.where(jnp.arange(slope.size) == jnp.argmax(jnp.abs(slope)), slope, 0.0)
        xi = jnp.clip(xi + step * radius * slope / jnp.maximum(jnp.linalg.norm(slope), 1.0), low, high)
        return xi * jnp.minimum(1.0, radius / jnp.maximum(jnp.linalg.norm(xi, ord=norm), tiny))

    return jax.vmap(moved)(xi, climbs)


def _centres(noise: Noise, image: jax.Array, xi: jax.Array, transform: Transform) -> jax.Array:
    images = jax.vmap(transform, in_axes=(None, 0))(image, xi)
    return noise.encode(images) if isinstance(noise, LatentNoise) else images
