"""What the package offers, as rows for tables: every transform, law and method. Host."""

import dataclasses
import inspect
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from rich import box
from rich.table import Table

from gsmooth_jax.cli import options
from gsmooth_jax.data import embedded_images
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.methods.registry import LAWS, METHODS
from gsmooth_jax.transforms import TRANSFORMS, composition_defect
from gsmooth_jax.types import FiniteValued, LipschitzBounded, Param

_IMAGES = 4  # enough to show the size of a defect
_CHANNELS = 3
_PAIRS = 8

_SENTENCE = re.compile(r"(?<!et al)\. ")
"""The end of a sentence."""

_DRAWS: Mapping[str, str] = {
    "additive": "the parameter",
    "multiplicative": "the factor whose logarithm is the parameter",
}


def transforms(*, defects: bool) -> list[dict[str, Any]]:
    """Returns one row a transform.

    Args:
      defects: whether to measure the composition defect on ``_colour_images``, in L2 of a whole one.
    """
    images = _colour_images() if defects else None
    rows = []
    for name, cls in sorted(TRANSFORMS.items()):
        transform = cls()
        bound = "finite" if isinstance(transform, FiniteValued) else "none"
        row = {
            "name": name,
            "does": first_line(cls),
            "parameters": [f"{p.name} ({'whole ' if p.whole else ''}{p.unit}){_range(p)}" for p in transform.params],
            "published": [f"{low:g} to {high:g}" for low, high in transform.typical],
            "law": "joint" if transform.group == "brightness_contrast" else transform.group,
            "bound": "Lipschitz" if isinstance(transform, LipschitzBounded) else bound,
        }
        if images is not None:
            of = transform.params
            defect = composition_defect(transform, images, _threefry.key(0), pairs=_PAIRS) if of else None
            row["defect"] = None if defect is None else float(f"{defect:.1e}")
        rows.append(row)
    return rows


def _colour_images() -> jax.Array:
    """[B, 28, 28, 3]: three of the shipped digits each, as red, green and blue; a grey image would show no hue."""
    digits = jnp.asarray(embedded_images().images[: _IMAGES * _CHANNELS], jnp.float32) / 255.0
    return jnp.moveaxis(digits.reshape(_IMAGES, _CHANNELS, *digits.shape[1:3]), 1, -1)


def laws() -> list[dict[str, Any]]:
    """Returns one row a law: what it draws, as its class says, and its parameters with their defaults."""
    return [
        {
            "name": name,
            "is": sentence(cls),
            "draws": _DRAWS.get(getattr(cls, "acts", ""), "the image's noise"),
            "parameters": parameters(cls),
            "range": _support(cls),
        }
        for name, cls in LAWS.items()
    ]


def _support(law: Any) -> str:
    """Where draws may be, of laws that are the same everywhere but for their scale."""
    found = getattr(law, "support", (-math.inf, math.inf))
    return _interval(*found) if isinstance(found, tuple) else "from low to high"


def methods() -> list[dict[str, Any]]:
    """Returns one row a method: what it is for, as its module says, and what its claims are called."""
    return [{"name": name, "for": first_line(cls), "claims": status(cls)} for name, cls in METHODS.items()]


def first_line(cls: Any) -> str:
    """What the module of a part says first of it.

    Raises:
      ValueError: nothing.
    """
    return _text(sys.modules[cls.__module__].__doc__, cls).splitlines()[0].removesuffix(" Host.")


def sentence(cls: Any) -> str:
    """The first sentence that a part says of itself; raises as ``first_line``."""
    paragraph = " ".join(_text(cls.__doc__, cls).partition("\n\n")[0].split())
    return _SENTENCE.split(paragraph)[0].rstrip(".") + "."


def parameters(cls: Any) -> list[str]:
    """What a part takes in brackets: each parameter with its default, and what it says of it.

    Raises:
      ValueError: nothing.
    """
    texts = options.described(inspect.getdoc(cls) or "", "Attributes")
    written = [f for f in dataclasses.fields(cls) if f.init and not f.metadata.get("elsewhere")]
    return [f"{f.name}{_default(f)}: {_text(texts.get(f.name), cls, f.name)}" for f in written]


def _text(text: str | None, *of: Any) -> str:
    if not text:
        raise ValueError(f"Expected a text that says what {' '.join(getattr(o, '__name__', o) for o in of)} is.")
    return text


def _default(field: "dataclasses.Field[Any]") -> str:
    return "" if field.default is dataclasses.MISSING else f"={field.default!r}"


def status(method: Any) -> str:
    """How rigorous the claims of a method, or of a closed form's theorem, are: of most, whatever its options."""
    if several := getattr(method, "statuses", None):
        return " or ".join(several)
    found = getattr(method, "status", "proved")
    return found if isinstance(found, str) else found.fget(None)


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Returns a terminal table of rows that share their keys; the entries of a list stand below each other."""
    out = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    for position, column in enumerate(rows[0]):
        figures = any(isinstance(row[column], float) for row in rows)
        out.add_column(column, overflow="fold", no_wrap=position == 0 or figures)
    for row in rows:
        out.add_row(*(_cell(value) for value in row.values()))
    return out


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(value) or "-"
    return "-" if value is None else str(value)


def _range(param: Param) -> str:
    return "" if math.isinf(param.low) else f" {_interval(param.low, param.high)}"


def _interval(low: float, high: float) -> str:
    if math.isinf(low):
        return "any"
    return f">= {low:g}" if math.isinf(high) else f"in [{low:g}, {high:g}]"
