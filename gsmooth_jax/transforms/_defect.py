"""How far a transform is from its composition law, measured."""

from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _group
from gsmooth_jax.transforms._pipe import stages_of
from gsmooth_jax.types import Transform


class _WithRange(Transform, Protocol):
    @property
    def typical(self) -> tuple[tuple[float, float], ...]: ...


def composed(transform: Transform, first: jax.Array, second: jax.Array) -> jax.Array:
    """Returns gamma_a(b) [P]: the parameter that does what ``first`` [P] and then ``second`` do, if the law is exact.

    For a transform of group ``none`` this is a + b, which only a small parameter comes near to. Device.
    """
    return first + second if transform.group == "none" else _group.resolve(stages_of(transform), first, second)


def composition_defect(transform: _WithRange, images: jax.Array, key: jax.Array, *, pairs: int = 16) -> float:
    """Returns the largest L2 distance of T(T(x, a), b) to T(x, gamma_a(b)) over images and random parameters.

    A measurement, not a bound. For an exact law it shows the rounding error of float32; for group ``none`` it is taken
    against a + b and shows why no law is claimed.

    Args:
      transform: with a ``typical`` range: a and b are uniform in half of it, so that a + b stays inside.
      images: [B, H, W, C].
      key: consumed.
      pairs: how many pairs (a, b) an image.
    """
    shape = images.shape[1:]
    counts = [int(np.prod(shape)) if p.per_pixel else 1 for p in transform.params]
    low, high = (
        jnp.asarray(np.repeat([0.5 * r[end] for r in transform.typical], counts), jnp.float32) for end in (0, 1)
    )
    whole = np.repeat([p.whole for p in transform.params], counts).astype(bool)

    def distance(image: jax.Array, unit: jax.Array) -> jax.Array:
        first, second = low + (high - low) * unit[0], low + (high - low) * unit[1]
        first = jnp.where(whole, jnp.round(first), first)
        twice = transform(transform(image, first), second)
        return jnp.linalg.norm((twice - transform(image, composed(transform, first, second))).ravel())

    units = jax.random.uniform(key, (images.shape[0], pairs, 2, sum(counts)))
    over_pairs = jax.vmap(distance, in_axes=(None, 0))
    return float(jax.jit(jax.vmap(over_pairs))(images, units).max())
