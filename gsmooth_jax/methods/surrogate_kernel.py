"""The compiled programs of ``gsmooth``: the surrogate along the way of an image. Device."""

import functools

import jax
import jax.numpy as jnp

from gsmooth_jax.surrogate import AugmentedNoise, jacobian
from gsmooth_jax.types import Transform

_JVPS_AT_ONCE = 512
"""Derivatives, each in one parameter at one point, that are held at once; about 0.15 MiB each for ``unet-small`` and
images of 32 x 32 x 3."""


@functools.partial(jax.jit, static_argnames=("transform",))
def path_kernel(
    noise: AugmentedNoise, image: jax.Array, xi: jax.Array, *, transform: Transform
) -> tuple[jax.Array, jax.Array]:
    """Follows an image through the latent as it is really transformed.

    Args:
      noise: the surrogate and its standard deviations.
      image: [H, W, C].
      xi: [N, P] parameters.
      transform: the real one.

    Returns:
      The latents [N, H, W, C] there; and [N], how far in L2 the surrogate's image is from the real one.
    """
    real = jax.vmap(transform, in_axes=(None, 0))(image, xi)
    found = noise.surrogate.decode(noise.encode(image[None]) + jax.vmap(noise.surrogate.shift)(xi))
    return noise.encode(real), jnp.sqrt(jnp.sum((found - real) ** 2, axis=(1, 2, 3)))


@jax.jit
def gram_kernel(noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array) -> jax.Array:
    """The Gram matrices [N, P, P] at parameters [N, P], in units [P]: see ``jacobian.gram``. For few parameters.

    Memory grows with N P up to ``_JVPS_AT_ONCE``, and no further.
    """
    together = min(max(1, _JVPS_AT_ONCE // len(units)), len(xi))
    return jax.lax.map(lambda xi: jacobian.gram(noise, image, xi, units), xi, batch_size=together)


@jax.jit
def step_kernel(
    noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array, v: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A step of power iteration from each v [N, P] at its parameter [N, P]: see ``jacobian.power_step``."""

    def one(xi: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jacobian.power_step(jacobian.linear(noise, image, xi, units), v)

    return jax.vmap(one)(xi, v)
