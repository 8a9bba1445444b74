"""Hue."""

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hue(Pipe, group="additive"):
    """Turns every pixel's colour about the grey axis of the RGB cube: R(angle) (r, g, b).

    Parameter: degrees, positive turns red towards green and green towards blue; identity 0. R is orthogonal: it keeps
    the mean of the three channels and every distance. Never clips, so the law T(T(x, a), b) = T(x, a + b) is exact.
    Images of one channel have no hue, and stay as they are.

    Common programs (dm-pix, TensorFlow, torchvision) shift the angle of the HSV hexcone, which keeps the largest and
    the smallest channel instead. The two angles agree within 2.3 degrees, and exactly at multiples of 120. But the
    derivative of the hexcone's jumps between its six sectors, and it is made for intensities in [0, 1].
    """

    name = "hue"
    params = (Param(name="hue", unit="deg"),)
    typical = ((-30.0, 30.0),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, 3] or [H, W, 1], [1] -> the same. Device."""
        if is_grey(image):
            return image
        angle = jnp.deg2rad(jnp.fmod(theta[0], 360.0))
        # Rodrigues' formula about (1, 1, 1) / sqrt(3), without the part that stays.
        across = (jnp.roll(image, 1, axis=-1) - jnp.roll(image, -1, axis=-1)) / math.sqrt(3.0)
        return image - 2.0 * jnp.sin(0.5 * angle) ** 2 * _colour(image) + jnp.sin(angle) * across

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of the image less its grey, per degree. Exact at every angle. Device.

        The derivative of R(t) x is R(t) (n x x) per radian, with n the grey axis' direction: |n x x| is the distance of
        a colour from that axis.
        """
        del low, high
        if is_grey(image):
            return jnp.zeros(1, image.dtype)
        return (math.radians(1.0) * norm_upper(_colour(image)))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: in the plane across the axis no entry of a unit vector exceeds sqrt(2/3). Device."""
        del low, high
        if is_grey(image):
            return jnp.zeros((1, *image.shape), image.dtype)
        length = jnp.sqrt(jnp.sum(_colour(image) ** 2, axis=-1, keepdims=True))
        return rounded_up(jnp.broadcast_to(math.radians(1.0) * math.sqrt(2.0 / 3.0) * length, image.shape))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns 1, since R is orthogonal, and a degree: what is not grey grows by the change at most. Device."""
        del shape, low
        return jnp.ones((), high.dtype) * (1.0 + 1e-6), jnp.full_like(high, math.radians(1.0) * (1.0 + 1e-6))

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """What the angle's error, those of sine and cosine and of a few operations do to a turn of the colours. Host.

        A pixel's channels differ by W = high - low at most. So x turns by W a radian at most, its difference from grey
        is at most 2 W / 3, and half the difference that turns it W / sqrt(3). The angle is wrong by the rounding in
        radians and that of the constant; 2 sin^2 by twice the sine's error and two roundings, with that of the product;
        grey by two sums and a third; the other product by the sine's error, two roundings and a division. A channel of
        the result is within W of the pixel's own, and as a sum of three shares of the channels at most sqrt(3) times as
        far apart as they.
        """
        if image.shape[-1] == 1:
            return image
        unit, division = float32.UNIT, float32.division(constant=True)
        wide, angle = image.high - image.low, math.radians(min(max(abs(low[0]), abs(high[0])), 360.0))
        half = 2.0 * math.sin(0.5 * min(angle, math.pi)) ** 2
        turn = angle * (unit + float32.constant(math.pi / 180.0)) * wide
        grey = unit * 5 / 3 * image.largest + (unit + division) * image.largest
        along = half * ((2 * float32.SINE + 3 * unit) * 2 / 3 * wide + grey + unit * 2 / 3 * wide)
        across = math.sin(min(angle, 0.5 * math.pi)) * (float32.SINE + 3 * unit + division) * wide / math.sqrt(3.0)
        own = float32.MARGIN * (turn + along + across + 2 * unit * (image.largest + wide))
        entry, error = math.sqrt(3.0) * image.entry + own, image.error + own * math.sqrt(image.size)
        return image.then(image.low - wide, image.high + wide, entry, error)


def _colour(image: jax.Array) -> jax.Array:
    """[H, W, 3]: what a colour has beside its grey, the mean of its channels."""
    return image - jnp.mean(image, axis=-1, keepdims=True)
