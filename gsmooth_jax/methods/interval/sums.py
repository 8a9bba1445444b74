"""Rules for sums, and for sums of products: contractions and convolutions. Device."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.methods.interval.intervals import (
    LARGE,
    TINY,
    UNIT,
    Interval,
    LastLayer,
    Value,
    accumulated,
    centred,
    known,
    largest,
    lifted,
    sealed,
    unit,
    where_known,
)

TINIEST = 2.0**-60
"""Added to the factors of a sum of magnitudes. Its square, and it times any operand, exceed what flushing takes."""


def total(eqn: Any, x: Interval) -> Interval:
    """Returns the sum over axes."""
    axes = eqn.params["axes"]
    out = _summed(eqn, x, math.prod(x.lower.shape[axis] for axis in axes))
    lower = jnp.where(jnp.all(x.lower >= 0.0, axis=axes), jnp.maximum(out.lower, 0.0), out.lower)
    return where_known(known(out), Interval(lower, out.upper))


def window_total(eqn: Any, x: Interval) -> Interval:
    """Returns the sums over windows."""
    return _summed(eqn, x, math.prod(eqn.params["window_dimensions"]))


def _summed(eqn: Any, x: Interval, terms: int) -> Interval:
    share = accumulated(terms + 2, unit(eqn)) + accumulated(terms + 2)
    error = eqn.primitive.bind(largest(x), **eqn.params) * (share * (1.0 + share)) + terms * TINY
    lower, upper = (eqn.primitive.bind(end, **eqn.params) for end in (x.lower, x.upper))
    return sealed(lower - error, upper + error)


def dot(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a contraction of two arrays; of features and constant weights, a last layer."""
    (contracted, _), _ = eqn.params["dimension_numbers"]
    terms = math.prod(eqn.invars[0].aval.shape[axis] for axis in contracted)
    return _contraction(eqn, a, b, terms, last=eqn.params["dimension_numbers"] == (((1,), (0,)), ((), ())))


def convolve(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a convolution."""
    kernel = eqn.invars[1].aval.shape
    terms = math.prod(kernel) // kernel[eqn.params["dimension_numbers"].rhs_spec[0]]
    return _contraction(eqn, a, b, terms)


def _contraction(eqn: Any, a: Value, b: Value, terms: int, last: bool = False) -> Interval:
    """Sums of products: around the middles' result, with a radius that is one or two contractions of magnitudes.

    With a within ra of A, b within rb of B, and |a| <= ga, |b| <= gb, |a b - A B| <= ra gb + |A| rb; rounding takes
    gamma_n ga gb, in the program and here. Of constants r is 0.
    """
    if isinstance(eqn.params["precision"], jax.lax.DotAlgorithm | jax.lax.DotAlgorithmPreset):
        raise ValueError(
            f"Intervals have no rule for {eqn.primitive.name!r} by the algorithm {eqn.params['precision']}."
        )
    exactly = {"precision": (jax.lax.Precision.HIGHEST,) * 2, "preferred_element_type": jnp.dtype(jnp.float32)}
    if not isinstance(b, Interval):  # two constants make an interval too
        a = lifted(a)

    def product(x: jax.Array, y: jax.Array) -> jax.Array:
        return eqn.primitive.bind(x, y, **{**eqn.params, **exactly})

    gamma = accumulated(terms + 2)  # two more: of the last sums

    def magnitudes(x: jax.Array, y: jax.Array) -> jax.Array:
        return product(x + TINIEST, y + TINIEST) * (1.0 + 4 * gamma)

    (middle_a, radius_a, most_a), (middle_b, radius_b, most_b) = centred(a), centred(b)
    centre = product(middle_a, middle_b)
    if radius_a is None:
        assert radius_b is not None  # not both are constants
        radius = magnitudes(most_a, radius_b + 2 * gamma * most_b)
    else:
        radius = magnitudes(radius_a + 2 * gamma * most_a, most_b)
        if radius_b is not None:
            radius = radius + magnitudes(jnp.abs(middle_a), radius_b)
    radius = jnp.where(radius < gamma * LARGE, radius, jnp.inf)  # else the sum of magnitudes might overflow
    if unit(eqn) > UNIT:
        radius = (radius + unit(eqn) * (jnp.abs(centre) + radius)) * (1.0 + 4 * UNIT)
    layer = None
    if last and radius_a is not None and radius_b is None and unit(eqn) == UNIT:
        layer = LastLayer(radius_a, middle_b, centre, magnitudes(2 * gamma * most_a, most_b))
    return sealed(centre - radius, centre + radius, layer)
