"""The blur of a zooming camera."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _cells, _warp, float32, scaling
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

_STEPS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZoomBlur(Pipe, resamples=True):
    """Mean of 11 enlargements by 1 + z i/10, i = 0 ... 10; each as in ``Scaling``.

    Parameter: z >= 0, the largest zoom less 1, a ratio; identity 0. No group law. The published code steps the zoom by
    0.02, so that the number of frames jumps with z; a fixed number makes the blur continuous.
    """

    name = "zoom_blur"
    params = (Param(name="z", unit="ratio", low=0.0),)
    typical = ((0.0, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        h, w, _ = image.shape
        ratios = 1.0 + theta[0] * (jnp.arange(_STEPS + 1, dtype=jnp.float32) / _STEPS)
        rows, columns = (jax.vmap(scaling.zoom, in_axes=(None, 0))(n, ratios) for n in (h, w))
        # The sum over the frames is part of the second product: one large one for many small ones. Unlike reads at
        # positions of their own (``_warp.mean``) it gains by having all 11 frames in memory at once.
        frames = jnp.einsum("kih,hwc->kiwc", rows, image, precision="highest")
        return jnp.einsum("kiwc,kjw->ijc", frames, columns, precision="highest") / (_STEPS + 1)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of (1/11) sum_i (i/10) times the speed of scaling on 1 + i/10 of the box. Device."""
        return norm_upper(_speeds(image, low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: the entries of which ``lipschitz_upper`` is the norm. Device."""
        return rounded_up(_speeds(image, low, high))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the means over the frames of what scaling does, its speed times i / 10. Device."""
        shares = jnp.arange(_STEPS + 1, dtype=jnp.float32) / _STEPS
        apart, growth = jax.vmap(lambda i: scaling.sensitivity(shape, 1.0 + low[0] * i, 1.0 + high[0] * i))(shares)
        return apart.mean() * (1.0 + 1e-5), jnp.mean(shares * growth)[None] * (1.0 + 1e-5)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """The mean over the frames of what scaling does, with the sum over them inside the second product. Host.

        The share i/10 of z has two roundings, the division's among them, and adding 1 another. Two of a frame's reads
        are not 0, and all frames' partial sums are at most 11 times the largest intensity.
        """
        frames, division = _STEPS + 1, float32.division(constant=True)
        px = np.zeros(image.shape[:2])
        for share in np.arange(frames) / _STEPS:
            z = high[0] * share
            roundings = 1.0 + (1.0 + division / float32.UNIT) * z / (1.0 + z)
            px += scaling.position_errors(image.shape, 1.0 + low[0] * share, roundings)
        return float32.read(image, px / frames, units=float32.SEPARABLE + 2 * frames - 2 + division / float32.UNIT)


def _speeds(image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """[H, W, C]: (1/11) sum_i (i/10) times the speed of scaling on 1 + i/10 of the box."""
    maxima = _cells.block_maxima(image)

    def speed(i: jax.Array) -> jax.Array:
        share = jnp.float32(i) / _STEPS
        return share * scaling.speed_upper(maxima, 1.0 + low[0] * share, 1.0 + high[0] * share)

    return _warp.mean(jnp.zeros_like(image), speed, _STEPS + 1)
