"""Saturation."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._colour import is_grey
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

_LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey (ITU-R BT.601)."""

_OBLIQUE = 3.0 * sum(w * w for w in _LUMA)
"""Squared norm of the map from a colour to its grey, in all three channels: the luma's projection is not orthogonal."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saturation(Pipe, group="additive"):
    """Multiplies what every colour x has beside its grey y by e^k: y + e^k (x - y), y = .299 r + .587 g + .114 b.

    Parameter: k, the logarithm of the factor; positive strengthens; identity 0. The grey stays, and nothing is clipped,
    so the law T(T(x, a), b) = T(x, a + b) is exact. Images of one channel are grey, and stay as they are.

    Before clipping this is Pillow's ``ImageEnhance.Color(image).enhance(e^k)`` and torchvision's ``adjust_saturation``.
    The saturation of HSV (dm-pix, TensorFlow) is multiplied with the largest channel kept: the differences between the
    channels are the same, their level is not, and a saturation beyond 1 is cut off there.
    """

    name = "saturation"
    params = (Param(name="saturation", unit="log factor", log=True),)
    typical = ((-0.5, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, 3] or [H, W, 1], [1] -> the same. Device."""
        if is_grey(image):
            return image
        return image + jnp.expm1(theta[0]) * _colour(image)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: e^high |x - y|_2. The derivative is e^k (x - y), which grows with k. Device."""
        del low
        if is_grey(image):
            return jnp.zeros(1, image.dtype)
        return (jnp.exp(high[0]) * norm_upper(_colour(image)))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: e^high |x - y|, entry by entry. Device."""
        del low
        if is_grey(image):
            return jnp.zeros((1, *image.shape), image.dtype)
        return rounded_up(jnp.exp(high[0]) * jnp.abs(_colour(image)))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the norm of the linear map at the worse end, and e^high times that of x -> x - y. Device.

        With f = e^k the map of a colour is M = f I + (1 - f) 1 w^T. Its singular values are f and a pair with product f
        and sum of squares |M|_F^2 - f^2 = 2 f + (1 - f)^2 q, q = 3 |w|^2: the larger one is
        (|1 - f| sqrt(q) + sqrt(4 f + (1 - f)^2 q)) / 2, and at least f since q >= 1. A norm is convex in f, so it is
        largest at an end. A projection that is not 0 or 1 has the norm of its complement, here sqrt(q).
        """
        del shape
        f = jnp.exp(jnp.stack([low[0], high[0]]))
        apart = 0.5 * (jnp.abs(1.0 - f) * math.sqrt(_OBLIQUE) + jnp.sqrt(4.0 * f + (1.0 - f) ** 2 * _OBLIQUE))
        return jnp.max(apart) * (1.0 + 1e-5), jnp.exp(high) * (math.sqrt(_OBLIQUE) * (1.0 + 1e-5))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """What the factor's error, the luma's and a few operations do to the colours. Host.

        A colour differs from its grey, a mean, by W = high - low at most; the luma is wrong by six roundings of sums,
        products and shares. ``sensitivity_upper`` has the factor in L2; of entries it is f + |1 - f|, f = e^k.
        """
        if image.shape[-1] == 1:
            return image
        wide, gains = image.high - image.low, [math.exp(low[0]), math.exp(high[0])]
        change = max(abs(g - 1.0) for g in gains)
        coloured = float32.EXPM1 * wide + float32.UNIT * (2 * wide + 6 * image.largest)
        own = float32.MARGIN * (change * coloured + float32.UNIT * (image.largest + change * wide))
        apart = max(0.5 * (abs(1 - g) * _OBLIQUE**0.5 + math.sqrt(4 * g + (1 - g) ** 2 * _OBLIQUE)) for g in gains)
        entry = max(g + abs(1 - g) for g in gains) * image.entry + own
        error = apart * image.error + own * math.sqrt(image.size)
        return image.then(image.low - change * wide, image.high + change * wide, entry, error)


def _colour(image: jax.Array) -> jax.Array:
    """[H, W, 3]: what a colour has beside its grey, the luma."""
    return image - jnp.tensordot(image, jnp.asarray(_LUMA, image.dtype), axes=1, precision="highest")[..., None]
