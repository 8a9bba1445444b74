"""Picture files: decoded by Pillow, resized and cropped as a header says. Host."""

import dataclasses
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gsmooth_jax import _validate

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""Of the files that are taken for pictures."""

_GREY = ("1", "L", "LA")
_COLOUR = ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB")
_MOST_PIXELS = 10**8  # Pillow warns beyond about so many, and a header of a few bytes may announce more


class UnreadableError(ValueError):
    """A file that holds no picture, or one that cannot be decoded."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fitting:
    """How pictures of any size become images of one.

    Attributes:
      resize: (H, W); or one number of pixels, which the shorter side becomes; empty: as they are. Bilinear, with
        Pillow's support as wide as a pixel of the result.
      crop: (H, W), or one number for both, of the middle; empty: nothing is cut.
    """

    resize: tuple[int, ...] = ()
    crop: tuple[int, ...] = ()

    def __post_init__(self):
        for name in ("resize", "crop"):
            given = getattr(self, name)
            if len(given) > 2:
                raise ValueError(f"Expected {name} to be one number of pixels, or height and width, got {given}.")
            _validate.at_least(1, **{f"{name}[{i}]": size for i, size in enumerate(given)})

    def to_json(self) -> dict[str, Any]:
        """Returns what a header says of it: nothing of pictures that are taken as they are."""
        given = {name: list(getattr(self, name)) for name in ("resize", "crop") if getattr(self, name)}
        return given | ({"filter": "bilinear"} if self.resize else {})

    @classmethod
    def from_json(cls, part: Any) -> "Fitting":
        """Reads it from a header's ``data``."""
        return cls(resize=tuple(part.get("resize", ())), crop=tuple(part.get("crop", ())))

    def __call__(self, picture: "Image") -> "Image":
        """Resizes, then crops.

        Raises:
          ValueError: the picture is smaller than what is to be cut out of it.
        """
        from PIL.Image import Resampling

        width, height = picture.size
        if self.resize:
            shorter = min(width, height)
            size = self.resize if len(self.resize) == 2 else [self.resize[0] * n // shorter for n in (height, width)]
            picture = picture.resize((int(size[1]), int(size[0])), Resampling.BILINEAR)
            width, height = picture.size
        if self.crop:
            rows, columns = self.crop if len(self.crop) == 2 else self.crop * 2
            if rows > height or columns > width:
                raise ValueError(f"Expected pictures of at least {rows} x {columns} pixels, got {height} x {width}.")
            left, top = (width - columns) // 2, (height - rows) // 2
            picture = picture.crop((left, top, left + columns, top + rows))
        return picture


def decode(file: Path | IO[bytes], fitting: Fitting) -> np.ndarray:
    """Returns a picture as uint8 [H, W, 1] of grey ones, [H, W, 3] of others; turned as its EXIF data say.

    What is transparent has the colour that the file gives it. Of several pictures in a file the first is meant.

    Raises:
      UnreadableError: it cannot be decoded, or has more than 8 bits a channel.
      ValueError: it is smaller than what is to be cut out of it.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise UnreadableError(f"it has {picture.width} x {picture.height} pixels")
            if picture.mode not in _GREY + _COLOUR:
                raise UnreadableError(f"its pixels are of mode {picture.mode}, not of 8 bits a channel")
            turned = ImageOps.exif_transpose(picture).convert("L" if picture.mode in _GREY else "RGB")
    except UnreadableError:
        raise
    except UnidentifiedImageError:
        raise UnreadableError("it is no picture that Pillow knows") from None
    except Exception as error:  # Pillow reports a broken file in as many ways as there are decoders
        raise UnreadableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    image = np.array(fitting(turned))
    return image[..., None] if image.ndim == 2 else image
