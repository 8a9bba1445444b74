"""``gsmooth certify``."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from gsmooth_jax.cli import distributed as cluster
from gsmooth_jax.cli.console import err_console, require_devices
from gsmooth_jax.cli.given import Data, Network
from gsmooth_jax.cli.report import show
from gsmooth_jax.cli.terms import Terms

if TYPE_CHECKING:
    from gsmooth_jax.claims import Claim


def certify(
    terms: Annotated[Terms, tyro.conf.arg(name="")],
    data: Annotated[Data, tyro.conf.arg(name="")],
    network: Annotated[Network, tyro.conf.arg(name="")],
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
        terms: which claim.
        data: which inputs.
        network: which network.
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
    from gsmooth_jax.engine.execution import Execution
    from gsmooth_jax.results import certify, recorded

    name, given = terms.adversary.name, functools.cache(data.inputs)
    found = network.found(name)
    guarantee = terms.guarantee(found, lambda: given().shape)
    chosen = given()
    classifier = found.load(chosen.domain)
    folder = out or Path("runs") / f"{recorded.short(data.data)}-{name.replace('|', '-')}"
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
