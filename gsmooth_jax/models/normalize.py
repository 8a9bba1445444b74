"""The fixed input layer: part of the classifier, so that what is certified includes it."""

import dataclasses
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import _dct

Mode = Literal["none", "dataset", "image", "sharpen", "centre", "refocus"]

_EPS = 1e-3  # a flat image must not turn rounding noise into a full-contrast one
_VARIANCES = (0.0, 8.0, 20.0, 40.0)  # px^2
_GAIN = 1e3  # float32 leaves about seven digits: three for the gain, four for the picture
_EDGE = 0.9  # radians a pixel, where the window of ``refocus`` has fallen to 1 / e
_SHARPNESS = 0.07  # the mean of w^2 / 2 that it gives every image: pictures have about so much
_REACH = 32.0  # px^2, how much blur it undoes or adds at most


@dataclasses.dataclass(frozen=True, kw_only=True)
class Normalize:
    """Scales the input of a network.

    ``none`` passes the image on; ``dataset`` maps each channel to (x - mean) / std with constants of the data set;
    ``image`` standardises every image by its own mean and standard deviation (over all pixels and channels), which
    cancels brightness and contrast changes and part of a blur. ``sharpen`` stacks the image and three inverses of a
    Gaussian blur, for variances of 8, 20 and 40 px^2, each standardised: in one of them a heavily blurred image looks
    like itself again. The inverses are Wiener filters, whose gain falls off beyond a limit. ``centre`` moves the image
    cyclically, interpolating between pixels, until its centre of mass on the torus is in the middle, which undoes every
    translation. ``refocus`` undoes or adds Gaussian blur until the mean square of the frequencies, each weighted by its
    energy behind a window, is a constant, and gives the standardised image at half the size: images that differ by a
    Gaussian blur alone, with reflecting borders and up to a variance of about 20 px^2, become the same.
    """

    mode: Mode = "none"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self):
        if self.mode not in get_args(Mode):
            raise ValueError(f"Unknown normalize {self.mode!r}. Known: {', '.join(get_args(Mode))}.")
        if self.mode == "dataset" and not (len(self.mean) == len(self.std) > 0 and min(self.std) > 0):
            raise ValueError(f"Expected one mean and one std > 0 a channel, got mean={self.mean}, std={self.std}.")

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]; ``sharpen`` gives 4 C channels, ``refocus`` half the sides. Device."""
        if self.mode == "dataset":
            mean, std = (jnp.asarray(v, images.dtype).reshape(1, 1, 1, -1) for v in (self.mean, self.std))
            return (images - mean) / std
        if self.mode == "image":
            return _standardise(images)
        if self.mode == "sharpen":
            return jnp.concatenate([_standardise(_sharpen(images, v)) for v in _VARIANCES], axis=-1)
        if self.mode == "centre":
            return jax.vmap(_centre)(images)
        if self.mode == "refocus":
            return _standardise(jax.vmap(_refocus)(images))
        return images


def _centre(image: jax.Array) -> jax.Array:
    """Moves [H, W, C] cyclically until the phase of its first Fourier mode along either axis points to the middle."""
    for axis, size in enumerate(image.shape[:2]):
        turn = 2 * jnp.pi / size * jnp.arange(size, dtype=image.dtype)
        profile = image.sum(axis=(1 - axis, 2))
        offset = jnp.arctan2(profile @ jnp.sin(turn), profile @ jnp.cos(turn)) * (size / (2 * jnp.pi)) - size // 2
        whole = jnp.floor(offset)
        here, next_one = (
            jnp.take(image, (jnp.arange(size) + whole.astype(jnp.int32) + step) % size, axis=axis) for step in (0, 1)
        )
        image = here + (offset - whole) * (next_one - here)
    return image


def _refocus(image: jax.Array) -> jax.Array:
    """[H, W, C] -> [H / 2, W / 2, C], rounded up: blurred by the one variance v that gives it the sharpness wanted.

    A blur of variance u multiplies the spectrum by exp(-u w^2 / 2), so its v is smaller by u, and nothing else changes.
    The sharpness falls as v grows (its derivative is minus a variance), so bisection finds v. Behind the window float32
    has digits enough to undo a blur of 20 px^2: the gain stays below 10^4. Above half the highest frequency nothing is
    left, so half the pixels hold all.
    """
    height, width = ((side + 1) // 2 for side in image.shape[:2])
    frequencies = (_dct.frequency(side)[:half] ** 2 for side, half in zip(image.shape, (height, width), strict=False))
    squares = 0.5 * np.add.outer(*frequencies)
    window = np.exp(-((2.0 * squares / _EDGE**2) ** 3))
    seen = (window > 0.05) & (squares > 0.0)  # beyond, and at frequency 0, there is nothing to tell a blur by
    half = jnp.asarray(squares, image.dtype)
    spectrum = _dct.forward(image)[:height, :width]
    energy = (spectrum**2).sum(axis=-1) * jnp.asarray(window**2, image.dtype)
    logarithms = jnp.where(seen, jnp.log(energy + 1e-20), -jnp.inf)  # a flat image has a sharpness, too

    def bisect(_: jax.Array, bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = bounds
        middle = 0.5 * (low + high)
        sharper = (jax.nn.softmax(logarithms - 2.0 * middle * half, axis=(0, 1)) * half).sum() > _SHARPNESS
        return jnp.where(sharper, middle, low), jnp.where(sharper, high, middle)

    ends = jnp.asarray(-_REACH, image.dtype), jnp.asarray(_REACH, image.dtype)
    variance = sum(jax.lax.fori_loop(0, 22, bisect, ends)) / 2  # to 2e-5 px^2
    passed = jnp.exp(-variance * half) * jnp.asarray(window, image.dtype)
    return _dct.inverse(spectrum * passed[:, :, None])


def _standardise(images: jax.Array) -> jax.Array:
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    return centred / (jnp.sqrt((centred**2).mean(axis=(1, 2, 3), keepdims=True)) + _EPS)


def _sharpen(images: jax.Array, variance: float) -> jax.Array:
    """Undoes a Gaussian blur [B, H, W, C] where its gain stays below the limit."""
    if variance == 0.0:
        return images
    height, width = images.shape[1:3]
    half = 0.5 * np.add.outer(_dct.frequency(height) ** 2, _dct.frequency(width) ** 2)
    gain = np.exp(np.minimum(variance * half, 40.0))  # far beyond the limit, and no overflow
    wiener = jnp.asarray(gain / (1.0 + (gain / _GAIN) ** 2), images.dtype)[:, :, None]
    return jax.vmap(lambda image: _dct.inverse(wiener * _dct.forward(image)))(images)


def fit(mode: Mode, images: np.ndarray) -> Normalize:
    """Returns the input layer for a data set [N, H, W, C] uint8; its constants are rounded to four digits. Host."""
    if mode != "dataset":
        return Normalize(mode=mode)
    # Moments of each image in float32, their mean in float64: four digits without a float64 copy of the data set.
    pixels = images.reshape(len(images), -1, images.shape[-1]).astype(np.float32) / 255.0
    mean = pixels.mean(axis=1).mean(axis=0, dtype=np.float64)
    square = (pixels**2).mean(axis=1).mean(axis=0, dtype=np.float64)
    std = np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), _EPS)
    return Normalize(
        mode=mode, mean=tuple(round(float(m), 4) for m in mean), std=tuple(round(float(s), 4) for s in std)
    )
