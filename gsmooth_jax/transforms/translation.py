"""Cyclic translation by whole pixels."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class Translation(Pipe, group="additive"):
    """Moves the image by whole pixels; what leaves on one side enters on the other.

    Parameters: (dy, dx) in px, positive down and right; identity (0, 0). Each is rounded to the nearest whole number,
    halves up: floor(theta + 1/2) commutes with adding whole numbers, which truncation does not. So the law
    T(T(x, a), b) = T(x, a + b) is exact for whole attacks ``a`` and any draw ``b``. (TSS, Li et al. 2021; THEORY B1.)

    A claim speaks of the whole shifts in its region. In a box, whose ends have to be whole, any other shift is rounded
    to one of them. In a ball it need not be: (5.6, 5.6), of length 7.9, moves the image by (6, 6), of length 8.5, and a
    claim about the ball of radius 8 does not speak of it.
    """

    name = "translation"
    params = (
        Param(name="dy", unit="px", whole=True),
        Param(name="dx", unit="px", whole=True),
    )
    typical = ((-8.0, 8.0), (-8.0, 8.0))

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [2] = (dy, dx) -> [H, W, C]. Device."""
        h, w, _ = image.shape
        steps = jnp.floor(theta + 0.5).astype(jnp.int32)
        # Under vmap a traced jnp.roll is up to 2.5 times slower on a CPU than these reads, a one-hot product 6 times.
        return image[(jnp.arange(h) - steps[0]) % h][:, (jnp.arange(w) - steps[1]) % w]

    def representatives(self, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns [M, 2] float64: the whole shifts that the box rounds to, each once up to whole turns. Host."""
        axes = []
        for a, b, n in zip(low, high, image_shape[:2], strict=True):
            first, last = np.floor(np.float64(a) + 0.5), np.floor(np.float64(b) + 0.5)
            axes.append(first + np.arange(min(int(last - first) + 1, n)))
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Entries change places. Host."""
        del low, high
        return image.then(image.low, image.high, image.entry, image.error)
