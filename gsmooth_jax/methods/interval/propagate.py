"""Bounds on what a classifier computes for every image of a box, from the jaxpr of its program. Device.

Interval bound propagation (Gowal et al., ICCV 2019; the Interval column of GSmooth's Table 1), rounded outward: the
bounds hold for the float32 numbers that XLA's CPU backend computes, under what ``rules`` assumes of it, not only for
real arithmetic (THEORY Q2). The function is traced, and each of its equations evaluated on intervals. All of it may be
compiled as part of a larger program: nothing depends on a value.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.extend
import jax.numpy as jnp

from gsmooth_jax.methods.interval import rules
from gsmooth_jax.methods.interval.intervals import (
    UNIT,
    Interval,
    LastLayer,
    Value,
    accumulated,
    known,
    largest,
    lifted,
    sealed,
    where_known,
)
from gsmooth_jax.methods.interval.sums import TINIEST

_CALLS = frozenset(("checkpoint", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "jit", "remat2"))
"""Primitives that only apply another jaxpr."""


def bounds(function: Callable[[jax.Array], jax.Array], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns ends between which every entry of function(images) is, for all images between low and high.

    Args:
      function: images [B, H, W, C] -> logits [B, K], or any other function of one array; it may close over weights,
        traced ones included.
      low: [B, H, W, C] float32.
      high: [B, H, W, C] float32, nowhere below ``low``.

    Returns:
      Two arrays of the result's shape, float32. Where nothing can be said, because of an overflow, a division by what
      may be 0 or the like, they are -inf and inf, and the function may give NaN.

    Raises:
      ValueError: the function uses a primitive without a rule, which is named; or the backend is not the CPU, whose
        arithmetic is the one that ``rules`` knows.
    """
    out = lifted(propagate(function, _box(low, high)))
    return out.lower, out.upper


def margins(
    function: Callable[[jax.Array], jax.Array], low: jax.Array, high: jax.Array, label: jax.Array | int
) -> jax.Array:
    """Bounds from below by how much the label's logit exceeds every other, for all images between low and high.

    A last layer with constant weights is bounded by its differences of weights, which cancel what the classes share
    (THEORY Q3).

    Args:
      function: as for ``bounds``, of two classes or more.
      low: [B, H, W, C] float32.
      high: [B, H, W, C] float32.
      label: a class, 0 <= label < K.

    Returns:
      [B] float32. Above 0: the program answers ``label``, and no logit ties with its own. -inf where nothing is known.
    """
    out = lifted(propagate(function, _box(low, high)))

    def labels(x: jax.Array) -> jax.Array:
        return jax.lax.dynamic_index_in_dim(x, label, axis=1)

    rounding = 4 * UNIT * (labels(largest(out)) + largest(out))
    apart = labels(out.lower) - out.upper - rounding  # [B, K]
    if out.last is not None:
        apart = jnp.maximum(apart, _folded(out.last, labels) - rounding)
    others = jnp.arange(apart.shape[1])[None, :] != label
    least = jnp.min(jnp.where(others, apart, jnp.inf), axis=1)
    return jnp.where(jnp.all(known(out), axis=1), least, -jnp.inf)


def _folded(last: LastLayer, labels: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """Bounds from below, but for the roundings of this very sum, how far the label's logit is above each: [B, K]."""
    steps = jnp.abs(labels(last.weights) - last.weights) * (1.0 + 4 * UNIT)
    reach = jnp.matmul(last.spread + TINIEST, steps + TINIEST, precision="highest")
    reach = reach * (1.0 + 4 * accumulated(len(last.weights) + 2))
    lost = (reach + labels(last.error) + last.error) * (1.0 + 8 * UNIT)
    return labels(last.centre) - last.centre - lost


def propagate(function: Callable[..., jax.Array], *operands: Value) -> Value:
    """Returns what a function makes of arrays, each a constant or an interval; see ``bounds``."""
    if jax.default_backend() != "cpu":
        raise ValueError(
            f"Interval bounds know the arithmetic of the CPU alone, got the backend {jax.default_backend()!r}: "
            "run with JAX_PLATFORMS=cpu."
        )
    shapes = [_shape(x) for x in operands]
    traced = jax.make_jaxpr(function)(*shapes)
    (out,) = _evaluate(traced.jaxpr, traced.consts, operands)
    return out


def _shape(x: Value) -> jax.ShapeDtypeStruct:
    example = x.lower if isinstance(x, Interval) else x
    return jax.ShapeDtypeStruct(example.shape, example.dtype)


def _box(low: jax.Array, high: jax.Array) -> Interval:
    low, high = jnp.asarray(low), jnp.asarray(high)
    if low.dtype != jnp.float32 or high.dtype != jnp.float32 or low.shape != high.shape:
        raise ValueError(
            f"Expected two float32 arrays of one shape, got {low.dtype}{low.shape}, {high.dtype}{high.shape}."
        )
    return where_known(low <= high, sealed(low, high))


def _evaluate(jaxpr: Any, constants: Any, operands: Any) -> list[Value]:
    """Evaluates a jaxpr on constants and intervals."""
    values: dict[Any, Value] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *operands], strict=True))

    def value(variable: Any) -> Value:
        if isinstance(variable, jax.extend.core.Literal):
            return jnp.asarray(variable.val)
        return values[variable]

    for eqn in jaxpr.eqns:
        found = [value(v) for v in eqn.invars]
        values.update(zip(eqn.outvars, _applied(eqn, found), strict=True))
    return [value(v) for v in jaxpr.outvars]


def _applied(eqn: Any, operands: list[Value]) -> list[Value]:
    if eqn.primitive.name in _CALLS:
        inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
        if isinstance(inner, jax.extend.core.ClosedJaxpr):
            return _evaluate(inner.jaxpr, inner.consts, operands)
        return _evaluate(inner, (), operands)
    if rules.keeps_constants(eqn) and not any(isinstance(x, Interval) for x in operands):
        results = eqn.primitive.bind(*operands, **eqn.params)
        return list(results) if eqn.primitive.multiple_results else [results]
    return rules.apply(eqn, operands)
