"""Folders of pictures or WAV files: which there are, their labels, and ids that stay when others come. Host."""

import collections
import contextlib
import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gsmooth_jax.data import waves
from gsmooth_jax.data.pictures import SUFFIXES, Fitting, UnreadableError, decode
from gsmooth_jax.data.specs import DataError, MissingDataError, expanded

SCHEME = "folder:"
"""How the name of a folder of pictures or WAV files begins."""

_LABELS = "labels.csv"
_SUFFIXES = (*SUFFIXES, waves.SUFFIX)
_SHOWN = 5


class Picture(NamedTuple):
    """One picture or WAV file.

    Attributes:
      id: of its name below the folder: a hash, so that it stays when files are added.
      name: below the folder, with slashes.
      label: None where that is not known.
    """

    id: int
    name: str
    label: int | None


class Pictures(NamedTuple):
    """A folder of pictures or WAV files, listed and not yet read.

    Attributes:
      place: the folder or the CSV file.
      root: the folder that the names are below of.
      pictures: by ascending id, which mixes the classes.
      class_names: of the labels 0 ... K - 1; empty where labels are numbers, or there are none.
      classes: K, at least.
      rate: samples a second of the first WAV file, which all others have to have; None of pictures.
    """

    place: Path
    root: Path
    pictures: Sequence[Picture]
    class_names: tuple[str, ...]
    classes: int
    rate: int | None = None

    def read(self, picture: Picture, fitting: Fitting, *, colour: bool = False) -> np.ndarray:
        """Returns a picture, uint8 [H, W, C], grey ones in three channels if ``colour``; or a waveform, int16 [T].

        Errors as of ``pictures.decode`` and ``waves.decode``; DataError for another sample rate.
        """
        try:
            if self.rate is not None:
                return self._waveform(picture, fitting)
            image = decode(self.root / picture.name, fitting)
            return np.repeat(image, 3, axis=2) if colour and image.shape[2] == 1 else image
        except UnreadableError:
            raise
        except ValueError as error:
            raise DataError(f"{picture.name}: {error}") from error

    def _waveform(self, picture: Picture, fitting: Fitting) -> np.ndarray:
        if fitting != Fitting():
            raise ValueError("expected no resize or crop of waveforms.")
        found = waves.decode(self.root / picture.name)
        if found.rate != self.rate:
            raise ValueError(f"expected {self.rate} samples a second as others have, got {found.rate}: {waves.ADVICE}.")
        return found.samples


def open_pictures(place: str) -> Pictures:
    """Lists the pictures, or the WAV files, of a folder.

    Args:
      place: a folder with one folder a class (numbered in the order of their names, or by the names where all are whole
        numbers), or with pictures alone, which have no labels; or a CSV file of file and label, the files named from
        its own folder. A file ``labels.csv`` in the folder is taken for one.

    Raises:
      MissingDataError: nothing is there.
      DataError: no pictures, some beside folders of others or beside WAV files, or a CSV that names files that are not
        there, or labels that are no whole numbers; a WAV file of another depth or of several channels.
    """
    path = given = expanded(place)
    if path.is_dir() and (path / _LABELS).is_file():
        path /= _LABELS
    if path.is_file() and path.suffix.lower() == ".csv":
        listed, names = list(_rows(path)), ()
        path = path.parent
    elif path.is_dir():
        listed, names = _walked(path)
    else:
        raise MissingDataError(f"Expected a folder of pictures or a CSV file of file and label, found none at {path}.")
    labels = [label for _, label in listed if label is not None]
    classes = len(names) or (max(labels) + 1 if labels else 1)
    found = Pictures(given.resolve(), path.resolve(), sorted(_numbered(listed)), names, classes)
    return found._replace(rate=_rate(found))


def _rate(found: Pictures) -> int | None:
    """Samples a second of the first WAV file that can be read; None of pictures."""
    sounds = [p for p in found.pictures if Path(p.name).suffix.lower() == waves.SUFFIX]
    if sounds and len(sounds) != len(found.pictures):
        raise DataError(f"Expected {found.place} to hold pictures or WAV files, got both, such as {sounds[0].name}.")
    for sound in sounds:
        with contextlib.suppress(UnreadableError):
            try:
                return waves.decode(found.root / sound.name).rate
            except UnreadableError:
                raise
            except ValueError as error:
                raise DataError(f"{sound.name}: {error}") from error
    if sounds:
        raise DataError(f"Expected WAV files of whole numbers in {found.place}, got none that can be read.")
    return None


def load_split(place: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a folder's folder ``split`` holds, for training: uint8 [N, H, W, C] or int16 [N, T], labels int32.

    Raises:
      MissingDataError: there is none.
      DataError: files of several sizes, without labels, that cannot be read, or not of the classes of ``train``.
    """
    held = open_split(place, split)
    read = [(picture, held.read(picture, Fitting())) for picture in held.pictures]
    uniform({image.shape: picture.name for picture, image in read}, "make them so before")
    return np.stack([image for _, image in read]), np.array([picture.label for picture, _ in read], np.int32)


def open_split(place: str, split: str) -> Pictures:
    """Lists what a folder's folder ``split`` holds; raises as ``load_split``, but for what only reading tells."""
    root = expanded(place)
    if not (root / split).is_dir():
        raise MissingDataError(f"Expected folders train and test, with one folder a class each, in {root}: no {split}.")
    held, train = open_pictures(str(root / split)), root / "train"
    if any(picture.label is None for picture in held.pictures):
        raise DataError(f"Expected one folder a class in {held.place}, got files without labels.")
    if split != "train" and train.is_dir():
        other = open_pictures(str(train))
        if (other.class_names, other.rate) != (held.class_names, held.rate):
            raise DataError(
                f"Expected {held.place} to have the classes and the sample rate of {train}, "
                f"{', '.join(other.class_names)} and {other.rate}, got {', '.join(held.class_names)} and {held.rate}."
            )
    return held


def uniform(shapes: Mapping[tuple[int, ...], str], advice: str) -> None:
    """Raises DataError unless files are of one size; ``shapes`` says of each size which file has it.

    The advice is what to do with pictures.
    """
    if len(shapes) == 1:
        return
    few = shortened([f"{' x '.join(map(str, shape))} ({name})" for shape, name in shapes.items()])
    if any(len(shape) == 1 for shape in shapes):
        raise DataError(f"Expected WAV files of one length, got {few}: {waves.ADVICE}.")
    few = few or "none that can be read"
    raise DataError(f"Expected pictures of one size, got {few}: {advice}.")


def _walked(root: Path) -> tuple[list[tuple[str, int | None]], tuple[str, ...]]:
    """Names and labels of the pictures below a folder, and the names of the classes."""
    above = [path.name for path in root.iterdir() if _is_picture(path)]
    folders: dict[str, list[str]] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        found = [path.relative_to(root).as_posix() for path in folder.rglob("*") if _is_picture(path)]
        if found:
            folders[folder.name] = found
    if above and folders:
        raise DataError(
            f"Expected {root} to hold pictures, or folders of them for its classes, got both: {min(above)} beside "
            f"{min(folders)}."
        )
    if not above and not folders:
        raise DataError(f"Expected pictures or WAV files ({', '.join(_SUFFIXES)}) in {root}, found none.")
    if above:
        return [(name, None) for name in above], ()
    whole = all(name.isdecimal() and name == str(int(name)) for name in folders)
    labels = {folder: int(folder) if whole else number for number, folder in enumerate(folders)}
    listed: list[tuple[str, int | None]] = [(name, labels[folder]) for folder in folders for name in folders[folder]]
    return listed, () if whole else tuple(folders)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()


def _rows(path: Path) -> Iterator[tuple[str, int | None]]:
    """Files and labels of a CSV; its first row may name the columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Expected {path} to be a CSV file of file and label: {error}.") from error
    if rows and not (path.parent / rows[0][0].strip()).is_file() and not _whole(rows[0][1:2]):
        rows = rows[1:]
    if not rows:
        raise DataError(f"Expected {path} to name pictures, one a row, got none.")
    if missing := [row[0] for row in rows if not (path.parent / row[0].strip()).is_file()]:
        raise DataError(f"{path} names {len(missing)} files that are not there: {shortened(missing)}.")
    names = [Path(row[0].strip()).as_posix() for row in rows]
    if twice := [name for name, count in collections.Counter(names).items() if count > 1]:
        raise DataError(f"{path} names {len(twice)} files more than once: {shortened(twice)}.")
    for name, row in zip(names, rows, strict=True):
        if any(cell.strip() for cell in row[1:2]) and not _whole(row[1:2]):
            raise DataError(f"Expected the label of {name} in {path} to be a whole number >= 0, got {row[1]!r}.")
        yield name, int(row[1]) if _whole(row[1:2]) else None


def _whole(cells: Sequence[str]) -> bool:
    return bool(cells) and cells[0].strip().isdecimal()


def _numbered(listed: Sequence[tuple[str, int | None]]) -> Iterator[Picture]:
    taken: set[int] = set()
    for name, label in sorted(listed):
        number = _hash(name)
        while number in taken:  # of a million names, about a hundred
            number = _hash(f"{number} {name}")
        taken.add(number)
        yield Picture(number, name, label)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def shortened(names: Sequence[str]) -> str:
    """The first few of some names, for messages."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
