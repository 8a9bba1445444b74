"""What share of the time of a ``cover`` run does the geometry take?

Certifies shipped MNIST images anew under the terms of a finished run, with votes and geometry taking turns (one batch
on the device at a time), and counts as geometry all that provers do between votes: their few other sums take no time
to speak of. Prints one JSON line: steady-state seconds an image of both, and the share; the first images, which
compile, apart. On CPU the geometry runs on one core and the votes on all: more idle cores, a larger share.

    python benchmarks/geometry_share.py RUN CHECKPOINT [--images 100] [--quick]
"""

import argparse
import json
import platform
import time
from pathlib import Path

import jax

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.attacks.run import check_classifier
from gsmooth_jax.certify import Execution, batch_counter, scheduler
from gsmooth_jax.claims import Claim
from gsmooth_jax.data.stream import stream

WARM = 4  # images that compile everything


class Watch:
    """Times the provers of a run."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def over(self, prover: scheduler.Prover[Claim]) -> scheduler.Prover[Claim]:
        """The same prover; the time it takes between votes is added to ``seconds``."""
        counts = None
        while True:
            began = time.perf_counter()
            try:
                requests = prover.send(counts)
            except StopIteration as stop:
                return stop.value
            finally:
                self.seconds += time.perf_counter() - began
            counts = yield requests


def measure(classifier: gs.Classifier, guarantee: gs.Guarantee, examples: list[gs.Example]) -> tuple[float, Watch, int]:
    """Returns the seconds of a run, those of its provers, and its votes."""
    prove, watch = guarantee.method.proving(guarantee), Watch()
    counter, rows = batch_counter(classifier, guarantee, Execution())
    began = time.perf_counter()
    provers = (watch.over(prove(e)) for e in examples)
    # All begin before the first batch: one that begins later would wait for the votes on the device.
    claims = list(scheduler.run(provers, counter, rows=rows, block=guarantee.block, depth=1, under_way=len(examples)))
    return time.perf_counter() - began, watch, sum(c.votes for c in claims)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="8 images")
    options = parser.parse_args()

    header, _ = results.read_run(options.run)
    guarantee, classifier = results.guarantee_of(header), gs.load(options.checkpoint)
    check_classifier(header, classifier)
    examples = list(stream("embedded", "test", limit=8 if options.quick else options.images))
    first, _, _ = measure(classifier, guarantee, examples[:WARM])
    total, watch, votes = measure(classifier, guarantee, examples)
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
                "seconds_votes": round((total - watch.seconds) / len(examples), 4),
                "seconds_geometry": round(watch.seconds / len(examples), 4),
                "share": round(watch.seconds / total, 4),
                "first_seconds": round(first, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
