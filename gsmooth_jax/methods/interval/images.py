"""Bounds on every entry of a transformed image, over a box of parameters. Device.

The stages of a transform are taken one after the other. One that looks at an entry at a time (brightness, contrast,
gamma, a clip, rounding to levels) is evaluated on intervals, of image and parameters. Any other has to be the first
that moves the image, and to bound the speed v of every entry: with xi in the box of middle m and half widths h,

  |T(xi)_e - T(m)_e| <= sum_j v_je h_j,

to which ``float32_error`` is added: rounding here and in the adversary's program (THEORY Q1, J13).
"""

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.methods.interval.intervals import UNIT, Interval, Value, lifted, rounded, sealed
from gsmooth_jax.methods.interval.propagate import propagate
from gsmooth_jax.transforms import Composition, stages_of, states
from gsmooth_jax.types import Computed, EntryBounded, FiniteValued, Transform, param_dim


def float32_error(transform: Transform, image: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Bounds how far apart two programs compute an entry of what the first mixing stage makes of an image. Host.

    Args:
      transform: what comes behind that stage is evaluated on intervals, which see to their own rounding.
      image: float32.
      low: [P] float64, lower corner of all parameters.
      high: [P], upper corner.

    Raises:
      ValueError: a stage that does not say what float32 does to it; names it.
    """
    stages = stages_of(transform)
    mixing = [i for i, s in enumerate(stages) if s.params and not getattr(s, "pointwise", False)]
    if not mixing:
        return 0.0
    before = Composition(stages[: mixing[0] + 1])
    count = param_dim(before, image.shape)
    return 2 * before.float32_upper(Computed.of(image), low[:count], high[:count]).entry


def image_bounds(
    transform: Transform, image: jax.Array, low: jax.Array, high: jax.Array, error: jax.Array | float
) -> Interval:
    """Returns the interval [H, W, C] of an image's entries under all parameters of a box.

    Args:
      transform: see the module.
      image: [H, W, C] float32.
      low: [P] float32, the box's lower corner.
      high: [P] float32, the upper one.
      error: scalar, as ``float32_error`` has it.

    Raises:
      ValueError: a stage for which there is no bound; names it.
    """
    return lifted(_followed(stages_of(transform), image, low, high, error))


def hull(
    transform: Transform, image: jax.Array, parameters: jax.Array, among: jax.Array, error: jax.Array | float
) -> Interval:
    """Returns the interval [H, W, C] of an image's entries under some parameters.

    For a transform whose first stage with parameters has finitely many values, each of which one of the parameters
    represents (``FiniteValued``), and no other stage has any.

    Args:
      transform: such a one.
      image: [H, W, C] float32.
      parameters: [M, P] float32.
      among: [M] bool, which of them; at least one.
      error: scalar, as ``float32_error`` has it.

    Raises:
      ValueError: as ``image_bounds``.
    """
    stages = stages_of(transform)
    first = next((i for i, s in enumerate(stages) if s.params), len(stages) - 1)
    if not isinstance(stages[first], FiniteValued):
        raise ValueError(f"No values of {transform.name!r} to enumerate: stage {stages[first].name!r} lists none.")
    nothing = jnp.zeros(0, jnp.float32)
    prepared = _followed(stages[:first], image, nothing, nothing, error)
    if isinstance(prepared, Interval):
        raise ValueError(f"No bounds on entries: stage {stages[first].name!r} mixes those of an image that is rounded.")
    values = jax.vmap(stages[first], in_axes=(None, 0))(prepared, parameters)
    lower, upper = (
        extreme(values, axis=0, where=among.reshape(-1, *(1,) * image.ndim), initial=-sign * jnp.inf)
        for extreme, sign in ((jnp.min, -1.0), (jnp.max, 1.0))
    )
    found = sealed(lower - error, upper + error)
    return lifted(_followed(stages[first + 1 :], found, nothing, nothing, error))


def _followed(
    stages: tuple[Transform, ...], value: Value, low: jax.Array, high: jax.Array, error: jax.Array | float
) -> Value:
    """Sends an image, exact or not, through stages whose parameters are in a box."""
    start, shape = 0, value.lower.shape if isinstance(value, Interval) else value.shape
    for stage in stages:
        part = slice(start, start + param_dim(stage, shape))
        lowest, highest, start = low[part], high[part], part.stop
        if getattr(stage, "pointwise", False):
            value = propagate(stage, value, sealed(lowest, highest))
        elif isinstance(value, Interval):
            raise ValueError(f"No bounds on entries: stage {stage.name!r} mixes those of an image that has moved.")
        elif states(stage, EntryBounded):
            value = _moved(stage, value, lowest, highest, error)
        else:
            raise ValueError(f"No bounds on entries: stage {stage.name!r} does not bound their speeds.")
    return value


def _moved(stage: Transform, image: jax.Array, low: jax.Array, high: jax.Array, error: jax.Array | float) -> Interval:
    assert isinstance(stage, EntryBounded)
    middle = 0.5 * (low + high)
    half = jnp.maximum(high - middle, middle - low) * (1.0 + 4 * UNIT)
    speeds = stage.entry_speeds_upper(image, low, high)
    way = jnp.tensordot(half, speeds, 1, precision="highest") * (1.0 + 4 * UNIT * (len(low) + 1))
    value, gap = stage(image, middle), way + error
    return rounded(value - gap, value + gap, 2 * UNIT)
