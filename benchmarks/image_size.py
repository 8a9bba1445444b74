"""What does a picture's size cost a ``cover`` claim: evaluations, votes, seconds, memory?

Certifies one photograph (matplotlib's sample) at each size, in colour, against rotation by up to +-10 degrees, with a
classifier that costs next to nothing and is always sure: which of three bands of the picture is the brightest. What is
left is the geometry and the noise. Each size runs in a process of its own, which certifies a small region first: then
all is compiled. Prints one JSON line: for each size the parts of the region, evaluations (transformed images and
bounds), votes, seconds of the claim by the clock and of CPU time, the clock's of its geometry, and the peak resident
memory of the process in MiB, and what of it was there before anything was certified.

    python benchmarks/image_size.py [--sizes 28 32 64 112 224] [--sigma 0.5] [--degrees 10] [--quick]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import matplotlib.cbook
import numpy as np
from PIL import Image
from timing import environment

import gsmooth_jax as gs
from gsmooth_jax.methods.cover.geometry import Geometry
from gsmooth_jax.methods.cover.path import Layout
from gsmooth_jax.transforms import Clip, Rotation


def photograph(size: int) -> np.ndarray:
    """[size, size, 3] float32: the middle of the picture."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        picture = Image.open(file).convert("RGB")
    left = (picture.width - picture.height) // 2
    box = (max(left, 0), 0, min(picture.width, picture.height), min(picture.width, picture.height))
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX, box=box), np.float32) / 255.0


def brightest_band(images: jax.Array) -> jax.Array:
    """[B, H, W, C] -> [B, 3]: the means of three bands, one above the other."""
    bands = jnp.array_split(images, 3, axis=1)
    return jnp.stack([band.mean(axis=(1, 2, 3)) for band in bands], axis=1)


def mebibytes() -> float:
    """The largest resident memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def one(size: int, sigma: float, degrees: float) -> dict[str, float]:
    """Certifies the picture at one size."""
    image, before = photograph(size), mebibytes()
    batches, layout = Geometry._batches, Geometry.layout
    evaluations = seconds = 0.0

    def counted(self: Geometry, boxes: slice) -> Iterator[np.ndarray]:
        nonlocal evaluations
        evaluations += boxes.stop - boxes.start
        return batches(self, boxes)

    def timed(self: Geometry, *box: Any) -> Layout:
        nonlocal seconds
        began = time.perf_counter()
        found = layout(self, *box)
        seconds += time.perf_counter() - began
        return found

    with mock.patch.object(Geometry, "_batches", counted), mock.patch.object(Geometry, "layout", timed):
        for reach in (0.01 * degrees, degrees):
            evaluations, seconds, began, cpu = 0, 0.0, time.perf_counter(), time.process_time()
            (claim,) = gs.certify(
                brightest_band,
                image[None],
                transform=Rotation() | Clip(),
                region=gs.Box([-reach], [reach]),
                law=gs.PixelNoise(sigma=sigma),
                method="cover",
                max_votes=10_000_000,
            )
            total, cpu = time.perf_counter() - began, time.process_time() - cpu
    if not claim.certified:
        raise RuntimeError(f"The picture of {size} pixels was not certified: {claim.note}")
    return {
        "size": size,
        "parts": len(claim.windows),
        "evaluations": int(evaluations),
        "votes": claim.votes,
        "seconds": round(total, 2),
        "cpu_seconds": round(cpu, 2),
        "seconds_geometry": round(seconds, 2),
        "mebibytes": mebibytes(),
        "mebibytes_before": before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[28, 32, 64, 112, 224])
    parser.add_argument("--sigma", type=float, default=0.5)
    parser.add_argument("--degrees", type=float, default=10.0)
    parser.add_argument("--only", type=int, help="one size, in this process")
    parser.add_argument("--quick", action="store_true", help="28 and 32 pixels, up to 1 degree")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.degrees = [28, 32], 1.0
    if options.only:
        print(json.dumps(one(options.only, options.sigma, options.degrees)))
        return
    terms = ["--sigma", str(options.sigma), "--degrees", str(options.degrees)]
    found = []
    for size in options.sizes:
        command = [sys.executable, __file__, "--only", str(size), *terms]
        found.append(json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    terms = {"sigma": options.sigma, "degrees": options.degrees}
    print(json.dumps({"benchmark": "image_size", **environment(), **terms, "sizes": found}))


if __name__ == "__main__":
    main()
