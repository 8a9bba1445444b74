"""The images shipped with the package, so that a demonstration or a test needs no download. Host.

They are 200 of MNIST's 10,000 test images: those with ids 0, 20, 40, ..., 3980, the start of the subset that published
tables certify. ``gsmooth_jax/assets/README.md`` has their licence and origin.
"""

import functools
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data.reader import Record, open_split

NAME = "embedded"
"""The data set name under which ``stream`` and ``load_split`` serve the shipped images. Its only split is ``test``."""

_FILE = "mnist_test_200.npz"
_CLASSES = 10


class EmbeddedImages(NamedTuple):
    """Images uint8 [200, 28, 28, 1], labels int32 [200], and ids int64 [200] in MNIST's test file."""

    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


@functools.cache
def embedded_images() -> EmbeddedImages:
    """Returns the shipped images; the arrays are read-only, since every caller gets the same ones."""
    path = resources.files("gsmooth_jax") / "assets" / _FILE
    with path.open("rb") as file, np.load(file) as stored:
        arrays = EmbeddedImages(stored["images"], stored["labels"].astype(np.int32), stored["ids"].astype(np.int64))
    for array in arrays:
        array.flags.writeable = False
    return arrays


class EmbeddedSplit:
    """The shipped images as a source: ``split[i]`` is the i-th of them, with its id in MNIST's test file."""

    original_order = True
    classes = _CLASSES

    def __init__(self, split: str):
        """Opens the split.

        Raises:
          ValueError: the split is not ``test``.
        """
        _validate.known({"test": None}, split=split)

    def __len__(self) -> int:
        return len(embedded_images().ids)

    def __getitem__(self, index: int) -> Record:
        images, labels, ids = embedded_images()
        return Record(images[index], int(labels[index]), int(ids[index]))

    def read(self, indices: Sequence[int]) -> list[Record]:
        """Returns several records."""
        return [self[index] for index in indices]


def write_embedded(path: str, data_dir: str | None = None) -> None:
    """Writes the shipped file anew from a prepared MNIST; how ``assets/mnist_test_200.npz`` was made.

    Args:
      path: where to write.
      data_dir: TFDS's data folder; default TFDS's own.
    """
    records = open_split("mnist", "test", data_dir).read(range(0, 4000, 20))
    np.savez_compressed(
        path,
        images=np.stack([record.image for record in records]),
        labels=np.array([record.label for record in records], np.uint8),
        ids=np.array([record.id for record in records], np.uint16),
    )
