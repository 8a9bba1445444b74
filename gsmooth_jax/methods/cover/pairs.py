"""What two smoothing centres prove together of the latents between them. Host, float64.

THEOREM (pairs; THEORY L1). Let z ~ N(0, I), and let p(u) be the probability of an event under noise at the latent u.
Let a and b be latents 2 d apart, m half way, v the direction from a to b, and u a latent with u - m = t v + r, r at
right angles to v, |r| <= w. If p(u) <= 1/2, then

    (p(a) + p(b)) / 2 <= min over k of  k / 2 + E[(e^g(X) Phi(Z + w) - k Phi(Z))],   X ~ N(0, 1),
        g(x) = log of the mean of exp(s x - s^2 / 2) over s = d - t and s = -d - t,   Z = (g(X) - log k) / w - w / 2.

So an event whose mean over the two centres is larger has p(u) > 1/2. It is Neyman and Pearson's lemma for the mean of
the two laws against the law at u, in the plane of v and r, by its dual: any k > 0 gives an upper bound. With w = t = 0
the worst event is the outside of a slab around u. The bound grows with w, and with d where t / d is kept: in a plane
with r shorter, or shrunk towards u, the laws are those of the larger one plus independent noise. Here t and r are known
but for a vector of some length: the largest bound over a row of intervals of t is taken, each with the r that is left.
"""

import math
from importlib import resources

import numpy as np
from scipy import special

_STEPS = 1 / 32, 1 / 32, 1 / 16
"""Half distances d and distances w are rounded up to multiples of these; |t| lies in intervals as wide as the last."""

_COUNTS = 73, 49, 26
"""Of multiples in the table, from 0 on, and of intervals; beyond them the bound is 1."""

_FAR = 1e3
"""More than the table's largest argument, and finite."""

_LEAST = 2
"""Steps that ``aside`` is taken to be at least: the integrand is smooth enough for ``_NODES`` then."""

_NODES = np.linspace(-7.5, 11.0, 593)
"""Of the trapezoidal rule for E over X, in steps of a 32nd; all but 1e-12 of the laws lies between them."""

_PIECES = 3
"""Of an interval of |t|, for each of which one bound is computed: at its middle the event has at most Phi(half its
width) instead of 1/2."""

_OUTWARD = 2e-5
"""Added to what quadrature gives; its error is below a tenth of this."""

_SCALE = 10_000
"""The table holds Q in whole parts of one, rounded up."""

_FILE = "pair_bounds.npy"


def pair_bounds(half: np.ndarray, aside: np.ndarray, along: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Returns the theorem's bound for a set of latents, rounded up to four decimals: at most 1, which says nothing.

    Args:
      half: d, any shape; float64.
      aside: how far from the line through the centres, and
      along: how far from the middle along it, a point is at most that is
      beyond: from the latent at most; all of one shape.
    """
    half, aside, along, beyond = (np.minimum(value, _FAR) for value in (half, aside, along, beyond))
    # Centres that are hardly apart speak for themselves, at the distance of the further one at most.
    apart = half >= _STEPS[0]
    steps = np.where(apart, np.ceil(half / _STEPS[0]), 0.0)
    # Kept as a share of d: what grows with d is the bound at t / d.
    wider = np.where(apart, steps * _STEPS[0] / np.where(apart, half, 1.0), 1.0)
    along = np.where(apart, along, along + half)
    first = np.arange(_COUNTS[2]) * _STEPS[2] / wider[..., None]  # where each interval of t begins
    rest = beyond[..., None] ** 2 - np.maximum(first - along[..., None], 0.0) ** 2
    reached = (first == 0.0) | (first < (along + beyond)[..., None])
    places = np.ceil((aside[..., None] + np.sqrt(np.maximum(rest, 0.0))) / _STEPS[1])
    most = np.array(_COUNTS) - 1
    inside = (places <= most[1]) & (steps <= most[0])[..., None]
    d, w = (np.minimum(n, top).astype(int) for n, top in ((steps, most[0]), (places, most[1])))
    values = np.where(inside, _TABLE[d[..., None], w, np.arange(_COUNTS[2])] / _SCALE, 1.0)
    found = np.where(reached, values, 0.0).max(axis=-1)
    return np.where((along + beyond) * wider < _COUNTS[2] * _STEPS[2], found, 1.0)


def computed(half: int, aside: int, interval: int) -> int:
    """Returns an entry of the table, in whole parts of one: the largest bound for |t| in an interval, rounded up."""
    d, w = half * _STEPS[0], max(aside, _LEAST) * _STEPS[1]
    width = _STEPS[2] / _PIECES
    mass = special.ndtr(0.5 * width)
    t, x = (interval * _STEPS[2] + (np.arange(_PIECES) + 0.5) * width)[:, None], _NODES[None, :]
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
    """Computes all entries: uint16 [D, W, T], minutes."""
    return np.array([computed(*place) for place in np.ndindex(_COUNTS)], np.uint16).reshape(_COUNTS)


with (resources.files("gsmooth_jax.methods.cover") / _FILE).open("rb") as _file:
    _TABLE = np.load(_file)
