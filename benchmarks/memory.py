"""How much host memory does a run take, and does it grow with the images or with the votes?

Runs ``gsmooth certify`` in processes of their own, with the shipped model on prepared MNIST images, and prints one JSON
line: the peak resident memory of each, in MiB. The image counts run the sequential test, the vote counts the fixed test
on two images.

    python benchmarks/memory.py [--quick]
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

COMMAND = [sys.executable, "-c", "from gsmooth_jax.cli import main; main()", "certify"]
COMMAND += ["--transform", "brightness_contrast"]


def peak_mebibytes(*arguments: str) -> float:
    """Runs the command; returns its peak resident memory."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "wb") as nowhere:
        process = os.posix_spawn(
            COMMAND[0],
            [*COMMAND, *arguments, "--out", str(Path(folder) / "run")],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, nowhere.fileno(), fd) for fd in (1, 2)],
        )
        _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"gsmooth certify {' '.join(arguments)} ended with status {status}.")
    return round(usage.ru_maxrss / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few images and votes, shipped data")
    quick = parser.parse_args().quick
    data = ["--data", "embedded" if quick else "mnist"]
    images = (20, 40) if quick else (100, 1000, 10_000)
    votes = (200, 400) if quick else (1000, 10_000, 100_000)
    result = {
        "images": {n: peak_mebibytes(*data, "--limit", str(n)) for n in images},
        "votes": {n: peak_mebibytes(*data, "--limit", "2", "--test", "fixed", "--max-votes", str(n)) for n in votes},
    }
    print(json.dumps({"benchmark": "memory", **result}))


if __name__ == "__main__":
    main()
