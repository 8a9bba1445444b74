"""Rounding to the levels of an image file."""

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms._pipe import Pipe

_ON_A_LEVEL = 4e-6
"""An entry this little below a level is on it when rounding down: float32 leaves what is equal to it there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantize(Pipe, pointwise=True):
    """Rounds every entry to a multiple of 1 / (2^bits - 1). No parameter.

    What saving an image file does, together with ``Clip``. Moves an image of n entries by at most sqrt(n) ``jump`` in
    L2, but is no contraction: Lipschitz bounds do not survive it.

    Attributes:
      bits: bits an entry, 1 to 16.
      rounding: to the nearest level, or ``down`` to the next one below, as Pillow does when it resamples 8-bit images.
    """

    name = "quantize"
    params = ()
    typical = ()

    bits: int = 8
    rounding: Literal["nearest", "down"] = dataclasses.field(default="nearest", metadata=LATER)

    def __post_init__(self):
        _validate.at_least(1, bits=self.bits)
        if self.bits > 16:  # float32 holds 24 bits: leave room for the sums behind it
            raise ValueError(f"Expected bits <= 16, got bits={self.bits!r}.")
        _validate.known(dict.fromkeys(("nearest", "down")), rounding=self.rounding)

    @property
    def jump(self) -> float:
        """How far an entry may be moved: half a level, or a whole one when rounding down."""
        return (0.5 if self.rounding == "nearest" else 1.0) / (2**self.bits - 1)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        levels = float(2**self.bits - 1)
        if self.rounding == "down":
            return jnp.floor((image + _ON_A_LEVEL) * levels) / levels
        return jnp.round(image * levels) / levels
