"""Text specifications: ``"gaussian(sigma=0.5)"`` <-> an object of a registry, or of a file of the user's.

The name before the brackets is one of a registry, or one that an installed package offers as an entry point (group
``gsmooth_jax.transforms``, ``gsmooth_jax.laws`` or ``gsmooth_jax.methods``, certificates included), or it says where
the class is: ``my_module:Swirl``, ``folder/swirl.py:Swirl``. Arguments are literals, never evaluated. A plug-in is
code: who names one runs it.
"""

import ast
import dataclasses
import hashlib
import importlib
import importlib.util
import inspect
import pathlib
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, TypeVar

from gsmooth_jax import _validate

T = TypeVar("T")

LATER = {"later": True}
"""Marks a field added after the first release; ``describe`` omits it at its default, so older specs stay equal."""

ELSEWHERE = {"elsewhere": True}
"""Marks a field that is of this machine, or handed in, and no part of what is described: ``describe`` omits it."""

PLUGIN = "_gsmooth_plugin_"
"""How the modules of files begin that were named by their path."""

_HEADS: dict[Any, str] = {}
"""Class of a plug-in -> the text that it was named by."""


def build(text: str, registry: Mapping[str, Callable[..., T]], *, kind: str) -> T:
    """Builds the object that the text names.

    Args:
      text: ``name`` or ``name(key=literal, ...)``.
      registry: name -> class taking keyword arguments.
      kind: what the registry holds, for error messages ("transform", "law").

    Raises:
      ValueError: unknown name or argument, a value that is not a literal, or one that the class refuses; a module that
        cannot be imported.
    """
    name, kwargs = parse(text, kind)
    factory = find(name, registry, kind=kind)
    try:
        return factory(**kwargs)
    except TypeError as error:
        made = getattr(factory, "func", factory)  # of a partial
        fields = [f.name for f in dataclasses.fields(made)] if dataclasses.is_dataclass(made) else []
        raise ValueError(f"Cannot build {kind} {text!r}: it takes {', '.join(fields) or 'no arguments'}.") from error


def head(text: str) -> str:
    """The name before the brackets."""
    return text.partition("(")[0].strip()


def find(name: str, registry: Mapping[str, Callable[..., T]], *, kind: str) -> Callable[..., T]:
    """Returns what builds the objects of that name: of the registry, an entry point, or a module; see ``build``."""
    if name in registry:
        return registry[name]
    if ":" in name:
        return _imported(name, kind)
    for entry in metadata.entry_points(group=f"gsmooth_jax.{kind}s", name=name):
        try:
            found = entry.load()
        except Exception as error:
            raise ValueError(f"Cannot load {kind} {name!r} from {entry.value}: {error}") from error
        _HEADS[found] = name
        return found
    return _validate.known(registry, **{kind: name})


def describe(value: Any) -> str:
    """Returns the text that ``build`` reads back: the name, and every field of the dataclass (but see ``LATER``).

    A value with arrays in it names, as its ``spec``, the dataclass of literals that stands for it.
    """
    value = getattr(value, "spec", value)
    given = {f: getattr(value, f.name) for f in dataclasses.fields(value) if not f.metadata.get("elsewhere")}
    written = [f"{f.name}={v!r}" for f, v in given.items() if not (f.metadata.get("later") and v == f.default)]
    name = value.name if own(value) else _HEADS.get(type(value), f"{type(value).__module__}:{type(value).__qualname__}")
    return f"{name}({', '.join(written)})" if written else name


def own(value: Any) -> bool:
    """Whether an object's class is this library's."""
    return type(value).__module__.partition(".")[0] == "gsmooth_jax"


def sources(*values: Any) -> dict[str, str]:
    """Returns the source files of those values that are plug-ins: the text that names each -> its SHA-256.

    An empty hash where there is no file, as for what was typed into a session.
    """
    found = {}
    for value in values:
        if not own(value):
            try:
                code = pathlib.Path(inspect.getfile(type(value))).read_bytes()
            except (TypeError, OSError):
                code = b""
            found[head(describe(value))] = hashlib.sha256(code).hexdigest() if code else ""
    return found


def _imported(name: str, kind: str) -> Any:
    found = imported(name, kind)
    if not callable(found):
        raise ValueError(f"Expected {kind} {name!r} to be a class, got {found!r}.")
    place, _, attribute = name.rpartition(":")
    if place.endswith(".py"):
        name = f"{pathlib.Path(place).resolve()}:{attribute}"  # a header is read from other folders
    _HEADS[found] = name
    return found


def imported(name: str, kind: str) -> Any:
    """Returns what a text such as ``my_module:net`` or ``folder/nets.py:net`` names; see ``build``.

    Raises:
      ValueError: the module cannot be imported, or has nothing of that name.
    """
    place, _, attribute = name.rpartition(":")
    try:
        module = _file(pathlib.Path(place)) if place.endswith(".py") else importlib.import_module(place)
        if hasattr(module, attribute):
            return getattr(module, attribute)
        others = ", ".join(n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n)))
        raise AttributeError(f"it has no {attribute!r}" + (f", but {others}" if others else ""))
    except Exception as error:  # whatever the user's code raises
        # A command's modules are not looked for in the working folder: Python's path begins with the command's own.
        file = f"{place}.py"
        hint = f" Of a file, name the file: {file}:{attribute}." if pathlib.Path(file).is_file() else ""
        shown = f"{pathlib.Path(place).resolve()}:{attribute}" if place.endswith(".py") else name
        raise ValueError(f"Cannot import {kind} {shown!r}: {error or type(error).__name__}.{hint}") from error


def _file(path: pathlib.Path) -> Any:
    """Imports a file once, whatever the working folder."""
    path = path.resolve()
    name = f"{PLUGIN}{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def parse(text: str, kind: str) -> tuple[str, dict[str, Any]]:
    """Returns the name and the arguments in a text; raises ValueError as ``build``, for what it cannot read."""
    name, bracket, rest = text.strip().partition("(")
    name = name.strip()
    if not bracket and (name.isidentifier() or _elsewhere(name)):
        return name, {}
    try:
        node = ast.parse(f"f({rest}", mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
            kwargs = {k.arg: ast.literal_eval(k.value) for k in node.keywords}
            if None not in kwargs and (name.isidentifier() or _elsewhere(name)):  # the name of ``**mapping``
                return name, {str(key): value for key, value in kwargs.items()}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    raise ValueError(f"Cannot read {kind} {text!r}: expected name or name(key=literal, ...).")


def _elsewhere(name: str) -> bool:
    """Whether a name says where a class is."""
    place, colon, attribute = name.rpartition(":")
    return bool(colon and place and attribute.isidentifier())
