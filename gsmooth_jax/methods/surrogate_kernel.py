"""The compiled programs of ``gsmooth``: the surrogate along the way of an image. Device."""

import functools

import jax
import jax.numpy as jnp

from gsmooth_jax.surrogate import AugmentedNoise, jacobian
from gsmooth_jax.types import Transform


@functools.partial(jax.jit, static_argnames=("transform",))
def path_kernel(
    noise: AugmentedNoise, image: jax.Array, points: jax.Array, *, transform: Transform
) -> tuple[jax.Array, jax.Array]:
    """Follows an image through the latent as it is really transformed.

    Args:
      noise: the surrogate and its standard deviations.
      image: [H, W, C].
      points: [N, P] parameters.
      transform: the real one.

    Returns:
      The latents [N, H, W, C] there; and [N], how far in L2 the surrogate's image is from the real one.
    """
    real = jax.vmap(transform, in_axes=(None, 0))(image, points)
    found = noise.surrogate.decode(noise.encode(image[None]) + jax.vmap(noise.surrogate.shift)(points))
    return noise.encode(real), jnp.sqrt(jnp.sum((found - real) ** 2, axis=(1, 2, 3)))


@jax.jit
def gram_kernel(noise: AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array) -> jax.Array:
    """The Gram matrices [N, P, P] at parameters [N, P], in units [P]: see ``jacobian.gram``. For few parameters."""
    return jax.vmap(jacobian.gram, in_axes=(None, None, 0, None))(noise, image, points, units)


@jax.jit
def step_kernel(
    noise: AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array, v: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A step of power iteration from each v [N, P] at its parameter [N, P]: see ``jacobian.power_step``."""

    def one(xi: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jacobian.power_step(jacobian.linear(noise, image, xi, units), v)

    return jax.vmap(one)(points, v)
