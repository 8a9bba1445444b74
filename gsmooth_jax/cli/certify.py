"""``gsmooth certify``."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from gsmooth_jax.cli import distributed as cluster
from gsmooth_jax.cli.console import err_console, require_devices
from gsmooth_jax.cli.given import Data, Network
from gsmooth_jax.cli.report import show

if TYPE_CHECKING:
    from gsmooth_jax.claims import Claim


def certify(
    data: Annotated[Data, tyro.conf.arg(name="")],
    network: Annotated[Network, tyro.conf.arg(name="")],
    transform: str = "rotational_blur|clip|quantize",
    region: tuple[float, ...] | None = None,
    ball: float | None = None,
    l1: float | None = None,
    linf: float | None = None,
    law: str | None = None,
    method: str = "auto",
    alpha: float = 1e-3,
    test: Literal["sequential", "fixed", "fixed_two_sided"] = "sequential",
    selection_votes: int = 32,
    max_votes: int = 10_000,
    block: int = 0,
    seed: int = 0,
    out: Path | None = None,
    rows: int | Literal["auto"] | None = None,
    chunk: int | None = None,
    devices: int | None = None,
    distributed: bool = False,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
) -> None:
    """Prove, image by image, that the answer is the same under every transformation of a region.

    Without options: the shipped images against rotational blur within 10 degrees, in under two minutes.

    $ gsmooth certify
    $ gsmooth certify --data mnist --every 20 --checkpoint runs/mnist-blur --transform gaussian_blur --region 0 36
    $ gsmooth certify --data folder:photos --resize 256 --crop 224 --model nets.py:net --layout NCHW
    --transform "rotation|clip|quantize" --region -2 2 --law "pixel_noise(sigma=0.25)"

    A run that was interrupted goes on when the same command is run again. Several processes, on as many hosts, may
    share a run: started with the same --out, each writes its own results file there.

    Args:
        data: which inputs.
        network: which network.
        transform: what the adversary applies, as `gsmooth transforms` lists it; several, one after the other, are
            joined by bars: "rotation|clip|quantize" is a rotation as an 8-bit file holds it.
        region: LOW HIGH for each parameter, in its unit: "-10 10" of a rotation are degrees, "-0.2 0.2 -0.1 0.1" of
            brightness_contrast a log factor and an intensity in [0, 1]; the region of the published tables if left out.
        ball: instead of a box, all parameters of at most this L2 norm, in the unit of the parameters.
        l1: the same in the L1 norm.
        linf: the same in the L-infinity norm; of the transform additive, a change of every pixel by so much.
        law: smoothing noise, as `gsmooth laws` lists it: a law of the parameter, in its unit, such as
            "gaussian(sigma=0.5)", or one for each stage of a composition, as in "rayleigh|gaussian(sigma=0.6)"; for the
            method cover "pixel_noise(sigma=0.25)", where 1 is the range of intensities, or
            "surrogate_noise(path='runs/surrogate', sigma_parameter=2.0, sigma=0.15)", which the method gsmooth takes
            too; the one that the checkpoint was trained with if left out.
        method: as `gsmooth methods` lists it; auto takes the one made for the transform and the law.
        alpha: a claim is false with at most this probability, over its own random draws; 0.001 is one in a thousand.
        test: sequential stops when sure; fixed spends max-votes on every image; fixed_two_sided also bounds the
            runner-up.
        selection_votes: draws that choose an image's class, at most: eight that agree are enough.
        max_votes: most draws that test one image; an image that is still undecided then is not certified.
        block: votes between two looks of the sequential test; 0: as the method has it.
        seed: of all draws: the same seed finds the same votes.
        out: run folder; runs/DATA-TRANSFORM if left out.
        rows: images in a device batch (speed only); auto takes the most that fit its memory.
        chunk: votes that an image makes at once (memory only).
        devices: how many local devices to use (speed only).
        distributed: share the run with the other processes of the cluster that started this one (Slurm, Cloud TPU, GKE,
            Open MPI); they meet through jax.distributed.
        coordinator: HOST:PORT of process 0, to meet there; with --processes and --process, which alone are enough where
            the devices do not need the processes to meet.
        processes: how many share the run.
        process: which of them this is, from 0.
    """
    share = cluster.join(distributed, coordinator, processes, process)
    require_devices()
    from gsmooth_jax import transforms
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.methods import registry
    from gsmooth_jax.results import certify, inputs

    adversary = transforms.parse(transform)
    found, given = network.found(adversary.name), functools.cache(data.inputs)
    guarantee = registry.guarantee(
        transform=adversary,
        region=read_region(adversary, lambda: given().shape, box=region, l1=l1, l2=ball, linf=linf),
        method=found.method(method, law, adversary),
        alpha=alpha,
        test=test,
        selection_votes=selection_votes,
        max_votes=max_votes,
        block=block,
        seed=seed,
    )
    chosen = given()
    classifier = found.load(chosen.domain)
    folder = out or Path("runs") / f"{inputs.short(data.data)}-{adversary.name.replace('|', '-')}"
    execution = Execution(rows=rows, chunk=chunk, devices=devices)
    bar = _Bar()
    shared = {"index": share.index, "count": share.count}
    worked = certify.certify(classifier, chosen, guarantee, folder, **shared, execution=execution, progress=bar)
    if share.count > 1:
        # The others may still be at work, and perhaps on other disks: none of them can speak for the run.
        done_all = f"Process {share.index} of {share.count} has done its {bar.images} images"
        err_console.print(f"{done_all}; when all have: gsmooth report {folder}", soft_wrap=True)
        return
    if not worked:
        err_console.print(f"{folder} holds this run, finished. To certify anew, choose another --out.", soft_wrap=True)
    show([folder])


class _Bar:
    """Shows how a run gets on: images, certified so far, votes a second, time left. A ``results.certify.Progress``."""

    def __init__(self):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = ("certifying", BarColumn(), MofNCompleteColumn(), "{task.description}")
        self._bar = Progress(*columns, TimeRemainingColumn(), console=err_console)
        self._task = self._bar.add_task("")
        self._votes = self._certified = 0
        self.images: int | None = None

    @contextlib.contextmanager
    def started(self, requirement: str, *, images: int | None, done: int, certified: int) -> Iterator[None]:
        """Shows the bar, with the images of earlier sessions as done."""
        err_console.print(requirement)
        self._certified, self.images = certified, images
        self._bar.reset(self._task, total=images, completed=done)
        with self._bar:
            yield

    def votes(self, count: int) -> None:
        self._votes += count
        self._describe()

    def finished(self, claim: "Claim") -> None:
        self._certified += claim.certified
        self._bar.advance(self._task)
        self._describe()

    def interrupted(self, kept: int) -> None:
        err_console.print(f"\nInterrupted. {kept} images are kept; run the same command to go on.")

    def _describe(self) -> None:
        elapsed = self._bar.tasks[0].elapsed or 1e-9
        text = f"certified {self._certified}, {self._votes / elapsed:,.0f} votes/s"
        self._bar.update(self._task, description=text)


def read_region(
    transform: Any,
    shape: Callable[[], tuple[int, ...] | None],
    *,
    box: tuple[float, ...] | None,
    l1: float | None,
    l2: float | None,
    linf: float | None,
) -> Any:
    """The region that --region, --ball, --l1 or --linf describe; the one of the published tables if none of them does.

    Where a transform has a parameter for each entry of an input, the inputs' shape is asked for.
    """
    from gsmooth_jax.regions import NORMS, Ball, Box
    from gsmooth_jax.types import param_dim

    params = len(transform.params)
    if not params:
        raise ValueError(
            f"{transform.name} has no parameter to certify against: put it behind another, as in rotation|clip."
        )
    named = {p: radius for p, radius in zip(NORMS, (l1, l2, linf), strict=True) if radius is not None}
    if len(named) + (box is not None) > 1:
        raise ValueError("Expected one of --region, --ball, --l1 and --linf, got several.")
    for p, radius in named.items():
        each = any(q.per_pixel for q in transform.params)
        return Ball(radius, param_dim(transform, shape() or ()) if each else params, p)
    if box is None:
        return Box(*zip(*transform.typical, strict=True))
    if len(box) != 2 * params:
        raise ValueError(f"Expected --region LOW HIGH for each of the {params} parameters, got {len(box)} numbers.")
    return Box(box[::2], box[1::2])
