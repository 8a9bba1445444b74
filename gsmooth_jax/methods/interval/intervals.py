"""Intervals of float32 numbers, and how they are rounded outward. Device.

An interval holds every value that the certified program may compute at a place. Its ends are float32 numbers, also for
values in bfloat16, with magnitudes below 2^125 and never subnormal; a place of which nothing is known has the ends
-inf and inf, and there the program may have got an infinity or NaN. What follows from such a place is unknown too.
Since no end is subnormal, an interval holds what a processor makes of a value that it flushes to zero.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

UNIT = 2.0**-24
"""The unit roundoff of float32: the exact result of an operation and the rounded one differ by this share at most."""

UNITS = {jnp.dtype(jnp.float32): UNIT, jnp.dtype(jnp.bfloat16): 2.0**-8}
"""The unit roundoff of each type that bounds are known for."""

TINY = 2.0**-120
"""More than what flushing subnormal numbers to zero, once or a few times, may take from a result."""

LARGE = 2.0**125
"""Less than what may overflow in the operation itself, however it is done."""

_SMALLEST = 2.0**-126  # of the normal numbers


class LastLayer(NamedTuple):
    """What a product with constant weights was made of, so that differences of its results can be bounded better.

    Attributes:
      spread: [B, F], how far the features may be from the middle of their intervals.
      weights: [F, K].
      centre: [B, K], the results at the middle.
      error: [B, K], how far rounding may take the results, here and in the program.
    """

    spread: jax.Array
    weights: jax.Array
    centre: jax.Array
    error: jax.Array


class Interval(NamedTuple):
    """Every value from ``lower`` to ``upper``, two arrays of one shape: float32, or bool (certainly, possibly true)."""

    lower: jax.Array
    upper: jax.Array
    last: LastLayer | None = None


Value = jax.Array | Interval
"""A constant, which the program has to the last bit, or an interval."""


def sealed(lower: jax.Array, upper: jax.Array, last: LastLayer | None = None) -> Interval:
    """Returns the interval with its ends made what the module promises."""
    sure = (lower > -LARGE) & (upper < LARGE)  # false for NaN
    lower, upper = _off_subnormals(lower, -_SMALLEST, 0.0), _off_subnormals(upper, 0.0, _SMALLEST)
    return Interval(jnp.where(sure, lower, -jnp.inf), jnp.where(sure, upper, jnp.inf), last)


def _off_subnormals(x: jax.Array, if_negative: float, if_positive: float) -> jax.Array:
    """Replaces subnormal numbers, told by their bits: a processor that flushes them would compare them as zeros."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    magnitude = bits & 0x7FFFFFFF
    subnormal = (magnitude > 0) & (magnitude < 0x00800000)
    return jnp.where(subnormal, jnp.where(bits < 0, if_negative, if_positive), x)


def lifted(value: Value) -> Interval:
    """Returns a constant as an interval."""
    if isinstance(value, Interval):
        return value
    if value.dtype == jnp.bool_:
        return Interval(value, value)
    exact = value.astype(jnp.float32)
    return sealed(exact, exact)


def unit(eqn: Any) -> float:
    """The unit roundoff of an equation's result."""
    return UNITS[eqn.outvars[0].aval.dtype]


def known(x: Interval) -> jax.Array:
    """Where something is known."""
    return x.lower > -jnp.inf


def largest(x: Interval) -> jax.Array:
    """The largest magnitude; inf where nothing is known."""
    return jnp.maximum(-x.lower, x.upper)


def rounded(lower: jax.Array, upper: jax.Array, share: float) -> Interval:
    """Returns an interval of exact results enlarged by rounding errors of this share of a result, and one of our own.

    Flushing to zero is covered by ``TINY``.
    """
    share += 2 * UNIT  # of the error's own computation, and of the sum
    return sealed(lower - share * jnp.abs(lower) - TINY, upper + share * jnp.abs(upper) + TINY)


def where_known(mask: jax.Array, x: Interval) -> Interval:
    """Returns the interval where the mask is set, and elsewhere that nothing is known."""
    return Interval(jnp.where(mask, x.lower, -jnp.inf), jnp.where(mask, x.upper, jnp.inf))


def centred(x: Value) -> tuple[jax.Array, jax.Array | None, jax.Array]:
    """Returns a middle, a radius around it that holds the interval (None for a constant), and the largest magnitude.

    Where nothing is known they are 0, inf and inf.
    """
    if not isinstance(x, Interval):
        exact = x.astype(jnp.float32)
        return exact, None, jnp.abs(exact)
    sure = known(x)
    middle = jnp.where(sure, 0.5 * x.lower + 0.5 * x.upper, 0.0)
    radius = jnp.maximum(x.upper - middle, middle - x.lower) * (1.0 + 4 * UNIT) + TINY
    return middle, jnp.where(sure, radius, jnp.inf), largest(x)


def accumulated(terms: int, unit: float = UNIT) -> float:
    """gamma_n = n u / (1 - n u): of the sum of all terms' magnitudes, the share that n roundings a term may make.

    It holds for every order of summation, with or without fused multiply-adds: a term goes through its multiplication
    and at most n - 1 additions (THEORY Q2).

    Raises:
      ValueError: more roundings than a bound exists for.
    """
    if terms * unit > 0.25:
        raise ValueError(f"Sums of {terms} terms with a unit roundoff of {unit:g} have no useful error bound.")
    return terms * unit / (1.0 - terms * unit)
