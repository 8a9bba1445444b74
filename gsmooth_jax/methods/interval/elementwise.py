"""Rules for operations on single entries: arithmetic, functions, choices and conversions. Device.

Each takes an equation of a jaxpr and its operands, and returns the interval of its result; see ``rules``.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.methods.interval.intervals import (
    TINY,
    UNIT,
    UNITS,
    Interval,
    Value,
    known,
    largest,
    lifted,
    rounded,
    sealed,
    unit,
    where_known,
)

Rule = Callable[..., Interval]

ULPS = {
    "erf": 8,
    "erfc": 128,
    "exp": 8,
    "expm1": 8,
    "log": 8,
    "log1p": 8,
    "logistic": 8,
    "pow": 8,
    "rsqrt": 8,
    "sqrt": 8,
    "tanh": 8,
}
"""Units in the last place that a function may be wrong by in float32."""


def _share(eqn: Any, roundings: int = 1) -> float:
    """Of a result, what so many roundings may take in the program, twice over, and in float32 here."""
    return 2 * roundings * (unit(eqn) + UNIT) + 2 * UNIT


def _same(eqn: Any) -> bool:
    """Whether both operands are one variable."""
    return eqn.invars[0] is eqn.invars[1]


def _sum_of(eqn: Any, a: Interval, b: Interval) -> Interval:
    # Of the operands, not of the result: so it covers a + (c + d) in the place of (a + c) + d.
    error = _share(eqn) * (largest(a) + largest(b)) + TINY
    return sealed(a.lower + b.lower - error, a.upper + b.upper + error)


def add(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a + b; of a last layer and its bias, a last layer."""
    total = _sum_of(eqn, lifted(a), lifted(b))
    layer, bias = (a, b) if isinstance(a, Interval) and a.last else (b, a)
    if not isinstance(layer, Interval) or layer.last is None or isinstance(bias, Interval):
        return total
    last, bias = layer.last, bias.astype(jnp.float32)
    error = last.error * (1.0 + 4 * UNIT) + _share(eqn) * (largest(layer) + jnp.abs(bias)) + TINY
    return total._replace(last=last._replace(centre=last.centre + bias, error=error))


def subtract(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a - b."""
    return _sum_of(eqn, lifted(a), negate(eqn, lifted(b)))


def negate(eqn: Any, x: Interval) -> Interval:
    """Returns -x, exact."""
    del eqn
    return Interval(-x.upper, -x.lower)


def magnitude(eqn: Any, x: Interval) -> Interval:
    """Returns |x|, exact."""
    del eqn
    return where_known(known(x), Interval(jnp.maximum(jnp.maximum(x.lower, -x.upper), 0.0), largest(x)))


def multiply(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a b, or the square if both are one variable."""
    if _same(eqn):
        return power(eqn, lifted(a), 2)
    a, b = lifted(a), lifted(b)
    corners = [x * y for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    return _signed(a, b, _hull(corners, _share(eqn)))


def divide(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a / b; nothing is known where b may be 0."""
    a, b = lifted(a), lifted(b)
    sure = (b.lower > 0.0) | (b.upper < 0.0)
    corners = [x / jnp.where(sure, y, 1.0) for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    return where_known(sure, _signed(a, b, _hull(corners, _share(eqn, 2))))


def _hull(corners: list[jax.Array], share: float) -> Interval:
    return rounded(functools.reduce(jnp.minimum, corners), functools.reduce(jnp.maximum, corners), share)


def _signed(a: Interval, b: Interval, out: Interval) -> Interval:
    """Keeps a product or a quotient from crossing 0, which rounding never makes it do."""
    same = (a.lower >= 0.0) & (b.lower >= 0.0) | (a.upper <= 0.0) & (b.upper <= 0.0)
    other = (a.lower >= 0.0) & (b.upper <= 0.0) | (a.upper <= 0.0) & (b.lower >= 0.0)
    lower = jnp.where(same, jnp.maximum(out.lower, 0.0), out.lower)
    upper = jnp.where(other, jnp.minimum(out.upper, 0.0), out.upper)
    return where_known(known(a) & known(b) & known(out), Interval(lower, upper))


def power(eqn: Any, x: Interval, y: int) -> Interval:
    """x^y by repeated multiplication, at most y roundings; of a negative power the reciprocal."""
    if y < 0:
        return divide(eqn, jnp.ones((), jnp.float32), power(eqn, x, -y))
    base = magnitude(eqn, x) if y % 2 == 0 else x
    low, high = (jax.lax.integer_pow(jnp.where(known(x), end, 1.0), y) for end in (base.lower, base.upper))
    out = rounded(low, high, _share(eqn, y))
    out = where_known(known(x) & known(out), out)
    return _not_negative(out) if y % 2 == 0 else out


def _not_negative(x: Interval) -> Interval:
    """Of what is never negative, however it is rounded."""
    return where_known(known(x), Interval(jnp.maximum(x.lower, 0.0), x.upper))


# Functions.


def function(increasing: bool, above: float = -math.inf, *, at_it: bool = False, negative: bool = True) -> Rule:
    """The rule of a monotone function of numbers above one (``at_it``: or equal to it), perhaps never negative."""

    def rule(eqn: Any, x: Interval) -> Interval:
        sure = known(x) & ((x.lower >= above) if at_it else (x.lower > above))
        ends = (x.lower, x.upper) if increasing else (x.upper, x.lower)
        low, high = (eqn.primitive.bind(jnp.where(sure, end, 1.0), **eqn.params) for end in ends)
        out = rounded(low, high, 4 * ULPS[eqn.primitive.name] * UNIT + 2 * unit(eqn))
        out = where_known(sure & known(out), out)
        return out if negative else _not_negative(out)

    return rule


def power_of(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns a^b; nothing is known where a may be below 0, or 0 with an exponent that may be 0 or less."""
    a, b = lifted(a), lifted(b)
    sure = known(a) & known(b) & ((a.lower > 0.0) | (a.lower >= 0.0) & (b.lower > 0.0))
    bases, exponents = ([jnp.where(sure, end, 1.0) for end in (x.lower, x.upper)] for x in (a, b))
    out = _hull([jax.lax.pow(x, y) for x in bases for y in exponents], 4 * ULPS["pow"] * UNIT + 2 * unit(eqn))
    return _not_negative(where_known(sure & known(out), out))


# Choices and conversions.


def compare(eqn: Any, a: Value, b: Value) -> Interval:
    """Returns whether a == b, a < b and so on: certainly, possibly."""
    name, a, b = eqn.primitive.name, lifted(a), lifted(b)
    sure = known(a) & known(b)
    if _same(eqn):  # of a number; NaN differs from itself
        holds = name in ("eq", "ge", "le")
        return Interval(sure & holds, ~sure | holds)
    if name in ("ge", "gt"):
        a, b = b, a
    if name in ("gt", "lt"):
        certain, possible = a.upper < b.lower, a.lower < b.upper
    elif name in ("ge", "le"):
        certain, possible = a.upper <= b.lower, a.lower <= b.upper
    else:
        certain = (a.lower == a.upper) & (b.lower == b.upper) & (a.lower == b.lower)
        possible = (a.lower <= b.upper) & (b.lower <= a.upper)
        if name == "ne":
            certain, possible = ~possible, ~certain
    return Interval(certain & sure, possible | ~sure)


def is_finite(eqn: Any, x: Interval) -> Interval:
    """Returns whether x is finite: certainly where it is known, possibly anywhere."""
    del eqn
    return Interval(known(x), jnp.ones_like(x.lower, jnp.bool_))


def negation(eqn: Any, x: Interval) -> Interval:
    """Returns not x."""
    del eqn
    return Interval(~x.upper, ~x.lower)


def select(eqn: Any, which: Value, *cases: Value) -> Interval:
    """Returns the chosen case, or the hull of both where the choice is open."""
    del eqn
    chosen = [lifted(case) for case in cases]
    if not isinstance(which, Interval):
        lowers, uppers = zip(*((c.lower, c.upper) for c in chosen), strict=True)
        return Interval(jax.lax.select_n(which, *lowers), jax.lax.select_n(which, *uppers))
    no, yes = chosen  # an interval that chooses is bool
    either = Interval(jnp.minimum(no.lower, yes.lower), jnp.maximum(no.upper, yes.upper))
    lower, upper = (
        jnp.where(which.lower, y, jnp.where(which.upper, e, n))
        for n, e, y in ((no.lower, either.lower, yes.lower), (no.upper, either.upper, yes.upper))
    )
    return Interval(lower, upper)


def convert(eqn: Any, x: Value) -> Interval:
    """Returns x in another type; a shorter one rounds, or leaves it for later."""
    x, source, target = lifted(x), eqn.invars[0].aval.dtype, jnp.dtype(eqn.params["new_dtype"])
    if source == jnp.bool_:
        return x if target == jnp.bool_ else Interval(x.lower.astype(jnp.float32), x.upper.astype(jnp.float32))
    if target == jnp.bool_:
        raise ValueError("Intervals have no rule for 'convert_element_type' from numbers to bool.")
    if UNITS[target] <= UNITS.get(source, 0.0):
        return x
    return rounded(x.lower, x.upper, UNITS[target])
