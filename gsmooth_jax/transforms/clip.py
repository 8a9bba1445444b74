"""Clipping to the range of an image file."""

import dataclasses

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms._pipe import Pipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip(Pipe, pointwise=True):
    """Clips every entry to [0, 1]. No parameter.

    A projection on a convex set: no two images end further apart than they were, so Lipschitz bounds survive it. Group
    laws do not.
    """

    name = "clip"
    params = ()
    typical = ()

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        return jnp.clip(image, 0.0, 1.0)

    def sensitivity_upper(self, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1 and nothing: a projection on a convex set. Device."""
        return jnp.ones((), low.dtype), jnp.zeros_like(high)
