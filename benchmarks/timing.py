"""What benchmarks share: calls that take turns on a busy machine, and what the machine is."""

import collections
import platform
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

Start = Callable[[], Callable[[], Any]]
"""Starts a batch; the returned function waits for its result."""


def environment() -> dict[str, Any]:
    """Where a figure was taken."""
    return {
        "device": f"{jax.devices()[0].device_kind} x {jax.device_count()}",
        "machine": platform.machine(),
        "jax": jax.__version__,
    }


def seconds(start: Start, batches: int = 1, in_flight: int = 2) -> float:
    """Runs some batches, ``in_flight`` of them under way at once as in a run; returns the seconds a batch."""
    began = time.perf_counter()
    under_way: collections.deque[Callable[[], Any]] = collections.deque()
    for _ in range(batches):
        if len(under_way) == in_flight:
            under_way.popleft()()
        under_way.append(start())
    for wait in under_way:
        wait()
    return (time.perf_counter() - began) / batches


def interleaved(*starts: Start, repeats: int, batches: int = 1) -> np.ndarray:
    """Seconds a batch [repeats, sides], all sides in turn, so that other work on the machine slows them alike."""
    order = range(len(starts))
    times = np.empty((repeats, len(starts)))
    for repeat in range(repeats):
        for side in order if repeat % 2 == 0 else reversed(order):
            times[repeat, side] = seconds(starts[side], batches)
    return times
