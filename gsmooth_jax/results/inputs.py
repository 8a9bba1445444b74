"""What a run is about: a prepared data set, inputs in memory, or a stream; and what its header says of them. Host.

A header names a data set by its name, split and choice, and inputs in memory by their ids and a checksum: either says
which inputs the run has to hold. Of a stream that is not known before its end, so nothing says it.
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.data import embedded
from gsmooth_jax.data.specs import DATASETS, DatasetSpec
from gsmooth_jax.data.streaming import chosen_ids, open_source, stream, subset
from gsmooth_jax.types import Domain, Example

MEMORY, STREAM = "in memory", "a stream"
"""What a header calls data without a name."""


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
    """

    part: dict[str, Any]
    ids: Sequence[int] | None
    shape: tuple[int, ...] | None
    share: Callable[[int, int], Iterator[Example]]
    domain: Domain | None = None
    classes: int = 1
    at_hand: bool = False


def named(
    data: str | DatasetSpec, split: str, *, every: int = 1, limit: int | None = None, data_dir: str | None = None
) -> Inputs:
    """Returns the chosen images of a data set; arguments and errors as of ``data.stream``."""
    source = open_source(data, split, data_dir)
    chosen = subset(len(source), every=every, limit=limit)
    name = data if isinstance(data, str) else data.name
    part = {
        "name": name,
        "split": split,
        "every": every,
        "images": len(chosen),
        "ids": "original order" if source.original_order else "TFDS positions: not the published subset",
    }

    def share(index: int, count: int) -> Iterator[Example]:
        return stream(data, split, every, limit, process_index=index, process_count=count, data_dir=data_dir)

    domain = Domain(source[chosen[0]].image.shape)
    return Inputs(
        part=part,
        ids=chosen_ids(name, every=every, count=len(chosen)),
        shape=domain.shape,
        domain=domain,
        classes=source.classes,
        share=share,
    )


def in_memory(examples: Sequence[Example]) -> Inputs:
    """Returns inputs that are at hand.

    Raises:
      ValueError: none, or two with one id.
    """
    if not examples:
        raise ValueError("Expected at least one image, got none.")
    ids = [e.id for e in examples]
    if len(set(ids)) != len(ids):
        raise ValueError("Expected ids to be distinct: the draws of an image are keyed by its id.")
    digest = hashlib.sha256()
    for e in examples:
        _validate.word(id=e.id)
        image = np.asarray(e.image)
        digest.update(f"{e.id} {image.dtype} {image.shape}\n".encode())
        digest.update(image.tobytes())
    step = ids[1] if len(ids) > 1 else 1
    even = step > 0 and ids == list(range(0, step * len(ids), step))
    part = {"name": MEMORY} | ({"every": step} if even else {"id_list": ids})
    part |= {"images": len(ids), "ids": "as given", "sha256": digest.hexdigest()}
    return Inputs(
        part=part,
        ids=ids,
        shape=np.shape(examples[0].image),
        share=lambda index, count: iter(examples[index::count]),
        at_hand=True,
    )


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
      data: the name of a data set, or its spec; images [N, ...], or a tuple of them with labels and perhaps ids; or
        examples: a list of them, or anything that yields them.
      choice: of a data set: split, every, limit and data_dir.
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
    if data is None or isinstance(data, str | DatasetSpec):
        if missing := [name for name in ("split", "every", "images") if name not in part]:
            raise ValueError(f"The header does not say which images these are: its data lacks {', '.join(missing)}.")
        found = part["name"] if data is None else data
        return named(found, part["split"], every=part["every"], limit=part["images"], data_dir=data_dir)
    found = of_any(data)
    if "sha256" in part and found.part != part:
        raise ValueError("The data are others than the run's: images or ids differ from those in its header.")
    return found


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
        return Expected(chosen_ids(part["name"], every=part["every"], count=part["images"]))
    except (TypeError, ValueError, KeyError) as error:
        return Expected(None, f"its data is damaged: {error}", damaged=True)


def _known(part: Mapping[str, Any]) -> bool:
    return part.get("name") in {embedded.NAME, *DATASETS}
