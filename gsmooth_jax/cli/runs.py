"""What is done with finished runs: ``gsmooth report``, ``verify``, ``export`` and ``attack``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from gsmooth_jax.cli.console import FAILED, Runs, err_console, out_console, print_json, print_plain, require_devices

if TYPE_CHECKING:
    from gsmooth_jax.claims import Claim
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.models import Classifier


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


def verify(
    runs: Runs,
    /,
    replay: int = 0,
    checkpoint: tuple[Path, ...] = (),
    data_dir: str | None = None,
    rows: int | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Recompute every verdict of the runs from the evidence in their files.

    Votes, distances and labels are taken as they are; --replay finds those of a few images anew.

    Args:
        runs: run folders.
        replay: certify so many images of each run again, chosen at random each time, and compare their records.
        checkpoint: folder of the runs' classifier, or folders, for --replay; the one shipped for the transform if left
            out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only).
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax import _validate
    from gsmooth_jax.engine.execution import Execution

    if not runs:
        raise ValueError("Expected at least one run folder.")
    _validate.at_least(0, replay=replay)
    execution = Execution(rows=rows, chunk=chunk, devices=devices)
    report: dict[str, Any] = {"faults": {}, "replayed": {}, "elsewhere": {}}
    for folder, run in ((f, str(f)) for f in runs):
        header, claims, faults, left = _recomputed(folder)
        verdict = f"{len(faults)} faults found" if faults else "all follow from the evidence"
        lines = [f"{run}: {len(claims)} claims, {verdict}" + (f"; {left} images are still to do" if left else "")]
        if replay:
            found, elsewhere = _replayed(header, claims, replay, checkpoint, execution, data_dir)
            differing = [fault for faults in found.values() for fault in faults]
            faults += differing
            report["replayed"][run], report["elsewhere"][run] = sorted(found), elsewhere
            listed = ", ".join(str(number) for number in sorted(found))
            verdict = f"{len(differing)} differences found" if differing else "all as recorded"
            lines.append(f"{run}: {len(found)} images replayed ({listed}), {verdict}")
            if differing and elsewhere:
                lines.append(elsewhere)
        report["faults"][run] = faults
        if not json:
            for fault in faults:
                out_console.print(f"{run}: {fault}", style="red")
            for line in lines:
                out_console.print(line)
    if json:
        print_json(report)
    if any(report["faults"].values()):
        raise SystemExit(FAILED)


def _recomputed(folder: Path) -> tuple[dict[str, Any], list["Claim"], list[str], int]:
    """Reads a run; returns its header, its claims, what is wrong with them, and how many images are still to do."""
    from gsmooth_jax import results
    from gsmooth_jax.data.stream import chosen_ids
    from gsmooth_jax.results import verify

    header, shards = results.read_shards(folder)
    claims = [claim for shard in shards for claim in shard]
    faults, data = verify.verify_run(header, claims), header["data"]
    if not {"every", "images"} <= data.keys():  # not a run of the command line: its images may have any names
        return header, claims, faults, 0
    ids = chosen_ids(data["name"], every=data["every"], count=data["images"])
    return header, claims, faults + verify.lost(ids, shards), max(0, len(ids) - len(claims))


def _replayed(
    header: dict[str, Any],
    claims: Sequence["Claim"],
    count: int,
    checkpoint: tuple[Path, ...],
    execution: "Execution",
    data_dir: str | None,
) -> tuple[dict[int, list[str]], str]:
    """Certifies some images again; returns each one's differences, and what may explain them."""
    from rich.progress import track

    from gsmooth_jax.results import replay

    chosen = replay.choose(claims, count)
    again = replay.replay(_classifier(header, checkpoint), header, chosen, execution, data_dir)
    return dict(track(again, description="replaying", total=len(chosen), console=err_console)), replay.elsewhere(header)


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
        print_plain(text)
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

    from gsmooth_jax import _validate, attacks, results
    from gsmooth_jax.attacks import run as attacked
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.results import headers

    header, claims = results.read_run(run)
    if limit is not None:
        _validate.at_least(1, limit=limit)
    claims = claims[:limit]
    if not claims:
        raise ValueError(f"The run {run} has no finished image yet.")
    plan = attacks.ATTACKS[attack]() if tries is None else attacks.ATTACKS[attack](tries=tries)
    classifier = _classifier(header, checkpoint)
    outcomes = attacks.attack_stream(
        classifier,
        attacked.claimed_examples(header, claims, data_dir),
        headers.guarantee_of(header),
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
        out_console.print(attacked.render([(run.name, summary)]), crop=False)
        out_console.print(f"every image: {file}", soft_wrap=True)
    if summary["broke_claim"]:
        raise SystemExit(FAILED)


def _classifier(header: Mapping[str, Any], checkpoint: Sequence[Path]) -> "Classifier":
    """Loads the classifier that a run is about; raises ValueError if it is another."""
    require_devices()
    from gsmooth_jax import assets, models
    from gsmooth_jax.attacks import run as attacked

    folders = checkpoint or (assets.classifier_for(header["transform"]),)
    classifier = models.ensemble([models.load(folder, header["model"].get("dtype")) for folder in folders])
    attacked.check_classifier(header, classifier)
    return classifier


def show(folders: Sequence[Path], out: Path, radii: Iterable[float] = (), *, as_json: bool = False) -> None:
    """Prints the table of some runs, what attacks have found, and draws the runs' curves into the folder ``out``."""
    from gsmooth_jax.attacks import run as attacked
    from gsmooth_jax.results import report as reporting

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
        out_console.print(reporting.render(summaries), crop=False)
        if attacks:
            out_console.print(attacked.render(attacks), crop=False)
        out_console.print(f"picture: {picture}", soft_wrap=True)
