"""How fast the attacked image moves through the latent when it follows the surrogate (GSmooth's M). Device.

At a parameter xi the latent F2(tau(xi, x)) moves by J v for a small change v. GSmooth lets the parameter noise make up
for v itself and the latent noise for the rest, so v costs |L v|_2 with L v = (v / s1, (J v - A1 v) / s2), and M is the
norm of L (Hao et al. 2022, Theorem 2 and Corollary 1; THEORY D3). Every value here holds at one xi: the largest over
points of a region is no bound over the region (THEORY D5).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.surrogate.noise import AugmentedNoise

FEW = 16
"""Parameters up to which the Gram matrix, which is exact, costs no more than the 10 to 20 steps that power iteration
takes; from 32 on it costs 20 to 50 steps (``benchmarks/jvp_or_vjp.py``, two CPU cores)."""

_STEPS = 20


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
    """Returns L^T L [P, P] by one jvp a parameter: its largest eigenvalue is M^2 (THEORY E1). For ``FEW``."""
    own, rest = jax.vmap(cost(noise, image, xi, units))(jnp.eye(len(units), dtype=xi.dtype))
    columns = jnp.concatenate([own, rest.reshape(len(units), -1)], axis=1)
    return jnp.matmul(columns, columns.T, precision="highest")


def linear(
    noise: AugmentedNoise, image: jax.Array, xi: jax.Array, units: jax.Array
) -> Callable[[jax.Array], tuple[jax.Array, jax.Array]]:
    """Returns L as ``cost`` does, with the surrogate's forward pass done once for all its uses."""
    _, push = jax.linearize(cost(noise, image, xi, units), jnp.zeros_like(units))
    return push


def power_step(apply: Callable[[jax.Array], Any], v: jax.Array) -> tuple[jax.Array, jax.Array]:
    """One step of power iteration on L^T L, by a jvp and a vjp. Device.

    Args:
      apply: a linear map L from [P] to any arrays, such as ``linear`` gives.
      v: [P] of length 1.

    Returns:
      |L v|, which approaches the norm of L from below as the steps go on; and L^T L v, whose direction is the next v.
    """
    moved = apply(v)
    (back,) = jax.linear_transpose(apply, v)(moved)
    return jnp.sqrt(sum(jnp.sum(part**2) for part in jax.tree.leaves(moved))), back


Step = Callable[[np.ndarray], tuple[jax.Array, jax.Array]]
"""A compiled ``power_step`` of N maps at once: v [N, P] -> (|L v| [N], L^T L v [N, P]).

The loops over steps are on the host: in a loop of its own XLA takes 200 times as long for a transposed convolution on a
CPU (jaxlib 0.10), and unrolled the steps would be compiled one by one.
"""


def norm_estimate(step: Step, shape: tuple[int, int], *, steps: int = _STEPS, tolerance: float = 1e-4) -> np.ndarray:
    """Returns the norms [N] of N maps from below, by power iteration (THEORY E2): |L v| after some steps. Host.

    The start is one fixed direction, so the values are functions of the maps. After k steps they are at least
    (1 + tan^2(a) r^(4 k))^(-1/2) of the norms, with r the second singular value over the first and a the angle from the
    start to the worst change.

    Args:
      step: of the maps.
      shape: (N, P).
      steps: at most so many.
      tolerance: ends it when no value has grown by more than this share.
    """
    v = np.broadcast_to(np.cos(np.arange(1, shape[1] + 1)), shape)  # as good as random, and always the same
    found = np.zeros(shape[0])
    for _ in range(steps + 1):
        lengths, back = step(_unit(v))
        before, found, v = found, np.asarray(lengths, np.float64), np.asarray(back, np.float64)
        if (found <= (1.0 + tolerance) * before).all():
            break
    return found


def _unit(v: np.ndarray) -> np.ndarray:
    """The directions of [N, P] vectors, as float32."""
    return (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)
