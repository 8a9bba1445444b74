"""Reads a prepared TFDS folder by position, without TensorFlow, in the data set's original order. Host.

An image's id is its index in the original files. A folder that TFDS wrote itself is shuffled, but by a known rule: the
records are sorted by the MD5 of the split's name followed by the index. The order is therefore recovered, and believed
only if the first images then have the right checksum.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from gsmooth_jax.data import manifest, raw
from gsmooth_jax.data.specs import (
    HEAD,
    DataError,
    DatasetSpec,
    FileFormatError,
    MissingDataError,
    expanded,
    resolve,
    split_spec,
)

_CHUNK = 1000  # records read at a time: array_record reads a batch about six times faster than one by one


class Record(NamedTuple):
    """One stored image: uint8 [H, W, C], its label, and its id."""

    image: np.ndarray
    label: int
    id: int


class ImageSource(Protocol):
    """Random access to one split.

    ``original_order`` says whether ids are indices in the data set's original files (otherwise they are positions in
    the folder, and a subset of them is not the published one). ``classes`` is K.
    """

    @property
    def original_order(self) -> bool:
        """Whether an image's id is its index in the original files."""
        ...

    @property
    def classes(self) -> int:
        """K."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Record: ...

    def read(self, indices: Sequence[int]) -> list[Record]:
        """Returns several records at once, which is faster than one by one."""
        ...


def default_data_dir() -> Path:
    """Returns TFDS's data folder: the environment's TFDS_DATA_DIR, else tensorflow_datasets in the home folder."""
    return expanded(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")


def dataset_folder(spec: DatasetSpec, data_dir: str | None = None) -> Path:
    """Returns where TFDS keeps this data set and version."""
    return (expanded(data_dir) if data_dir else default_data_dir()) / spec.name / spec.version


class TfdsSplit:
    """One split of a TFDS folder in array_record. ``split[i]`` is the image with id i."""

    def __init__(self, spec: DatasetSpec, split: str, folder: Path):
        """Opens a split and checks that it is whole, and in which order it is.

        Raises:
          MissingDataError: there is no such folder.
          FileFormatError: the folder is not in array_record.
          DataError: the folder is incomplete, damaged, or holds something else.
        """
        self._spec, self._split, self._folder = spec, split, folder
        self._count = split_spec(spec, split).count
        self._records, shuffled = self._open()
        self._spec = manifest.identified(folder, spec)
        self._position: np.ndarray | None = None  # id -> position in the folder; None where they are equal
        self.original_order = self._find_order(shuffled)

    @property
    def classes(self) -> int:
        """K."""
        return self._spec.classes

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Record:
        return self.read([index])[0]

    def read(self, indices: Sequence[int]) -> list[Record]:
        """Returns several records at once; ``indices`` are ids.

        Raises:
          IndexError: an index is not in 0..N-1.
          DataError: a record is damaged, or has another shape, dtype or label range than the data set.
        """
        for index in indices:
            if not 0 <= index < self._count:
                raise IndexError(f"Expected 0 <= index < {self._count}, got index={index}.")
        positions = [int(index if self._position is None else self._position[index]) for index in indices]
        try:
            examples = self._records.__getitems__(positions)
        except Exception as error:  # array_record raises RuntimeError and ValueError; the protobuf parser its own
            raise self._damaged(f"records cannot be read: {error}") from error
        return [self._decode(example, int(index)) for example, index in zip(examples, indices, strict=True)]

    def _open(self) -> tuple[Any, bool]:
        """Returns the TFDS data source (images still encoded) and whether TFDS shuffled the records."""
        spec, folder = self._spec, self._folder
        if not folder.is_dir():
            raise MissingDataError(
                f"Expected data set {spec.name!r} version {spec.version} in {folder}, found none. "
                f"Run: gsmooth data prepare {spec.name}"
            )
        import tensorflow_datasets as tfds

        try:
            info = tfds.builder_from_directory(str(folder)).info
            stored = info.splits[self._split]
            files = [Path(os.fspath(path)) for path in stored.filepaths]
        except Exception as error:  # a damaged folder fails in as many ways as there are files in it
            raise self._damaged(f"its TFDS metadata cannot be read: {error}") from error
        if stored.num_examples != self._count:
            raise self._damaged(f"expected {self._count} images in split {self._split!r}, got {stored.num_examples}")
        if info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
            raise FileFormatError(
                f"Expected {folder} to be in array_record, got {info.file_format}, which has no random access. "
                f"Move it away, or prepare in another data folder: gsmooth data prepare {spec.name} --data-dir FOLDER"
            )
        problem = manifest.problem(folder, spec)
        missing = [file.name for file in files if not file.is_file()]
        if problem or missing:
            raise self._damaged(problem or f"{', '.join(missing)} missing")
        # Read through TFDS, but decode with Pillow: TFDS prefers OpenCV where it happens to be installed.
        builder = tfds.builder_from_directory(str(folder))
        skip = tfds.decode.SkipDecoding()
        # A decorator of TFDS hides this method's signature from type checkers.
        records = builder.as_data_source(self._split, decoders={"image": skip})  # pyright: ignore[reportCallIssue]
        ends = np.cumsum(stored.shard_lengths) - 1
        try:
            records.__getitems__([int(end) for end in ends])  # a truncated file has lost its index, and its last record
        except Exception as error:
            raise self._damaged(f"records cannot be read: {error}") from error
        return records, not info.disable_shuffling

    def _find_order(self, shuffled: bool) -> bool:
        """Sets the order of the records; returns whether it is the original one."""
        hashed = _hash_positions(self._split, self._count)
        for position in (hashed, None) if shuffled else (None, hashed):
            self._position = position
            head = self.read(range(min(HEAD, self._count)))
            if raw.head_matches(self._spec, self._split, *_stack(head)):
                return True
        if manifest.exists(self._folder):
            raise self._damaged(f"the first images of split {self._split!r} are not the data set's")
        self._position = None
        return False

    def _decode(self, example: dict[str, Any], index: int) -> Record:
        from PIL import Image

        where = f"{self._spec.name}/{self._split} image {index}"
        try:
            with Image.open(io.BytesIO(example["image"])) as picture:
                image = np.array(picture)
        except (OSError, SyntaxError, ValueError) as error:  # Pillow reports a broken PNG as any of the three
            raise self._damaged(f"{where} cannot be decoded: {error}") from error
        image = image[..., None] if image.ndim == 2 else image
        if image.shape != self._spec.image_shape or image.dtype != np.uint8:
            raise self._damaged(
                f"expected {where} to be uint8 of shape {self._spec.image_shape}, got {image.dtype} of {image.shape}"
            )
        label = int(example["label"])
        if not 0 <= label < self._spec.classes:
            raise self._damaged(f"expected the label of {where} in 0..{self._spec.classes - 1}, got {label}")
        return Record(image, label, index)

    def _damaged(self, why: str) -> DataError:
        return DataError(
            f"Data set folder {self._folder} is incomplete or damaged: {why}. "
            f"Run: gsmooth data prepare {self._spec.name}"
        )


def open_split(data: str | DatasetSpec, split: str, data_dir: str | None = None) -> TfdsSplit:
    """Returns random access to one split of a prepared data set, in original file order.

    Args:
      data: a name in ``DATASETS``, or a spec of your own.
      split: for example ``"test"``.
      data_dir: TFDS's data folder; default TFDS's own.

    Raises:
      MissingDataError: the data set is not prepared. The message names the command that does.
      DataError: the folder is incomplete, damaged, or holds something else.
      ValueError: unknown name or split.
    """
    spec = resolve(data)
    split_spec(spec, split)
    return TfdsSplit(spec, split, dataset_folder(spec, data_dir))


def decode_all(source: ImageSource) -> tuple[np.ndarray, np.ndarray]:
    """Returns every image, uint8 [N, H, W, C], and label, int32 [N], of a source, in its order."""
    parts = [_stack(source.read(range(at, min(at + _CHUNK, len(source))))) for at in range(0, len(source), _CHUNK)]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def _stack(records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, H, W, C] and labels int32 [N]."""
    return np.stack([r.image for r in records]), np.array([r.label for r in records], np.int32)


def _hash_positions(split: str, count: int) -> np.ndarray:
    """Returns [N]: where TFDS's writer puts the example of each key 0 ... N - 1 (it sorts by a salted MD5)."""
    salted = hashlib.md5(split.encode(), usedforsecurity=False)
    hashes = []
    for key in range(count):
        keyed = salted.copy()
        keyed.update(str(key).encode())
        hashes.append(keyed.digest())
    order = sorted(range(count), key=hashes.__getitem__)
    positions = np.empty(count, np.int64)
    positions[order] = np.arange(count)
    return positions
