"""How much of the bare forward pass does the voting kernel keep?

Counts votes as a run does (placing the batch, drawing, transforming, classifying, counting, fetching) and runs the same
network alone on as many images, already on the device, in a batch of the same size; for a surrogate "the network" is
the decoder H with the classifier behind it. The two take turns, each with two batches under way. Prints one JSON line:
votes per second over forward passes per second, each the median, and their ratio, the median of turns that follow each
other, since machines drift. Untrained weights: speed alone matters.

    python benchmarks/kernel_efficiency.py [--case NAME] [--repeats 10] [--quick]
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.estimation import keys
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.methods import registry
from gsmooth_jax.models import Architecture
from gsmooth_jax.surrogate import Surrogate
from gsmooth_jax.surrogate.networks import Networks

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)


def resolvable(transform: Any, law: registry.Law, region: gs.Box | gs.Ball) -> gs.Guarantee:
    return gs.Guarantee(transform=transform, region=region, method=registry.choose("auto", law, transform))


def brightness_contrast() -> gs.Guarantee:
    law, box = gs.Gaussian(sigma=(0.4, 0.4)), gs.Box([-0.4, -0.4], [0.4, 0.4])
    return resolvable(gs.transforms.BrightnessContrast(), law, box)


def surrogate(name: str) -> gs.Guarantee:
    networks = Networks(name=name, image_shape=CIFAR, transform="rotation", low=(-10.0,), high=(10.0,))
    fresh = Surrogate(variables=jax.jit(networks.init)(jax.random.key(1)), networks=networks)
    noise = gs.AugmentedNoise(surrogate=fresh, sigma_parameter=2.0, sigma=0.25)
    return gs.Guarantee(
        transform=gs.transforms.Rotation(), region=gs.Box([-10.0], [10.0]), method=gs.Cover(noise=noise)
    )


def pixels() -> gs.Guarantee:
    noise, box = gs.PixelNoise(sigma=0.25), gs.Box([-10.0], [10.0])
    return gs.Guarantee(transform=gs.transforms.Rotation(), region=box, method=gs.Cover(noise=noise))


def gaussian_blur() -> gs.Guarantee:
    return resolvable(gs.transforms.GaussianBlur(), gs.Exponential(scale=12.0), gs.Box([0.0], [36.0]))


CASES: dict[str, tuple[str, tuple[int, int, int], Callable[[], gs.Guarantee]]] = {
    "convnet, gaussian_blur": ("convnet", MNIST, gaussian_blur),
    "convnet, pixel noise": ("convnet", MNIST, pixels),
    "resnet20, brightness_contrast": ("resnet20", CIFAR, brightness_contrast),
    "resnet20, pixel noise": ("resnet20", CIFAR, pixels),
    "resnet20 behind unet-small": ("resnet20", CIFAR, lambda: surrogate("unet-small")),
    "resnet110, brightness_contrast": ("resnet110", CIFAR, brightness_contrast),
}


def measure(name: str, shape: tuple[int, int, int], guarantee: gs.Guarantee, repeats: int) -> dict[str, float]:
    architecture = Architecture(name=name, classes=10)
    variables = jax.jit(architecture.init, static_argnums=1)(jax.random.key(0), shape)
    classifier = gs.Classifier(variables=variables, apply=architecture, classes=10, domain=gs.Domain(shape))
    vote = guarantee.method.vote(guarantee.transform)
    assert vote is not None
    count, rows = batch_counter(classifier, vote, seed=guarantee.seed, block=guarantee.block)
    image = np.random.default_rng(0).random(shape, np.float32)
    blocks = [Draws(image, i, 0, keys.ESTIMATE, 0, guarantee.block) for i in range(rows)]

    decoder = vote.noise
    network = (classifier, decoder.surrogate if isinstance(decoder, gs.AugmentedNoise) else None)
    batch = jax.device_put(np.broadcast_to(image, (rows * guarantee.block, *shape)).copy())

    @jax.jit
    def forward(network: tuple[gs.Classifier, Surrogate | None], images: jax.Array) -> jax.Array:
        classifier, decoder = network
        return classifier(images if decoder is None else decoder.decode(images))

    def alone() -> Callable[[], Any]:
        logits = forward(network, batch)
        return logits.block_until_ready

    def kernel() -> Callable[[], Any]:
        return count(blocks)

    began = time.perf_counter()
    kernel()()
    first = time.perf_counter() - began
    alone()()
    times = timing.interleaved(kernel, alone, repeats=repeats, batches=4)
    votes, passes = len(batch) / np.median(times, axis=0)
    return {
        "votes_per_second": round(votes),
        "forward_passes_per_second": round(passes),
        "ratio": round(float(np.median(times[:, 1] / times[:, 0])), 3),
        "first_call_seconds": round(first, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=list(CASES), action="append", help="only this case; may be repeated")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="the MNIST cases, two repeats")
    options = parser.parse_args()
    names = options.case or (list(CASES)[:2] if options.quick else list(CASES))
    repeats = 2 if options.quick else options.repeats
    result = {case: measure(*CASES[case][:2], CASES[case][2](), repeats) for case in names}
    print(json.dumps({"benchmark": "kernel_efficiency", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
