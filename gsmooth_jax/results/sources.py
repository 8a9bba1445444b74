"""Inputs with a name: data sets, folders of pictures or WAV files, files of arrays; and those that a header names.

The name of a folder or of a file is what was given, and a header keeps that. Where it is read from elsewhere, the place
is also looked for from the run's folder and from those above it; a checksum says whether it is the same. Host.
"""

import dataclasses
import hashlib
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data import arrays, folder, levels
from gsmooth_jax.data.folder import Picture, Pictures
from gsmooth_jax.data.pictures import Fitting, UnreadableError
from gsmooth_jax.data.specs import DatasetSpec, MissingDataError, expanded
from gsmooth_jax.data.streaming import chosen_ids, open_source, stream, subset
from gsmooth_jax.results import recorded
from gsmooth_jax.results.inputs import Inputs, at_hand, in_memory, listed, nobody, of_arrays, streamed
from gsmooth_jax.types import Domain, Example


def named(
    data: str | DatasetSpec,
    split: str,
    *,
    every: int = 1,
    limit: int | None = None,
    data_dir: str | None = None,
    resize: Sequence[int] = (),
    crop: Sequence[int] = (),
) -> Inputs:
    """Returns the chosen images of data that have a name.

    Args:
      data: as of ``data.stream``; ``folder:PATH`` of pictures or WAV files, see ``data.folder``; or a file of arrays,
        ``x.npz``, see ``data.arrays``.
      split: of a data set.
      every: take every so many images.
      limit: take so many at most.
      data_dir: where data sets are prepared; the TFDS default if None.
      resize: of pictures; see ``data.pictures.Fitting``.
      crop: likewise.

    Raises:
      ValueError: as ``data.stream``; data that cannot be read; pictures or waveforms of several sizes.
    """
    fitting = Fitting(resize=tuple(resize), crop=tuple(crop))
    if isinstance(data, str) and recorded.by_file(data) and split != "test":
        raise ValueError(f"Expected no split for {data}, all of whose images there are, got {split=}.")
    if isinstance(data, str) and data.startswith(folder.SCHEME):
        return _pictures(data.removeprefix(folder.SCHEME), fitting, every, limit)
    if isinstance(data, str) and data.endswith(arrays.SUFFIX):
        return _arrays(data, fitting, every, limit)
    source = open_source(data, split, data_dir, fitting)
    chosen = subset(len(source), every=every, limit=limit)
    name = data if isinstance(data, str) else data.name
    part = {
        "name": name,
        "split": split,
        "every": every,
        "images": len(chosen),
        "ids": "original order" if source.original_order else "TFDS positions: not the published subset",
    } | fitting.to_json()

    def share(index: int, count: int) -> Iterator[Example]:
        choice = {"process_index": index, "process_count": count, "data_dir": data_dir, "fitting": fitting}
        return stream(data, split, every, limit, **choice)

    domain = Domain(source[chosen[0]].image.shape)
    found = Inputs(
        part=part,
        ids=chosen_ids(name, every=every, count=len(chosen)),
        shape=domain.shape,
        domain=domain,
        classes=source.classes,
        share=share,
    )

    def beginning(earlier: Mapping[str, Any]) -> Inputs | None:
        alike = {**earlier, "images": len(chosen)} == part
        return found if alike and isinstance(n := earlier["images"], int) and 1 <= n <= len(chosen) else None

    return dataclasses.replace(found, beginning=beginning)


def of_any(data: Any, **choice: Any) -> Inputs:
    """Returns what a user's ``data`` stands for.

    Args:
      data: the name of a data set, or its spec; pictures or arrays as of ``named``; images [N, ...], or a tuple of them
        with labels and perhaps ids; or examples: a list of them, or anything that yields them.
      choice: of data with a name; see ``named``.
    """
    if isinstance(data, str | DatasetSpec):
        return named(data, **choice)
    if isinstance(data, Inputs):
        return data
    if isinstance(data, np.ndarray) or hasattr(data, "__array__"):
        return in_memory(of_arrays(data))
    if isinstance(data, tuple) and data and not isinstance(data[0], Example):
        return in_memory(of_arrays(*data))
    if isinstance(data, Sequence):
        _validate.kind(Example, "a gs.Example", **{f"data_{i}": e for i, e in enumerate(data)})
        return in_memory(data)
    _validate.kind(Iterable, "a data set's name, (images, labels, ids), or gs.Examples", data=data)
    return streamed(data)


def of_header(
    part: Mapping[str, Any], data: Any = None, data_dir: str | None = None, beside: Sequence[Path] = ()
) -> Inputs:
    """Returns the inputs that a header's ``data`` names.

    Args:
      part: the header's.
      data: the inputs themselves, as for ``of_any``, where the header has no name for them that can be opened.
      data_dir: where data sets are prepared; the TFDS default if None.
      beside: folders, from which and from those above which a folder or file that the header names may be found.

    Raises:
      ValueError: they are not at hand, or others than the run's; a data set that cannot be opened.
    """
    if data is None and not recorded.is_known(part):
        name = part.get("name")
        raise ValueError(f"The inputs of this run have no name that can be opened ({name}): bring them as data.")
    name = part["name"] if data is None else data
    if isinstance(name, str) and recorded.by_file(name):
        return _again(part, _found(name, beside) if data is None else name)
    if isinstance(data, str) and recorded.by_file(str(part.get("name"))):
        raise ValueError(
            f"Expected data as of the run, folder:PATH or a file.npz (it is of {part['name']}), got {data!r}."
        )
    if data is None or isinstance(data, str | DatasetSpec):
        if missing := [name for name in ("split", "every", "images") if name not in part]:
            raise ValueError(f"The header does not say which images these are: its data lacks {', '.join(missing)}.")
        found = part["name"] if data is None else data
        fitting = Fitting.from_json(part)
        choice = {"every": part["every"], "limit": part["images"], "data_dir": data_dir}
        return named(found, part["split"], **choice, resize=fitting.resize, crop=fitting.crop)
    found = of_any(data)
    if "sha256" in part and found.part != part:
        raise ValueError("The data are others than the run's: images or ids differ from those in its header.")
    return found


def _found(name: str, beside: Sequence[Path]) -> str:
    """The name of a folder or file by the place where it is: as it stands, or from some folders or those above."""
    scheme = folder.SCHEME if name.startswith(folder.SCHEME) else ""
    place = expanded(name.removeprefix(scheme))
    if place.exists():
        return name
    absolute = [path.absolute() for path in beside]
    elsewhere = (above / place for path in absolute for above in (path, *path.parents))
    for found in elsewhere:
        if found.exists():
            return f"{scheme}{found}"
    raise MissingDataError(
        f"The run is of {name}, found neither from here nor from the run's folder upwards: say where it is now "
        f"(--data {scheme or 'FILE.npz'}{'PATH' if scheme else ''})."
    )


def _again(part: Mapping[str, Any], name: str) -> Inputs:
    """The run's pictures or WAV files, or images of a file, wherever they are now."""
    wanted = recorded.expected(part)
    if wanted.ids is None:
        raise ValueError(f"The header does not say which images these are: {wanted.lacking}.")
    pictures, place = name.startswith(folder.SCHEME), name.removeprefix(folder.SCHEME)
    found = (_pictures if pictures else _arrays)(place, Fitting.from_json(part), only=frozenset(wanted.ids))
    again = found.beginning({**part, "name": found.part["name"]})
    if again is None:
        raise ValueError(f"{name} lacks images of the run, or holds others, by the checksum in its header.")
    return again


def _arrays(
    place: str, fitting: Fitting, every: int = 1, limit: int | None = None, only: Container[int] | None = None
) -> Inputs:
    """The images of a file of arrays, or those with some ids."""
    if fitting != Fitting():
        raise ValueError(f"Expected no resize or crop for {place}, whose images are of one size, got {fitting}.")
    held = arrays.open_arrays(place)
    examples = of_arrays(held.images, held.labels, held.ids)
    examples = [e for e in examples if only is None or e.id in only]
    chosen = [examples[position] for position in subset(len(examples), every=every, limit=limit)]
    labels = [e.label for e in chosen if isinstance(e.label, int)]
    known = {"domain": held.domain, "classes": max(labels, default=0) + 1}
    return _also(at_hand(chosen, place), **known)


def _pictures(
    place: str, fitting: Fitting, every: int = 1, limit: int | None = None, only: Container[int] | None = None
) -> Inputs:
    """The pictures or WAV files of a folder, or those with some ids.

    All that are chosen are decoded once before, to know which can be, of what size they are, and their checksum.
    """
    held = folder.open_pictures(place)
    there = [picture for picture in held.pictures if only is None or picture.id in only]
    chosen = [there[position] for position in subset(len(there), every=every, limit=limit)]
    read, unread = _readable(held, chosen, fitting)
    if unread:
        few = folder.shortened([f"{name} ({why})" for name, why in unread.items()])
        warnings.warn(f"{len(unread)} of {len(chosen)} pictures cannot be read and are left out: {few}.", stacklevel=2)
    folder.uniform({s[:2]: picture.name for picture, s, _ in read}, "say how to make them so (--resize, --crop)")
    largest = max(shape for _, shape, _ in read)  # of grey and coloured ones, the latter
    colour = largest[-1] == 3
    by_id = {picture.id: picture for picture, _, _ in read}
    digests = {
        picture.id: digest if shape == largest else _picture_sha256(held.read(picture, fitting, colour=True))
        for picture, shape, digest in read
    }

    def load(number: int) -> Example:
        image = held.read(by_id[number], fitting, colour=colour)
        return Example(id=number, image=levels.real(image), label=by_id[number].label)

    def sha256(ids: Sequence[int]) -> str:
        digest = hashlib.sha256()
        for number in ids:
            digest.update(f"{number} {by_id[number].label}\n".encode() + digests[number])
        return digest.hexdigest()

    base = {"name": f"{folder.SCHEME}{place}", "ids": "SHA-256 of the file's name, 32 bits"} | fitting.to_json()
    base |= {"class_names": list(held.class_names)} if held.class_names else {}
    base |= {"unread": unread} if unread else {}
    base |= {recorded.RATE: held.rate} if held.rate else {}
    domain = levels.domain(np.dtype(np.uint8 if held.rate is None else np.int16), largest)
    names = {picture.id: picture.name for picture, _, _ in read}
    whole = Inputs(part={}, ids=(), shape=domain.shape, share=nobody, domain=domain, classes=held.classes, names=names)
    return listed(list(by_id), base, sha256, load, whole)


def _readable(
    held: Pictures, chosen: Sequence[Picture], fitting: Fitting
) -> tuple[list[tuple[Picture, tuple[int, ...], bytes]], dict[str, str]]:
    """Those pictures that can be decoded, with shapes and checksums; and the names of the others, with the reasons."""
    read, unread = [], {}
    for picture in chosen:
        try:
            image = held.read(picture, fitting)
        except UnreadableError as error:
            unread[picture.name] = str(error)
            continue
        read.append((picture, image.shape, _picture_sha256(image)))
    return read, unread


def _picture_sha256(image: np.ndarray) -> bytes:
    return hashlib.sha256(f"{image.shape}\n".encode() + image.tobytes()).digest()


def _also(found: Inputs, **known: Any) -> Inputs:
    """The same inputs, of which more is known."""

    def beginning(earlier: Mapping[str, Any]) -> Inputs | None:
        again = found.beginning(earlier)
        return None if again is None else _also(again, **known)

    return dataclasses.replace(found, **known, beginning=beginning)
