"""Gaussian blur with a reflecting or a cyclic border."""

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _spec, _validate
from gsmooth_jax.transforms import _dct, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


@dataclasses.dataclass(frozen=True, kw_only=True)
class GaussianBlur(Pipe, group="additive"):
    """Blurs by the heat equation: multiplies the spectrum by exp(-v (w_y^2 + w_x^2) / 2).

    Parameter: v >= 0, the variance in px^2; identity 0. The multipliers make an exact semigroup, T(T(x, a), b) =
    T(x, a + b) (THEORY B1), which sampled and truncated kernels are not. The formula is kept for v < 0, where it
    sharpens without bound: draws must be >= 0.

    Attributes:
      border: ``reflect``: half-sample mirror, the DCT-II spectrum, w = pi k / H rows and pi k / W columns. ``cyclic``:
        what leaves on one side enters on the other, the DFT spectrum, w = 2 pi j / H and 2 pi j / W. Only the cyclic
        one commutes with ``translation``.
    """

    border: Literal["reflect", "cyclic"] = dataclasses.field(default="reflect", metadata=_spec.LATER)

    name = "gaussian_blur"
    params = (Param(name="v", unit="px^2", low=0.0),)
    typical = ((0.0, 36.0),)

    def __post_init__(self):
        _validate.known(dict.fromkeys(("reflect", "cyclic")), border=self.border)

    @property
    def _cyclic(self) -> bool:
        return self.border == "cyclic"

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        h, w, _ = image.shape
        squares = (_dct.frequency(n, self._cyclic) ** 2 for n in (h, w))
        wave_y, wave_x = (jnp.exp(theta[0] * jnp.asarray(-0.5 * square, image.dtype)) for square in squares)
        # Added to the image, so that variance 0 is the identity exactly. The draws of one image share its spectrum.
        change = _dct.forward(image, self._cyclic) * (wave_y[:, None] * wave_x[None, :] - 1.0)[:, :, None]
        return image + _dct.inverse(change, self._cyclic)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: |spectrum * (w^2 / 2) exp(-low w^2 / 2)|_2. Device.

        The spectrum keeps norms, so this is the L2 norm of the derivative at v = low; every term falls with v.
        """
        del high
        half = self._half_squares(image)
        return norm_upper(_dct.forward(image, self._cyclic) * (half * jnp.exp(-low[0] * half)))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C] bounds on the derivative's entries. Device.

        Each term of its spectrum falls with v: it lies between those at low and at high, whose middle keeps the signs.
        A box's norm is no larger than the norm of these, which need not be reached together.
        """
        half = self._half_squares(image)
        spectrum, error = _dct.forward(image, self._cyclic), _dct.forward_error(image, self._cyclic)
        most, least = half * jnp.exp(-low[0] * half), half * jnp.exp(-high[0] * half)
        middle, radius = 0.5 * (most + least), 0.5 * (most - least) + 1e-6 * half  # its share: roundings of exp
        spread = (jnp.abs(spectrum) + error) * radius + error * middle
        return rounded_up(_dct.entries_upper(spectrum * middle, spread, self._cyclic))[None]

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the largest of the multipliers e^-va, 1 for v >= 0, and that of a e^-va, a = w^2 / 2 <= pi^2. Device.

        a e^-va rises up to a = 1 / v and falls behind it.
        """
        del shape, high
        fastest = jnp.where(low * math.pi**2 > 1.0, 1.0 / jnp.maximum(low, 0.1), math.pi**2)
        apart = jnp.exp(jnp.maximum(-low[0], 0.0) * math.pi**2)
        return apart * (1.0 + 1e-5), fastest * jnp.exp(-low * fastest) * (1.0 + 1e-5)

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """What ``_dct.changed`` says. Host.

        A factor e^-a of a multiplier has the error of the exponential and that of its argument: two roundings of a,
        with a e^-a <= 1 / e. Their product has a rounding, and so has its difference to 1. At frequency 0 nothing is
        rounded.

        Raises:
          ValueError: v < 0, which sharpens without bound.
        """
        del high
        if low[0] < 0.0:
            raise ValueError(f"Expected v >= 0 for a bound on what float32 does, got v={low[0]:g}.")
        off = 2 * (float32.EXPONENTIAL + 2 * float32.UNIT / math.e) + 2 * float32.UNIT
        # A band-limited kernel has negative weights: what holds of the entries is what holds of their norm.
        return _dct.changed(image, -image.norm, image.norm, change=1.0, off=off, constant_off=0.0, cyclic=self._cyclic)

    def _half_squares(self, image: jax.Array) -> jax.Array:
        """[H, W, 1]: half the squared frequencies."""
        squares = np.add.outer(*(_dct.frequency(n, self._cyclic) ** 2 for n in image.shape[:2]))
        return jnp.asarray(0.5 * squares, image.dtype)[:, :, None]
