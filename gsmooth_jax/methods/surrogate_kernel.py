"""The compiled program of ``gsmooth``: the surrogate along the way of an image. Device."""

import functools

import jax
import jax.numpy as jnp

from gsmooth_jax.surrogate import AugmentedNoise, jacobian
from gsmooth_jax.types import Transform


@functools.partial(jax.jit, static_argnames=("transform",))
def surrogate_kernel(
    noise: AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array, *, transform: Transform
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Looks at an image's way through the latent as the surrogate has it, and at the surrogate's error.

    Args:
      noise: the surrogate and its standard deviations.
      image: [H, W, C].
      points: [N, P] parameters.
      units: [P], in which changes of the parameters are measured.
      transform: the real one.

    Returns:
      Gram matrices [N, P, P], whose largest eigenvalues are the squares of M at the points (see ``jacobian.gram``);
      latents [N, H, W, C] of the image as really transformed; and [N], how far in L2 the surrogate's image is from it.
    """
    real = jax.vmap(transform, in_axes=(None, 0))(image, points)
    found = noise.surrogate.decode(noise.encode(image[None]) + jax.vmap(noise.surrogate.shift)(points))
    grams = jax.vmap(jacobian.gram, in_axes=(None, None, 0, None))(noise, image, points, units)
    return grams, noise.encode(real), jnp.sqrt(jnp.sum((found - real) ** 2, axis=tuple(range(1, real.ndim))))
