"""Files of JSON that somebody may have changed: what is not as it was written. Host."""

from collections.abc import Mapping
from typing import Any

_MOST = 300
"""Characters of a value in a message."""

Fields = Mapping[str, type | tuple[type, ...]]
"""Where a value lies, names joined by points, -> what it has to be; an object comes before what it holds."""


def misfit(value: Any, fields: Fields) -> str:
    """Says which field of an object is missing, or of another type; empty if none is.

    >>> misfit({"data": {"name": 3}}, {"data": dict, "data.name": str})
    'its data.name is no str: 3'
    """
    if not isinstance(value, dict):
        return f"it is no object: {brief(value)}"
    for place, kinds in fields.items():
        *outer, name = place.split(".")
        found = value
        for each in outer:
            found = found[each]
        found, kinds = found.get(name), kinds if isinstance(kinds, tuple) else (kinds,)
        if type(found) not in kinds:
            return f"its {place} is no {' or '.join(kind.__name__ for kind in kinds)}: {brief(found)}"
    return ""


def brief(value: Any) -> str:
    """As Python writes it; of a long one the beginning."""
    text = repr(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."
