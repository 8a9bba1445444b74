"""How a network from elsewhere takes its images: order of the axes, scale, mean and deviation of the channels."""

import dataclasses
import math
from typing import Any, Literal, TypeVar, get_args

import jax
import numpy as np

from gsmooth_jax import _validate

Layout = Literal["NHWC", "NCHW", "HWC", "CHW"]
"""The axes of what a network is given: batches, or (without N) one image at a time; channels last or first."""

Images = TypeVar("Images", jax.Array, np.ndarray)


class FormatError(ValueError):
    """Images that do not have the form that was stated."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputFormat:
    """From this library's images to what a network is given: (scale x - mean) / std, then the order of the axes.

    Attributes:
      layout: of the network's inputs. Of other inputs than images only N matters: batches, or one at a time.
      scale: of intensities; 255 for a network of file levels.
      mean: one a channel, or one for all; subtracted after the scale.
      std: likewise; what is left is divided by it.
    """

    layout: Layout = "NHWC"
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self):
        _validate.known(dict.fromkeys(get_args(Layout)), layout=self.layout)
        _validate.positive(scale=self.scale)
        for name in ("mean", "std"):
            given = getattr(self, name)
            numbers = tuple(float(v) for v in ((given,) if np.ndim(given) == 0 else given))
            object.__setattr__(self, name, numbers)
            if not all(map(math.isfinite, numbers)):
                raise ValueError(f"Expected finite numbers {name}, got {name}={numbers}.")
        if self.std and min(self.std) <= 0:
            raise ValueError(f"Expected std > 0, got std={self.std}.")

    @property
    def batched(self) -> bool:
        """Whether the network takes batches."""
        return self.layout.startswith("N")

    def __call__(self, images: Images) -> Images:
        """[B, H, W, C] -> [B, ...] as the network wants each; of JAX or of NumPy, in the images' dtype.

        Raises:
          FormatError: another number of means or deviations than channels; channels first of what is no image.
        """
        channels = images.shape[-1]
        if self.scale != 1.0:
            images = images * np.asarray(self.scale, images.dtype)
        if self.mean:
            images = images - self._row("mean", channels, images)
        if self.std:
            images = images / self._row("std", channels, images)
        if self.layout in ("NHWC", "HWC"):
            return images
        if images.ndim != 4:
            raise FormatError(f"Expected images [N, H, W, C] for layout {self.layout!r}, got shape {images.shape}.")
        return images.transpose(0, 3, 1, 2)

    def to_json(self) -> dict[str, Any]:
        """Returns what a header says of it; the arguments that build it again."""
        return {"layout": self.layout, "scale": self.scale, "mean": list(self.mean), "std": list(self.std)}

    def _row(self, name: str, channels: int, images: jax.Array | np.ndarray) -> np.ndarray:
        numbers = getattr(self, name)
        if len(numbers) not in (1, channels):
            raise FormatError(f"Expected one {name} for each of {channels} channels, or one for all, got {numbers}.")
        return np.asarray(numbers, images.dtype).reshape((1,) * (images.ndim - 1) + (-1,))


@dataclasses.dataclass(frozen=True, eq=False)
class TracedModel:
    """A network that JAX can trace, with the format of its images, for ``as_classifier``.

    >>> TracedModel(lambda image: image.mean(axis=(1, 2))[:2], layout="CHW").format.batched
    False

    Attributes:
      model: any that ``as_classifier`` takes; of layouts without N, one that maps one image to logits [K].
      layout: of what it is given; see ``InputFormat``, as the others.
      scale: of intensities.
      mean: subtracted after the scale.
      std: divides what is left.
    """

    model: Any
    layout: Layout = "NHWC"
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    format: InputFormat = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        chosen = InputFormat(layout=self.layout, scale=self.scale, mean=self.mean, std=self.std)
        object.__setattr__(self, "format", chosen)
