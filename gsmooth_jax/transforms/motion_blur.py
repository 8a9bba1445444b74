"""The blur of a moving camera."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import _cells, _warp, float32, shift
from gsmooth_jax.transforms._norm import rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class MotionBlur(Pipe, resamples=True):
    """Mean of shifts of the image along a vector (a, b), from -1/2 to 1/2 of it; each as in ``Shift``.

    Parameters: (a, b) in px, the path of the camera (down, right); (-a, -b) is the same blur; identity (0, 0). Zeros
    outside. No group law. The published code rounds length and angle to whole kernels; fixed nodes make the blur
    continuous.

    Attributes:
      nodes: how many shifts. Nodes more than 1 px apart (vectors longer than nodes - 1) look like ghost images.
    """

    name = "motion_blur"
    params = (Param(name="a", unit="px"), Param(name="b", unit="px"))
    typical = ((-8.0, 8.0), (-8.0, 8.0))

    nodes: int = 17

    def __post_init__(self):
        _validate.at_least(2, nodes=self.nodes)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [2] = (a, b) -> [H, W, C]. Device."""
        h, w, _ = image.shape
        positions = jnp.asarray(self._positions(), jnp.float32)

        def frame(i: jax.Array | int) -> jax.Array:
            path = theta * positions[i]
            return _warp.separable(image, shift.moved(h, path[0]), shift.moved(w, path[1]))

        return _warp.mean(frame(0), frame, self.nodes)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2]: the mean |node| times the norms of the vertical and horizontal differences. Device.

        Node r moves by r da when a grows by da, so its frame changes by at most |r| |da| times the bound of ``Shift``.
        """
        del low, high
        return shift.difference_norms(image) * float(np.abs(self._positions()).mean())

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [2, H, W, C]: the mean of |node| times the speed of ``Shift`` on that share of the box. Device."""
        maxima = _cells.block_maxima(image)
        positions = jnp.asarray(self._positions(), jnp.float32)

        def speed(i: jax.Array | int) -> jax.Array:
            ends = low * positions[i], high * positions[i]
            return jnp.abs(positions[i]) * shift.speeds_upper(maxima, jnp.minimum(*ends), jnp.maximum(*ends))

        return rounded_up(_warp.mean(speed(0), speed, self.nodes))

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1 and twice the mean |node|: the mean of what ``Shift`` does. Device."""
        del shape, low
        share = float(np.abs(self._positions()).mean())
        return jnp.full((), 1.0 + 1e-5, high.dtype), jnp.full_like(high, 2.0 * share * (1.0 + 1e-5))

    def _positions(self) -> np.ndarray:
        return np.linspace(-0.5, 0.5, self.nodes)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """The mean over the frames of what ``Shift`` does, whose distances have two roundings more. Host."""
        px = np.zeros(image.shape[:2])
        for share in self._positions():
            first, last = np.minimum(share * low, share * high), np.maximum(share * low, share * high)
            sides = [shift.moved_errors(n, a, b) for n, a, b in zip(image.shape[:2], first, last, strict=True)]
            px += np.add.outer(*sides) + 2 * float32.UNIT * np.maximum(np.abs(first), np.abs(last)).sum()
        return float32.read(image, px / self.nodes, units=float32.SEPARABLE + float32.averaged(self.nodes))
