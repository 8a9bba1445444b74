"""What does the engine lose by spreading a run over devices or processes?

Each team certifies the same shipped MNIST images with the same fixed number of votes: one process with 1, 2, 4 or 8
virtual CPU devices, or 2, 4 or 8 processes with one device each, every one with its share of the images. The teams are
set up once and take turns. They all share the machine's cores, so that more devices bring no speed: what is measured is
overhead. Prints one JSON line: votes per second (median), and as a share of those of one device.

    python benchmarks/device_scaling.py [--images 64] [--votes 1024] [--repeats 5] [--quick]
"""

import argparse
import json
import os
import subprocess
import sys
import time

import jax
import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.methods import registry

ROWS = 16
"""Of a batch, over all devices of a process."""


def serve(images: int, votes: int, index: int, count: int) -> None:
    """Certifies this process's share of the images each time a line arrives; answers with the votes cast."""
    classifier = gs.load("shipped:mnist_brightness_contrast")
    transform, law = gs.transforms.BrightnessContrast(), gs.Gaussian(sigma=(0.6, 0.6))
    guarantee = gs.Guarantee(
        transform=transform,
        region=gs.Box([-0.5, -0.5], [0.5, 0.5]),
        method=registry.choose("auto", law, transform),
        test="fixed",
        max_votes=votes,
    )
    for _ in sys.stdin:
        examples = stream("embedded", "test", limit=images, process_index=index, process_count=count)
        claims = gs.certify_stream(classifier, examples, guarantee, gs.Execution(rows=ROWS))
        print(sum(claim.votes for claim in claims), jax.local_device_count(), flush=True)


class Team:
    """Processes that certify a run together."""

    def __init__(self, images: int, votes: int, *, devices: int = 1, processes: int = 1):
        environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
        self._devices = devices
        self._processes = [
            subprocess.Popen(
                [sys.executable, __file__, "--serve", *map(str, (images, votes, index, processes))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for index in range(processes)
        ]

    def run(self) -> float:
        """Certifies all images once; returns the votes per second."""
        began = time.perf_counter()
        for process in self._processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [[int(word) for word in process.stdout.readline().split()] for process in self._processes]
        if any(len(a) != 2 or a[1] != self._devices for a in answers):
            raise RuntimeError(f"Expected votes from {self._devices} devices a process, got {answers}.")
        return sum(votes for votes, _ in answers) / (time.perf_counter() - began)

    def end(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--votes", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="1 and 2 devices, 2 processes, 8 images, two repeats")
    parser.add_argument("--serve", type=int, nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return

    images, votes, repeats = (8, 256, 2) if options.quick else (options.images, options.votes, options.repeats)
    kinds = {"devices=1": {"devices": 1}}
    for number in (2,) if options.quick else (2, 4, 8):
        kinds |= {f"devices={number}": {"devices": number}, f"processes={number}": {"processes": number}}
    teams = {name: Team(images, votes, **kind) for name, kind in kinds.items()}
    for team in teams.values():
        team.run()  # compiles
    speeds = np.median([[team.run() for team in teams.values()] for _ in range(repeats)], axis=0)
    for team in teams.values():
        team.end()
    result = {
        name: {"votes_per_second": round(speed), "share": round(speed / speeds[0], 3)}
        for name, speed in zip(teams, speeds, strict=True)
    }
    print(json.dumps({"benchmark": "device_scaling", **timing.environment(), "cores": os.cpu_count(), **result}))


if __name__ == "__main__":
    main()
