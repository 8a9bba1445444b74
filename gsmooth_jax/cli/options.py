"""How commands are shown in ``--help``: names of values, defaults where there are any, texts of one paragraph. Host."""

import ast
import dataclasses
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_origin, get_type_hints

import tyro
from tyro.constructors import MISSING, ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

_ENTRY = re.compile(r"^ +(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)

_VALUES: Mapping[str, str] = {
    "arch": "NETWORK",
    "ball": "RADIUS",
    "checkpoint": "FOLDER [FOLDER ...]",
    "coordinator": "HOST:PORT",
    "corruptions": "FOLDER",
    "crop": "HEIGHT [WIDTH]",
    "classifier": "MODEL [MODEL ...]",
    "data": "DATA",
    "data_dir": "FOLDER",
    "denoiser": "FOLDER",
    "encoder": "CHANNELS [CHANNELS ...]",
    "files": "FOLDER",
    "html": "FILE",
    "l1": "RADIUS",
    "law": "LAW",
    "linf": "RADIUS",
    "mean": "NUMBER [NUMBER ...]",
    "method": "METHOD",
    "model": "MODEL",
    "name": "NAME",
    "out": "PATH",
    "published": "FILE",
    "radii": "SIZE [SIZE ...]",
    "region": "LOW HIGH [LOW HIGH ...]",
    "resize": "HEIGHT [WIDTH]",
    "run": "RUN",
    "runs": "RUN [RUN ...]",
    "split": "NAME",
    "start": "FOLDER",
    "std": "NUMBER [NUMBER ...]",
    "surrogate": "FOLDER",
    "transform": "TRANSFORM",
}
"""Option -> what ``--help`` calls its value, where the type does not say it."""


def readable(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command that does the same, with annotations that say how each option is shown."""
    texts = described(inspect.getdoc(command) or "", "Args")
    shown = [
        p.replace(annotation=_shown(p.name, p.annotation, texts.get(p.name)))
        for p in inspect.signature(command).parameters.values()
    ]

    @functools.wraps(command)
    def same(*args: Any, **kwargs: Any) -> None:
        command(*args, **kwargs)

    del same.__wrapped__  # it would be asked in this one's place
    same.__annotations__ = {p.name: p.annotation for p in shown}
    same.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    return same


def registry() -> ConstructorRegistry:
    """Returns what shows the fields of this package's dataclasses in the same way."""
    rules = ConstructorRegistry()

    @rules.struct_rule
    def fields(info: StructTypeInfo) -> StructConstructorSpec | None:
        cls = info.type
        if not (isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__.startswith("gsmooth_jax.")):
            return None
        texts, types = attribute_texts(cls), get_type_hints(cls)
        return StructConstructorSpec(
            instantiate=cls,
            fields=tuple(
                StructFieldSpec(
                    name=f.name,
                    type=_shown(f.name, types[f.name], texts[f.name]),
                    default=MISSING if f.default is dataclasses.MISSING else f.default,
                )
                for f in dataclasses.fields(cls)
            ),
        )

    return rules


def summary(command: Callable[..., None]) -> str:
    """Returns the first paragraph of what a command says of itself."""
    return " ".join((inspect.getdoc(command) or "").partition("\n\n")[0].split())


def described(doc: str, section: str) -> dict[str, str]:
    """Returns the entries of a section of a docstring, such as ``Args`` or ``Attributes``, each in one paragraph."""
    _, _, rest = doc.partition(f"\n{section}:\n")
    block = re.split(r"\n(?=\S)", rest)[0]
    return {name: " ".join(text.split()) for name, text in _ENTRY.findall(block)}


def attribute_texts(cls: type) -> dict[str, str]:
    """Returns the texts below the fields of a class, each in one paragraph."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def _shown(name: str, annotation: Any, text: str | None) -> Any:
    if any(isinstance(part, type(tyro.conf.arg())) for part in getattr(annotation, "__metadata__", ())):
        return annotation  # a group of options, which says itself how it is shown
    value = None if _named(annotation) else _VALUES.get(name)
    return Annotated[annotation, tyro.conf.arg(metavar=value, help=text, help_behavior_hint=_default)]


def _named(annotation: Any) -> bool:
    """Whether the type lists the values."""
    return "Literal" in str(get_origin(annotation) or annotation)


def _default(shown: str) -> str:
    """What follows an option's text: nothing where its text says what happens if it is left out."""
    return "" if shown in ("", "None") else f"(default: {shown})"
