"""``gsmooth attack``."""

from pathlib import Path
from typing import Literal

import tyro

from gsmooth_jax.cli.console import FAILED, err_console, out_console, print_json, require_devices


def attack(
    run: tyro.conf.Positional[Path],
    /,
    attack: Literal["grid", "random", "eot-pgd"] = "eot-pgd",
    tries: int | None = None,
    votes: int = 32,
    limit: int | None = None,
    checkpoint: tuple[Path, ...] = (),
    model: str | None = None,
    denoiser: Path | None = None,
    data: str | None = None,
    data_dir: str | None = None,
    rows: int | Literal["auto"] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    json: bool = False,
) -> None:
    """Attack a run's images through the real transform: empirical beside certified accuracy. Fails if a claim falls.

    $ gsmooth attack runs/mnist-blur-cert --checkpoint runs/mnist-blur
    $ gsmooth attack runs/mnist-blur-cert --checkpoint runs/mnist-blur --attack random --tries 200 --limit 20

    Args:
        run: run folder; attack-NAME.json goes there.
        attack: evenly spaced parameters, the worst of many random ones, or gradient ascent averaged over draws.
        tries: parameters tried on an image (grid, random), or climbs (eot-pgd); the attack's own number if left out.
        votes: draws of the smoothed classifier at each; the strongest is decided by 1,024 fresh ones.
        limit: attack this many of the run's images at most.
        checkpoint: folder of the run's classifier, or folders; the one shipped for the transform if left out.
        model: instead, the run's network from elsewhere: net.onnx, nets.py:net or package.nets:net.
        denoiser: folder of the denoiser before it, if there is one.
        data: where the run's pictures or arrays are now, folder:PATH or file.npz; where they were if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        json: print one JSON object and nothing else.
    """
    require_devices()
    from rich.progress import track

    from gsmooth_jax import _validate, attacks, results
    from gsmooth_jax.attacks import files, summary
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.results import headers, origin

    header, claims = results.read_run(run)
    if limit is not None:
        _validate.at_least(1, limit=limit)
    claims = claims[:limit]
    if not claims:
        raise ValueError(f"The run {run} has no finished image yet.")
    plan = attacks.ATTACKS[attack]() if tries is None else attacks.ATTACKS[attack](tries=tries)
    require_devices()
    outcomes = attacks.attack_stream(
        origin.classifier_of(header, checkpoint, model, denoiser),
        files.claimed_examples(header, claims, data_dir, data, (run,)),
        headers.guarantee_of(header, (*checkpoint, run)),
        plan,
        votes=votes,
        execution=Execution(rows=rows, chunk=chunk, devices=devices),
    )
    shown = track(outcomes, description="attacking", total=len(claims), console=err_console)
    found = summary.summarize(header, claims, list(shown), plan, votes=votes)
    file = files.write(run, found)
    if json:
        print_json({k: v for k, v in found.items() if k != "outcomes"} | {"run": str(run), "file": str(file)})
    else:
        out_console.print(summary.render([(run.name, found)]), crop=False)
        out_console.print(f"every image: {file}", soft_wrap=True)
    if found["broke_claim"]:
        raise SystemExit(FAILED)
