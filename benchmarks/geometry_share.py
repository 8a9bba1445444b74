"""What share of the time of a ``cover`` run does the geometry take, and how many evaluations?

Certifies the first images of a finished run anew, under its terms, then has their provers go through the same votes
once more with nothing else on the device, and counts as geometry all that they do between votes: their few other sums
take no time to speak of. In the run itself it is done beside the votes. Prints one JSON line: steady-state seconds an
image of the run and of the geometry, and the share; votes and evaluations an image (a transformed image, or a bound on
the transform's speed in a box); the first images, which compile, apart.

    python benchmarks/geometry_share.py RUN CHECKPOINT [--images 100] [--quick]
"""

import argparse
import contextlib
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import jax
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax import headers, results
from gsmooth_jax.attacks.run import check_classifier
from gsmooth_jax.certify import Execution, batch_counter, geometry, scheduler
from gsmooth_jax.claims import Claim
from gsmooth_jax.data.stream import stream

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


class Counter:
    """Counts the rows that the geometry asks the device for."""

    def __init__(self) -> None:
        self.rows = 0
        self._batched = geometry._batched

    def __call__(self, kernel: Callable[..., tuple[jax.Array, ...]], *boxes: np.ndarray) -> list[np.ndarray]:
        """Calls a kernel, as the geometry itself."""
        self.rows += len(boxes[0])
        return self._batched(kernel, *boxes)


def measure(
    classifier: gs.Classifier, guarantee: gs.Guarantee, examples: list[gs.Example]
) -> tuple[float, float, int, int]:
    """Returns the seconds of a run, those of its provers alone, its votes and the evaluations of its geometry."""
    prove = guarantee.method.proving(guarantee)
    count, rows = batch_counter(classifier, guarantee, Execution())
    votes: list[list[list[np.ndarray]]] = [[] for _ in examples]
    began = time.perf_counter()
    provers = (recorded(prove(e), kept) for e, kept in zip(examples, votes, strict=True))
    claims = list(scheduler.run(provers, count, rows=rows, block=guarantee.block, aside=True))
    ended = time.perf_counter()
    with mock.patch.object(geometry, "_batched", Counter()) as counter:
        for example, kept in zip(examples, votes, strict=True):
            prover = prove(example)
            next(prover)
            with contextlib.suppress(StopIteration):
                for counts in kept:
                    prover.send(counts)
    return ended - began, time.perf_counter() - ended, sum(c.votes for c in claims), counter.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="8 images")
    options = parser.parse_args()

    header, _ = results.read_run(options.run)
    guarantee, classifier = headers.guarantee_of(header), gs.load(options.checkpoint)
    check_classifier(header, classifier)
    limit, data = 8 if options.quick else options.images, header["data"]
    examples = list(stream(data["name"], data["split"], every=data["every"], limit=min(limit, data["images"])))
    first, *_ = measure(classifier, guarantee, examples[:WARM])
    total, alone, votes, evaluations = measure(classifier, guarantee, examples)
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
                "share": round(alone / total, 4),
                "first_seconds": round(first, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
