"""What the package offers, as rows for tables: every transform and every method. Host."""

from typing import Any

import jax
import jax.numpy as jnp
from rich.table import Table

from gsmooth_jax.certificates import CERTIFICATES
from gsmooth_jax.data import embedded_images
from gsmooth_jax.transforms import TRANSFORMS, composition_defect
from gsmooth_jax.types import FiniteValued, LipschitzBounded, Param

_IMAGES = 4  # enough to show the size of a defect
_PAIRS = 8


def transforms() -> list[dict[str, Any]]:
    """Returns one row a transform; the composition defect is measured on shipped images, in L2 of the whole image."""
    images = jnp.asarray(embedded_images().images[:_IMAGES], jnp.float32) / 255.0
    rows = []
    for name, cls in sorted(TRANSFORMS.items()):
        transform = cls()
        defect = composition_defect(transform, images, jax.random.key(0), pairs=_PAIRS) if transform.params else None
        bound = "enumeration" if isinstance(transform, FiniteValued) else "-"
        rows.append(
            {
                "name": name,
                "parameters": ", ".join(f"{p.name} ({p.unit})" for p in transform.params) or "-",
                "defined on": " x ".join(_range(p) for p in transform.params) or "-",
                "published region": " x ".join(f"[{a:g}, {b:g}]" for a, b in transform.typical) or "-",
                "law": transform.group,
                "image bound": "Lipschitz" if isinstance(transform, LipschitzBounded) else bound,
                "defect": None if defect is None else float(f"{defect:.1e}"),
            }
        )
    return rows


def methods() -> list[dict[str, Any]]:
    """Returns one row a method: the theorem, and what its claims are called."""
    return [
        {"name": name, "theorem": (cls.__doc__ or "").strip().splitlines()[0], "claims": "proved"}
        for name, cls in CERTIFICATES.items()
    ]


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Returns a terminal table of rows that share their keys."""
    out = Table(title=title)
    for column in rows[0]:
        out.add_column(column)
    for row in rows:
        out.add_row(*("-" if value is None else str(value) for value in row.values()))
    return out


def _range(param: Param) -> str:
    return f"[{param.low:g}, {param.high:g}]"
