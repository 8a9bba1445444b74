"""The blur of a lens out of focus."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import _dct, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class DefocusBlur(Pipe):
    """Mean over a disc whose edge is one pixel soft: the neighbour at distance d px weighs clip(r + 1/2 - d, 0, 1).

    Parameter: r, the radius in px, 0 <= r <= max_radius; identity 0, and nothing moves before r = 1/2, where the disc
    reaches the four neighbours. Weights are normalised to sum 1 and the border reflects (half-sample mirror), so the
    kernel, even in both axes, multiplies the DCT-II spectrum. No group law. The published code switches whole pixels
    on, so that its blur jumps with r.

    Attributes:
      max_radius: the largest radius, in px; larger parameters act like it. The work per draw grows with its square.
    """

    name = "defocus_blur"
    typical = ((0.0, 5.0),)

    max_radius: float = 8.0

    def __post_init__(self):
        _validate.positive(max_radius=self.max_radius)
        object.__setattr__(self, "params", (Param(name="r", unit="px", low=0.0, high=self.max_radius),))

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        distance, copies = _quadrant(self.max_radius)
        weights = copies * jnp.clip(jnp.clip(theta[0], 0.0, self.max_radius) + 0.5 - distance, 0.0, 1.0)
        multiplier = _multiplier(image.shape, weights / weights.sum())
        # Blurring the spectrum's change keeps r = 0 the identity to the last bit.
        return image + _dct.inverse(_dct.forward(image) * (multiplier - 1.0)[:, :, None])

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the largest L2 norm of the derivative on the box. Device.

        Between two neighbouring breakpoints, where some weight starts or stops growing, a multiplier's derivative is a
        constant over S(r)^2, S the weights' sum: it falls as r grows. So the norm of the image's derivative on a piece
        is largest at the piece's first point that lies in the box, and the bound is the largest of these few numbers
        (THEORY D8).
        """
        *_, slope = _pieces(self.max_radius)
        power = jnp.sum(_dct.forward(image) ** 2, axis=2)  # [H, W]
        speed = jax.vmap(lambda s: norm_upper(jnp.sqrt(power) * _multiplier(image.shape, s)))(slope)  # [J]
        return jnp.max(speed * self._shares(low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: for each entry the largest derivative over the pieces, as for the norm. Device."""
        *_, slope = map(jnp.asarray, _pieces(self.max_radius))
        shares = self._shares(low, high)
        spectrum, error = _dct.forward(image), _dct.forward_error(image)

        def faster(piece: jax.Array, speed: jax.Array) -> jax.Array:
            multiplier = _multiplier(image.shape, slope[piece])[:, :, None]
            lost = 2.0**-24 * (2 * slope.shape[1] + 8) * jnp.sum(jnp.abs(slope[piece]))  # roundings of the multiplier
            spread = jnp.abs(spectrum) * lost + error * (jnp.abs(multiplier) + lost)
            return jnp.maximum(speed, shares[piece] * _dct.entries_upper(spectrum * multiplier, spread))

        return rounded_up(jax.lax.fori_loop(0, len(slope), faster, jnp.zeros_like(image)))[None]

    def _shares(self, low: jax.Array, high: jax.Array) -> jax.Array:
        """[J]: what each piece's derivative has fallen to where the box begins; 0 where they do not meet."""
        start, stop, total, growth, _ = _pieces(self.max_radius)
        first, last = jnp.clip(low[0], 0.0, self.max_radius), jnp.clip(high[0], 0.0, self.max_radius)
        fallen = total / (total + growth * jnp.clip(first - start, 0.0, stop - start))
        met = (start <= last + 1e-5) & (stop >= first - 1e-5)
        return jnp.where(met, fallen**2, 0.0)

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1, as weights of a mean make no multiplier larger; and the largest sum of the derivative's. Device.

        Taken positive: no multiplier's derivative exceeds it. It falls on each piece as that derivative does.
        """
        del shape
        *_, slope = _pieces(self.max_radius)
        weights = np.abs(slope).sum(axis=(1, 2)) * (1.0 + 1e-5)
        return jnp.full((), 1.0 + 1e-5, low.dtype), jnp.max(weights * self._shares(low, high))[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """What ``_dct.changed`` says; weights are those of a mean, so no entry leaves the range. Host.

        A weight at the disc's edge compares r + 1/2 with a distance: three roundings of numbers up to r + 1. That
        changes a multiplier by twice their sum over the weights' sum at most; each piece, on which the same weights
        grow, has its own share. The sum of the weights that are not 0 has a rounding for each, a quotient a
        division's, and a multiplier two sums more, of as many terms as the radius reaches pixels, and of cosines. At
        frequency 0 the multiplier is the sum of what has been divided by the sum: errors of single weights cancel.
        """
        first, last = (min(max(end[0], 0.0), self.max_radius) for end in (low, high))
        start, stop, total, growth, _ = (a.astype(np.float64) for a in _pieces(self.max_radius))
        met = (start <= last) & (stop >= first)
        edge = float(np.max((2 * growth * 2 * (stop + 1.0) / total)[met]))
        weighed = _quadrant(self.max_radius)[0] < last + 0.5 + 1e-5
        summed = (int(weighed.sum()) + 2 * int(weighed[0].sum()) + 1) * float32.UNIT + float32.division()
        off = summed + (edge + 2) * float32.UNIT
        change = _largest_change(image.shape[:2], self.max_radius, first, last)
        return _dct.changed(image, image.low, image.high, change=change, off=off, constant_off=summed)


def _multiplier(shape: tuple[int, ...], weights: jax.Array) -> jax.Array:
    """[H, W]: the factors by which a kernel, given by one quadrant of weights [K, K], multiplies the spectrum."""
    cosines = [np.cos(np.outer(_dct.frequency(n), np.arange(weights.shape[0]))).astype(np.float32) for n in shape[:2]]
    return jnp.einsum("ka,ab,lb->kl", cosines[0], weights, cosines[1], precision="highest")


@functools.cache
def _quadrant(max_radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances [K, K] of the neighbours (a, b), a, b >= 0, and how many mirror images (+-a, +-b) each stands for."""
    axis = np.arange(int(np.ceil(max_radius + 0.5)))
    once = np.where(axis == 0, 1.0, 2.0)
    return np.hypot(axis[:, None], axis[None, :]).astype(np.float32), np.outer(once, once).astype(np.float32)


@functools.cache
def _pieces(max_radius: float) -> tuple[np.ndarray, ...]:
    """The J intervals of r on which all weights are linear.

    Returns:
      start [J], stop [J]; total [J], the sum of the weights at the start, and growth [J], its derivative; slope
      [J, K, K], the derivative of the normalised weights just behind the start. Computed in float64.
    """
    distance, copies = (a.astype(np.float64) for a in _quadrant(max_radius))
    edges = np.concatenate([[0.0], (distance - 0.5).ravel(), (distance + 0.5).ravel()])
    start = np.unique(edges[(edges >= 0.0) & (edges < max_radius)])
    stop = np.append(start[1:], max_radius)
    middle = 0.5 * (start + stop)[:, None, None]
    growing = copies * ((distance - 0.5 < middle) & (middle < distance + 0.5))
    weights = copies * np.clip(start[:, None, None] + 0.5 - distance, 0.0, 1.0)
    total, growth = weights.sum(axis=(1, 2)), growing.sum(axis=(1, 2))
    slope = (growing - weights * (growth / total)[:, None, None]) / total[:, None, None]
    return tuple(a.astype(np.float32) for a in (start, stop, total, growth, slope))


@functools.lru_cache(maxsize=16)
def _largest_change(shape: tuple[int, int], max_radius: float, low: float, high: float) -> float:
    """Bounds |multiplier - 1| for radii in [low, high], at all frequencies. Host.

    On a piece a multiplier is monotone in r (see ``lipschitz_upper``), so it is largest and smallest at its ends.
    """
    distance, copies = (a.astype(np.float64) for a in _quadrant(max_radius))
    cosines = [np.cos(np.outer(_dct.frequency(n), np.arange(len(distance)))) for n in shape]
    start = _pieces(max_radius)[0].astype(np.float64)
    largest = 0.0
    for radius in (low, *start[(start > low) & (start < high)], high):
        weights = copies * np.clip(radius + 0.5 - distance, 0.0, 1.0)
        largest = max(largest, float(np.abs(cosines[0] @ weights @ cosines[1].T / weights.sum() - 1.0).max()))
    return largest * (1.0 + 1e-6)  # the ends of the pieces are float32 numbers
