"""What the laws' host theory shares: settling the two probabilities, normal quantiles, a bisection, argument checks.

Host, float64. Every radius is the supremum of the certified shifts, and every decision compares with ``GUARD`` to
spare, so that float64 rounding cannot certify what the theorem does not.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from gsmooth_jax import _validate

GUARD = 1e-10
"""Relative margin of a decision: far above the rounding of the formulas, far below anything a user can see."""

_STEPS = 100  # halvings and doublings of a bisection: float64 has 53 bits


def settle(p_lower: float, p_upper: float) -> tuple[float, float] | None:
    """Returns the sharpest consistent (p_lower, p_upper), or None when they certify nothing.

    The runner-up cannot have more than what the top class leaves, so ``p_upper`` is cut at ``1 - p_lower``.
    """
    p_lower, p_upper = float(p_lower), float(p_upper)
    if not (0.0 <= p_lower <= 1.0 and 0.0 <= p_upper <= 1.0):
        raise ValueError(f"Expected probabilities in [0, 1], got {p_lower=} {p_upper=}.")
    p_upper = min(p_upper, 1.0 - p_lower)
    return (p_lower, p_upper) if p_lower > p_upper else None


def sign(direction: int) -> int:
    """Returns the direction, checked: +1 or -1."""
    if direction not in (1, -1):
        raise ValueError(f"Expected direction 1 or -1, got {direction=}.")
    return direction


def shift_vector(shift: np.ndarray, dim: int | None = None) -> np.ndarray:
    """Returns the shift as a finite float64 vector [P], of length ``dim`` if given."""
    vector = np.asarray(shift, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise ValueError(f"Expected a finite shift of shape [P], got {shift!r}.")
    if dim is not None and vector.size != dim:
        raise ValueError(f"Expected a shift of {dim} parameters, got {vector.size}.")
    return vector


def half_gap(p_lower: float, p_upper: float) -> float:
    """Returns q = (Phi^-1(p_lower) - Phi^-1(p_upper)) / 2, in standard deviations. Needs settled probabilities.

    Phi^-1 near 1 is taken from the other tail: 1 - p is exact in float64 for p >= 1/2.
    """
    upper_tail = -special.ndtri(1.0 - p_lower) if p_lower >= 0.5 else special.ndtri(p_lower)
    return 0.5 * float(upper_tail - special.ndtri(p_upper))


def supremum(certified: Callable[[float], bool]) -> float:
    """Returns the largest delta > 0 with ``certified(delta)``, rounded down; 0.0 if there is none.

    ``certified`` is true up to some delta and false beyond it. The end of the bisection that was tested is returned.
    """
    high = 1.0
    for _ in range(_STEPS):
        if not certified(high):
            break
        high *= 2.0
    else:
        return math.inf
    low = 0.0
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if certified(middle) else (low, middle)
    return low


def number(value: Any, name: str) -> Any:
    """Returns a Python float for a concrete number, after a check that it is finite; leaves anything else alone.

    JAX rebuilds a law with tracers and placeholders in its fields: these pass through unchecked.
    """
    if isinstance(value, bool | str | bytes | list | tuple | dict):
        raise ValueError(f"Expected a number {name}, got {name}={value!r}.")
    if not isinstance(value, int | float | np.integer | np.floating):
        return value
    if not math.isfinite(value):
        raise ValueError(f"Expected {name} finite, got {name}={value!r}.")
    return float(value)


def positive_number(value: Any, name: str) -> Any:
    """As ``number``, and > 0."""
    value = number(value, name)
    if isinstance(value, float):
        _validate.positive(**{name: value})
    return value
