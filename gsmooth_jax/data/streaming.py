"""Streams the images to certify: a subset of a split, this process's share of it, decoded ahead. Host."""

from collections.abc import Iterator, Sequence

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data import embedded, folder, reader, tfds_folder
from gsmooth_jax.data.pictures import Fitting
from gsmooth_jax.data.reader import ImageSource, Record
from gsmooth_jax.data.specs import DATASETS, DatasetSpec, expanded
from gsmooth_jax.types import Example

_THREADS = 2
_AHEAD = 64  # images decoded ahead of the consumer; the bound on memory


def open_source(
    data: str | DatasetSpec, split: str, data_dir: str | None = None, fitting: Fitting | None = None
) -> ImageSource:
    """Returns random access to a split: of the shipped images (``"embedded"``) or of a prepared data set.

    Its ``original_order`` belongs in a result's header: where it is false, ids are positions in a shuffled folder.
    Arguments and errors as in ``reader.open_split``; any other image data set that TFDS has prepared is found by its
    name too, ``name`` or ``name/config``, and its images are resized and cropped by ``fitting``.
    """
    if isinstance(data, str) and data not in {embedded.NAME, *DATASETS}:
        place = tfds_folder.folder_of(data, data_dir)
        if place is None:
            known = ", ".join(sorted([embedded.NAME, *DATASETS]))
            raise ValueError(
                f"Unknown data {data!r}{_meant(data)}. Known: {known}; folder:PATH of pictures or WAV files, a "
                "file.npz of arrays, and what TFDS has prepared in its data folder (--data-dir)."
            )
        return tfds_folder.TfdsFolder(data, split, place, fitting or Fitting())
    if fitting not in (None, Fitting()):
        raise ValueError(f"Expected no resize or crop for {data!r}, whose images are of one size, got {fitting}.")
    if data == embedded.NAME:
        return embedded.EmbeddedSplit(split)
    return reader.open_split(data, split, data_dir)


def _meant(data: str) -> str:
    """What a name that is none may have been meant for."""
    return f" (did you mean {folder.SCHEME}{data}?)" if expanded(data).exists() else ""


def load_split(data: str | DatasetSpec, split: str, data_dir: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns a whole split for training: images uint8 [N, H, W, C] and labels int32 [N], in id order.

    Decodes every image, about 0.2 ms each. Arguments and errors as in ``open_source``; besides, ``folder:PATH`` has
    splits where its folders ``train`` and ``test`` hold one folder a class each: pictures, or WAV files, int16 [N, T].
    """
    if isinstance(data, str) and data.startswith(folder.SCHEME):
        return folder.load_split(data.removeprefix(folder.SCHEME), split)
    return reader.decode_all(open_source(data, split, data_dir))


def sample_rate(data: str | DatasetSpec) -> int | None:
    """Returns samples a second of a folder's WAV files for training; None of other data. Raises as ``load_split``."""
    if isinstance(data, str) and data.startswith(folder.SCHEME):
        return folder.open_split(data.removeprefix(folder.SCHEME), "train").rate
    return None


def subset(count: int, *, every: int = 1, limit: int | None = None, start: int = 0) -> range:
    """Returns the chosen positions of a split of ``count`` images: start, start + every, ..., at most ``limit``.

    Raises:
      ValueError: an argument is out of range, or nothing would be chosen.
    """
    _validate.at_least(1, every=every)
    _validate.at_least(0, start=start)
    if limit is not None:
        _validate.at_least(1, limit=limit)
    chosen = range(start, count, every)[:limit]
    if not chosen:
        raise ValueError(f"Expected start < {count}, the number of images in the split, got {start=}.")
    return chosen


def chosen_ids(name: str | DatasetSpec, *, every: int, count: int) -> Sequence[int]:
    """Returns the ids of the first ``count`` images of ``stream(name, ..., every)`` without opening the data."""
    if name == embedded.NAME:
        return embedded.embedded_images().ids[::every][:count].tolist()
    return range(0, every * count, every)


def stream(
    name: str | DatasetSpec,
    split: str,
    every: int = 1,
    limit: int | None = None,
    start: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    data_dir: str | None = None,
    fitting: Fitting | None = None,
) -> Iterator[Example]:
    """Yields this process's share of the chosen images, in order.

    The choice is the same for every process; process p of n takes the choice's positions p, p + n, p + 2n, ... So the
    shares are disjoint, differ in length by at most one, and together are the choice. Memory is bounded.

    Args:
      name: ``"embedded"``, a name in ``DATASETS``, or a spec of your own.
      split: for example ``"test"``.
      every: choose every so many images; the published subset of MNIST and CIFAR-10 is ``every=20``.
      limit: choose at most so many.
      start: the first position to choose.
      process_index: this process, in 0..process_count - 1.
      process_count: number of processes.
      data_dir: TFDS's data folder; default TFDS's own.
      fitting: see ``open_source``.

    Raises:
      MissingDataError: the data set is not prepared. The message names the command that does.
      DataError: the folder is incomplete, damaged, or holds something else.
      ValueError: an argument is out of range. All but damage found later is raised by this call, not by the iterator.
    """
    _validate.at_least(1, process_count=process_count)
    _validate.at_least(0, process_index=process_index)
    if process_index >= process_count:
        raise ValueError(f"Expected process_index < process_count, got {process_index=}, {process_count=}.")
    source = open_source(name, split, data_dir, fitting)
    share = subset(len(source), every=every, limit=limit, start=start)[process_index::process_count]
    if isinstance(source, embedded.EmbeddedSplit):
        return (_example(source[position]) for position in share)  # in memory: nothing to decode ahead
    return _read_ahead(source, share) if share else iter(())


def _read_ahead(source: ImageSource, share: range) -> Iterator[Example]:
    """Decodes in a few threads; grain keeps the order."""
    import grain  # imported here: it takes seconds, which every command would pay

    options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_AHEAD)
    records = grain.MapDataset.source(share).map(source.__getitem__).map(_example)
    return iter(records.to_iter_dataset(options))


def _example(record: Record) -> Example:
    return Example(id=record.id, image=record.image.astype(np.float32) / np.float32(255), label=record.label)
