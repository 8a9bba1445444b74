"""Bounds on speeds, rounded outward: the L2 norm of all entries, and the entries themselves."""

import jax
import jax.numpy as jnp


def norm_upper(entries: jax.Array) -> jax.Array:
    """Returns an upper bound on the L2 norm of all entries (any shape). Scalar, float32. Device.

    Summing n squares in float32, in whatever order, errs by a factor of at most 1 + n 2^-24, and the square root halves
    the exponent; 1e-5 more covers the few roundings that each entry has behind it.
    """
    return jnp.sqrt(jnp.sum(entries * entries)) * (1.0 + 1e-5 + entries.size * 2.0**-25)


def rounded_up(speeds: jax.Array) -> jax.Array:
    """Returns speeds (any shape, >= 0) enlarged by what the few roundings behind each entry may take from it. Device.

    The share is the one that ``norm_upper`` allows for them, so the two bounds agree.
    """
    return speeds * (1.0 + 1e-5)
