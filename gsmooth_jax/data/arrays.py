"""Arrays in a file: ``images``, and perhaps ``labels`` and ``ids``, of ``numpy.savez``. Host."""

import zipfile
from typing import NamedTuple

import numpy as np

from gsmooth_jax.data import levels
from gsmooth_jax.data.specs import DataError, MissingDataError, expanded
from gsmooth_jax.types import Domain

SUFFIX = ".npz"


class Arrays(NamedTuple):
    """What a file holds: float32 images [N, ...] of a domain, labels [N], ids [N]; the last two or None."""

    images: np.ndarray
    labels: np.ndarray | None
    ids: np.ndarray | None
    domain: Domain


def open_arrays(place: str) -> Arrays:
    """Reads a file of arrays; images of dtype uint8 are divided by 255, waveforms [N, T] int16 by 32768.

    Raises:
      MissingDataError: there is none.
      DataError: it is damaged, or lacks ``images``.
    """
    path = expanded(place)
    if not path.is_file():
        raise MissingDataError(f"Expected a file of arrays (images, labels), found none at {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files if name in ("images", "labels", "ids")}
            names = list(file.files)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, AttributeError) as error:
        raise DataError(f"{path} is no file of arrays: {error}.") from error
    if "images" not in held:
        raise DataError(
            f"Expected {path} to hold images, and perhaps labels and ids, got {', '.join(names) or 'nothing'}."
        )
    images = held["images"]
    if images.ndim < 2 or 0 in images.shape:
        raise DataError(f"Expected images [N, H, W, C] or waveforms [N, T] in {path}, got shape {images.shape}.")
    domain = levels.domain(images.dtype, images.shape[1:])
    if images.dtype == np.uint8 or levels.known(images):  # of pictures, int16 says no levels
        images = levels.real(images)
    return Arrays(images, held.get("labels"), held.get("ids"), domain)
