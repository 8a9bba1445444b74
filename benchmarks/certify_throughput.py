"""How much of the bare forward pass does the voting kernel keep?

Counts votes with the compiled kernel (drawing, transforming, classifying, counting) and runs the same network alone on
the same number of images in the same batch shape. Prints one JSON line: votes per second over forward passes per
second, both steady-state, interleaved so that a busy machine slows both alike. Untrained weights: speed alone matters.

    python benchmarks/certify_throughput.py [--quick]
"""

import argparse
import json
import platform
import time

import jax
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax.certify import Execution, Guarantee, batch_counter, methods
from gsmooth_jax.certify.scheduler import Block
from gsmooth_jax.models import Architecture, Classifier

CASES = {
    "convnet 28x28x1, gaussian_blur": (
        ("convnet", (28, 28, 1)),
        (gs.transforms.GaussianBlur(), gs.Exponential(scale=12.0), gs.Box([0.0], [36.0])),
    ),
    "resnet20 32x32x3, brightness_contrast": (
        ("resnet20", (32, 32, 3)),
        (gs.transforms.BrightnessContrast(), gs.Gaussian(sigma=(0.4, 0.4)), gs.Box([-0.4, -0.4], [0.4, 0.4])),
    ),
    "resnet20 32x32x3, additive": (
        ("resnet20", (32, 32, 3)),
        (gs.transforms.Additive(), gs.Gaussian(sigma=0.25), gs.Ball(0.25)),
    ),
}


def measure(network: tuple, claim: tuple, repeats: int) -> dict[str, float]:
    name, shape = network
    transform, law, region = claim
    architecture = Architecture(name=name, classes=10)
    variables = jax.jit(architecture.init, static_argnums=1)(jax.random.key(0), shape)
    classifier = Classifier(variables=variables, apply=architecture, classes=10, input_shape=shape)
    method = methods.choose("auto", law, transform)
    guarantee = Guarantee(transform=transform, region=region, method=method)
    count, rows = batch_counter(classifier, guarantee, Execution())
    image = np.random.default_rng(0).random(shape, np.float32)
    blocks = [Block(image, i, 0, 1, 0, guarantee.block) for i in range(rows)]
    batch = jax.device_put(np.broadcast_to(image, (rows * guarantee.block, *shape)).copy())
    forward = jax.jit(lambda c, x: c(x))

    def kernel_once() -> float:
        began = time.perf_counter()
        count(blocks)()
        return time.perf_counter() - began

    def forward_once() -> float:
        began = time.perf_counter()
        jax.block_until_ready(forward(classifier, batch))
        return time.perf_counter() - began

    compile_seconds = kernel_once()
    forward_once()
    times = np.array([(kernel_once(), forward_once()) for _ in range(repeats)])
    kernel, alone = np.median(times, axis=0)
    return {
        "votes_per_second": round(len(batch) / kernel),
        "forward_passes_per_second": round(len(batch) / alone),
        "ratio": round(float(np.median(times[:, 1] / times[:, 0])), 3),
        "first_call_seconds": round(compile_seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats")
    repeats = 3 if parser.parse_args().quick else 30
    result = {case: measure(*what, repeats) for case, what in CASES.items()}
    device = f"{jax.devices()[0].device_kind} x {jax.device_count()}"
    print(json.dumps({"benchmark": "certify_throughput", "device": device, "machine": platform.machine(), **result}))


if __name__ == "__main__":
    main()
