"""The blur of a turning camera."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _cells, _warp, float32, rotation
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

_STEPS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class RotationalBlur(Pipe, resamples=True):
    """Mean of the image and its rotations by i/10 of the angle, i = 1 ... 10 (11 frames); each as in ``Rotation``.

    Parameter: degrees, positive turns left; identity 0. No group law. (GSmooth, Hao et al. 2022.)
    """

    name = "rotational_blur"
    params = (Param(name="angle", unit="deg"),)
    typical = ((-10.0, 10.0),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        return _warp.mean(image, lambda i: rotation.rotate(image, theta[0] * (jnp.float32(i) / _STEPS)), _STEPS + 1)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of (1/11) sum_i (i/10) times the speed of rotation on i/10 of the box. Device."""
        return norm_upper(_speeds(image, low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: the entries of which ``lipschitz_upper`` is the norm. Device."""
        return rounded_up(_speeds(image, low, high))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the means over the frames of what rotation does, its speed times i / 10. Device."""
        shares = jnp.arange(_STEPS + 1, dtype=jnp.float32) / _STEPS
        apart, growth = jax.vmap(lambda i: rotation.sensitivity(shape, low[0] * i, high[0] * i))(shares)
        return apart.mean() * (1.0 + 1e-5), jnp.mean(shares * growth)[None] * (1.0 + 1e-5)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """The mean over the frames of what rotation does, whose angles have a quotient and a product more. Host."""
        degrees = max(abs(low[0]), abs(high[0]))
        more, px = float32.UNIT + float32.division(constant=True), np.zeros(image.shape[:2])
        for share in np.arange(1, _STEPS + 1) / _STEPS:
            px += rotation.position_errors(image.shape, degrees * share, more=more)
        return float32.read(image, px / (_STEPS + 1), units=float32.READ + float32.averaged(_STEPS + 1))


def _speeds(image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """[H, W, C]: (1/11) sum_i (i/10) times the speed of rotation on i/10 of the box."""
    maxima = _cells.block_maxima(image)

    def speed(i: jax.Array) -> jax.Array:
        share = jnp.float32(i) / _STEPS
        return share * rotation.speed_upper(maxima, low[0] * share, high[0] * share)

    return _warp.mean(jnp.zeros_like(image), speed, _STEPS + 1)
