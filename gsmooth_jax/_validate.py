"""Argument checks. Each takes its values by keyword, so that the message can name them."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

import numpy as np

from gsmooth_jax.types import Domain

T = TypeVar("T")


def positive(**values: float) -> None:
    """Raises unless every value is finite and > 0."""
    for name, value in values.items():
        if not (_number(value) and math.isfinite(value) and value > 0):
            raise ValueError(f"Expected {name} > 0 and finite, got {name}={value!r}.")


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def ascending(*, low: float, high: float) -> None:
    """Raises unless low < high, both finite numbers."""
    if not (_number(low) and _number(high) and math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"Expected low < high, both finite numbers, got {low=}, {high=}.")


def probability(**values: float) -> None:
    """Raises unless every value lies strictly between 0 and 1."""
    for name, value in values.items():
        if not (_number(value) and 0.0 < value < 1.0):
            raise ValueError(f"Expected 0 < {name} < 1, got {name}={value!r}.")


def at_least(minimum: int, **values: int) -> None:
    """Raises unless every value is an integer >= minimum."""
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < minimum:
            raise ValueError(f"Expected an integer {name} >= {minimum}, got {name}={value!r}.")


def at_most(maximum: int, **values: int) -> None:
    """Raises unless every value is an integer <= maximum."""
    for name, value in values.items():
        if value > maximum:
            raise ValueError(
                f"Expected {name} <= {maximum}, since draws are numbered by 32 bits, got {name}={value!r}."
            )


def instance(**values: object) -> None:
    """Raises unless every value is an object, and neither its name nor its class."""
    for name, value in values.items():
        if isinstance(value, str | type):
            raise TypeError(f"Expected {name} to be an object of this library{_such_as(name)}, got {value!r}.")


def _such_as(name: str) -> str:
    examples = {
        "transform": 'gs.transforms.Rotation() or gs.transforms.parse("rotation|clip|quantize")',
        "region": "gs.Box([-10], [10])",
        "law": "gs.Gaussian(sigma=0.3)",
    }
    return f", such as {examples[name]}" if name in examples else ""


def kind(what: Any, described: str, **values: object) -> None:
    """Raises unless every value is an instance of a class, or of one of several, or has what a Protocol asks for.

    Args:
      what: the class.
      described: in words, such as "a law".
      values: to check.
    """
    for name, value in values.items():
        if isinstance(value, type) or not isinstance(value, what):
            raise TypeError(f"Expected {name} to be {described}, got {name}={value!r}.")


def array(shape: str, **values: Any) -> np.ndarray:
    """Returns the one value as an array of numbers; ``shape`` is what it should have, in words."""
    ((name, value),) = values.items()
    try:
        found = np.asarray(value)
    except ValueError:  # ragged
        found = None
    if found is None or not (np.issubdtype(found.dtype, np.number) or found.dtype == bool):
        raise ValueError(f"Expected {name} to be one array of numbers {shape}, got {_shown(value)}.")
    return found


def _shown(value: Any) -> str:
    """A list by what is in it: its entries may be images."""
    if not isinstance(value, list | tuple):
        return repr(value) if np.ndim(value) == 0 else f"an array of {np.asarray(value).dtype}"
    shapes = dict.fromkeys(f"{type(v).__name__} {getattr(v, 'shape', '')}".strip() for v in value)
    return f"{len(value)} entries: {', '.join(shapes)}"


def word(**values: int) -> None:
    """Raises unless every value is an integer of 32 bits, as the keys of draws are made of."""
    at_least(0, **values)
    for name, value in values.items():
        if value >= 2**32:
            raise ValueError(f"Expected {name} < 2^32, got {name}={value!r}.")


def known(registry: Mapping[str, T], **names: str) -> T:
    """Returns the registry's entry of that name; an unknown name's error lists the known ones."""
    ((kind, name),) = names.items()
    if not isinstance(name, Hashable) or name not in registry:
        raise ValueError(f"Unknown {kind} {name!r}. Known: {', '.join(sorted(registry))}.")
    return registry[name]


def image(value: np.ndarray, *, image_id: int, domain: Domain) -> None:
    """Raises unless the value is a float32 array of the domain's shape, of finite numbers in its range."""
    where, within = f"image {image_id}", f"[{domain.low:g}, {domain.high:g}]"
    if value.dtype != np.float32:
        levels = " Of file levels: images.astype('float32') / 255." if value.dtype == np.uint8 else ""
        raise ValueError(f"Expected {where} to be float32 in {within}, got dtype {value.dtype}.{levels}")
    if value.shape != domain.shape:
        raise ValueError(f"Expected {where} to have shape {domain.shape}, got {value.shape}.")
    if not np.isfinite(value).all():
        raise ValueError(
            f"Expected {where} to be finite, got {int((~np.isfinite(value)).sum())} NaN or infinite values."
        )
    # What float32 makes of the ends, and not of the values: an end such as 0.1 is a float32 number, or next to one.
    if value.min() < np.float32(domain.low) or value.max() > np.float32(domain.high):
        # File levels, where [0, 1] is meant.
        levels = " Divide file levels by 255." if domain.high == 1.0 and 2.0 < value.max() <= 255.0 else ""
        raise ValueError(f"Expected {where} to lie in {within}, got values in [{value.min()}, {value.max()}].{levels}")


def label(value: float, *, image_id: int, classes: int) -> None:
    """Raises unless the label is one of the classes 0 ... classes - 1."""
    if not isinstance(value, int | np.integer) or not 0 <= value < classes:
        raise ValueError(f"Expected the label of image {image_id} in 0..{classes - 1}, got {value!r}.")
