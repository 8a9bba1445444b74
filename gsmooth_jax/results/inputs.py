"""What a run is about: a prepared data set, pictures, inputs in memory, or a stream; and what its header says of them.

A header names a data set by its name, split and choice, and pictures and inputs in memory by their ids and a checksum:
either says which inputs the run has to hold. Of a stream that is not known before its end, so nothing says it. Host.
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.results import recorded
from gsmooth_jax.types import Domain, Example


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a run is about.

    Attributes:
      part: the header's ``data``.
      ids: of all inputs, in order; None of a stream.
      shape: of one input; None where it is not known before the first.
      domain: of the inputs, where that is known.
      classes: a classifier has to know so many, at least.
      names: of the files that some inputs are, below their folder, by id.
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
    names: Mapping[int, str] = dataclasses.field(default_factory=dict)
    at_hand: bool = False
    beginning: Callable[[Mapping[str, Any]], "Inputs | None"] = lambda part: None


def in_memory(examples: Sequence[Example]) -> Inputs:
    """Returns inputs that are at hand.

    Raises:
      ValueError: none, or two with one id.
    """
    return at_hand(examples, recorded.MEMORY)


def at_hand(examples: Sequence[Example], name: str) -> Inputs:
    """Returns inputs that are at hand, under a name; errors as ``in_memory``."""
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

    whole = Inputs(part={}, ids=(), shape=np.shape(examples[0].image), share=nobody, at_hand=True)
    return listed(list(by_id), {"name": name, "ids": "as given"}, sha256, by_id.__getitem__, whole)


def nobody(index: int, count: int) -> Iterator[Example]:
    """Of inputs that are still to be listed."""
    raise AssertionError(f"no inputs for process {index} of {count}")


def listed(
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

    def part(of: list[int], base: dict[str, Any] = base) -> dict[str, Any]:
        step = of[1] if len(of) > 1 else 1
        even = step > 0 and of == list(range(0, step * len(of), step))
        named = {"every": step} if even else {"id_list": of}
        return {"name": base["name"], **named, "images": len(of), **base, "sha256": sha256(of)}

    def beginning(earlier: Mapping[str, Any]) -> Inputs | None:
        first = list(recorded.expected(earlier).ids or ())
        known = set(first)
        if not first or not known.issubset(ids):
            return None
        # The same files may have been named from another place.
        moved = all(recorded.by_file(str(name)) for name in (base["name"], earlier.get("name")))
        said = base | {"name": earlier["name"]} if moved else base
        # Files that were left out are those of the earlier choice, which may have been of fewer.
        left_out = ("unread",)
        alike = [{k: v for k, v in of.items() if k not in left_out} for of in (part(first, said), earlier)]
        if alike[0] != alike[1]:
            return None
        return listed([*first, *(i for i in ids if i not in known)], said, sha256, load, whole)

    def share(index: int, count: int) -> Iterator[Example]:
        return map(load, ids[index::count])

    return dataclasses.replace(whole, part=part(ids), ids=ids, share=share, beginning=beginning)


def streamed(examples: Iterable[Example]) -> Inputs:
    """Returns inputs that come one by one, and are not known before."""

    def share(index: int, count: int) -> Iterator[Example]:
        return itertools.islice(iter(examples), index, None, count)

    return Inputs(part={"name": recorded.STREAM, "ids": "as given"}, ids=None, shape=None, share=share)


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
