"""Bounds on every entry of a transformed image, over a box of parameters. Device.

The stages of a transform are taken one after the other. One that looks at an entry at a time (brightness, contrast,
gamma, a clip, rounding to levels) is evaluated on intervals, of image and parameters. Any other has to be the first
that moves the image, and to bound the speed v of every entry: with xi in the box of middle m and half widths h,

  |T(xi)_e - T(m)_e| <= sum_j v_je h_j,

which rounding in float32, here and in the adversary's program, adds to (THEORY Q1, J13).
"""

import jax
import jax.numpy as jnp

from gsmooth_jax.methods.cover.kernels import float32_upper
from gsmooth_jax.methods.interval.intervals import UNIT, Interval, Value, lifted, rounded, sealed
from gsmooth_jax.methods.interval.propagate import propagate
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import EntryBounded, FiniteValued, Transform, param_dim


def image_bounds(transform: Transform, image: jax.Array, low: jax.Array, high: jax.Array) -> Interval:
    """Returns the interval [H, W, C] of an image's entries under all parameters of a box.

    Args:
      transform: see the module.
      image: [H, W, C] float32.
      low: [P] float32, the box's lower corner.
      high: [P] float32, the upper one.

    Raises:
      ValueError: a stage for which there is no bound; names it.
    """
    return lifted(_followed(stages_of(transform), image, low, high))


def hull(transform: Transform, image: jax.Array, parameters: jax.Array, among: jax.Array) -> Interval:
    """Returns the interval [H, W, C] of an image's entries under some parameters.

    For a transform whose first stage with parameters has finitely many values, each of which one of the parameters
    represents (``FiniteValued``), and no other stage has any.

    Args:
      transform: such a one.
      image: [H, W, C] float32.
      parameters: [M, P] float32.
      among: [M] bool, which of them; at least one.

    Raises:
      ValueError: as ``image_bounds``.
    """
    stages = stages_of(transform)
    first = next((i for i, s in enumerate(stages) if s.params), len(stages) - 1)
    if not isinstance(stages[first], FiniteValued):
        raise ValueError(f"No values of {transform.name!r} to enumerate: stage {stages[first].name!r} lists none.")
    nothing = jnp.zeros(0, jnp.float32)
    prepared = _followed(stages[:first], image, nothing, nothing)
    if isinstance(prepared, Interval):
        raise ValueError(f"No bounds on entries: stage {stages[first].name!r} mixes those of an image that is rounded.")
    values = jax.vmap(stages[first], in_axes=(None, 0))(prepared, parameters)
    error = _float32_error(prepared)
    lower, upper = (
        extreme(values, axis=0, where=among.reshape(-1, *(1,) * image.ndim), initial=-sign * jnp.inf)
        for extreme, sign in ((jnp.min, -1.0), (jnp.max, 1.0))
    )
    return lifted(_followed(stages[first + 1 :], sealed(lower - error, upper + error), nothing, nothing))


def _followed(stages: tuple[Transform, ...], value: Value, low: jax.Array, high: jax.Array) -> Value:
    """Sends an image, exact or not, through stages whose parameters are in a box."""
    start, shape = 0, value.lower.shape if isinstance(value, Interval) else value.shape
    for stage in stages:
        part = slice(start, start + param_dim(stage, shape))
        lowest, highest, start = low[part], high[part], part.stop
        if getattr(stage, "pointwise", False):
            value = propagate(stage, value, sealed(lowest, highest))
        elif isinstance(value, Interval):
            raise ValueError(f"No bounds on entries: stage {stage.name!r} mixes those of an image that has moved.")
        elif isinstance(stage, EntryBounded):
            value = _moved(stage, value, lowest, highest)
        else:
            raise ValueError(f"No bounds on entries: stage {stage.name!r} does not bound their speeds.")
    return value


def _moved(stage: Transform, image: jax.Array, low: jax.Array, high: jax.Array) -> Interval:
    assert isinstance(stage, EntryBounded)
    middle = 0.5 * (low + high)
    half = jnp.maximum(high - middle, middle - low) * (1.0 + 4 * UNIT)
    speeds = stage.entry_speeds_upper(image, low, high)
    way = jnp.tensordot(half, speeds, 1, precision="highest") * (1.0 + 4 * UNIT * (len(low) + 1))
    value, gap = stage(image, middle), way + _float32_error(image)
    return rounded(value - gap, value + gap, 2 * UNIT)


def _float32_error(image: jax.Array) -> jax.Array:
    """How far apart two programs may compute an entry, each within ``float32_upper`` of the real number."""
    return 2 * float32_upper(image.shape) * jnp.maximum(1.0, jnp.max(jnp.abs(image)))
