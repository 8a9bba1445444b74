"""Every benchmark still runs, on little work, and prints its one line. What it measures is no test."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
CLOSED = "RUN --transform brightness_contrast", "shipped:mnist_brightness_contrast"
COVER = "RUN", "shipped:mnist_rotational_blur"
"""What stands for a run of the shipped images, made with these options; and its classifier."""

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["against_torch.py", "mnist-brightness"], marks=needs_torch, id="against_torch"),
        pytest.param(["batch_size.py"], id="batch_size"),
        pytest.param(["device_scaling.py"], id="device_scaling"),
        pytest.param(["exact_noise.py"], id="exact_noise"),
        pytest.param(["faults.py"], id="faults"),
        pytest.param(["geometry_share.py", *COVER], id="geometry_share"),
        pytest.param(["host_callback.py", "--network", "numpy"], id="host_callback"),
        pytest.param(["idle_share.py"], id="idle_share"),
        pytest.param(["image_size.py"], id="image_size"),
        pytest.param(["jvp_or_vjp.py"], id="jvp_or_vjp"),
        pytest.param(["kernel_efficiency.py"], id="kernel_efficiency"),
        pytest.param(["memory.py"], id="memory"),
        pytest.param(["network_speed.py"], id="network_speed"),
        pytest.param(["pooled_votes.py", *COVER], id="pooled_votes"),
        pytest.param(["random_bits.py"], id="random_bits"),
        pytest.param(["rounding_cost.py"], id="rounding_cost"),
        pytest.param(["votes_per_claim.py", *CLOSED], id="votes_per_claim"),
    ],
)
def test_a_benchmark_prints_one_line(command, tmp_path):
    for place, word in enumerate(command):
        if word.startswith("RUN"):
            certify = "from gsmooth_jax.cli import command; command()", "certify", *word.split()[1:], "--limit", "8"
            subprocess.run([sys.executable, "-c", *certify, "--out", tmp_path], capture_output=True, check=True)
            command = [*command[:place], tmp_path, *command[place + 1 :]]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / command[0], *command[1:], "--quick"],
        cwd=BENCHMARKS.parent,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["benchmark"] == command[0].removesuffix(".py")


def test_every_benchmark_is_run():
    commands = [mark.args[1] for mark in test_a_benchmark_prints_one_line.pytestmark if mark.name == "parametrize"]
    run = {param.values[0][0] for param in commands[0]}
    shared = {"timing.py", "torch_loop.py"}
    assert run == {path.name for path in BENCHMARKS.glob("*.py")} - shared
