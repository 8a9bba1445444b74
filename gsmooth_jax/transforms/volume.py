"""Loudness of audio."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

_PER_DB = math.log(10.0) / 20.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Volume(Pipe, group="additive", pointwise=True):
    """Multiplies a signal by 10^(b / 20).

    The signal is any array: a waveform [T] in [-1, 1], or a spectrogram. Parameter: b, in dB; positive is louder;
    identity 0. Never clips, so the law T(T(x, a), b) = T(x, a + b) is exact. (SPT, Fischer et al. 2020, section on
    audio.)
    """

    name = "volume"
    params = (Param(name="b", unit="dB"),)
    typical = ((-3.0, 3.0),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[...], [1] -> the same. Device."""
        return image * jnp.exp(_PER_DB * theta[0])

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: 10^(high / 20) ln(10) / 20 |x|_2. The derivative is a gain times x that grows with b. Device."""
        del low
        return (_PER_DB * jnp.exp(_PER_DB * high[0]) * norm_upper(image))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: 10^(high / 20) ln(10) / 20 |x|. Device."""
        del low
        return rounded_up(_PER_DB * jnp.exp(_PER_DB * high[0]) * jnp.abs(image))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the gain g at high, and ln(10) / 20 g: of the signal, output and derivative at most. Device."""
        del shape, low
        gain = jnp.exp(_PER_DB * high) * (1.0 + 1e-5)
        return gain[0], _PER_DB * gain

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """The exponential's error, that of its argument (a product with a rounded constant), and a product. Host."""
        exponents = _PER_DB * low[0], _PER_DB * high[0]
        ends = [end * math.exp(k) for end in (image.low, image.high) for k in exponents]
        units = float32.EXPONENTIAL / float32.UNIT + 2 * max(map(abs, exponents)) + 1
        return image.pointwise(min(ends), max(ends), units=units, factor=math.exp(exponents[1]))
