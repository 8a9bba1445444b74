"""For what share of a ``cover`` run does the device have no votes to count?

Certifies the shipped MNIST images against rotational blur through the shipped surrogate, as ``gsmooth certify`` does,
and notes when each batch is handed to the device and when its counts are ready. Idle is the time between the first and
the last hand-over in which no batch is under way; the first images, which compile, go before. Prints one JSON line. On
CPU the "device" is the cores that the host's own work runs on: a batch under way then says that there was work for
them, not that they did nothing else. ``--profile`` writes the batches as a trace that Perfetto and Chrome show;
``idle_share.trace.json`` is one of 100 images on two CPU cores, idle for 0.7 %.

    python benchmarks/idle_share.py [--images 100] [--rows N] [--profile FILE] [--quick]
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.engine import scheduler
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.prover import prove
from gsmooth_jax.methods.tests import Tests

WARM = 4  # images that compile everything


class Watch:
    """Notes from when to when each batch was under way."""

    def __init__(self, count: scheduler.BatchCounter):
        self._count = count
        self._waiting = ThreadPoolExecutor()  # a thread a batch: the scheduler itself may come to wait much later
        self.spans: list[list[float]] = []

    def __call__(self, blocks: list[Draws]) -> Callable[[], np.ndarray]:
        """Starts a batch, as the counter itself."""
        ready = self._count(blocks)
        span = [time.perf_counter()]
        self.spans.append(span)

        def wait() -> np.ndarray:
            counts = ready()
            span.append(time.perf_counter())
            return counts

        return self._waiting.submit(wait).result

    def ended(self) -> "Watch":
        """Waits for the batches of guesses that nobody has waited for."""
        self._waiting.shutdown()
        return self


def idle(spans: list[list[float]]) -> float:
    """The share of the time between the first and the last start that no span covers."""
    covered, gaps = spans[0][1], 0.0
    for began, ended in spans[1:]:
        gaps += max(0.0, began - covered)
        covered = max(covered, ended)
    return gaps / (spans[-1][0] - spans[0][0])


def trace(spans: list[list[float]], in_flight: int) -> str:
    """The batches in the trace event format, in microseconds; a row for each of those under way at once."""
    origin = spans[0][0]
    events = [
        {
            "name": "batch",
            "ph": "X",
            "pid": 0,
            "tid": i % in_flight,
            "ts": round(1e6 * (a - origin)),
            "dur": round(1e6 * (b - a)),
        }
        for i, (a, b) in enumerate(spans)
    ]
    return json.dumps({"traceEvents": events}) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--quick", action="store_true", help="8 images")
    options = parser.parse_args()

    transform = gs.transforms.parse("rotational_blur|clip|quantize")
    law = "surrogate_noise(path='shipped:mnist_rotational_blur_surrogate',sigma_parameter=2.0,sigma=0.4)"
    method = registry.parse("cover", law, transform)
    guarantee = gs.Guarantee(transform=transform, region=gs.Box([-10.0], [10.0]), method=method)
    classifier, vote = gs.load("shipped:mnist_rotational_blur"), method.vote(transform)
    assert vote is not None
    execution, tests = gs.Execution(rows=options.rows), Tests(guarantee)
    counter, rows = batch_counter(classifier, vote, seed=guarantee.seed, block=guarantee.block, execution=execution)
    examples = list(stream("embedded", "test", limit=8 if options.quick else options.images))

    def certified(chosen: list[gs.Example]) -> tuple[list[gs.Claim], Watch, float]:
        watch, began = Watch(counter), time.perf_counter()
        provers = (prove(e, classifier, guarantee, tests) for e in chosen)
        run = scheduler.run(provers, watch, rows=rows, block=guarantee.block, in_flight=execution.in_flight, threads=1)
        return list(run), watch.ended(), time.perf_counter() - began

    _, _, first = certified(examples[:WARM])
    claims, watch, seconds = certified(examples)
    if options.profile:
        options.profile.write_text(trace(watch.spans, execution.in_flight))
    result = {
        "images": len(claims),
        "certified": sum(c.certified for c in claims),
        "rows": rows,
        "batches": len(watch.spans),
        "idle_share": round(idle(watch.spans), 4),
        "longest_gap_seconds": round(max(b[0] - a[1] for a, b in itertools.pairwise(watch.spans)), 4),
        "seconds_an_image": round(seconds / len(claims), 4),
        "first_seconds": round(first, 2),
    }
    print(json.dumps({"benchmark": "idle_share", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
