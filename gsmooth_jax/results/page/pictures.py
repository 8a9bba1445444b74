"""Small pictures of a run's inputs, as data URIs. Host."""

import base64
import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gsmooth_jax.results import sources
from gsmooth_jax.results.run import Run

_LARGEST = 64
"""Pixels of a picture's longer side: on a page of 500 images, 3 MB are few."""

_SHARP = 48
"""Up to so many it is kept as it is, without loss."""


class Pictures(NamedTuple):
    """Pictures of a run's inputs, by id.

    Attributes:
      uris: as data URIs; of what is no image, none.
      names: of the files that they are, below their folder; of other data, none.
    """

    uris: Mapping[int, str]
    names: Mapping[int, str]


def read(run: Run, data: Any = None, data_dir: str | None = None) -> Pictures:
    """Returns the pictures of a run's inputs.

    Args:
      run: with the claims of these inputs.
      data: the inputs themselves, where the header has no name for them; see ``sources.of_any``.
      data_dir: where data sets are prepared; the TFDS default if None.

    Raises:
      ValueError: the data are not at hand, or others than the run's.
    """
    wanted, found = {c.id for c in run.claims}, dict[int, str]()
    inputs = sources.of_header(run.header["data"], data, data_dir, (run.folder,))
    for example in inputs.share(0, 1):
        if example.id in wanted and _is_image(example.image):
            found[example.id] = data_uri(example.image)
        wanted.discard(example.id)
        if not wanted:
            break
    return Pictures(found, inputs.names)


def _is_image(image: np.ndarray) -> bool:
    return image.ndim == 3 and image.shape[-1] in (1, 3) and image.min() >= 0.0 and image.max() <= 1.0


def data_uri(image: np.ndarray) -> str:
    """Returns an image [H, W, 1 or 3] in [0, 1] as a data URI, reduced where it is large."""
    from PIL import Image

    levels = np.rint(image * 255.0).astype(np.uint8)
    picture = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
    kind, options = "PNG", {"optimize": True}
    if max(picture.size) > _SHARP:
        picture.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
        kind, options = "JPEG", {"quality": 82}
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
