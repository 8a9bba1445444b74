"""Rounding to the levels of a file."""

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed

_ON_A_LEVEL = 4e-6  # of the range
"""An entry this little below a level is on it when rounding down: float32 leaves what is equal to it there."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantize(Pipe, pointwise=True):
    """Rounds every entry to one of levels that are 1 / (2^bits - 1) of the range [low, high] apart. No parameter.

    What saving a file does, together with ``Clip``; beyond the range the levels go on. Moves an image of n entries by
    at most sqrt(n) ``jump`` in L2, but is no contraction: Lipschitz bounds do not survive it.

    Attributes:
      bits: bits an entry, 1 to 16.
      rounding: to the nearest level, or ``down`` to the next one below, as Pillow does when it resamples 8-bit images.
      low: a level, the first of the file: 0 for images, -1 for waveforms.
      high: a level, the last of the file: 1 for images; 32767 / 32768 gives the levels of 16-bit PCM, 0 among them.
    """

    name = "quantize"
    params = ()
    typical = ()

    bits: int = 8
    rounding: Literal["nearest", "down"] = dataclasses.field(default="nearest", metadata=LATER)
    low: float = dataclasses.field(default=0.0, metadata=LATER)
    high: float = dataclasses.field(default=1.0, metadata=LATER)

    def __post_init__(self):
        _validate.at_least(1, bits=self.bits)
        if self.bits > 16:  # float32 holds 24 bits: leave room for the sums behind it
            raise ValueError(f"Expected bits <= 16, got bits={self.bits!r}.")
        _validate.known(dict.fromkeys(("nearest", "down")), rounding=self.rounding)
        _validate.ascending(low=self.low, high=self.high)

    @property
    def density(self) -> float:
        """Levels a unit."""
        return (2**self.bits - 1) / (self.high - self.low)

    @property
    def jump(self) -> float:
        """How far an entry may be moved: half a level, or a whole one when rounding down."""
        return (0.5 if self.rounding == "nearest" else 1.0) / self.density

    @property
    def reach(self) -> float:
        """An entry comes to a level that it is less than this above; or below, when rounding to nearest."""
        return self.jump if self.rounding == "nearest" else self.jump - self._tolerance

    @property
    def _tolerance(self) -> float:
        return _ON_A_LEVEL * (self.high - self.low)

    def position(self, image: jax.Array) -> jax.Array:
        """Where entries lie among the levels: 0 at ``low``, 2^bits - 1 at ``high``. Device."""
        return (image - self.low) * self.density

    def keeps(self, value: float) -> bool:
        """Whether a value is a level. Host."""
        return (value - self.low) * self.density % 1.0 == 0.0

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        down = self.rounding == "down"
        level = jnp.floor(self.position(image + self._tolerance)) if down else jnp.round(self.position(image))
        return level / self.density + self.low

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """How far beyond ``jump`` an entry may be moved: what float32 makes of its place among the levels. Host.

        A product's rounding, a quotient's, those of constants, and of an offset if there is one. An entry near a
        boundary between two levels may go to either: of an exact image these are counted, and the bound is then on the
        distance to the image that real numbers give.
        """
        del low, high
        offset = self.low != 0.0
        units = (
            1
            + 2 * offset
            + 2 * float32.constant(self.density) / float32.UNIT
            + float32.division(constant=True) / float32.UNIT
        )
        least, most = image.low - self.jump, image.high + self.jump
        own = float32.MARGIN * units * float32.UNIT * (max(abs(least), abs(most)) + abs(self.low))
        if image.exact is None:
            return image.then(least, most, image.entry + own, image.error + own * math.sqrt(image.size))
        place = (image.exact - self.low) * self.density
        place += self._tolerance * self.density if self.rounding == "down" else 0.5
        either = int(np.sum(np.abs(place - np.rint(place)) <= 2 * own * self.density))
        step = 1.0 / self.density
        return image.then(least, most, own + step * (either > 0), (own * image.size**0.5) + step * either**0.5)
