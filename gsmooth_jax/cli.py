"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 1 anything else.
"""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3

app = tyro.extras.SubcommandApp()
data_app = tyro.extras.SubcommandApp()
app.command(data_app, name="data", help="Prepare data sets.")

err = Console(stderr=True)

Json = Annotated[bool, tyro.conf.arg(name="json")]


class RunFailed(Exception):
    """A run that had started could not go on; what it had written stays."""


@app.command
def certify(
    data: str = "embedded",
    split: str = "test",
    every: int = 1,
    limit: int | None = None,
    checkpoint: Path | None = None,
    transform: str = "brightness_contrast",
    region: tuple[float, ...] | None = None,
    ball: float | None = None,
    law: str | None = None,
    method: str = "auto",
    alpha: float = 1e-3,
    test: Literal["sequential", "fixed", "fixed_two_sided"] = "sequential",
    selection_votes: int = 32,
    max_votes: int = 100_000,
    seed: int = 0,
    out: Path | None = None,
    data_dir: str | None = None,
    rows: int | None = None,
    chunk: int | None = None,
    devices: int | None = None,
) -> None:
    """Certify images. Without arguments: the shipped images and model, in under a minute.

    An interrupted run goes on when the same command is run again.

    Args:
        data: embedded, or a data set that `gsmooth data prepare` prepared.
        split: of the data set.
        every: take images 0, every, 2 every, ...
        limit: take this many images at most.
        checkpoint: folder of `gsmooth train`; the shipped model if left out.
        transform: what the adversary applies; see `gsmooth transforms`.
        region: LOW HIGH for each parameter, in its unit. Left out: the published region.
        ball: instead of a box, all parameters of at most this L2 norm.
        law: smoothing law, such as "gaussian(sigma=0.5)"; the checkpoint's own if left out.
        method: see `gsmooth methods`; auto takes the one made for the transform and the law.
        alpha: a claim is false with at most this probability.
        test: sequential stops when sure; fixed spends max-votes on every image.
        selection_votes: draws that choose an image's class.
        max_votes: most draws that test one image.
        seed: of all draws.
        out: run folder; runs/DATA-TRANSFORM if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only).
        chunk: votes an image makes at once (memory only).
        devices: local devices to use (speed only).
    """
    from gsmooth_jax import _validate, assets, models, report, results, smoothing, transforms
    from gsmooth_jax.certificates import CERTIFICATES, default_for
    from gsmooth_jax.certify import Execution, Guarantee, certify_stream
    from gsmooth_jax.data import selection

    folder = checkpoint or assets.CHECKPOINT
    trained = models.read_card(folder)
    classifier = models.load(folder)
    adversary = transforms.parse(transform)
    noise = smoothing.parse(law or _trained_law(trained, transform))
    name = default_for(adversary, noise) if method == "auto" else method
    guarantee = Guarantee(
        transform=adversary,
        region=_region(adversary, region, ball),
        law=noise,
        certificate=_validate.known(CERTIFICATES, method=name)(),
        alpha=alpha,
        test=test,
        selection_votes=selection_votes,
        max_votes=max_votes,
        seed=seed,
    )
    chosen = selection(data, split, every=every, limit=limit, data_dir=data_dir)
    header = results.make_header(
        guarantee,
        model={"fingerprint": models.fingerprint(classifier), "arch": trained["arch"], "dtype": "float32"},
        data=chosen.describe(),
    )
    out = out or Path("runs") / f"{data}-{adversary.name}"
    with results.RunWriter(out, header) as run:
        todo = (e for e in chosen if e.id not in run.done)
        with _progress("certified 0") as bar:
            task = bar.add_task("certify", total=len(chosen), completed=len(run.done), rate="")
            votes = 0

            def on_votes(n: int) -> None:
                nonlocal votes
                votes += n
                elapsed = bar.tasks[task].elapsed or 1e-9
                bar.update(task, rate=f"{votes / elapsed:,.0f} votes/s")

            claims = certify_stream(
                classifier, todo, guarantee, Execution(rows=rows, chunk=chunk, devices=devices), on_votes=on_votes
            )
            certified = 0
            for claim in _running(claims, out):
                run.append(claim)
                certified += claim.certified
                bar.update(task, advance=1, description=f"certified {certified}")
    report.show([out], out)
