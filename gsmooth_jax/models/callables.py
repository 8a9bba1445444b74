"""What is asked of any callable from elsewhere: its name, and its logits."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gsmooth_jax import _spec


def qualified(value: Any) -> str:
    """``module.qualname`` of a function, or of the class of anything else; of a file that was named, its name."""
    named = value if hasattr(value, "__qualname__") else type(value)
    module = named.__module__
    if module.startswith(_spec.PLUGIN):  # that name is of the file's place
        module = Path(getattr(sys.modules.get(module), "__file__", None) or module).stem
    return f"{module}.{named.__qualname__}"


def output_of(value: Any) -> Any:
    """The logits of what a network gives: itself, or its ``logits`` where it has them, as of Hugging Face."""
    return getattr(value, "logits", value)


def leaves(apply: Any) -> Iterator[Any]:
    """What is applied in the end where a model is made of several: each network, of an ensemble or behind another."""
    members = getattr(apply, "members", None)
    if members is None:
        yield apply
    else:
        for member in members:
            yield from leaves(member)
