"""A board: one page of runs in Markdown, a row each, linked to its proof, with published figures beside. Host."""

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import _spec
from gsmooth_jax.regions import Box
from gsmooth_jax.results import headers
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy
from gsmooth_jax.results.run import STATUSES, Run
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import Transform

_LABELS: Mapping[str, str] = {
    "proved": "Every claim is false with probability alpha at most, over its own random draws: a theorem, and nothing "
    "else, turns votes into claims.",
    "conditional": "Proved, if what a part from outside the library promises is so.",
    "statistical": "A part of the proof was itself estimated, at a stated confidence.",
    "heuristic": "A published procedure that leaves a gap: not a proof.",
}

_NETWORKS: Mapping[str, str] = {
    "convnet": "ConvNet",
    "convnet_bn": "ConvNet",
    "resnet20": "ResNet-20",
    "resnet110": "ResNet-110",
    "preresnet110": "PreResNet-110",
    "speed_net": "SpeedNet",
    "audio_net": "AudioNet",
}

_LAYERS: Mapping[str, str] = {
    "image": "standardises",
    "sharpen": "inverts blurs, standardises",
    "centre": "centres",
    "refocus": "refocuses",
}
"""What an input layer does that cancels a transformation, or part of it."""

_SAID_ONCE = ("network", "alpha", "images")
"""Columns that a table of several rows does not have where all its rows say the same: a line above it says it."""

_WORDS = ("row", "network", "images", "every", "radii", "released")
"""What else a row of published figures may say."""

Published = Mapping[Path, Mapping[str, str]]
"""A run's folder -> figures that others have published for its claim, each by its name."""


def read_published(path: Path) -> Published:
    """Reads a TOML file whose sections hold ``"folder" = { NAME = "figure", ... }``.

    ``_WORDS`` are no names of figures: what a row is called elsewhere, and how a run is read there.

    Args:
      path: of the file, from whose folder the folders are counted.

    Raises:
      ValueError: it is no such file.
      OSError: it cannot be read.
    """
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
        found = {f: dict(words) for each in sections.values() for f, words in each.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"Expected sections of folder = {{ NAME = figure }} in {path}: {error}.") from error
    return {
        (path.parent / folder).resolve(): {n: str(f) for n, f in words.items() if n not in _WORDS}
        for folder, words in found.items()
    }


def render(runs: Iterable[Run], where: Path, published: Published | None = None, verified: str = "") -> str:
    """Returns the page.

    Args:
      runs: each with at least one claim; taken one after the other, as each may be large.
      where: the folder of the page, from which its links lead to the runs.
      published: what others have published.
      verified: who has verified the runs, a sentence for the page.

    Raises:
      ValueError: no run.
    """
    known = published or {}
    found: dict[str, dict[str, list[tuple[Any, dict[str, str]]]]] = {status: {} for status in STATUSES}
    for run in runs:
        cells = _row(run, where, known.get(run.folder.resolve(), {}))
        found[run.status].setdefault(run.header["data"]["name"], []).append((_order(run), cells))
    if not any(found.values()):
        raise ValueError("Expected at least one run, got none.")
    lines = [
        "# Board of certified robustness",
        "",
        "A row is a run. *Smoothed* is the share of its images that the smoothed classifier tells right untransformed, "
        "*certified* the share for which it is right and keeps its answer under every transformation of the region. "
        "Every image counts. Runs of one label never share a table with runs of another. The links lead to the run's "
        "header and to its claims, each with its evidence, from which `gsmooth verify` recomputes every verdict "
        "without the network." + (f" {verified}" if verified else ""),
    ]
    for status, by_data in found.items():
        if not by_data:
            continue
        lines += ["", f"## {status.capitalize()}", "", _LABELS[status]]
        for data, ordered in sorted(by_data.items()):
            lines += ["", f"### {data}", "", *_table([cells for _, cells in sorted(ordered, key=lambda pair: pair[0])])]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The lines of a table, without columns that are empty; before it what all its rows have in common."""
    filled = [name for name in rows[0] if any(r[name] for r in rows)]
    alike = [name for name in _SAID_ONCE if len(rows) > 1 and len({r[name] for r in rows}) == 1]
    shown = [name for name in filled if name not in alike]
    above = [f"All rows: {'; '.join(f'{name} {rows[0][name]}' for name in alike)}.", ""] if alike else []
    return [*above, _line(shown), _line(["---"] * len(shown)), *(_line([r[name] for name in shown]) for r in rows)]


def _row(run: Run, where: Path, figures: Mapping[str, str]) -> dict[str, str]:
    """The cells of a run's row, by their headings; figures that others have published, by who."""
    header, claims = run.header, run.claims
    every, whole = header["data"].get("every") or 1, header["data"].get("images", len(claims))
    files = [run.folder / headers.FILE, *sorted(run.folder.glob("results*.jsonl*"))]
    names = ["header", "claims", *(f"claims {n}" for n in range(2, len(files)))]
    links = [(name, Path(os.path.relpath(file, where)).as_posix()) for name, file in zip(names, files, strict=True)]
    transform = headers.guarantee_of(header, [run.folder]).transform
    return {
        "transformation": f"`{_short(transform)}`",
        "region": _region(run, [p.unit for p in transform.params]),
        "network": network(header),
        "certified": f"**{_percent(certified_accuracy(claims))}**",
        "published": ", ".join(
            f"{name} {figure}" if name != "published" else figure for name, figure in figures.items()
        ),
        "smoothed": _percent(accuracy(claims)),
        "votes an image": f"{sum(c.votes for c in claims) / len(claims):,.0f}",
        "alpha": f"{max(c.alpha for c in claims):g}",
        "images": (f"{len(claims):,}" if len(claims) == whole else f"{len(claims):,} of {whole:,}")
        + (f", one in {every}" if every > 1 else ""),
        "by": header["method"] + (f", `{_noise(header['law'])}`" if header["law"] else ""),
        "proof": ", ".join(f"[{name}]({link})" for name, link in links),
    }


def network(header: Mapping[str, Any], known_as: str | None = None) -> str:
    """Returns what the network of a run is called, what its input layer does to the image, and if a denoiser is before.

    Args:
      header: the run's.
      known_as: the network's own name, where the header only knows what was called.
    """
    each = header["model"]["architectures"]
    does = _LAYERS.get(each[0].get("normalize", {}).get("mode"))
    name = next((str(each[0][key]) for key in ("name", "callable", "file", "by") if key in each[0]), "a function")
    name = known_as or _NETWORKS.get(name, name)
    behind = "behind a denoiser" if "denoiser" in each[0] else None
    return ", ".join(filter(None, (name if len(each) == 1 else f"{len(each)} {name}s", does, behind)))


def _short(transform: Transform) -> str:
    """A transform as one would type it: with those of its own options that are not the usual ones."""
    shown = []
    for stage in stages_of(transform):
        spec = getattr(stage, "spec", stage)
        fields = dataclasses.fields(spec) if dataclasses.is_dataclass(spec) else ()
        given = [f"{f.name}={v!r}" for f in fields if (v := getattr(spec, f.name)) != f.default]
        shown.append(_spec.head(_spec.describe(stage)) + (f"({', '.join(given)})" if given else ""))
    return "|".join(shown)


def _region(run: Run, units: Sequence[str]) -> str:
    """A run's region, with units."""
    if isinstance(run.region, Box):
        ends = zip(run.region.low, run.region.high, units, strict=False)
        return " x ".join(f"[{low:.4g}, {high:.4g}] {unit}" for low, high, unit in ends)
    return f"|xi| <= {run.region.size:g} {', '.join(dict.fromkeys(units))}"


def _noise(law: str) -> str:
    """A law as it may be typed: without the fingerprint of a surrogate."""
    return law.partition(", fingerprint=")[0] + ")" if ", fingerprint=" in law else law


def _order(run: Run) -> tuple[Any, ...]:
    size, share = -run.region.size, -certified_accuracy(run.claims)
    return run.header["transform"], size, share, str(run.folder)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}".replace("%", " %")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
