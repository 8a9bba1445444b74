"""``gsmooth verify``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from gsmooth_jax.cli.console import FAILED, Runs, err_console, out_console, print_json, require_devices

T = TypeVar("T")


def verify(
    runs: Runs,
    /,
    replay: int = 0,
    checkpoint: tuple[Path, ...] = (),
    model: str | None = None,
    denoiser: Path | None = None,
    data: str | None = None,
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
        model: instead, the runs' network from elsewhere: net.onnx, nets.py:net or package.nets:net.
        denoiser: folder of the denoiser before it, if there is one.
        data: where the runs' pictures or arrays are now, folder:PATH or file.npz; where they were if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only).
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax import _validate
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.results import replay as replays
    from gsmooth_jax.results import verify

    if not runs:
        raise ValueError("Expected at least one run folder.")
    _validate.at_least(0, replay=replay)
    if replay:
        require_devices()
    execution = Execution(rows=rows, chunk=chunk, devices=devices)
    report: dict[str, dict[str, Any]] = {name: {} for name in ("faults", "unchecked", "replayed", "elsewhere")}
    for folder, run in ((f, str(f)) for f in runs):
        found = verify.check(folder)
        verdict = f"{len(found.faults)} faults found" if found.faults else "all follow from the evidence"
        left = f"; {found.left} images are still to do" if found.left else ""
        lines = [f"{run}: {found.claims} claims, {verdict}{left}"]
        lines += [f"{run}: not checked: {what}" for what in found.unchecked]
        faults = found.faults
        if replay:
            again = replays.of_run(
                folder,
                replay,
                checkpoint,
                execution,
                data=data,
                data_dir=data_dir,
                named=model,
                denoiser=denoiser,
                watch=_watched,
            )
            faults = faults + again.faults
            report["replayed"][run], report["elsewhere"][run] = again.images, again.elsewhere
            listed = ", ".join(str(number) for number in again.images)
            verdict = f"{len(again.faults)} differences found" if again.faults else "all as recorded"
            lines.append(f"{run}: {len(again.images)} images replayed ({listed}), {verdict}")
            if again.faults and again.elsewhere:
                lines.append(again.elsewhere)
        report["faults"][run], report["unchecked"][run] = faults, found.unchecked
        if not json:
            for fault in faults:
                out_console.print(f"{run}: {fault}", style="red", soft_wrap=True)
            for line in lines:
                out_console.print(line, soft_wrap=True)
    if json:
        print_json(report)
    if any(report["faults"].values()):
        raise SystemExit(FAILED)


def _watched(redrawn: Iterable[T], total: int) -> Iterable[T]:
    from rich.progress import track

    return track(redrawn, description="replaying", total=total, console=err_console)
