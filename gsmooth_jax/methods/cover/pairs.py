"""What two smoothing centres prove together of the latents between them. Host, float64.

THEOREM (pairs; THEORY L1). Let z ~ N(0, I), and let p(u) be the probability of an event under noise at the latent u.
Let a and b be latents 2 d apart, m half way, v the direction from a to b, and u a latent with u - m = t v + r, r at
right angles to v, |t| <= along and |r| <= aside. If p(u) <= 1/2, then

    (p(a) + p(b)) / 2 <= Q(d, aside, along) = sup over |t| <= along of  min over k of
        k / 2 + E[(e^g(X) Phi(Z + aside) - k Phi(Z))],   Z = (g(X) - log k) / aside - aside / 2,   X ~ N(0, 1),
        g(x) = log of the mean of exp(s x - s^2 / 2) over s = d - t and s = -d - t.

So an event whose mean over the two centres is larger has p(u) > 1/2. It is Neyman and Pearson's lemma for the mean of
the two laws against the law at u, in the plane of v and r, by its dual: any k > 0 gives an upper bound. With aside = 0,
along = 0 the worst event is the outside of a slab around u. Q grows with each of its arguments, where along / d is kept
for d: of a plane with r shorter, or shrunk towards u, the laws are those of the larger one plus independent noise.
"""

import math
from importlib import resources

import numpy as np
from scipy import special

_STEPS = 1 / 32, 1 / 32, 1 / 16
"""Arguments are rounded up to multiples of these, so that a table holds all values."""

_COUNTS = 73, 49, 25
"""Multiples in the table, from 0 on: half distances of up to 2.25, and 1.5 for the others; beyond them Q is 1."""

_FAR = 1e3
"""More than the table's largest argument, and finite."""

_LEAST = 2
"""Steps that ``aside`` is taken to be at least: the integrand is smooth enough for ``_NODES`` then."""

_NODES = np.linspace(-7.5, 11.0, 593)
"""Of the trapezoidal rule for E over X, in steps of a 32nd; all but 1e-12 of the laws lies between them."""

_PIECE = 1 / 48
"""Half the width of the pieces of |t| <= along for which one bound is computed: at a piece's middle the event has at
most Phi(half the width) instead of 1/2."""

_OUTWARD = 2e-5
"""Added to what quadrature gives; its error is below a tenth of this."""

_SCALE = 10_000
"""The table holds Q in whole parts of one, rounded up."""

_FILE = "pair_bounds.npy"


def pair_bounds(half: np.ndarray, aside: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Returns Q of the theorem, rounded up to four decimals: at most 1, which says nothing.

    Args:
      half: d, any shape; float64.
      aside: of the same shape.
      along: of the same shape.
    """
    half, aside, along = (np.minimum(value, _FAR) for value in (half, aside, along))
    # Centres that are hardly apart speak for themselves, at the distance of the further one at most.
    apart = half >= _STEPS[0]
    steps = np.where(apart, np.ceil(half / _STEPS[0]), 0.0)
    # Kept as a share of d: what grows with d is Q at along / d.
    wider = np.where(apart, along * steps * _STEPS[0] / np.where(apart, half, 1.0), along + half)
    places = np.stack([steps, np.ceil(aside / _STEPS[1]), np.ceil(wider / _STEPS[2])], axis=-1).astype(int)
    most = np.array(_COUNTS) - 1
    values = _TABLE[tuple(np.moveaxis(np.minimum(places, most), -1, 0))]
    return np.where((places <= most).all(axis=-1), values / _SCALE, 1.0)


def computed(half: int, aside: int, along: int) -> int:
    """Returns an entry of the table, in whole parts of one: Q at so many steps of each argument, rounded up."""
    d, w, h = (n * step for n, step in zip((half, max(aside, _LEAST), along), _STEPS, strict=True))
    count = max(math.ceil(h / (2 * _PIECE)), 1)
    mass = special.ndtr(0.5 * h / count)
    t, x = ((np.arange(count) + 0.5) * h / count)[:, None], _NODES[None, :]
    ratio = np.logaddexp(*(s * x - 0.5 * s**2 for s in (d + t, t - d))) - math.log(2.0)
    weight = np.exp(-0.5 * x**2) * ((_NODES[1] - _NODES[0]) / math.sqrt(2.0 * math.pi))
    low, high = ratio.min(axis=1, keepdims=True) - 10 * w, ratio.max(axis=1, keepdims=True) + 10 * w
    log_k = 0.5 * (low + high)
    for _ in range(20):  # the k of the least bound has an event of just the mass that it may have
        more = (weight * special.ndtr((ratio - log_k) / w - 0.5 * w)).sum(axis=1, keepdims=True) > mass
        low, high = np.where(more, log_k, low), np.where(more, high, log_k)
        log_k = 0.5 * (low + high)
    z = (ratio - log_k) / w - 0.5 * w
    gained = (weight * (np.exp(ratio) * special.ndtr(z + w) - np.exp(log_k) * special.ndtr(z))).sum(axis=1)
    bound = (np.exp(log_k[:, 0]) * mass + gained).max() + _OUTWARD
    return min(math.ceil(bound * _SCALE), _SCALE)


def table() -> np.ndarray:
    """Computes all entries: uint16 [D, W, H], minutes. What holds of a larger argument holds of a smaller one."""
    found = np.array([computed(*place) for place in np.ndindex(_COUNTS)], np.uint16).reshape(_COUNTS)
    return np.minimum.accumulate(found[:, :, ::-1], axis=2)[:, :, ::-1]


with (resources.files("gsmooth_jax.methods.cover") / _FILE).open("rb") as _file:
    _TABLE = np.load(_file)
