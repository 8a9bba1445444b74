"""The view through frosted glass."""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.transforms.gaussian_blur import GaussianBlur
from gsmooth_jax.types import Computed, Param

_STRONGEST = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class GlassBlur(Pipe):
    """Blurs, shuffles pixels among their neighbours, and blurs again.

    Parameter: strength k, a whole number from 0 to 8 (anything between is rounded, halves up); identity 0. Each pixel
    in turn, row by row, changes places with one at most k px away along either axis, which the seed has chosen; both
    blurs are ``GaussianBlur`` with a standard deviation of k/2 px. No group law, but finitely many values, which
    ``representatives`` lists.

    The corruption of Hendrycks and Dietterich (2019), whose five severities fix blur, distance and rounds of shuffling,
    each a number of its own, and leave the pixels next to the border; and whose glass is another one for every image.

    Attributes:
      seed: of the glass. A claim speaks of this piece alone.
    """

    name = "glass_blur"
    params = (Param(name="strength", unit="px", low=0.0, high=float(_STRONGEST), whole=True),)
    typical = ((0.0, 2.0),)

    seed: int = 0

    def __post_init__(self):
        _validate.word(seed=self.seed)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        h, w, channels = image.shape
        strength = jnp.clip(jnp.floor(theta[0] + 0.5), 0.0, float(_STRONGEST))
        blur, variance = GaussianBlur(), (0.25 * strength**2)[None]  # exact in float32
        seen = jnp.asarray(_shuffled(self.seed, h, w))[strength.astype(jnp.int32)]
        shuffled = blur(image, variance).reshape(h * w, channels)[seen].reshape(image.shape)
        return blur(shuffled, variance)

    def representatives(self, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns [M, 1] float64: the whole numbers that the box rounds to, ascending. Host."""
        del image_shape
        first, last = (math.floor(float(end[0]) + 0.5) for end in (low, high))
        return np.arange(first, last + 1, dtype=np.float64)[:, None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Twice what a blur does: to the second, a shuffled image is no longer, nor further from its mean. Host."""
        once = GaussianBlur().float32_upper(image, 0.25 * np.square(low), 0.25 * np.square(high))
        twice = 2 * once.error - image.error
        return image.then(once.low, once.high, twice, twice)


@functools.lru_cache(maxsize=16)
def _shuffled(seed: int, h: int, w: int) -> np.ndarray:
    """[9, H W] int32: for each strength, which pixel is seen at each place; a permutation. Host.

    Philox's raw numbers are the same in all versions of NumPy.
    """
    raw = np.random.Philox(key=seed).random_raw(2 * h * w)
    shares = (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53  # uniform in [0, 1)
    found = np.tile(np.arange(h * w, dtype=np.int32), (_STRONGEST + 1, 1))
    for strength, seen in enumerate(found):
        steps = (np.floor(shares * (2 * strength + 1)).astype(int) - strength).reshape(h * w, 2)
        rows, columns = np.divmod(np.arange(h * w), w)
        others = np.clip(rows + steps[:, 0], 0, h - 1) * w + np.clip(columns + steps[:, 1], 0, w - 1)
        for here, there in enumerate(others):
            seen[here], seen[there] = seen[there], seen[here]
    return found
