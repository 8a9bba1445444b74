"""Soap bubbles against changes of every pixel: noise whose density has a pole of the maximum norm."""

import dataclasses
import functools
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from gsmooth_jax import _validate, pytrees
from gsmooth_jax.smoothing import _host
from gsmooth_jax.types import Acts

_DRAWS, _PILOTS = 1_000_000, 50_000
"""Fresh draws for every figure of the curve, and those that choose its multipliers."""

_STEPS, _OCTAVES = 256, 8
"""Radii of the curve: so many to a factor of two, and factors of two each way from sigma / sqrt(dim)."""

_FEWEST = 16
_TABLE = 4096  # points of the law of the largest entry
_DEPTH = 40.0  # of its log-density, from the mode to both ends
_SMALLEST = -700.0  # of its logarithm, that float64 holds
_ROWS = 256  # drawn at a time: they stay in a processor's cache
_SHORT = 0.5  # of the largest entry: from here on the others are cut out of normal draws, below of uniform ones


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class SoapLinf:
    """Noise z of ``dim`` entries with a density proportional to |z|_inf^-k exp(-|z|_2^2 / (2 sigma^2)).

    With k = 0 it is normal. ``sigma`` is traced, the rest is not. For the transform ``additive`` and cubes. What the
    law proves is estimated by draws of its own, once for a law, on the host (THEORY G4); they err with a probability of
    at most ``level``, which is a part of a claim's alpha. For images of 3,072 entries that takes a core 46 s.

    Attributes:
      sigma: in parameter units; the standard deviation where k = 0.
      k: of the pole, 0 <= k < dim.
      dim: entries of an image, at least 16.
      level: probability with which the law's curve may be wrong, below alpha.
      seed: of the curve's draws.
    """

    sigma: float
    k: float = dataclasses.field(metadata={"static": True})
    dim: int = dataclasses.field(metadata={"static": True})
    level: float = dataclasses.field(default=1e-4, metadata={"static": True})
    seed: int = dataclasses.field(default=0, metadata={"static": True})

    name: ClassVar[str] = "soap_linf"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __post_init__(self):
        _validate.at_least(_FEWEST, dim=self.dim)
        _validate.probability(level=self.level)
        _validate.word(seed=self.seed)
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))
        object.__setattr__(self, "k", _host.number(self.k, "k"))
        if not (isinstance(self.k, float) and 0.0 <= self.k < self.dim):
            raise ValueError(f"Expected 0 <= k < dim, got k={self.k!r}, dim={self.dim!r}.")

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws z [dim] float32. Device. The key is consumed.

        The largest entry's size M has a density of its own; which entry it is, and its sign, are any; the others are
        normal, cut off at +-M (THEORY G4).
        """
        if dim != self.dim:
            raise ValueError(f"Expected {self.dim} parameters, which {self.name} has as dim, got {dim}.")
        of_size, of_place, of_sign, of_rest = jax.random.split(key, 4)
        log_sizes, below = (jnp.asarray(column, jnp.float32) for column in _largest(self.k, dim))
        largest = jnp.exp(jnp.interp(jax.random.uniform(of_size), below, log_sizes))
        rest = jax.random.truncated_normal(of_rest, -largest, largest, (dim,), jnp.float32)
        place = jnp.arange(dim) == jax.random.randint(of_place, (), 0, dim)
        return jnp.float32(self.sigma) * jnp.where(place, largest * jax.random.rademacher(of_sign, ()), rest)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns the half side of a cube of shifts that is certified, rounded down; one parameter may move further.

        Host, float64. One-sided: ``p_upper`` counts only for what ``p_lower`` leaves.
        """
        _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        numbers = range(-_STEPS * _OCTAVES, _STEPS * _OCTAVES + 1)
        low, high = -1, len(numbers)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._needed(numbers[middle]) < settled[0] else (low, middle)
        return 0.0 if low < 0 else self._side(numbers[low])

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether the top class wins after each shift [dim] whose largest entry is no larger. Host, float64.

        One-sided. Among them (r, ..., r) is the worst (THEORY G1).
        """
        side = float(np.abs(_host.shift_vector(shift, self.dim)).max()) * (1.0 + _host.GUARD)
        settled = _host.settle(p_lower, p_upper)
        if settled is None or side == 0.0:
            return settled is not None
        number = max(math.ceil(_STEPS * math.log2(side / self._side(0))), -_STEPS * _OCTAVES)
        return number <= _STEPS * _OCTAVES and self._needed(number) < settled[0]

    def _side(self, number: int) -> float:
        """The half side of the curve's cube of that number, in parameter units."""
        return self.sigma / math.sqrt(self.dim) * 2.0 ** (number / _STEPS)

    def _needed(self, number: int) -> float:
        return _needed(self.k, self.dim, self.seed, self.level / (2 * _STEPS * _OCTAVES + 1), number)


@functools.lru_cache(maxsize=4096)
def _needed(k: float, dim: int, seed: int, level: float, number: int) -> float:
    """Bounds from above the p_A with which the top class wins after the shift (r, ..., r); wrong as often as ``level``.

    For every multiplier, beta(p) >= multiplier p - E_0 (multiplier - LR)^+ (THEORY 0.2): pilot draws choose it, fresh
    ones bound the mean from above (Maurer and Pontil 2009, Theorem 4).
    """
    from scipy import optimize  # a fifth of the package's import time, for few laws

    side = 2.0 ** (number / _STEPS) / math.sqrt(dim)

    def needed(log_multiplier: float, ratios: np.ndarray) -> float:
        lost = np.maximum(1.0 - np.exp(ratios - log_multiplier), 0.0)  # a share of the multiplier
        deep = math.log(2.0 / level)
        spread = math.sqrt(2.0 * float(lost.var(ddof=1)) * deep / _DRAWS) + 7.0 * deep / (3.0 * (_DRAWS - 1))
        return 0.5 * math.exp(-log_multiplier) + float(lost.mean()) + spread

    pilots, fresh = (_log_ratios(k, dim, side, draws) for draws in _curve_draws(k, dim, seed))
    ends = float(np.quantile(pilots, 0.01)), max(float(pilots.max()), 1.0)
    chosen: Any = optimize.minimize_scalar(needed, bounds=ends, args=(pilots,), method="bounded")
    return needed(float(chosen.x), fresh) * (1.0 + _host.GUARD)


def _log_ratios(k: float, dim: int, side: float, draws: np.ndarray) -> np.ndarray:
    """Log LR [N] of the shift (side, ..., side), from the sums, the least and the largest entries [3, N] of draws."""
    total, least, largest = draws
    moved = np.maximum(largest - side, side - least)
    return side * total - 0.5 * dim * side**2 - k * np.log(moved / np.maximum(largest, -least))


@functools.lru_cache(maxsize=4)
def _curve_draws(k: float, dim: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum, least and largest entry of each draw, in units of sigma: [3, N] of the pilots, and of fresh ones."""
    pilot, fresh = (np.random.default_rng((seed, phase)) for phase in range(2))
    return _drawn(k, dim, _PILOTS, pilot), _drawn(k, dim, _DRAWS, fresh)


def _drawn(k: float, dim: int, count: int, random: np.random.Generator) -> np.ndarray:
    log_sizes, below = _largest(k, dim)
    sizes = np.exp(np.interp(random.random(count), below, log_sizes))
    signed = sizes * random.choice((-1.0, 1.0), count)
    found = np.empty((3, count))
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        rest = _cut(sizes[rows], dim - 1, random)
        found[0, rows] = rest.sum(axis=1, dtype=np.float64) + signed[rows]
        found[1, rows] = np.minimum(rest.min(axis=1), signed[rows])
        found[2, rows] = np.maximum(rest.max(axis=1), signed[rows])
    return found


def _cut(sizes: np.ndarray, dim: int, random: np.random.Generator) -> np.ndarray:
    """[N, dim] float32 normal draws, row by row cut off at +-sizes [N], by rejection."""
    ends = np.broadcast_to(sizes[:, None].astype(np.float32), (len(sizes), dim))
    short = sizes.min() < _SHORT
    drawn = np.empty(ends.shape, np.float32)
    left = np.ones(ends.shape, bool)
    while missing := int(left.sum()):
        if short:
            tried = (2.0 * random.random(missing, np.float32) - 1.0) * ends[left]
            kept = random.random(missing, np.float32) < np.exp(-0.5 * tried**2)
        else:
            tried = random.standard_normal(missing, np.float32)
            kept = np.abs(tried) < ends[left]
        drawn[left] = tried
        left[left] = ~kept
    return drawn


@functools.lru_cache(maxsize=8)
def _largest(k: float, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of sizes of the largest entry, in units of sigma, and the probabilities that it is smaller: [n] each.

    M has a density proportional to M^-k phi(M) (2 Phi(M) - 1)^(dim - 1).
    """

    def log_density(x: np.ndarray) -> np.ndarray:  # of ln M
        return (1.0 - k) * x - 0.5 * np.exp(2.0 * x) + (dim - 1) * np.log(special.erf(np.exp(x) / math.sqrt(2.0)))

    x = np.linspace(max(-_DEPTH / (dim - k) - 5.0 - math.log(dim), _SMALLEST), math.log(12.0), 1 << 20)
    high = log_density(x)
    inside = x[high > high.max() - _DEPTH]
    x = np.linspace(inside[0], inside[-1], _TABLE)
    density = np.exp(log_density(x) - high.max())
    below = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    return x, below / below[-1]
