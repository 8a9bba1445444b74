"""Rounding to the levels of an image file."""

import dataclasses

import jax
import jax.numpy as jnp

from gsmooth_jax import _validate
from gsmooth_jax.transforms._pipe import Pipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantize(Pipe, pointwise=True):
    """Rounds every entry to the nearest multiple of 1 / (2^bits - 1). No parameter.

    What saving an image file does, together with ``Clip``. Moves an image of n entries by at most
    sqrt(n) / (2 (2^bits - 1)) in L2, but is no contraction: Lipschitz bounds do not survive it.

    Attributes:
      bits: bits an entry, 1 to 16.
    """

    name = "quantize"
    params = ()
    typical = ()

    bits: int = 8

    def __post_init__(self):
        _validate.at_least(1, bits=self.bits)
        if self.bits > 16:  # float32 holds 24 bits: leave room for the sums behind it
            raise ValueError(f"Expected bits <= 16, got bits={self.bits!r}.")

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        levels = float(2**self.bits - 1)
        return jnp.round(image * levels) / levels
