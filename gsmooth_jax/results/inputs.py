"""What a run is about: a prepared data set, pictures, inputs in memory, or a stream; and what its header says of them.

A header names a data set by its name, split and choice, and pictures and inputs in memory by their ids and a checksum:
either says which inputs the run has to hold. Of a stream that is not known before its end, so nothing says it. Host.
"""

import dataclasses
import hashlib
import itertools
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data import arrays, embedded, folder, levels
from gsmooth_jax.data.folder import Picture, Pictures
from gsmooth_jax.data.pictures import Fitting, UnreadableError
from gsmooth_jax.data.specs import DATASETS, DatasetSpec, expanded
from gsmooth_jax.data.streaming import chosen_ids, open_source, stream, subset
from gsmooth_jax.types import Domain, Example

MEMORY, STREAM = "in memory", "a stream"
"""What a header calls data without a name."""

RATE = "sample_rate"
"""What a header calls the samples a second of WAV files."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a run is about.

    Attributes:
      part: the header's ``data``.
      ids: of all inputs, in order; None of a stream.
      shape: of one input; None where it is not known before the first.
      domain: of the inputs, where that is known.
      classes: a classifier has to know so many, at least.
      at_hand: whether all of them are in memory, and can be checked before any work.
      share: process ``index`` of ``count`` -> its inputs, those at positions index, index + count, ...
      beginning: the ``data`` of an earlier run's header -> these inputs with that run's first, in its order; None where
        those are not all among them, or others than they were.
    """

    part: dict[str, Any]
    ids: Sequence[int] | None
    shape: tuple[int, ...] | None
    share: Callable[[int, int], Iterator[Example]]
    domain: Domain | None = None
    classes: int = 1
    at_hand: bool = False
    beginning: Callable[[Mapping[str, Any]], "Inputs | None"] = lambda part: None


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
    if isinstance(data, str) and _by_file(data) and split != "test":
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


def in_memory(examples: Sequence[Example]) -> Inputs:
    """Returns inputs that are at hand.

    Raises:
      ValueError: none, or two with one id.
    """
    return _at_hand(examples, MEMORY)


def _at_hand(examples: Sequence[Example], name: str) -> Inputs:
    if not examples:
        raise ValueError("Expected at least one image, got none.")
    by_id = {e.id: e for e in examples}
    if len(by_id) != len(examples):
        raise ValueError("Expected ids to be distinct: the draws of an image are keyed by its id.")
    for e in examples:
        _validate.word(id=e.id)

    def sha256(ids: Sequence[int]) -> str:
        digest = hashlib.sha256()
        for number in ids:
            image = np.asarray(by_id[number].image)
            digest.update(f"{number} {image.dtype} {image.shape}\n".encode())
            digest.update(image.tobytes())
        return digest.hexdigest()

    whole = Inputs(part={}, ids=(), shape=np.shape(examples[0].image), share=_nobody, at_hand=True)
    return _listed(list(by_id), {"name": name, "ids": "as given"}, sha256, by_id.__getitem__, whole)


def _nobody(index: int, count: int) -> Iterator[Example]:
    raise AssertionError(f"no inputs for process {index} of {count}")


def _listed(
    ids: list[int],
    base: dict[str, Any],
    sha256: Callable[[Sequence[int]], str],
    load: Callable[[int], Example],
    whole: Inputs,
) -> Inputs:
    """Returns inputs that are known one by one.

    Args:
      ids: of all of them, in order.
      base: what the header says of them besides which they are.
      sha256: of those with some ids, in their order.
      load: the input of an id.
      whole: the rest of the result.
    """

    def part(of: list[int]) -> dict[str, Any]:
        step = of[1] if len(of) > 1 else 1
        even = step > 0 and of == list(range(0, step * len(of), step))
        named = {"every": step} if even else {"id_list": of}
        return {"name": base["name"], **named, "images": len(of), **base, "sha256": sha256(of)}

    def beginning(earlier: Mapping[str, Any]) -> Inputs | None:
        first = list(expected(earlier).ids or ())
        known = set(first)
        if not first or not known.issubset(ids):
            return None
        # Files that were left out are those of the earlier choice, which may have been of fewer.
        left_out = ("unread",)
        alike = [{k: v for k, v in of.items() if k not in left_out} for of in (part(first), earlier)]
        if alike[0] != alike[1]:
            return None
        return _listed([*first, *(i for i in ids if i not in known)], base, sha256, load, whole)

    def share(index: int, count: int) -> Iterator[Example]:
        return map(load, ids[index::count])

    return dataclasses.replace(whole, part=part(ids), ids=ids, share=share, beginning=beginning)


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
    return _also(_at_hand(chosen, str(expanded(place).resolve())), **known)


def _pictures(
    place: str, fitting: Fitting, every: int = 1, limit: int | None = None, only: Container[int] | None = None
) -> Inputs:
    """The pictures or WAV files of a folder, or those with some ids.

    All that are chosen are decoded once before, to know which can be, of what size they are, and their checksum.
    """
    held = folder.open_pictures(place)
    listed = [picture for picture in held.pictures if only is None or picture.id in only]
    chosen = [listed[position] for position in subset(len(listed), every=every, limit=limit)]
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

    base = {"name": f"{folder.SCHEME}{held.place}", "ids": "SHA-256 of the file's name, 32 bits"} | fitting.to_json()
    base |= {"class_names": list(held.class_names)} if held.class_names else {}
    base |= {"unread": unread} if unread else {}
    base |= {RATE: held.rate} if held.rate else {}
    domain = levels.domain(np.dtype(np.uint8 if held.rate is None else np.int16), largest)
    whole = Inputs(part={}, ids=(), shape=domain.shape, share=_nobody, domain=domain, classes=held.classes)
    return _listed(list(by_id), base, sha256, load, whole)


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


def streamed(examples: Iterable[Example]) -> Inputs:
    """Returns inputs that come one by one, and are not known before."""

    def share(index: int, count: int) -> Iterator[Example]:
        return itertools.islice(iter(examples), index, None, count)

    return Inputs(part={"name": STREAM, "ids": "as given"}, ids=None, shape=None, share=share)


def of_arrays(images: Any, labels: Any = None, ids: Any = None) -> list[Example]:
    """Returns arrays in memory as examples.

    Args:
      images: [N, H, W, C], or N other inputs.
      labels: [N], or None.
      ids: [N] integers; 0, 1, ... if None.

    Raises:
      ValueError: they do not fit each other, or ids are no distinct integers >= 0.
    """
    pictures = _validate.array("[N, H, W, C]", images=images)
    truth = None if labels is None else _validate.array("[N]", labels=labels)
    count = pictures.shape[:1]
    numbers = np.arange(*count) if ids is None else _validate.array("[N]", ids=ids)
    if pictures.ndim < 2 or numbers.shape != count or (truth is not None and truth.shape != count):
        raise ValueError(
            "Expected images [N, H, W, C], or N other inputs, with N labels and N ids, "
            f"got {pictures.shape}, {None if truth is None else truth.shape}, {numbers.shape}."
        )
    if len(numbers) and not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"Expected ids to be integers, got dtype {numbers.dtype}.")
    if len(np.unique(numbers)) != len(numbers):
        raise ValueError("Expected ids to be distinct: the draws of an image are keyed by its id.")
    given = [None] * len(numbers) if truth is None else truth.tolist()
    return [Example(id=int(i), image=x, label=y) for i, x, y in zip(numbers, pictures, given, strict=True)]


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


def of_header(part: Mapping[str, Any], data: Any = None, data_dir: str | None = None) -> Inputs:
    """Returns the inputs that a header's ``data`` names.

    Args:
      part: the header's.
      data: the inputs themselves, as for ``of_any``, where the header has no name for them that can be opened.
      data_dir: where data sets are prepared; the TFDS default if None.

    Raises:
      ValueError: they are not at hand, or others than the run's; a data set that cannot be opened.
    """
    if data is None and not _known(part):
        name = part.get("name")
        raise ValueError(f"The inputs of this run have no name that can be opened ({name}): bring them as data.")
    name = part["name"] if data is None else data
    if isinstance(name, str) and _by_file(name):
        return _again(part, name)
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


def _again(part: Mapping[str, Any], name: str) -> Inputs:
    """The run's pictures or WAV files, or images of a file, wherever they are now."""
    wanted = expected(part)
    if wanted.ids is None:
        raise ValueError(f"The header does not say which images these are: {wanted.lacking}.")
    pictures, place = name.startswith(folder.SCHEME), name.removeprefix(folder.SCHEME)
    found = (_pictures if pictures else _arrays)(place, Fitting.from_json(part), only=frozenset(wanted.ids))
    again = found.beginning({**part, "name": found.part["name"]})
    if again is None:
        raise ValueError(f"{name} lacks images of the run, or holds others, by the checksum in its header.")
    return again


class Expected(NamedTuple):
    """Which inputs a run has to hold.

    Attributes:
      ids: of all of them, in order; None where that is not known.
      lacking: why not.
      damaged: whether the header should have said it.
    """

    ids: Sequence[int] | None
    lacking: str = ""
    damaged: bool = False


def expected(part: Mapping[str, Any]) -> Expected:
    """Returns which inputs a run has to hold, by the ``data`` of its header."""
    lacking = [name for name in ("every", "images") if name not in part and not (name == "every" and "id_list" in part)]
    if lacking:
        text = f"the header's data lacks {' and '.join(lacking)}: inputs that were left out of the run cannot be found"
        return Expected(None, text, damaged=_known(part))
    try:
        if "id_list" in part:
            _validate.word(**{f"id_list[{i}]": number for i, number in enumerate(part["id_list"])})
            return Expected(part["id_list"])
        _validate.at_least(1, every=part["every"], images=part["images"])
        _validate.at_most(2**32, every=part["every"], images=part["images"])  # ids are words
        return Expected(chosen_ids(part["name"], every=part["every"], count=part["images"]))
    except (TypeError, ValueError, KeyError) as error:
        return Expected(None, f"its data is damaged: {error}", damaged=True)


def _known(part: Mapping[str, Any]) -> bool:
    """Whether a header's data have a name that can be opened; of data sets it says the split as well."""
    name = part.get("name")
    return name in {embedded.NAME, *DATASETS} or (isinstance(name, str) and (_by_file(name) or "split" in part))


def short(name: str) -> str:
    """Returns a name of data as a part of a folder's name."""
    return Path(name.removeprefix(folder.SCHEME)).stem or "pictures" if _by_file(name) else name.replace("/", "-")


def _by_file(name: str) -> bool:
    return name.startswith(folder.SCHEME) or name.endswith(arrays.SUFFIX)
