"""What intervals become under each primitive of JAX: a table of rules. Device.

Of a float32 program on XLA's CPU backend the following is assumed, and no more:

- additions, subtractions, multiplications and divisions are rounded correctly, or regrouped with a constant neighbour;
  a multiplication may be fused with the addition behind it, a division by a constant be a multiplication;
- contractions and sums are sums of products in float32, in any order;
- functions are wrong by at most ``elementwise.ULPS`` units in the last place, several times what was measured (tests);
- subnormal numbers may be flushed to zero, anywhere;
- in bfloat16 each result is computed as in float32 and then rounded, or left unrounded until later; but sums are
  rounded after each term.

A constant stays one as long as it is only moved or compared: what the program computes of constants may differ in its
last bits from what is computed here, and becomes an interval.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.methods.interval import elementwise, sums
from gsmooth_jax.methods.interval.elementwise import Rule
from gsmooth_jax.methods.interval.intervals import UNITS, Interval, Value, known, lifted, sealed, where_known

_MOVED = {"broadcast_in_dim", "concatenate", "copy", "dynamic_slice", "gather", "pad", "reshape", "rev"}
_MOVED |= {"slice", "split", "squeeze", "stack", "stop_gradient", "tile", "transpose", "unstack"}
"""Primitives that only put entries elsewhere."""

_MONOTONE = {"and", "ceil", "clamp", "floor", "max", "min", "or", "reduce_and", "reduce_max", "reduce_min", "reduce_or"}
_MONOTONE |= {"reduce_window_max", "reduce_window_min", "round", "sign"}
"""Exact primitives that no larger operand makes smaller."""

_COMPARED = {"eq", "ge", "gt", "is_finite", "le", "lt", "ne"}

_EXACT = _MOVED | _MONOTONE | _COMPARED | {"abs", "iota", "neg", "not", "select_n"}
"""Primitives that every program computes to the last bit."""


def keeps_constants(eqn: Any) -> bool:
    """Whether what the equation of a jaxpr makes of constants is a constant: every program has the same bits."""
    if eqn.primitive.name == "convert_element_type":
        target = jnp.dtype(eqn.params["new_dtype"])
        return target not in UNITS or (target == jnp.float32 and eqn.invars[0].aval.dtype != jnp.float64)
    return eqn.primitive.name in _EXACT or all(result.aval.dtype not in UNITS for result in eqn.outvars)


def apply(eqn: Any, operands: Sequence[Value]) -> list[Value]:
    """Returns the results of an equation of a jaxpr, some of whose operands are intervals.

    Raises:
      ValueError: a primitive without a rule, or results of a type without one; names it.
    """
    name = eqn.primitive.name
    for result in eqn.outvars:
        if result.aval.dtype not in UNITS and result.aval.dtype != jnp.bool_:
            raise ValueError(f"Intervals have no rule for {name!r} with results of type {result.aval.dtype}.")
    if name in _MOVED or name in _MONOTONE:
        return _ends(eqn, operands)
    if name not in _RULES:
        raise ValueError(f"Intervals have no rule for the primitive {name!r}. Known: {', '.join(sorted(KNOWN))}.")
    return [_RULES[name](eqn, *operands)]


def _ends(eqn: Any, operands: Sequence[Value]) -> list[Value]:
    """Applies an exact primitive to the lower ends and to the upper ones."""
    indexed = eqn.primitive.name in ("gather", "dynamic_slice")
    if indexed and any(isinstance(i, Interval) for i in operands[1:]):
        raise ValueError(f"Intervals have no rule for {eqn.primitive.name!r} at indices that depend on the input.")
    moving = operands[:1] if indexed else operands
    # Constants keep their infinities: a maximum begins with -inf.
    pairs = [x if isinstance(x, Interval) else _constant(x) for x in moving]
    lowers, uppers = (
        _listed(eqn.primitive.bind(*(x[end] for x in pairs), *operands[len(moving) :], **eqn.params)) for end in (0, 1)
    )
    out = [Interval(a, b) if a.dtype == jnp.bool_ else sealed(a, b) for a, b in zip(lowers, uppers, strict=True)]
    if eqn.primitive.name in ("clamp", "sign"):  # their results are finite, whatever the operand
        return [where_known(known(pairs[len(pairs) // 2]), x) for x in out]
    return list(out)


def _constant(value: jax.Array) -> Interval:
    end = value if value.dtype == jnp.bool_ else value.astype(jnp.float32)
    return Interval(end, end)


def _listed(result: Any) -> list[jax.Array]:
    return list(result) if isinstance(result, list | tuple) else [result]


def _lifting(rule: Rule) -> Rule:
    """The rule of a function of one operand, that may be a constant."""
    return lambda eqn, x: rule(eqn, lifted(x))


_RULES: dict[str, Rule] = {
    "abs": elementwise.magnitude,
    "add": elementwise.add,
    "add_any": elementwise.add,
    "conv_general_dilated": sums.convolve,
    "convert_element_type": elementwise.convert,
    "div": elementwise.divide,
    "dot_general": sums.dot,
    "erf": _lifting(elementwise.function(True)),
    "erfc": _lifting(elementwise.function(False, negative=False)),
    "exp": _lifting(elementwise.function(True, negative=False)),
    "expm1": _lifting(elementwise.function(True)),
    "integer_pow": lambda eqn, x: elementwise.power(eqn, lifted(x), eqn.params["y"]),
    "is_finite": elementwise.is_finite,
    "log": _lifting(elementwise.function(True, 0.0)),
    "log1p": _lifting(elementwise.function(True, -1.0)),
    "logistic": _lifting(elementwise.function(True, negative=False)),
    "mul": elementwise.multiply,
    "neg": elementwise.negate,
    "not": elementwise.negation,
    "pow": elementwise.power_of,
    "reduce_sum": _lifting(sums.total),
    "reduce_window_sum": _lifting(sums.window_total),
    "rsqrt": _lifting(elementwise.function(False, 0.0, negative=False)),
    "select_n": elementwise.select,
    "sqrt": _lifting(elementwise.function(True, 0.0, at_it=True, negative=False)),
    "square": lambda eqn, x: elementwise.power(eqn, lifted(x), 2),
    "sub": elementwise.subtract,
    "tanh": _lifting(elementwise.function(True)),
    **dict.fromkeys(_COMPARED - {"is_finite"}, elementwise.compare),
}

KNOWN = _EXACT | _RULES.keys()
"""The primitives that have a rule."""
