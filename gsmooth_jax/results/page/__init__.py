"""A run's report as one HTML file that needs nothing else: what was claimed, the figures, then every image. Host.

It holds no address of anything: styles, script, curves and pictures are in the file, and it forbids its reader's
browser to load more. Without scripts all of it is there; filters and sorting are what scripts add.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gsmooth_jax.results import attack_files
from gsmooth_jax.results.page import curves, figures, images, pictures, words
from gsmooth_jax.results.page._html import tag, text
from gsmooth_jax.results.report import summarize
from gsmooth_jax.results.run import Run

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def write(
    runs: Sequence[Run],
    path: Path,
    *,
    radii: Sequence[float] = (),
    data: Any = None,
    data_dir: str | None = None,
) -> list[str]:
    """Writes the page of one or more runs, whole or not at all.

    Args:
      runs: each with at least one claim; images of the same data set share a row.
      path: of the file.
      radii: sizes of regions at which the certified accuracy is wanted besides the runs' own.
      data: the inputs, for their pictures, where a header has no name for them; see ``sources.of_any``.
      data_dir: where data sets are prepared; the TFDS default if None.

    Returns:
      Why pictures are missing, a line a run; empty if none are.

    Raises:
      ValueError: no run, a radius that is not > 0, or a damaged file of an attack.
      OSError: the file cannot be written.
    """
    if not runs:
        raise ValueError("Expected at least one run, got none.")
    shown: list[pictures.Pictures] = []
    missing: list[str] = []
    for run in runs:
        try:
            shown.append(pictures.read(run, data, data_dir))
        except (ValueError, OSError) as error:
            shown.append(pictures.Pictures({}, {}))
            missing.append(f"{run.name} is shown without pictures: {error}")
    attacks = [attack_files.read(run.folder, run.header) for run in runs]
    page = render(runs, shown, attacks, radii=radii, missing=missing)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return missing


def render(
    runs: Sequence[Run],
    shown: Sequence[pictures.Pictures],
    attacks: Sequence[Sequence[Mapping[str, Any]]],
    *,
    radii: Sequence[float] = (),
    missing: Sequence[str] = (),
) -> str:
    """Returns the page.

    Args:
      runs: at least one.
      shown: of each run, the pictures of its images.
      attacks: of each run, the summaries of attacks with their outcomes.
      radii: as of ``write``.
      missing: why pictures are missing.
    """
    *others, last = dict.fromkeys(run.name for run in runs)
    title = f"{', '.join(others)} and {last}" if others else last
    summaries = [summarize(run, radii) for run in runs]
    parts = [
        tag(
            "header",
            tag("p", "Certified robustness", class_="eyebrow"),
            tag("h1", text(title)),
            *(words.claimed(run, alone=len(runs) == 1) for run in runs),
        ),
        tag(
            "section",
            tag("h2", "Figures"),
            figures.accuracies(summaries),
            tag("div", curves.panels(runs), class_="beside"),
        ),
        figures.why(runs, summaries),
        figures.attacked(runs, attacks),
        images.section(runs, shown, attacks, missing),
        tag("section", tag("h2", "How it was made"), *map(words.made, runs), class_="made"),
    ]
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", text(f"{title}: certified robustness")),
            tag("style", _file("page.css")),
            "</head><body>",
            tag("a", "Skip to the images", href="#images", class_="skip"),
            tag("main", *parts),
            tag("script", _file("page.js")),
            "</body></html>\n",
        ]
    )


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
