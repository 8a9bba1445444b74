"""Soap bubbles: pixel noise whose density has a pole at 0, so that its length spreads further than a normal law's."""

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

QUADRATURE_MARGIN = 1e-9
"""Added to every probability, with the difference of two rules: a guide to the quadrature's error, and no bound."""

_NODES = (160, 320)
_LEFT_OUT = 1e-15  # the mass of either end of the law of |z|; far below the margin
_FEWEST = 16
_SHORTEST = 1e-280  # |z|^2 / 2
_FAR = 1e4  # of log LR


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class SoapL2:
    """Noise z of ``dim`` entries with a density proportional to |z|_2^-k exp(-|z|_2^2 / (2 sigma^2)).

    With k = 0 it is normal. Its length has the mode sigma sqrt(dim - 1 - k). Traced: another sigma or k never
    recompiles. For the transform ``additive``: ``dim`` is as many as an image has entries, since what a draw proves
    depends on it and a law sees no image.

    Attributes:
      sigma: in parameter units; the standard deviation where k = 0.
      k: of the pole, 0 <= k < dim.
      dim: entries, at least 16: of fewer the quadrature is too coarse.
    """

    sigma: float
    k: float
    dim: int = dataclasses.field(metadata={"static": True})

    name: ClassVar[str] = "soap_l2"
    acts: ClassVar[Acts] = "additive"
    support: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __post_init__(self):
        _validate.at_least(_FEWEST, dim=self.dim)
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))
        object.__setattr__(self, "k", _host.number(self.k, "k"))
        if isinstance(self.k, float) and not 0.0 <= self.k < self.dim:
            raise ValueError(f"Expected 0 <= k < dim, got k={self.k!r}, dim={self.dim!r}.")

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws z [dim] float32. Device. The key is consumed.

        Exact: |z|^2 / (2 sigma^2) has the gamma law of shape (dim - k) / 2, and the direction is uniform (THEORY G2).
        """
        if dim != self.dim:
            raise ValueError(f"Expected {self.dim} parameters, which {self.name} has as dim, got {dim}.")
        length_key, direction_key = jax.random.split(key)
        half_square = jax.random.gamma(length_key, 0.5 * (dim - jnp.float32(self.k)), dtype=jnp.float32)
        direction = jax.random.normal(direction_key, (dim,), jnp.float32)
        return jnp.float32(self.sigma) * jnp.sqrt(2.0 * half_square) * direction / jnp.linalg.norm(direction)

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns how far one parameter may move, the supremum, rounded down; the same both ways. Host, float64.

        It is the L2 radius (THEORY G1, G2).
        """
        _host.sign(direction)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        return self.sigma * _host.supremum(lambda length: self._keeps(length, *settled))

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether the top class wins after a shift [dim]: only its length |shift|_2 counts. Host, float64.

        Exact up to the margin of the quadrature, by the Neyman-Pearson lemma (THEORY G2).
        """
        vector = _host.shift_vector(shift, self.dim)
        settled = _host.settle(p_lower, p_upper)
        if settled is None:
            return False
        return self._keeps(float(np.linalg.norm(vector)) / self.sigma * (1.0 + _host.GUARD), *settled)

    def _keeps(self, length: float, p_lower: float, p_upper: float) -> bool:
        """Whether neither loses more, nor gains more, than leaves the top class in front. In units of sigma."""
        if length == 0.0:
            return True
        lost = _gained(self.k, self.dim, length, 1.0 - p_lower)
        gained = lost if p_upper == 1.0 - p_lower else _gained(self.k, self.dim, length, p_upper)
        return lost + gained < 1.0


def _gained(k: float, dim: int, length: float, size: float) -> float:
    """Bounds the attacked probability of every test whose clean probability is at most ``size``, rounded up.

    {LR >= e^t} is the best test of its size, so any t whose test is no smaller will do. Reflection at the middle of the
    shift exchanges the two laws and inverts LR, so that the attacked probability of {LR >= e^t} is P_0(LR <= e^-t).
    """
    from scipy import optimize  # a fifth of the package's import time, for few laws

    slack = QUADRATURE_MARGIN
    for _ in range(3):
        enough, low, high = size + 2.0 * slack, -1.0, 1.0
        while _tail(k, dim, length, low) < enough:
            low *= 2.0
            if low < -_FAR:
                return 1.0
        while _tail(k, dim, length, high) >= enough:
            high *= 2.0
        root: Any = optimize.brentq(lambda t, enough=enough: _tail(k, dim, length, t) - enough, low, high, xtol=1e-13)
        t = float(root)
        clean, attacked = ([_tail(k, dim, length, at, nodes) for nodes in _NODES] for at in (t, -t))
        margin = QUADRATURE_MARGIN + max(abs(clean[0] - clean[1]), abs(attacked[0] - attacked[1]))
        if clean[1] >= size + margin:
            return min(1.0 - attacked[1] + margin, 1.0)
        slack = 2.0 * margin
    return 1.0


def _tail(k: float, dim: int, length: float, t: float, nodes: int = _NODES[1]) -> float:
    """P_0(log LR >= t) of a shift by ``length``, in units of sigma: an integral over |z|, the angle by hand."""
    r, weights = _lengths(k, dim, nodes)
    if k == 0.0:
        u = -2.0 * t / r**2
    else:
        # For each r = |z| it is a ball |z - delta|^2 <= r^2 (1 + u), k ln(1 + u) + r^2 u = -2 t. Newton's steps mend
        # what Lambert's function loses where u is small.
        squared = k * special.wrightomega((r**2 - 2.0 * t) / k + np.log(r**2 / k))
        u = np.maximum(squared / r**2 - 1.0, -0.999999)
        for _ in range(2):
            step = (k * np.log1p(u) + r**2 * u + 2.0 * t) / (k / (1.0 + u) + r**2)
            u = np.maximum(u - step, -0.999999)
    cosine = np.clip((length**2 - r**2 * u) / (2.0 * r * length), -1.0, 1.0)
    # The share of directions whose cosine is larger, by what it is less than a half: exact where that is small.
    share = 0.5 - 0.5 * np.sign(cosine) * special.betainc(0.5, 0.5 * (dim - 1), cosine**2)
    return float(weights @ share)


@functools.lru_cache(maxsize=64)
def _lengths(k: float, dim: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of |z| in units of sigma, and weights with its density: Gauss and Legendre's, over ln |z|.

    Of the logarithm, since the density of |z| may have a pole at 0, and that of ln |z| has none.
    """
    shape = 0.5 * (dim - k)
    ends = special.gammaincinv(shape, _LEFT_OUT), special.gammainccinv(shape, _LEFT_OUT)
    low, high = 0.5 * np.log(2.0 * np.maximum(ends, _SHORTEST))
    points, weights = np.polynomial.legendre.leggauss(nodes)
    x = 0.5 * (low + high) + 0.5 * (high - low) * points
    log_density = (dim - k) * x - 0.5 * np.exp(2.0 * x) - special.gammaln(shape) - (shape - 1.0) * math.log(2.0)
    return np.exp(x), 0.5 * (high - low) * weights * np.exp(log_density)
