"""Image data sets that TFDS has prepared, other than those that this library knows: read by position. Host."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data.pictures import Fitting, decode
from gsmooth_jax.data.reader import Record, default_data_dir
from gsmooth_jax.data.specs import DataError, FileFormatError, expanded

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def folder_of(name: str, data_dir: str | None = None) -> Path | None:
    """Returns the folder of a data set's newest version, by its TFDS name, such as ``name/config``; None: not there."""
    parts = name.split("/")
    if not all(re.fullmatch(r"\w[\w.-]*", part) for part in parts):
        return None
    place = (expanded(data_dir) if data_dir else default_data_dir()).joinpath(*parts)
    if not place.is_dir():
        return None
    versions = [path for path in place.iterdir() if _VERSION.fullmatch(path.name) and path.is_dir()]
    return max(versions, key=lambda path: tuple(map(int, path.name.split("."))), default=None)


class TfdsFolder:
    """One split of any image data set that TFDS has prepared in array_record; ids are positions in its folder."""

    original_order = False

    def __init__(self, name: str, split: str, folder: Path, fitting: Fitting):
        """Opens a split.

        Raises:
          FileFormatError: it is in a file format without random access.
          DataError: it is damaged, or holds no images of one size with labels.
          ValueError: it has no such split.
        """
        import tensorflow_datasets as tfds

        self._name, self._split, self._fitting = name, split, fitting
        try:
            builder = tfds.builder_from_directory(str(folder))
            info = builder.info
        except Exception as error:  # a damaged folder fails in as many ways as there are files in it
            raise DataError(f"The TFDS folder {folder} cannot be read: {error}.") from error
        self.version = folder.name
        _validate.known(dict(info.splits.items()), split=split)
        if info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
            raise FileFormatError(
                f"Expected {folder} to be in array_record, got {info.file_format}, which has no random access: prepare "
                f"it by tfds.data_source({name!r}), or download_and_prepare(file_format='array_record')."
            )
        declared: Any = info.features
        features: dict[str, Any] = dict(declared.items())
        images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
        if len(images) != 1 or not isinstance(features.get("label"), tfds.features.ClassLabel):
            raise DataError(f"Expected {name} to have one image and a label, got the features {', '.join(features)}.")
        (self._image,) = images
        *sizes, self._channels = features[self._image].shape
        if None in sizes and not (fitting.crop or len(fitting.resize) == 2):
            raise DataError(f"{name} has images of several sizes: say how to make them of one (--resize, --crop).")
        self.classes = features["label"].num_classes
        self._count = info.splits[split].num_examples
        skip = tfds.decode.SkipDecoding()
        # A decorator of TFDS hides this method's signature from type checkers.
        self._records = builder.as_data_source(split, decoders={self._image: skip})  # pyright: ignore[reportCallIssue]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Record:
        return self.read([index])[0]

    def read(self, indices: Sequence[int]) -> list[Record]:
        """Returns several records at once.

        Raises:
          DataError: a record is damaged, or its picture smaller than what is to be cut out of it.
        """
        try:
            found = self._records.__getitems__(list(map(int, indices)))
            return [self._decode(example, index) for example, index in zip(found, map(int, indices), strict=True)]
        except Exception as error:  # array_record raises RuntimeError; the protobuf parser and Pillow their own
            raise DataError(
                f"{self._name}/{self._split}: an image of {list(indices)} cannot be read: {error}"
            ) from error

    def _decode(self, example: dict[str, Any], index: int) -> Record:
        image = decode(io.BytesIO(example[self._image]), self._fitting)
        whole = np.repeat(image, 3, axis=2) if self._channels == 3 and image.shape[2] == 1 else image
        return Record(whole, int(example["label"]), index)
