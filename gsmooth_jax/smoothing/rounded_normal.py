"""The normal law rounded to a grid, drawn as a whole number of steps from a table (THEORY J1).

A float32 sum u + z keeps traces of how z was computed, by which a classifier may tell one u from another. If u and z
are multiples of one power of two, the sum has none: float32 rounds it, if at all, as a function of the exact sum. How
far the law of the draws is from the one that a proof speaks of is then a matter of the table alone: it is bounded here.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

_BITS = 18
"""Of the columns of a table, which are whole numbers of steps from -2^17 to 2^17 - 1: a finer grid costs cache, a
coarser one distance, since latents are rounded to it."""

_COLUMNS, _HALF = 2**_BITS, 2 ** (_BITS - 1)

_REACH = 6.6
"""Standard deviations that a table holds, at least, on either side; beyond them the law has 4e-11."""

_UNITS = 2 ** (_BITS + 32)
"""Probabilities are whole numbers of these parts of one: some bits choose a column, and 32 what it stands for."""

_NDTR = 1e-13
"""Relative error of SciPy's ndtr between -9 and 0, and of its argument: what was measured is less than a fifth. Beyond
-9 there is less than 1e-18."""


class RoundedNormal(NamedTuple):
    """Draws whole numbers of steps from random words: the alias method (Walker 1977). A pytree.

    Attributes:
      step: between neighbours on the grid, a power of two.
      density: steps a unit, its inverse.
      keep: [2^18] uint32; column i is i - 2^17 steps if a word is below ``keep[i]``,
      other: [2^18] uint32; and ``other[i]`` - 2^17 if not.
    """

    step: float
    density: float
    keep: np.ndarray
    other: np.ndarray

    def __call__(self, words: jax.Array) -> jax.Array:
        """Takes pairs of random words [..., 2] uint32 to numbers of steps [...] int32. Device."""
        column = words[..., 0] >> (32 - _BITS)
        keep, other = (jnp.asarray(a).at[column].get(mode="promise_in_bounds") for a in (self.keep, self.other))
        return jnp.where(words[..., 1] < keep, column, other).astype(jnp.int32) - _HALF


def spacing(sigma: float) -> float:
    """Returns the smallest power of two whose table holds ``_REACH`` standard deviations. Host."""
    share, exponent = math.frexp(_REACH * sigma / (_HALF - 1))
    return math.ldexp(1.0, exponent if share > 0.5 else exponent - 1)


@functools.lru_cache(maxsize=16)
def rounded_normal(sigma: float, step: float) -> tuple[RoundedNormal, float]:
    """Returns a sampler of N(0, sigma^2) rounded to multiples of a power of two, and how far its law is from that.

    The second number bounds the total variation between the two, rounded up. Host.
    """
    mass, error = masses(sigma, step)
    counts = np.rint(mass * _UNITS).astype(np.int64)
    counts[_HALF] += _UNITS - counts.sum()  # the most probable by far
    apart = np.abs(counts / _UNITS - mass).sum() + error
    keep, other = _aliases(counts)
    return RoundedNormal(step, 1.0 / step, keep, other), 0.5 * float(apart) * (1.0 + 1e-9)


def masses(sigma: float, step: float) -> tuple[np.ndarray, float]:
    """Returns the probability [2^18] of each number of steps from -2^17 on, and a bound on what is wrong or missing."""
    tails = special.ndtr((np.arange(-_HALF, 1) - 0.5) * step / sigma)  # below the numbers from -2^17 to 0
    below = np.diff(tails)  # of those from -2^17 to -1
    mass = np.concatenate([below, [1.0 - 2.0 * tails[-1]], below[:0:-1]])
    return mass, 4.0 * _NDTR * float(tails.sum()) + 2.0 * float(tails[1])


def shared_upper(entries: int, sigma: float, shared: float, step: float) -> float:
    """Bounds what it costs to round a draw that all entries share by itself, in total variation (THEORY J1). Host.

    Args:
      entries: whose own draws are N(0, sigma^2), rounded to a grid no coarser than the shared one's.
      sigma: standard deviation of these.
      shared: standard deviation of the draw added to all of them.
      step: of the grid to which that is rounded.
    """
    root = 0.5 * math.sqrt(entries) * step / sigma
    if root > 1.0:
        return 1.0
    tilted = root * step * (shared + 0.5 * step) / (4.0 * shared**2)
    return (tilted + math.exp(0.5 * root**2) * root**2 / math.sqrt(8.0)) * (1.0 + 1e-9)


def _aliases(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divides counts [2^18] with the sum 2^50 among columns of 2^32 each, two numbers of steps a column. Host."""
    full = _UNITS // _COLUMNS
    left = counts.tolist()
    keep, other = np.zeros(_COLUMNS, np.uint32), np.arange(_COLUMNS, dtype=np.uint32)  # a column of one number
    small = [i for i, count in enumerate(left) if count < full]
    large = [i for i, count in enumerate(left) if count > full]
    while small:
        column, giver = small.pop(), large[-1]
        keep[column], other[column] = left[column], giver
        left[giver] -= full - left[column]
        if left[giver] <= full:
            large.pop()
            if left[giver] < full:
                small.append(giver)
    return keep, other
