"""The file that ``prepare`` writes last into a data set folder: what it verified, and every file's size."""

import json
from pathlib import Path
from typing import Any

from gsmooth_jax.data.specs import DatasetSpec

NAME = "gsmooth_manifest.json"
_FORMAT = 1


def write(folder: Path, spec: DatasetSpec, source: str) -> None:
    """Writes the manifest of a verified folder. Content checksums are those of the spec, which were just checked."""
    content = {
        "format": _FORMAT,
        "source": source,
        "order": "original",
        **_identity(spec),
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
    (folder / NAME).write_text(json.dumps(content, indent=2) + "\n")


def exists(folder: Path) -> bool:
    """Says whether the folder is one that ``prepare`` finished."""
    return (folder / NAME).is_file()


def problem(folder: Path, spec: DatasetSpec) -> str | None:
    """Returns what is wrong with a folder according to its manifest; None if nothing is, or it has none.

    Quick: compares names and sizes, and the recorded checksums with the spec's; it reads no image.
    """
    if not exists(folder):
        return None
    try:
        content = json.loads((folder / NAME).read_text())
        recorded = {key: content[key] for key in _identity(spec)}
        sizes = dict(content["files"])
    except (ValueError, KeyError, TypeError) as error:
        return f"its {NAME} cannot be read: {error}"
    if recorded != _identity(spec):
        return f"its {NAME} is of other data than {spec.name} {spec.version}"
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"expected {name} to hold {size} bytes, got {path.stat().st_size}"
    return None


def _identity(spec: DatasetSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "version": spec.version,
        "splits": {name: {"count": split.count, "sha256": split.sha256} for name, split in spec.splits.items()},
    }
