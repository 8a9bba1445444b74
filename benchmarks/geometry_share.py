"""What share of the time of a ``cover`` run does the geometry take, and how many evaluations?

Certifies the first images of a finished run anew, under its terms, then has their provers go through the same votes
once more with nothing else on the device, and takes the time that they spend in ``Geometry``. In the run itself that is
done beside the votes. Prints one JSON line: steady-state seconds an image of the run and of the geometry, and the
share, medians of several turns; votes and evaluations an image (a transformed image, or a bound on the transform's
speed in a box); the first images, which compile, apart.

    python benchmarks/geometry_share.py RUN CHECKPOINT [--images 100] [--repeats 3] [--quick]
"""

import argparse
import contextlib
import dataclasses
import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.claims import Claim
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.engine import scheduler
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.methods.cover.cells import Cells
from gsmooth_jax.methods.cover.geometry import Geometry
from gsmooth_jax.methods.prover import prove
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import headers
from gsmooth_jax.results.origin import check_classifier

WARM = 4  # images that compile everything


def recorded(prover: scheduler.Prover[Claim], votes: list[list[np.ndarray]]) -> scheduler.Prover[Claim]:
    """The same prover; the counts that it is sent are kept in ``votes``."""
    requests = next(prover)
    while True:
        votes.append((yield requests))
        try:
            requests = prover.send(votes[-1])
        except StopIteration as stop:
            return stop.value


class Watch:
    """Counts the rows that the geometry asks the device for, and the seconds spent in it."""

    def __init__(self) -> None:
        self.rows, self.seconds = 0, 0.0
        self._inside = False

    def counted(self, batches: Callable[..., Iterator[np.ndarray]]) -> Callable[..., Iterator[np.ndarray]]:
        """The same batches; their rows are counted."""

        def call(geometry: Geometry, boxes: slice) -> Iterator[np.ndarray]:
            self.rows += boxes.stop - boxes.start
            return batches(geometry, boxes)

        return call

    def timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The same method; what one of them does inside another is counted once."""

        def call(*args: Any) -> Any:
            if self._inside:
                return method(*args)
            began, self._inside = time.perf_counter(), True
            try:
                return method(*args)
            finally:
                self.seconds += time.perf_counter() - began
                self._inside = False

        return call


def measure(
    classifier: gs.Classifier, guarantee: gs.Guarantee, examples: list[gs.Example]
) -> tuple[float, float, int, int]:
    """Returns the seconds of a run, those of its geometry alone, its votes and the evaluations of its geometry."""
    vote, tests = guarantee.method.vote(guarantee.transform), Tests(guarantee)
    assert vote is not None
    count, rows = batch_counter(classifier, vote, seed=guarantee.seed, block=guarantee.block)
    votes: list[list[list[np.ndarray]]] = [[] for _ in examples]
    began = time.perf_counter()
    provers = (recorded(prove(e, classifier, guarantee, tests), kept) for e, kept in zip(examples, votes, strict=True))
    claims = list(scheduler.run(provers, count, rows=rows, block=guarantee.block, threads=1))
    total, watch = time.perf_counter() - began, Watch()
    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(Geometry, "_batches", watch.counted(Geometry._batches)))
        for name in ("values", "layout", "point"):
            method = watch.timed(getattr(Geometry, name))
            patches.enter_context(mock.patch.object(Geometry, name, method))
        for example, kept in zip(examples, votes, strict=True):
            prover = prove(example, classifier, guarantee, tests)
            next(prover)
            with contextlib.suppress(StopIteration):
                for counts in kept:
                    prover.send(counts)
    return total, watch.seconds, sum(c.votes for c in claims), watch.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="8 images, once")
    options = parser.parse_args()

    header, _ = results.read_run(options.run)
    guarantee, classifier = headers.guarantee_of(header), gs.load(options.checkpoint)
    if isinstance(guarantee.method, Cells):  # a run of before 0.8: its claims, laid out as they are now
        cover = guarantee.method.cover
        guarantee = dataclasses.replace(guarantee, method=cover, block=cover.block)
    check_classifier(header, classifier)
    limit, data = 8 if options.quick else options.images, header["data"]
    examples = list(stream(data["name"], data["split"], every=data["every"], limit=min(limit, data["images"])))
    first, *_ = measure(classifier, guarantee, examples[:WARM])
    turns = [measure(classifier, guarantee, examples) for _ in range(1 if options.quick else options.repeats)]
    total, alone, votes, evaluations = np.median(turns, axis=0)
    device = f"{jax.devices()[0].device_kind} x {jax.device_count()}"
    print(
        json.dumps(
            {
                "benchmark": "geometry_share",
                "device": device,
                "machine": platform.machine(),
                "jax": jax.__version__,
                "run": options.run.name,
                "images": len(examples),
                "votes": round(votes / len(examples), 1),
                "seconds": round(total / len(examples), 4),
                "evaluations": round(evaluations / len(examples), 1),
                "seconds_geometry": round(alone / len(examples), 4),
                "share": round(float(np.median([t[1] / t[0] for t in turns])), 4),
                "first_seconds": round(first, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
