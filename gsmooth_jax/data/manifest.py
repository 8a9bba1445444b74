"""The file that ``prepare`` writes last into a data set folder: what it verified, and every file's size."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from gsmooth_jax.data.specs import DatasetSpec, SplitSpec

NAME = "gsmooth_manifest.json"
_FORMAT = 1


def write(folder: Path, spec: DatasetSpec, source: str) -> None:
    """Writes the manifest of a verified folder. Content checksums are those of the spec, which were just checked."""
    content = {
        "format": _FORMAT,
        "source": source,
        "order": "original",
        **_identity(spec),
        "splits": {name: dataclasses.asdict(split) for name, split in spec.splits.items()},
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
        splits = _splits(content)
        sizes = dict(content["files"])
    except (ValueError, KeyError, TypeError) as error:
        return f"its {NAME} cannot be read: {error}"
    if (
        recorded != _identity(spec)
        or splits.keys() != spec.splits.keys()
        or not all(
            splits[name].count == split.count and split.sha256 in (None, splits[name].sha256)
            for name, split in spec.splits.items()
        )
    ):
        return f"its {NAME} is of other data than {spec.name} {spec.version}"
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"expected {name} to hold {size} bytes, got {path.stat().st_size}"
    return None


def identified(folder: Path, spec: DatasetSpec) -> DatasetSpec:
    """Returns the spec, with the checksums that it lacks from the folder's manifest, in which ``problem`` is None.

    ``prepare`` writes it for files that came out of the published archive. Without a manifest nothing is added.
    """
    if not exists(folder) or all(split.sha256 for split in spec.splits.values()):
        return spec
    return dataclasses.replace(spec, splits=_splits(json.loads((folder / NAME).read_text())))


def _splits(content: dict[str, Any]) -> dict[str, SplitSpec]:
    """The recorded identity of each split; older manifests have no checksums of heads."""
    return {name: SplitSpec(**split) for name, split in content["splits"].items()}


def _identity(spec: DatasetSpec) -> dict[str, Any]:
    return {"name": spec.name, "version": spec.version}
