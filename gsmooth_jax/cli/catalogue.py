"""What the package offers, as rows for tables: every transform and every method. Host."""

import math
import sys
from typing import Any

import jax
import jax.numpy as jnp
from rich import box
from rich.table import Table

from gsmooth_jax.data import embedded_images
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.methods.registry import METHODS
from gsmooth_jax.transforms import TRANSFORMS, composition_defect
from gsmooth_jax.types import FiniteValued, LipschitzBounded, Param

_IMAGES = 4  # enough to show the size of a defect
_CHANNELS = 3
_PAIRS = 8


def transforms() -> list[dict[str, Any]]:
    """Returns one row a transform; the composition defect is measured on ``_colour_images``, in L2 of a whole one."""
    images = _colour_images()
    rows = []
    for name, cls in sorted(TRANSFORMS.items()):
        transform = cls()
        defect = composition_defect(transform, images, _threefry.key(0), pairs=_PAIRS) if transform.params else None
        bound = "finite" if isinstance(transform, FiniteValued) else "none"
        rows.append(
            {
                "name": name,
                "parameters": [
                    f"{p.name} ({'whole ' if p.whole else ''}{p.unit}){_range(p)}" for p in transform.params
                ],
                "published": [f"{low:g} to {high:g}" for low, high in transform.typical],
                "law": "joint" if transform.group == "brightness_contrast" else transform.group,
                "bound": "Lipschitz" if isinstance(transform, LipschitzBounded) else bound,
                "defect": None if defect is None else float(f"{defect:.1e}"),
            }
        )
    return rows


def _colour_images() -> jax.Array:
    """[B, 28, 28, 3]: three of the shipped digits each, as red, green and blue; a grey image would show no hue."""
    digits = jnp.asarray(embedded_images().images[: _IMAGES * _CHANNELS], jnp.float32) / 255.0
    return jnp.moveaxis(digits.reshape(_IMAGES, _CHANNELS, *digits.shape[1:3]), 1, -1)


def methods() -> list[dict[str, Any]]:
    """Returns one row a method: what it is for, as its module says, and what its claims are called."""
    return [
        {
            "name": name,
            "for": (sys.modules[cls.__module__].__doc__ or "").splitlines()[0].removesuffix(" Host."),
            "claims": _status(cls),
        }
        for name, cls in METHODS.items()
    ]


def _status(method: Any) -> str:
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
    if math.isinf(param.low):
        return ""
    return f" >= {param.low:g}" if math.isinf(param.high) else f" in [{param.low:g}, {param.high:g}]"
