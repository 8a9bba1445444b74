"""How fast the attacked image moves through the latent when it follows the surrogate (GSmooth's M). Device.

At a parameter xi the latent F2(tau(xi, x)) moves by J v for a small change v. GSmooth lets the parameter noise make up
for v itself and the latent noise for the rest, so v costs |L v|_2 with L v = (v / s1, (J v - A1 v) / s2), and M is the
norm of L (Hao et al. 2022, Theorem 2 and Corollary 1; THEORY D3). Every value here holds at one xi: the largest over
points of a region is no bound over the region (THEORY D5).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gsmooth_jax.surrogate.noise import AugmentedNoise


def cost(
    noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array
) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    """Returns the linear map L, of changes measured in ``units``.

    Args:
      noise: the surrogate and its standard deviations.
      image: [H, W, C].
      xi: [P], where the image is on its way.
      units: [P], the change of each parameter that v = 1 stands for.

    Returns:
      v [P] -> (change in standard deviations of the parameter [P], rest in those of the latent [H, W, C]).
    """
    matrix = noise.surrogate.matrix

    def latent(parameter: jax.Array) -> jax.Array:
        return noise.encode(noise.surrogate(image, parameter)[None])[0]

    def apply(v: jax.Array) -> tuple[jax.Array, jax.Array]:
        change = units * v
        _, moved = jax.jvp(latent, (xi,), (change,))
        rest = moved - jnp.tensordot(change, matrix, axes=1, precision="highest")
        return change / noise.scales, rest / noise.sigma

    return apply


def gram(noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array) -> jax.Array:
    """Returns L^T L [P, P] by one jvp a parameter: its largest eigenvalue is M^2 (THEORY E1). For few parameters."""
    own, rest = jax.vmap(cost(noise, image, xi, units))(jnp.eye(len(units), dtype=xi.dtype))
    columns = jnp.concatenate([own, rest.reshape(len(units), -1)], axis=1)
    return jnp.matmul(columns, columns.T, precision="highest")


def power_step(
    noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array, v: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """One step of power iteration on L^T L, by a jvp and a vjp (THEORY E2). For many parameters.

    Args:
      noise: as in ``cost``.
      image: as in ``cost``.
      xi: as in ``cost``.
      units: as in ``cost``.
      v: [P] of length 1.

    Returns:
      |L v|, which approaches M from below as the steps go on; and the next v.
    """
    moved, pull = jax.vjp(cost(noise, image, xi, units), v)
    (back,) = pull(moved)
    length = jnp.sqrt(sum(jnp.sum(part**2) for part in moved))
    return length, back / jnp.sqrt(jnp.sum(back**2))
