"""What share of the time of a ``cover`` run does the geometry take?

Certifies shipped MNIST images anew under the terms of a finished run, then has their provers go through the same votes
once more with nothing else on the device, and counts as geometry all that they do between votes: their few other sums
take no time to speak of. In the run itself it is done beside the votes. Prints one JSON line: steady-state seconds an
image of the run and of the geometry, and the share; the first images, which compile, apart.

    python benchmarks/geometry_share.py RUN CHECKPOINT [--images 100] [--quick]
"""

import argparse
import contextlib
import json
import platform
import time
from pathlib import Path

import jax
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax import headers, results
from gsmooth_jax.attacks.run import check_classifier
from gsmooth_jax.certify import Execution, batch_counter, scheduler
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


def measure(classifier: gs.Classifier, guarantee: gs.Guarantee, examples: list[gs.Example]) -> tuple[float, float, int]:
    """Returns the seconds of a run, those of its provers alone, and its votes."""
    prove = guarantee.method.proving(guarantee)
    counter, rows = batch_counter(classifier, guarantee, Execution())
    votes: list[list[list[np.ndarray]]] = [[] for _ in examples]
    began = time.perf_counter()
    provers = (recorded(prove(e), kept) for e, kept in zip(examples, votes, strict=True))
    claims = list(scheduler.run(provers, counter, rows=rows, block=guarantee.block))
    ended = time.perf_counter()
    for example, kept in zip(examples, votes, strict=True):
        prover = prove(example)
        next(prover)
        with contextlib.suppress(StopIteration):
            for counts in kept:
                prover.send(counts)
    return ended - began, time.perf_counter() - ended, sum(c.votes for c in claims)


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
    examples = list(stream("embedded", "test", limit=8 if options.quick else options.images))
    first, _, _ = measure(classifier, guarantee, examples[:WARM])
    total, geometry, votes = measure(classifier, guarantee, examples)
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
                "seconds_geometry": round(geometry / len(examples), 4),
                "share": round(geometry / total, 4),
                "first_seconds": round(first, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
