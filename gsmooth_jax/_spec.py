"""Text specifications: ``"gaussian(sigma=0.5)"`` <-> an object of a registry. Parsed as literals, never evaluated."""

import ast
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gsmooth_jax import _validate

T = TypeVar("T")

LATER = {"later": True}
"""Metadata of a field that its class was given later: at its default, texts do without it, as older ones do."""


def build(text: str, registry: Mapping[str, Callable[..., T]], *, kind: str) -> T:
    """Builds the registered object that the text names.

    Args:
      text: ``name`` or ``name(key=literal, ...)``.
      registry: name -> class taking keyword arguments.
      kind: what the registry holds, for error messages ("transform", "law").

    Raises:
      ValueError: unknown name or argument, a value that is not a literal, or one that the class refuses.
    """
    name, kwargs = _parse(text, kind)
    factory = _validate.known(registry, **{kind: name})
    try:
        return factory(**kwargs)
    except TypeError as error:
        fields = [f.name for f in dataclasses.fields(factory)] if dataclasses.is_dataclass(factory) else []
        raise ValueError(f"Cannot build {kind} {text!r}: it takes {', '.join(fields) or 'no arguments'}.") from error


def describe(value: Any) -> str:
    """Returns the text that ``build`` reads back: the name, and every field of the dataclass (but see ``LATER``).

    A value with arrays in it names, as its ``spec``, the dataclass of literals that stands for it.
    """
    value = getattr(value, "spec", value)
    given = {f: getattr(value, f.name) for f in dataclasses.fields(value)}
    written = [f"{f.name}={v!r}" for f, v in given.items() if not (f.metadata.get("later") and v == f.default)]
    return f"{value.name}({', '.join(written)})" if written else value.name


def _parse(text: str, kind: str) -> tuple[str, dict[str, Any]]:
    try:
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
            kwargs = {k.arg: ast.literal_eval(k.value) for k in node.keywords}
            if None not in kwargs:  # the name of ``**mapping``
                return node.func.id, {str(name): value for name, value in kwargs.items()}
    except (SyntaxError, ValueError):
        pass
    raise ValueError(f"Cannot read {kind} {text!r}: expected name or name(key=literal, ...).")
