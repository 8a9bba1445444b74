"""How many votes at once are fastest on a CPU, and does the library choose that number?

Counts the votes of `cover` (one a row) in batches of several sizes, which take turns, two batches under way. Prints one
JSON line: for each network the CPU time of a vote by the size of the batch, in milliseconds, the median of the turns,
and the size that is chosen. CPU time, and not the clock's, because it does not count what else the machine does.
Untrained weights: speed alone matters.

    python benchmarks/batch_size.py [--case NAME] [--sizes 16 64 256] [--repeats 6] [--quick]
"""

import argparse
import collections
import json
import time
from collections.abc import Callable

import jax
import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.estimation import keys
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.models import Architecture
from gsmooth_jax.models.ensembling import ensemble
from gsmooth_jax.surrogate import Surrogate
from gsmooth_jax.surrogate.networks import Networks

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)
Case = tuple[gs.Classifier, gs.PixelNoise | gs.AugmentedNoise]


def network(name: str, shape: tuple[int, int, int], seed: int = 0) -> gs.Classifier:
    architecture = Architecture(name=name, classes=10)
    variables = jax.jit(architecture.init, static_argnums=1)(jax.random.key(seed), shape)
    return gs.Classifier(variables=variables, apply=architecture, classes=10, domain=gs.Domain(shape))


def surrogate() -> gs.AugmentedNoise:
    networks = Networks(
        name="unet-small", image_shape=MNIST, transform="rotation", low=(-10.0,), high=(10.0,), width=8, encoder=(0,)
    )
    fresh = Surrogate(variables=jax.jit(networks.init)(jax.random.key(1)), networks=networks)
    return gs.AugmentedNoise(surrogate=fresh, sigma_parameter=2.0, sigma=0.4)


PIXELS = gs.PixelNoise(sigma=0.1)
CASES: dict[str, Callable[[], Case]] = {
    "convnet": lambda: (network("convnet", MNIST), PIXELS),
    "convnet behind unet-small": lambda: (network("convnet_bn", MNIST), surrogate()),
    "three convnets": lambda: (ensemble([network("convnet", MNIST, seed) for seed in range(3)]), PIXELS),
    "resnet20": lambda: (network("resnet20", CIFAR), PIXELS),
    "speed_net": lambda: (network("speed_net", CIFAR), PIXELS),
    "resnet110": lambda: (network("resnet110", CIFAR), PIXELS),
}


def measure(case: Case, sizes: list[int], repeats: int) -> dict[str, float]:
    classifier, noise = case
    vote = gs.Cover(noise=noise).vote(gs.transforms.Rotation())
    image = np.random.default_rng(0).random(classifier.input_shape, np.float32)

    def batches(rows: int | None) -> tuple[Callable[[int], float], int]:
        count, size = batch_counter(classifier, vote, seed=0, block=1, execution=gs.Execution(rows=rows, devices=1))
        blocks = [Draws(image, i, 0, keys.ESTIMATE, 0, 1) for i in range(size)]

        def milliseconds(number: int) -> float:
            began, under_way = time.process_time(), collections.deque()
            for _ in range(number):
                if len(under_way) == 2:
                    under_way.popleft()()
                under_way.append(count(blocks))
            for wait in under_way:
                wait()
            return 1e3 * (time.process_time() - began) / (number * size)

        return milliseconds, size

    sides = [batches(size)[0] for size in sizes]
    for side in sides:
        side(1)  # compiles
    times = np.empty((repeats, len(sizes)))
    for turn in range(repeats):
        for i in range(len(sizes))[:: 1 if turn % 2 == 0 else -1]:
            times[turn, i] = sides[i](max(sizes) // sizes[i])
    found = {str(size): round(float(ms), 4) for size, ms in zip(sizes, np.median(times, axis=0), strict=True)}
    return found | {"chosen": batches(None)[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES), action="append", help="only this case; may be repeated")
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32, 64, 128, 256])
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--quick", action="store_true", help="one case, two sizes, two repeats")
    options = parser.parse_args()
    names = options.case or (list(CASES)[:1] if options.quick else list(CASES))
    sizes, repeats = ([16, 64], 2) if options.quick else (options.sizes, options.repeats)
    result = {name: measure(CASES[name](), sizes, repeats) for name in names}
    print(json.dumps({"benchmark": "batch_size", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
