"""``gsmooth report``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from gsmooth_jax.cli.console import Runs, err_console, out_console, print_json


def report(
    runs: Runs,
    /,
    out: Path | None = None,
    radii: tuple[float, ...] = (),
    html: Path | None = None,
    data_dir: str | None = None,
    json: bool = False,
) -> None:
    """Tabulate, and draw if asked, the certified accuracy of one or more runs, and what `gsmooth attack` found.

    The last lines say why images are not certified, and what to do. With --html there is a page of every image.

    $ gsmooth report runs/mnist-blur-cert
    $ gsmooth report runs/mnist-blur-cert runs/mnist-rot-cert --out pictures --html page.html

    Args:
        runs: run folders.
        out: folder for a picture, certified_accuracy.png; none is drawn if left out.
        radii: sizes of regions, in the unit of the parameters, at which to show the certified accuracy too.
        html: file for a page that needs no other: what was claimed, curves, and every image with its proved range and
            the reason where it is not certified; several runs side by side.
        data_dir: where data sets are prepared, of which the page shows pictures; the TFDS default if left out.
        json: print one JSON object and nothing else.
    """
    if not runs:
        raise ValueError("Expected at least one run folder.")
    show(runs, out, radii, as_json=json, html=html, data_dir=data_dir)


def show(
    folders: Sequence[Path],
    out: Path | None = None,
    radii: Iterable[float] = (),
    *,
    as_json: bool = False,
    html: Path | None = None,
    data_dir: str | None = None,
) -> None:
    """Prints the table of some runs, what attacks have found, and why images are not certified.

    Draws the runs' curves into a folder ``out``, and writes their page into a file ``html``.
    """
    from gsmooth_jax.attacks import files, summary
    from gsmooth_jax.results import page, report

    radii = tuple(radii)
    runs = [report.read(folder) for folder in folders]
    attacks = [(run.name, found) for run in runs for found in files.read(run.folder, run.header)]
    summaries = [report.summarize(run, radii) for run in runs]
    picture = None if out is None else report.picture(runs, out)
    for missing in page.write(runs, html, radii=radii, data_dir=data_dir) if html is not None else ():
        err_console.print(missing, soft_wrap=True)
    if as_json:
        named = [{"run": name} | found for name, found in attacks]
        print_json(
            {"runs": summaries, "attacks": named, "picture": picture and str(picture), "page": html and str(html)}
        )
        return
    out_console.print(report.render(summaries), crop=False)
    if attacks:
        out_console.print(summary.render(attacks), crop=False)
    if reasons := report.explained(summaries):
        out_console.print(reasons, soft_wrap=True)
    if picture is not None:
        out_console.print(f"picture: {picture}", soft_wrap=True)
    if html is not None:
        out_console.print(f"page: {html}", soft_wrap=True)
