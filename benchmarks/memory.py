"""How much memory does a run take, and does it grow with the images, with the votes or with the rows of a batch?

Runs ``gsmooth certify`` in processes of their own, with the shipped model on prepared MNIST images, and prints one JSON
line: the peak resident memory of each and, where the device keeps count (a CPU does not), the peak of the device's, in
MiB. The image counts run the sequential test, the vote counts the fixed test on one image, the row counts the
sequential test on 64. Images and votes should leave both flat within 5 %; rows may not, a batch being as large as they
make it.

    python benchmarks/memory.py [--only images|votes|rows] [--quick]
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

COMMAND = ["certify", "--transform", "brightness_contrast"]
CODE = """
import json, pathlib, sys
from gsmooth_jax.cli import main
file = pathlib.Path(sys.argv.pop(1))
main()
import jax
stats = jax.local_devices()[0].memory_stats() or {}
file.write_text(json.dumps(stats.get("peak_bytes_in_use")))
"""


def peak_mebibytes(*arguments: str) -> dict[str, float | None]:
    """Runs ``gsmooth certify``; returns its peak memory on the host and on the device."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "wb") as nowhere:
        device = Path(folder) / "device"
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", CODE, str(device), *COMMAND, *arguments, "--out", str(Path(folder) / "run")],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, nowhere.fileno(), fd) for fd in (1, 2)],
        )
        _, status, usage = os.wait4(process, 0)
        if status:
            raise RuntimeError(f"gsmooth certify {' '.join(arguments)} ended with status {status}.")
        on_device = json.loads(device.read_text())
    return {
        "host": round(usage.ru_maxrss / 1024, 1),
        "device": None if on_device is None else round(on_device / 2**20, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("images", "votes", "rows"))
    parser.add_argument("--quick", action="store_true", help="few images, votes and rows, shipped data")
    options = parser.parse_args()
    quick = options.quick
    data = ["--data", "embedded" if quick else "mnist"]
    fixed, few = ["--limit", "1", "--test", "fixed"], ["--limit", "8" if quick else "64"]
    sweeps = {
        "images": [(n, ["--limit", str(n)]) for n in ((20, 40) if quick else (100, 1000, 10_000))],
        "votes": [(n, [*fixed, "--max-votes", str(n)]) for n in ((200, 400) if quick else (1000, 31_623, 1_000_000))],
        "rows": [(n, [*few, "--rows", str(n)]) for n in ((8, 16) if quick else (8, 32, 128))],
    }
    result = {
        name: {n: peak_mebibytes(*data, *arguments) for n, arguments in sweep}
        for name, sweep in sweeps.items()
        if options.only in (None, name)
    }
    print(json.dumps({"benchmark": "memory", **result}))


if __name__ == "__main__":
    main()
