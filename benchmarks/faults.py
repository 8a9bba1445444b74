"""Does a run that is killed again and again end with the file of a run that was left alone?

Kills ``gsmooth certify`` with SIGKILL at random moments, most of them while it writes results, and runs the same
command again each time; a run that finishes is followed by another one. Prints one JSON line: kills, runs, resumes that
found a record cut short, and, beside an undisturbed run and apart from the time each image took, records that are lost,
that are listed more than once, and that differ.

    python benchmarks/faults.py [--kills 50] [--quick]
"""

import argparse
import collections
import gzip
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = "results.jsonl.gz"
MOST = 3.0
"""Seconds that a process works before it is killed, at most."""


def begin(folder: Path, images: int, cache: Path) -> subprocess.Popen:
    """Starts the command; compiled programs are kept, so that a life is short."""
    command = [sys.executable, "-c", "from gsmooth_jax.cli import command; command()", "certify", "--out", str(folder)]
    command += ["--transform", "brightness_contrast", "--test", "fixed", "--max-votes", "512", "--limit", str(images)]
    kept = {"JAX_COMPILATION_CACHE_DIR": str(cache), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    return subprocess.Popen(command, env=os.environ | kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def size(folder: Path) -> int:
    file = folder / RESULTS
    return file.stat().st_size if file.exists() else 0


def live(folder: Path, images: int, cache: Path, chance: random.Random, start_up: float) -> bool:
    """Runs the command until it ends or a random moment comes; returns whether it was killed."""
    process, began, before = begin(folder, images, cache), time.monotonic(), size(folder)
    if chance.random() < 0.2:
        end = began + chance.uniform(0.0, start_up)
    else:
        while process.poll() is None and size(folder) <= before:
            time.sleep(0.005)
        end = time.monotonic() + chance.uniform(0.0, MOST)
    try:
        code = process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    if code:
        raise RuntimeError(f"The command ended with exit code {code}.")
    return False


def records(folder: Path) -> list[dict]:
    return [json.loads(line) | {"seconds": 0} for line in gzip.decompress((folder / RESULTS).read_bytes()).splitlines()]


def torn(folder: Path) -> bool:
    """Whether the last record of the file is cut short: gzip finds no end of it, or not even its beginning."""
    try:
        gzip.decompress((folder / RESULTS).read_bytes())
    except FileNotFoundError:
        return False
    except (EOFError, gzip.BadGzipFile):
        return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="3 kills")
    args = parser.parse_args()
    images, kills = (20, 3) if args.quick else (200, args.kills)
    chance, counts = random.Random(args.seed), collections.Counter()
    with tempfile.TemporaryDirectory() as place:
        cache, alone, began = Path(place) / "cache", Path(place) / "alone", time.monotonic()
        process = begin(alone, images, cache)
        while process.poll() is None and not size(alone):
            time.sleep(0.01)
        start_up = time.monotonic() - began
        if process.wait():
            raise RuntimeError(f"The command ended with exit code {process.returncode}.")
        whole = {r["id"]: r for r in records(alone)}
        while counts["kills"] < kills:
            folder = Path(place) / f"run{counts['runs']}"
            counts["runs"] += 1
            while counts["kills"] < kills and live(folder, images, cache, chance, start_up):
                counts["kills"] += 1
                counts["torn_records"] += torn(folder)
            if begin(folder, images, cache).wait():
                raise RuntimeError("The last resume failed.")
            found = records(folder)
            times = collections.Counter(r["id"] for r in found)
            counts["lost"] += len(whole.keys() - times.keys())
            counts["twice"] += sum(n > 1 for n in times.values())
            counts["changed"] += sum(r != whole.get(r["id"]) for r in found)
    names = ("kills", "runs", "torn_records", "lost", "twice", "changed")
    result = {name: counts[name] for name in names} | {"images": images, "seconds": round(time.monotonic() - began)}
    print(json.dumps({"benchmark": "faults", "machine": platform.machine(), **result}))


if __name__ == "__main__":
    main()
