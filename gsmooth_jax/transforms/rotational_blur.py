"""The blur of a turning camera."""

import dataclasses

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms import _cells, rotation
from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param

_STEPS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class RotationalBlur(Pipe):
    """Mean of the image and its rotations by i/10 of the angle, i = 1 ... 10 (11 frames); each as in ``Rotation``.

    Parameter: degrees, positive turns left; identity 0. No group law. (GSmooth, Hao et al. 2022.)
    """

    name = "rotational_blur"
    params = (Param(name="angle", unit="deg"),)
    typical = ((-10.0, 10.0),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        angles = theta[0] * jnp.arange(1, _STEPS + 1) / _STEPS
        frames = jax.vmap(rotation.rotate, in_axes=(None, 0))(image, angles)
        return (image + frames.sum(axis=0)) / (_STEPS + 1)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of (1/11) sum_i (i/10) times the speed of rotation on i/10 of the box. Device."""
        share = jnp.arange(1, _STEPS + 1) / _STEPS
        speeds = jax.vmap(rotation.speed_upper, in_axes=(None, 0, 0))(
            _cells.block_maxima(image), low[0] * share, high[0] * share
        )
        return norm_upper(jnp.tensordot(share, speeds, axes=1, precision="highest") / (_STEPS + 1))[None]
