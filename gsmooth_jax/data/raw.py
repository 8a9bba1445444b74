"""Reads a data set's raw files in their original order, and refuses whatever is not exactly the data set. Host."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gsmooth_jax.data.specs import HEAD, DataError, DatasetSpec, Layout, SplitSpec, content_sha256, split_spec

Arrays = tuple[np.ndarray, np.ndarray]
"""Images uint8 [N, H, W, C] and labels uint8 [N]."""

_IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_CIFAR_BATCHES = {
    "train": tuple(f"data_batch_{k}" for k in range(1, 6)),
    "test": ("test_batch",),
}
_CIFAR100_FILES = {"train": ("train",), "test": ("test",)}
_CIFAR_LABELS = {"train": "train_lables.json", "test": "test_lables.json"}  # spelt as the package spells them


def read_split(layout: Layout, folder: Path, spec: DatasetSpec, split: str) -> Arrays:
    """Returns one split's images and labels in original file order, checked against the spec.

    Args:
      layout: how the files are laid out.
      folder: searched for the files, subfolders included.
      spec: what the split must be.
      split: which split.

    Returns:
      Images uint8 [N, H, W, C] and labels uint8 [N].

    Raises:
      DataError: a file is missing, truncated or malformed, or the content is not the spec's by shape, label range,
        count or checksum.
    """
    images, labels = _READERS[layout](folder, spec, split)
    check_content(spec, split, images, labels)
    return images, labels


def check_content(spec: DatasetSpec, split: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Raises DataError unless these are exactly the split's images and labels.

    Args:
      spec: what the split must be.
      split: which split.
      images: [N, H, W, C].
      labels: [N].
    """
    where = f"{spec.name}/{split}"
    wanted = split_spec(spec, split)
    if images.dtype != np.uint8 or images.shape[1:] != spec.image_shape:
        raise DataError(
            f"Expected images of {where} to be uint8 of shape {spec.image_shape}, "
            f"got {images.dtype} of shape {images.shape[1:]}."
        )
    if len(images) != wanted.count or labels.shape != (wanted.count,):
        raise DataError(
            f"Expected {wanted.count} images and labels in {where}, got {len(images)} images and {labels.size} labels."
        )
    _check_labels(where, labels, spec.classes)
    found = content_sha256(images, labels)
    if wanted.sha256 is not None and found != wanted.sha256:
        raise DataError(f"Expected {where} to have SHA-256 {wanted.sha256} (pixels, then labels), got {found}.")


def identity(images: np.ndarray, labels: np.ndarray) -> SplitSpec:
    """Returns the identity of a split that consists of these images, uint8 [N, H, W, C], and labels [N]."""
    return SplitSpec(
        count=len(images),
        sha256=content_sha256(images, labels),
        head_sha256=content_sha256(images[:HEAD], labels[:HEAD]),
    )


def _check_labels(where: str, labels: np.ndarray, classes: int, kind: str = "labels") -> None:
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        worst = int(np.argmax(wrong))
        raise DataError(f"Expected {kind} of {where} in 0..{classes - 1}, got {int(labels[worst])} for image {worst}.")


def head_matches(spec: DatasetSpec, split: str, images: np.ndarray, labels: np.ndarray) -> bool:
    """Says whether these are the split's first ``HEAD`` images, in original order.

    Args:
      spec: what the split must be.
      split: which split.
      images: uint8 [min(HEAD, N), H, W, C].
      labels: [min(HEAD, N)].
    """
    return content_sha256(images[:HEAD], labels[:HEAD]) == split_spec(spec, split).head_sha256


def _find(folder: Path, *names: str) -> Path:
    """Returns the first file of one of these names in the folder or below it."""
    for name in names:
        found = sorted(path for path in folder.rglob(name) if path.is_file())
        if found:
            return found[0]
    raise DataError(f"Expected a file {' or '.join(names)} in {folder}, found none.")


def _read_bytes(path: Path) -> bytes:
    """Returns the file's bytes, decompressed if its name ends in .gz."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"Expected {path} to be a whole gzip file: {error}.") from error


def _idx_array(path: Path) -> np.ndarray:
    """Returns the uint8 array of an IDX file: 0, 0, 8 (unsigned bytes), rank, big-endian sizes, then the bytes."""
    data = _read_bytes(path)
    rank = data[3] if len(data) >= 4 else 0
    if data[:3] != b"\x00\x00\x08" or rank == 0 or len(data) < 4 + 4 * rank:
        raise DataError(f"Expected {path} to be an IDX file of unsigned bytes, got the header {data[:4].hex()!r}.")
    shape = tuple(int(size) for size in np.frombuffer(data, ">u4", count=rank, offset=4))
    wanted = 4 + 4 * rank + int(np.prod(shape, dtype=np.int64))
    if len(data) != wanted:
        raise DataError(
            f"Expected {path} to hold {wanted} bytes for shape {shape}, got {len(data)}: truncated or wrong."
        )
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def _read_idx(folder: Path, spec: DatasetSpec, split: str) -> Arrays:
    """The four IDX files of MNIST and its namesakes, gzipped or not."""
    image_file, label_file = (_find(folder, name, f"{name}.gz") for name in _IDX_FILES[split])
    images, labels = _idx_array(image_file), _idx_array(label_file)
    if images.ndim != 3 or labels.ndim != 1:
        raise DataError(
            f"Expected {image_file} of rank 3 and {label_file} of rank 1, got ranks {images.ndim} and {labels.ndim}."
        )
    return images[..., None], labels


def _read_cifar_binary(folder: Path, spec: DatasetSpec, split: str) -> Arrays:
    """CIFAR-10's binary files: records of one label byte and the image's bytes, channels first."""
    images, labels = _cifar_records(folder, spec, _CIFAR_BATCHES[split], label_bytes=1)
    return images, labels[:, 0]


def _read_cifar100_binary(folder: Path, spec: DatasetSpec, split: str) -> Arrays:
    """CIFAR-100's: a coarse label, a fine one, and the image. The coarse label follows from the fine one."""
    images, labels = _cifar_records(folder, spec, _CIFAR100_FILES[split], label_bytes=2)
    coarse, fine = labels.T
    where = f"{spec.name}/{split}"
    _check_labels(where, fine, spec.classes, "fine labels")
    _check_labels(where, coarse, max(spec.coarse) + 1, "coarse labels")
    wrong = coarse != np.asarray(spec.coarse)[fine]
    if wrong.any():
        worst = int(np.argmax(wrong))
        raise DataError(
            f"Expected the coarse label of fine label {int(fine[worst])} to be {spec.coarse[fine[worst]]} in {where}, "
            f"got {int(coarse[worst])} for image {worst}."
        )
    return images, fine


def _cifar_records(folder: Path, spec: DatasetSpec, names: tuple[str, ...], label_bytes: int) -> Arrays:
    """Returns images [N, H, W, C] and labels [N, label_bytes] of CIFAR's records: labels, then channels first."""
    height, width, channels = spec.image_shape
    record = label_bytes + height * width * channels
    images, labels = [], []
    for name in names:
        path = _find(folder, f"{name}.bin")
        data = np.frombuffer(path.read_bytes(), np.uint8)
        if data.size == 0 or data.size % record:
            raise DataError(
                f"Expected {path} to hold whole records of {record} bytes, got {data.size} bytes: truncated or wrong."
            )
        rows = data.reshape(-1, record)
        labels.append(rows[:, :label_bytes])
        images.append(rows[:, label_bytes:].reshape(-1, channels, height, width).transpose(0, 2, 3, 1))
    return np.concatenate(images), np.concatenate(labels)


def _read_cifar_sheets(folder: Path, spec: DatasetSpec, split: str) -> Arrays:
    """PNG sheets with one image a row (its pixels in row-major order), and the labels as a JSON list."""
    from PIL import Image

    height, width, channels = spec.image_shape
    images = []
    for batch in _CIFAR_BATCHES[split]:
        path = _find(folder, f"{batch}.png")
        try:
            with Image.open(path) as sheet:
                rows = np.asarray(sheet)
        except (OSError, SyntaxError, ValueError) as error:  # Pillow reports a broken PNG as any of the three
            raise DataError(f"Expected {path} to be a whole PNG image: {error}.") from error
        if rows.ndim != 3 or rows.shape[1:] != (height * width, channels):
            raise DataError(
                f"Expected {path} to have rows of {height * width} pixels and {channels} channels, "
                f"got shape {rows.shape}."
            )
        images.append(rows.reshape(-1, height, width, channels))
    path = _find(folder, _CIFAR_LABELS[split])
    try:
        labels = np.asarray(json.loads(path.read_text()))
    except ValueError as error:
        raise DataError(f"Expected {path} to be a JSON list of labels: {error}.") from error
    if labels.ndim != 1 or labels.dtype.kind != "i" or labels.min(initial=0) < 0 or labels.max(initial=0) > 255:
        raise DataError(f"Expected {path} to be a JSON list of labels in 0..{spec.classes - 1}.")
    return np.concatenate(images), labels.astype(np.uint8)


_READERS: dict[Layout, Callable[[Path, DatasetSpec, str], Arrays]] = {
    "idx": _read_idx,
    "cifar_binary": _read_cifar_binary,
    "cifar_sheets": _read_cifar_sheets,
    "cifar100_binary": _read_cifar100_binary,
}
