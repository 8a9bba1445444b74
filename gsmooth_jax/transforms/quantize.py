"""Rounding to the levels of a file."""

import dataclasses

import jax
import jax.numpy as jnp

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms._pipe import Pipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantize(Pipe):
    """Rounds every entry to the nearest of levels 1 / (2^bits - 1) of the range [low, high] apart. No parameter.

    What saving a file does, together with ``Clip``; beyond the range the levels go on. Moves an image of n entries by
    at most sqrt(n) ``jump`` in L2, but is no contraction: Lipschitz bounds do not survive it.

    Attributes:
      bits: bits an entry, 1 to 16.
      low: a level, the first of the file: 0 for images, -1 for waveforms.
      high: a level, the last of the file: 1 for images; 32767 / 32768 gives the levels of 16-bit PCM, 0 among them.
    """

    name = "quantize"
    params = ()
    typical = ()

    bits: int = 8
    low: float = dataclasses.field(default=0.0, metadata=LATER)
    high: float = dataclasses.field(default=1.0, metadata=LATER)

    def __post_init__(self):
        _validate.at_least(1, bits=self.bits)
        if self.bits > 16:  # float32 holds 24 bits: leave room for the sums behind it
            raise ValueError(f"Expected bits <= 16, got bits={self.bits!r}.")
        _validate.ascending(low=self.low, high=self.high)

    @property
    def density(self) -> float:
        """Levels a unit."""
        return (2**self.bits - 1) / (self.high - self.low)

    @property
    def jump(self) -> float:
        """How far an entry may be moved."""
        return 0.5 / self.density

    def position(self, image: jax.Array) -> jax.Array:
        """Where entries lie among the levels: 0 at ``low``, 2^bits - 1 at ``high``. Device."""
        return (image - self.low) * self.density

    def keeps(self, value: float) -> bool:
        """Whether a value is a level. Host."""
        return (value - self.low) * self.density % 1.0 == 0.0

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        return jnp.round(self.position(image)) / self.density + self.low
