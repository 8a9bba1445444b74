"""What does calling a network on the host add to its own time, and how does it compare with the same network in JAX?

A ResNet-20 in PyTorch and in JAX with the same weights, (``--network efficientnet``) an EfficientNet-Lite0 as an ONNX
file and in JAX, or (``--network numpy``) a matrix product of NumPy and of JAX.
Four sides take turns on batches of images: the host's network alone, as this library feeds it; the same network through
the callback of a compiled program; a callback that computes nothing, on the same images; and the network in JAX. Prints
one JSON line: median milliseconds an image of each, and the share of the network's own time that the callback adds,
measured by the one that computes nothing.

    pip install torch onnx onnxruntime
    python benchmarks/host_callback.py [--network {resnet20,efficientnet,numpy}] [--batch 256] [--repeats 9] [--quick]
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from timing import environment, interleaved

import gsmooth_jax as gs
from gsmooth_jax.models import HostModel, as_classifier

CHECKPOINT = Path(__file__).parent.parent / "experiments/resolvable_cifar10/checkpoints/resnet20"
DENOISED = Path(__file__).parent.parent / "experiments/denoised"
SHAPES = {"resnet20": (32, 32, 3), "efficientnet": (224, 224, 3), "numpy": (32, 32, 3)}


def sides(network: str) -> tuple[HostModel, Any]:
    """A network on the host, and the same one in JAX."""
    shape = SHAPES[network]
    if network == "efficientnet":
        sys.path.insert(0, str(DENOISED))
        import efficientnet_lite0  # pyright: ignore[reportMissingImports]

        return HostModel(efficientnet_lite0.onnx_file(), **efficientnet_lite0.FORM), as_classifier(
            efficientnet_lite0.traced(), shape
        )
    if network == "numpy":
        weights = np.random.default_rng(0).normal(size=(10, np.prod(shape))).astype(np.float32)
        here = jnp.asarray(weights)
        host = HostModel(lambda x: x.reshape(len(x), -1) @ weights.T, layout="NHWC")
        return host, as_classifier(lambda x: x.reshape(len(x), -1) @ here.T, shape)
    import torch_loop  # brings PyTorch

    classifier = gs.load(CHECKPOINT)
    return HostModel(torch_loop.converted(classifier), layout="NCHW"), classifier


def compiled(classifier: Any, images: jax.Array) -> Callable[[], Callable[[], Any]]:
    """Starts a batch of a compiled program; compiled when this returns."""
    apply = jax.jit(lambda c, x: c(x))
    apply(classifier, images).block_until_ready()
    return lambda: apply(classifier, images).block_until_ready


def main(options: argparse.Namespace) -> None:
    """Measures, and prints."""
    shape = SHAPES[options.network]
    images = np.random.default_rng(0).random((options.batch, *shape), np.float32)
    given = jnp.asarray(images)
    host, traced = sides(options.network)
    nothing = np.arange(10, dtype=np.float32)[None]
    empty = HostModel(lambda x: np.repeat(nothing, len(x), 0), layout="NHWC")
    host(images)
    times = interleaved(
        lambda: lambda: host(images),
        compiled(as_classifier(host, shape), given),
        compiled(as_classifier(empty, shape), given),
        compiled(traced, given),
        repeats=options.repeats,
    )
    alone, called, callback, in_jax = (float(t) / options.batch * 1e3 for t in np.median(times, axis=0))
    found = {
        "benchmark": "host_callback",
        "network": options.network,
        "batch": options.batch,
        "alone_ms": alone,
        "called_ms": called,
        "callback_ms": callback,
        "jax_ms": in_jax,
        "callback_share": callback / alone,
        "jax_speed_up": called / in_jax,
    }
    print(json.dumps(found | environment()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=tuple(SHAPES), default="resnet20")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.batch, chosen.repeats = 8, 1
    main(chosen)
