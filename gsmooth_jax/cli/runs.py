"""What is done with finished runs: ``gsmooth report``, ``verify``, ``export`` and ``attack``."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import tyro

from gsmooth_jax.cli.console import FAILED, Runs, err_console, out_console, print_json


def report(
    runs: Runs,
    /,
    out: Path | None = None,
    radii: tuple[float, ...] = (),
    json: bool = False,
) -> None:
    """Tabulate and draw the certified accuracy of one or more runs, and what `gsmooth attack` found.

    Args:
        runs: run folders.
        out: where certified_accuracy.png goes; the first run's folder if left out.
        radii: sizes of regions at which to show the certified accuracy too.
        json: print one JSON object and nothing else.
    """
    if not runs:
        raise ValueError("Expected at least one run folder.")
    show(runs, out or runs[0], radii, as_json=json)


def verify(runs: Runs, /, json: bool = False) -> None:
    """Recompute every verdict of the runs from the evidence in their files.

    Args:
        runs: run folders.
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax import results
    from gsmooth_jax import verify as verification

    if not runs:
        raise ValueError("Expected at least one run folder.")
    faults: dict[str, list[str]] = {}
    for folder in runs:
        header, claims = results.read_run(folder)
        faults[str(folder)] = verification.verify(results.guarantee_of(header), claims)
        if not json:
            for fault in faults[str(folder)]:
                out_console.print(f"[red]{folder}: {fault}[/red]", highlight=False)
            verdict = "do not all follow from the evidence" if faults[str(folder)] else "all follow from the evidence"
            out_console.print(f"{folder}: {len(claims)} claims {verdict}", highlight=False)
    if json:
        print_json({"faults": faults})
    if any(faults.values()):
        raise SystemExit(FAILED)


def export(run: tyro.conf.Positional[Path], /, format: Literal["tsv"] = "tsv", out: Path | None = None) -> None:
    """Write a run as the `idx label predict radius correct time` table that the field's scripts read.

    Args:
        run: run folder.
        format: tab-separated values.
        out: file to write; standard output if left out.
    """
    from gsmooth_jax import results

    del format  # the only one
    _, claims = results.read_run(run)
    text = results.to_tsv(claims)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text)


def attack(
    run: tyro.conf.Positional[Path],
    /,
    attack: Literal["grid", "random", "eot-pgd"] = "eot-pgd",
    tries: int | None = None,
    votes: int = 32,
    limit: int | None = None,
    checkpoint: tuple[Path, ...] = (),
    data_dir: str | None = None,
    rows: int | Literal["auto"] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Attack a run's images through the real transform: empirical beside certified accuracy. Fails if a claim falls.

    Args:
        run: run folder; attack-NAME.json goes there.
        attack: evenly spaced parameters, the worst of many random ones, or gradient ascent averaged over draws.
        tries: parameters tried on an image (grid, random), or climbs (eot-pgd); the attack's own number if left out.
        votes: draws of the smoothed classifier at each; the strongest is decided by 1,024 fresh ones.
        limit: attack this many of the run's images at most.
        checkpoint: folder of the run's classifier, or folders; the one shipped for the transform if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    from rich.progress import track

    from gsmooth_jax import _validate, assets, attacks, models, results
    from gsmooth_jax.attacks import run as attacked
    from gsmooth_jax.certify import Execution

    header, claims = results.read_run(run)
    if limit is not None:
        _validate.at_least(1, limit=limit)
    claims = claims[:limit]
    if not claims:
        raise ValueError(f"The run {run} has no finished image yet.")
    plan = attacks.ATTACKS[attack]() if tries is None else attacks.ATTACKS[attack](tries=tries)
    folders = checkpoint or (assets.classifier_for(header["transform"]),)
    classifier = models.ensemble([models.load(folder, header["model"].get("dtype")) for folder in folders])
    attacked.check_classifier(header, classifier)
    outcomes = attacks.attack_stream(
        classifier,
        attacked.claimed_examples(header, claims, data_dir),
        results.guarantee_of(header),
        plan,
        votes=votes,
        execution=Execution(rows=rows, chunk=chunk, devices=devices),
    )
    shown = track(outcomes, description="attacking", total=len(claims), console=err_console)
    summary = attacked.summarize(header, claims, list(shown), plan, votes=votes)
    file = attacked.write(run, summary)
    if json:
        print_json({k: v for k, v in summary.items() if k != "outcomes"} | {"run": str(run), "file": str(file)})
    else:
        out_console.print(attacked.render([(run.name, summary)]))
        out_console.print(f"every image: {file}", highlight=False)
    if summary["landed"]:
        raise SystemExit(FAILED)


def show(folders: Sequence[Path], out: Path, radii: Iterable[float] = (), *, as_json: bool = False) -> None:
    """Prints the table of some runs, what attacks have found, and draws the runs' curves into the folder ``out``."""
    from gsmooth_jax import report as reporting
    from gsmooth_jax.attacks import run as attacked

    runs = [reporting.read(folder) for folder in folders]
    attacks = [
        (run.name, summary)
        for run, folder in zip(runs, folders, strict=True)
        for summary in attacked.read(folder, run.header)
    ]
    summaries = [reporting.summarize(run, tuple(radii)) for run in runs]
    out.mkdir(parents=True, exist_ok=True)
    picture = out / "certified_accuracy.png"
    reporting.draw_curves(runs, picture)
    if as_json:
        named = [{"run": name} | summary for name, summary in attacks]
        print_json({"runs": summaries, "attacks": named, "picture": str(picture)})
    else:
        out_console.print(reporting.render(summaries))
        if attacks:
            out_console.print(attacked.render(attacks))
        out_console.print(f"picture: {picture}", highlight=False)
