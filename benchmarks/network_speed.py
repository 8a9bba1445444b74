"""How long does one image take a network: forward, as a vote has it, and with the gradient, as a training step has it?

Random weights, random images of 32 x 32 x 3; all networks take turns on each pass, so that other work on the machine
slows them alike. Prints one JSON line with, for each network, the median milliseconds an image, by the clock and of
this process on all cores (the fairer figure on a busy machine, and none on an accelerator), the operations of a forward
pass (as XLA counts them, in 10^9), and what compiling took.

    python benchmarks/network_speed.py [--networks speed_net resnet20 ...] [--batch N] [--repeats N] [--quick]
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from timing import environment

from gsmooth_jax.models import MODELS, Architecture
from gsmooth_jax.training import _run_folder, losses

SHAPE = (32, 32, 3)


def variables_of(architecture: Architecture) -> Any:
    """Kernels of He's variance, everything else near 1; by NumPy, since a deep network's initialiser compiles long."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(lambda key: architecture.init(key, SHAPE), jax.random.key(0))

    def fill(leaf: jax.ShapeDtypeStruct) -> jax.Array:
        spread = np.sqrt(2 / np.prod(leaf.shape[:-1])) if leaf.ndim > 1 else 0.1
        return jnp.asarray(rng.normal(float(leaf.ndim == 1), spread, leaf.shape), leaf.dtype)

    return jax.tree.map(fill, shapes)


def passes(name: str, batch: int) -> dict[str, tuple[Callable[[], Any], float, float]]:
    """Returns the compiled passes of a network, each with its operations an image and the seconds of compiling."""
    architecture = Architecture(name=name, classes=10)
    variables = variables_of(architecture)
    images = jax.random.uniform(jax.random.key(0), (batch, *SHAPE))
    labels = jnp.arange(batch) % 10

    def gradient(variables: Any, images: jax.Array) -> Any:
        rest = {k: v for k, v in variables.items() if k != "params"}

        def loss(params: Any) -> tuple[jax.Array, Any]:
            logits, updates = architecture.train_apply({**rest, "params": params}, images)
            return losses.cross_entropy(logits[None], labels), updates

        return jax.grad(loss, has_aux=True)(variables["params"])

    made = {}
    for kind, function, options in (
        ("forward", architecture, None),
        ("gradient", gradient, _run_folder.step_options()),
    ):
        lowered = jax.jit(function).lower(variables, images)
        began = time.perf_counter()
        compiled = lowered.compile(compiler_options=options)
        seconds = time.perf_counter() - began
        flops = (lowered.cost_analysis() or {}).get("flops", float("nan")) / batch
        made[kind] = (lambda compiled=compiled: compiled(variables, images)), flops, seconds
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=sorted(MODELS), default=["speed_net", "resnet20", "resnet110"])
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two networks, four images, one repeat")
    options = parser.parse_args()
    if options.quick:
        options.networks, options.batch, options.repeats = ["speed_net", "resnet20"], 4, 1
    made = {name: passes(name, options.batch) for name in options.networks}
    result: dict[str, dict[str, float]] = {name: {} for name in options.networks}
    for kind in ("forward", "gradient"):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in options.networks}
        for repeat in range(1 + options.repeats):
            for name in options.networks if repeat % 2 else reversed(options.networks):
                began = time.perf_counter(), time.process_time()
                jax.block_until_ready(made[name][kind][0]())
                if repeat:  # the first run has more to do
                    times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
        for name in options.networks:
            clock, cpu = 1e3 * np.median(times[name], axis=0) / options.batch
            result[name] |= {f"{kind}_ms": round(clock, 4), f"{kind}_cpu_ms": round(cpu, 4)}
            result[name][f"{kind}_compile_seconds"] = round(made[name][kind][2], 1)
    for name in options.networks:
        result[name]["forward_gflop"] = round(made[name]["forward"][1] / 1e9, 4)
    print(json.dumps({"benchmark": "network_speed", "batch": options.batch, "networks": result, **environment()}))


if __name__ == "__main__":
    main()
