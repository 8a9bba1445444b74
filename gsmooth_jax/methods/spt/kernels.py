"""The compiled programs: outer draws of the parameter, and how far adversaries move what is seen there. Device.

With T_g the transform, Q the rounding, P the filter: the error of an adversary g is P T_(z-g) Q T_g x - P T_z x at an
outer draw z = b + g. It is bounded for all g of a region, z or b given (THEORY S4, S5).
"""

import dataclasses
import functools
from typing import Literal

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.estimation import keys
from gsmooth_jax.methods.spt.stages import Filter
from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.transforms import Rotation
from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms.shift import moved
from gsmooth_jax.types import Transform

Given = Literal["z", "b"]
"""Which of the two the error is bounded for: the parameter that what is seen has in all, or the outer draw alone."""

_APART = 1.0 + 1e-5
"""A filter or a shift drives no two images further apart, but for float32's constants."""


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class OuterNoise:
    """Moves a file by an outer draw, and filters it.

    Attributes:
      law: of the draws; traced.
      moving: T.
      prepare: P.
    """

    law: Gaussian
    moving: Transform = dataclasses.field(metadata={"static": True})
    prepare: Filter = dataclasses.field(metadata={"static": True})

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        return self.prepare(self.moving(centre, self.law.sample(key, len(self.moving.params))))


@functools.partial(jax.jit, static_argnames=("moving", "prepare"))
def outer_kernel(
    law: Gaussian,
    run_key: jax.Array,
    image: jax.Array,
    image_id: jax.Array,
    numbers: jax.Array,
    phase: jax.Array,
    *,
    moving: Transform,
    prepare: Filter,
) -> tuple[jax.Array, jax.Array]:
    """Draws parameters z [M, P], one for each of the numbers [M], and what is seen of the image there: [M, H, W, C]."""

    def one(number: jax.Array) -> tuple[jax.Array, jax.Array]:
        key = keys.phase_key(run_key, image_id, number, phase)
        z = law.sample(key, len(moving.params))
        return z, prepare(moving(image, z))

    return jax.vmap(one)(numbers)


@functools.partial(jax.jit, static_argnames=("whole", "moving", "prepare", "given", "ball", "count"))
def random_kernel(
    run_key: jax.Array,
    image: jax.Array,
    image_id: jax.Array,
    numbers: jax.Array,
    draws: jax.Array,
    low: jax.Array,
    high: jax.Array,
    *,
    whole: Transform,
    moving: Transform,
    prepare: Filter,
    given: Given,
    ball: bool,
    count: int,
) -> jax.Array:
    """[M]: the largest error of ``count`` uniform adversaries, at outer draws [M, P]. A bound for no others.

    Args:
      run_key: the run's.
      image: [H, W, C].
      image_id: part of the adversaries' keys.
      numbers: [M], of the outer draws: likewise.
      draws: [M, P], z or b.
      low: [P], corner of the box in which adversaries are drawn.
      high: [P], the other one.
      whole: Q T.
      moving: T.
      prepare: P.
      given: what the draws are.
      ball: they are drawn in the ball that touches the box.
      count: of adversaries for each draw.
    """

    def one(number: jax.Array, at: jax.Array) -> jax.Array:
        key = keys.phase_key(run_key, image_id, number, jnp.uint32(keys.ATTACKERS))
        if ball:
            g = high[None] * jax.random.ball(key, len(moving.params), shape=(count,))
        else:
            g = low[None] + (high - low)[None] * jax.random.uniform(key, (count, len(moving.params)))

        def error(a: jax.Array) -> jax.Array:
            back, in_all = (at - a, at) if given == "z" else (at, at + a)
            return norm_upper(prepare(moving(whole(image, a), back)) - prepare(moving(image, in_all)))

        return jax.vmap(error)(g).max()

    return jax.vmap(one)(numbers, draws)


@functools.partial(jax.jit, static_argnames=("moving",))
def speed_kernel(image: jax.Array, lows: jax.Array, highs: jax.Array, *, moving: Rotation) -> jax.Array:
    """[G]: bounds on how fast the image moves between angles lows and highs [G, 1]."""
    return jax.lax.map(lambda ends: moving.lipschitz_upper(image, *ends)[0], (lows, highs))


@functools.partial(jax.jit, static_argnames=("moving", "prepare", "given"))
def cells_kernel(
    image: jax.Array,
    angles: jax.Array,
    lows: jax.Array,
    highs: jax.Array,
    jump: jax.Array,
    *,
    moving: Rotation,
    prepare: Filter,
    given: Given,
) -> jax.Array:
    """Bounds the error of rotations, for every adversary of some cells (THEORY S4).

    Args:
      image: [H, W, C].
      angles: [M, 1], z or b.
      lows: [G, 1], ends of the cells.
      highs: [G, 1].
      jump: how far the rounding takes an entry.
      moving: T.
      prepare: P.
      given: what the angles are.

    Returns:
      [M]; rounded up, but for what float32 makes of the images.
    """
    targets = jax.vmap(lambda z: prepare(moving(image, z)))(angles)

    def cell(ends: tuple[jax.Array, jax.Array]) -> jax.Array:
        low, high = ends
        middle = 0.5 * (low + high)
        turned = moving(image, middle)
        speed = moving.lipschitz_upper(image, low, high)[0]
        lit = (turned != 0.0) | (moving.entry_speeds_upper(image, low, high)[0] > 0.0)
        rounded = jump * jnp.sqrt(jnp.sum(lit, dtype=jnp.float32))

        def error(angle: jax.Array, target: jax.Array) -> jax.Array:
            if given == "z":
                back, first, last = angle - middle, angle - high, angle - low
                own = moving.lipschitz_upper(turned, first, last)[0]
            else:
                back = first = last = angle
                target = prepare(moving(image, angle + middle))
                own = moving.lipschitz_upper(image, angle + low, angle + high)[0]
            apart = moving.sensitivity_upper(image.shape, first, last)[0]
            # What float32 makes of the sums of angles is in the second term.
            half = jnp.maximum(high - middle, middle - low)[0] + 4e-7 * (jnp.abs(angle) + jnp.abs(middle))[0]
            value = norm_upper(prepare(moving(turned, back)) - target)
            return value + _APART**2 * (half * (apart * speed + own) + apart * rounded)

        return jax.vmap(error)(angles, targets)

    return jax.lax.map(cell, (lows, highs)).max(axis=0)


@functools.partial(jax.jit, static_argnames=("prepare",))
def bends_kernel(image: jax.Array, z: jax.Array, radius: jax.Array, jump: jax.Array, *, prepare: Filter) -> jax.Array:
    """Bounds the error of shifts, for every adversary of a ball and for given z [M, 2]: [M] (THEORY S5)."""
    h, w, _ = image.shape
    extra = _lost(image, radius) + jump * _lit(image)

    def one(at: jax.Array) -> jax.Array:
        rows, columns = _bent(h, at[0]), _bent(w, at[1])
        bent = jnp.einsum("aih,hwc,bjw->abijc", rows, image, columns, precision="highest")
        errors = jax.vmap(jax.vmap(lambda picture: norm_upper(prepare(picture))))(bent - bent[:1, :1])
        return errors.max() + _APART**2 * extra

    return jax.lax.map(one, z)


@functools.partial(jax.jit, static_argnames=("prepare",))
def corners_kernel(image: jax.Array, b: jax.Array, points: jax.Array, jump: jax.Array, *, prepare: Filter) -> jax.Array:
    """Bounds the error of shifts by the outer draws b [M, 2], for every adversary between points [M, 2, G] (THEORY S5).

    The points along each axis hold every whole number, and every one that makes a whole number of b + g.
    """
    sides = image.shape[:2]
    rounded = jump * _lit(image)

    def one(draw: tuple[jax.Array, jax.Array]) -> jax.Array:
        at, along = draw
        twice, once = zip(*map(_twice, sides, at, along), strict=True)
        pairs = [jnp.einsum("aih,hwc,bjw->abijc", r, image, c, precision="highest") for r, c in (twice, once)]
        errors = jax.vmap(jax.vmap(lambda picture: norm_upper(prepare(picture))))(pairs[0] - pairs[1])
        return errors.max() + _APART**2 * rounded

    return jax.lax.map(one, (b, points))


def _twice(n: int, back: jax.Array, along: jax.Array) -> tuple[jax.Array, jax.Array]:
    """[G, n, n] each: an axis moved by every one of some distances [G] and then by another, and by their sums."""
    each = jax.vmap(lambda distance: moved(n, distance))
    return jnp.einsum("ij,gjk->gik", moved(n, back), each(along), precision="highest"), each(back + along)


def _bent(n: int, distance: jax.Array) -> jax.Array:
    """[3, n, n]: an axis moved at once, and in two steps that bend it as far as any two can, both ways."""
    whole = jnp.floor(distance)
    part = distance - whole
    direct = moved(n, distance)

    def bent(first: jax.Array, most: jax.Array) -> jax.Array:
        return direct + most * (moved(n, first) - 2.0 * moved(n, first + 1.0) + moved(n, first + 2.0))

    return jnp.stack([direct, bent(whole, 0.25 * part**2), bent(whole - 1.0, 0.25 * (1.0 - part) ** 2)])


def _lost(image: jax.Array, radius: jax.Array) -> jax.Array:
    """Bounds the L2 norm of what shifts by at most ``radius`` take off the canvas, over one end of each axis."""
    shares = []
    for n in image.shape[:2]:
        before = jnp.clip(radius - jnp.arange(n), 0.0, 1.0)
        shares.append((before, before[::-1]))
    pairs = [(y[:, None, None], x[None, :, None]) for y in shares[0] for x in shares[1]]
    return jnp.stack([norm_upper(jnp.sqrt(y + x - y * x) * image) for y, x in pairs]).max()


def _lit(image: jax.Array) -> jax.Array:
    """The square root of how many entries of a shifted image are not 0, at most: each is read from 2 x 2 pixels."""
    ring = jnp.pad(image != 0.0, ((1, 1), (1, 1), (0, 0)))
    tall = ring[:-1] | ring[1:]
    return jnp.sqrt(jnp.sum(tall[:, :-1] | tall[:, 1:], dtype=jnp.float32))
