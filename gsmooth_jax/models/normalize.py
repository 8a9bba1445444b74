"""The fixed input layer: part of the classifier, so that what is certified includes it."""

import dataclasses
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

Mode = Literal["none", "dataset", "image"]

_EPS = 1e-3  # a flat image must not turn rounding noise into a full-contrast one


@dataclasses.dataclass(frozen=True, kw_only=True)
class Normalize:
    """Scales the input of a network.

    ``none`` passes the image on; ``dataset`` maps each channel to (x - mean) / std with constants of the data set;
    ``image`` standardises every image by its own mean and standard deviation (over all pixels and channels), which
    cancels brightness and contrast changes and part of a blur.
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
        """[B, H, W, C] -> [B, H, W, C]. Device."""
        if self.mode == "dataset":
            mean, std = (jnp.asarray(v, images.dtype).reshape(1, 1, 1, -1) for v in (self.mean, self.std))
            return (images - mean) / std
        if self.mode == "image":
            mean = images.mean(axis=(1, 2, 3), keepdims=True)
            centred = images - mean
            std = jnp.sqrt((centred**2).mean(axis=(1, 2, 3), keepdims=True))
            return centred / (std + _EPS)
        return images


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
