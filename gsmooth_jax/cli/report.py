"""``gsmooth report``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from gsmooth_jax.cli.console import Runs, out_console, print_json


def report(
    runs: Runs,
    /,
    out: Path | None = None,
    radii: tuple[float, ...] = (),
    json: bool = False,
) -> None:
    """Tabulate, and draw if asked, the certified accuracy of one or more runs, and what `gsmooth attack` found.

    Args:
        runs: run folders.
        out: folder for a picture, certified_accuracy.png; none is drawn if left out.
        radii: sizes of regions at which to show the certified accuracy too.
        json: print one JSON object and nothing else.
    """
    if not runs:
        raise ValueError("Expected at least one run folder.")
    show(runs, out, radii, as_json=json)


def show(
    folders: Sequence[Path], out: Path | None = None, radii: Iterable[float] = (), *, as_json: bool = False
) -> None:
    """Prints the table of some runs and what attacks have found; draws the runs' curves into a folder ``out``."""
    from gsmooth_jax.attacks import files, summary
    from gsmooth_jax.results import report

    runs = [report.read(folder) for folder in folders]
    attacks = [(run.name, found) for run in runs for found in files.read(run.folder, run.header)]
    summaries = [report.summarize(run, tuple(radii)) for run in runs]
    picture = None if out is None else report.picture(runs, out)
    if as_json:
        named = [{"run": name} | found for name, found in attacks]
        print_json({"runs": summaries, "attacks": named, "picture": picture and str(picture)})
        return
    out_console.print(report.render(summaries), crop=False)
    if attacks:
        out_console.print(summary.render(attacks), crop=False)
    if reasons := report.explained(summaries):
        out_console.print(reasons, soft_wrap=True)
    if picture is not None:
        out_console.print(f"picture: {picture}", soft_wrap=True)
