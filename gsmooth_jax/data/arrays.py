"""Arrays in a file: ``images``, and perhaps ``labels`` and ``ids``, of ``numpy.savez``. Host."""

import zipfile
from typing import NamedTuple

import numpy as np

from gsmooth_jax.data.specs import DataError, MissingDataError, expanded

SUFFIX = ".npz"


class Arrays(NamedTuple):
    """What a file holds: float32 images in [0, 1] [N, H, W, C], labels [N], ids [N]; the last two or None."""

    images: np.ndarray
    labels: np.ndarray | None
    ids: np.ndarray | None


def open_arrays(place: str) -> Arrays:
    """Reads a file of arrays; images of dtype uint8 are divided by 255.

    Raises:
      MissingDataError: there is none.
      DataError: it is damaged, or lacks ``images``.
    """
    path = expanded(place)
    if not path.is_file():
        raise MissingDataError(f"Expected a file of arrays (images, labels), found none at {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files if name in Arrays._fields}
            names = list(file.files)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, AttributeError) as error:
        raise DataError(f"{path} is no file of arrays: {error}.") from error
    if "images" not in held:
        raise DataError(
            f"Expected {path} to hold images, and perhaps labels and ids, got {', '.join(names) or 'nothing'}."
        )
    images = held["images"]
    if images.dtype == np.uint8:
        images = images.astype(np.float32) / np.float32(255)
    return Arrays(images, held.get("labels"), held.get("ids"))
