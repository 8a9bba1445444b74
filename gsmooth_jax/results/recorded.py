"""What a header says of a run's inputs: by what name they are found, and which ids the run has to hold. Host."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gsmooth_jax import _validate
from gsmooth_jax.data import arrays, embedded, folder
from gsmooth_jax.data.specs import DATASETS
from gsmooth_jax.data.streaming import chosen_ids

MEMORY, STREAM = "in memory", "a stream"
"""What a header calls data without a name."""

RATE = "sample_rate"
"""What a header calls the samples a second of WAV files."""


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
        return Expected(None, text, damaged=is_known(part))
    try:
        if "id_list" in part:
            _validate.word(**{f"id_list[{i}]": number for i, number in enumerate(part["id_list"])})
            return Expected(part["id_list"])
        _validate.at_least(1, every=part["every"], images=part["images"])
        _validate.at_most(2**32, every=part["every"], images=part["images"])  # ids are words
        return Expected(chosen_ids(part["name"], every=part["every"], count=part["images"]))
    except (TypeError, ValueError, KeyError) as error:
        return Expected(None, f"its data is damaged: {error}", damaged=True)


def is_known(part: Mapping[str, Any]) -> bool:
    """Whether a header's data have a name that can be opened; of data sets it says the split as well."""
    name = part.get("name")
    return name in {embedded.NAME, *DATASETS} or (isinstance(name, str) and (by_file(name) or "split" in part))


def short(name: str) -> str:
    """Returns a name of data as a part of a folder's name."""
    return Path(name.removeprefix(folder.SCHEME)).stem or "pictures" if by_file(name) else name.replace("/", "-")


def by_file(name: str) -> bool:
    """Whether data of this name are pictures, WAV files or arrays in a place, and no data set."""
    return name.startswith(folder.SCHEME) or name.endswith(arrays.SUFFIX)
