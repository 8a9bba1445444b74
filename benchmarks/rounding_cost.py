"""What does a claim about 8-bit files cost beside one about real-valued images, in votes?

Lays out the paths of a few images that were kept from training, under a transformation as it is and with every entry
clipped and rounded to 8 bits, and lets votes fall as if a network answered alike in all but a share of them. Prints one
JSON line: for each noise the votes for each standard deviation of path, image by image, of both; and how far rounding
may move a latent, the median over the path, in standard deviations.

    python benchmarks/rounding_cost.py [--transform rotation --high 10] [--sigma 0.06 0.08 0.12] [--images 2] [--quick]
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np
from timing import environment

import gsmooth_jax as gs
from gsmooth_jax.data import embedded_images, load_split
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry
from gsmooth_jax.methods.cover.windows import WindowTests

VALIDATION = 5000  # the last of the training images


def images_of(count: int, quick: bool) -> Iterator[np.ndarray]:
    """Some images [H, W, C] float32."""
    images = embedded_images().images if quick else load_split("cifar10", "train")[0][-VALIDATION::100]
    yield from (image.astype(np.float32) / 255 for image in images[:count])


def votes(
    image: np.ndarray, transform: gs.types.Transform, high: float, sigma: float, share: float
) -> tuple[float, ...]:
    """The votes for each standard deviation of path, and what rounding takes of one."""
    noise, low = gs.PixelNoise(sigma=sigma), -high if transform.typical[0][0] < 0.0 else 0.0
    geometry = Geometry(image, CoverDecomposition.of(transform), noise, Centres())
    region, rng = (np.array([low]), np.array([high])), np.random.default_rng(0)
    guarantee = gs.Guarantee(
        transform=transform, region=gs.Box([low], [high]), method=gs.Cover(noise=noise), max_votes=10**9
    )
    tests = WindowTests(geometry.layout(*region), [0], guarantee)
    rounds, counts = tests.run(), None
    try:
        while True:
            asked = rounds.send(counts)
            won = [rng.random(visit.stop - visit.start) < share for visit in asked]
            counts = [np.stack([w, ~w, np.zeros_like(w)], axis=1).astype(int) for w in won]
    except StopIteration:
        pass
    if tests.lost or tests.postponed():
        raise RuntimeError(f"Not all of {transform.name} can be proved at noise {sigma}.")
    (path,) = [geometry._strip(*region, 0)]
    beyond = np.median(np.concatenate([stretch.beyond for stretch in path.stretches]))
    return tests.votes / geometry.outlook(*region).length, float(beyond)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transform", default="rotation")
    parser.add_argument("--high", type=float, default=10.0)
    parser.add_argument("--sigma", type=float, nargs="+", default=[0.06, 0.08, 0.12])
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--share", type=float, default=0.999, help="of votes for the answer")
    parser.add_argument("--quick", action="store_true", help="one MNIST digit, up to 2 degrees, noise 0.12")
    options = parser.parse_args()
    if options.quick:
        options.images, options.high, options.sigma = 1, 2.0, [0.12]
    images, found = list(images_of(options.images, options.quick)), {}
    for sigma in options.sigma:
        for kind, tail in (("real", "|clip"), ("8 bits", "|clip|quantize")):
            transform = gs.transforms.parse(options.transform + tail)
            each = [votes(image, transform, options.high, sigma, options.share) for image in images]
            found.setdefault(sigma, {})[kind] = {
                "votes": [round(v, 1) for v, _ in each],
                "moved": [round(moved, 2) for _, moved in each],
            }
    print(json.dumps({"benchmark": "rounding_cost", **environment(), "transform": options.transform, "noise": found}))


if __name__ == "__main__":
    main()
