"""How many rows fit the devices, and a CPU's cache: asked of the kernel, without running it. Host."""

import bisect
from collections.abc import Callable, Iterator
from typing import Any

import jax
from jax.extend import core

_MOST = 10
"""At most 2^10 rows a device: more are no faster, and leave no images for the later batches."""


_VOTES_CPU = 256
_LAYERS_CPU = 80 * 2**20
"""Votes that a CPU casts at once: so many, but no more than what this many bytes of all layers' outputs are of. Larger
batches of deep networks leave the cache; smaller ones of shallow ones take longer to start than to run. By CPU time a
vote of ResNet-20, speed_net, ConvNets alone, three together and behind a surrogate; ``benchmarks/batch_size.py``."""


def votes_on_cpu(layers: int) -> int:
    """Votes to cast at once on a CPU: a power of two.

    Args:
      layers: bytes of the layers' outputs for one vote; see ``layer_bytes``.
    """
    fitting = max(_LAYERS_CPU // max(layers, 1), 1)
    return min(1 << (fitting.bit_length() - 1), _VOTES_CPU)


def layer_bytes(traced: jax.stages.Traced) -> int:
    """Bytes of what a program's convolutions and matrix products give, each counted once; nothing is compiled."""
    outputs = (equation.outvars[0].aval for equation in _equations(traced.jaxpr.jaxpr))
    return sum(out.size * out.dtype.itemsize for out in outputs)  # pyright: ignore[reportAttributeAccessIssue]


def _equations(jaxpr: core.Jaxpr) -> Iterator[core.JaxprEqn]:
    """Those of convolutions and matrix products, also inside of other equations."""
    inner = core.Jaxpr, core.ClosedJaxpr
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("conv_general_dilated", "dot_general"):
            yield equation
        for value in jax.tree.leaves(equation.params, is_leaf=lambda leaf: isinstance(leaf, inner)):
            if isinstance(value, inner):
                yield from _equations(value.jaxpr if isinstance(value, core.ClosedJaxpr) else value)


def exhausted(error: Exception) -> bool:
    """Whether a device has run out of memory."""
    return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)


def free_bytes(device: Any) -> int | None:
    """Memory that a device has left; None where it does not say, as a CPU."""
    stats = device.memory_stats() or {}
    return stats["bytes_limit"] - stats["bytes_in_use"] if "bytes_limit" in stats else None


def needed_bytes(compiled: jax.stages.Compiled) -> int:
    """What one call takes on each device: its inputs, its result, and all that lies between."""
    memory = compiled.memory_analysis()
    assert memory is not None  # every backend of XLA has one
    return memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes


def largest_rows(
    compiled: Callable[[int], jax.stages.Compiled], free: int, devices: int, below: int | None = None
) -> int:
    """Returns the most rows that fit: a power of two on each device; 0 where not even one does.

    Args:
      compiled: the kernel for so many rows.
      free: bytes that all batches under way may take on a device.
      devices: over which the rows are split.
      below: there have to be fewer.
    """

    def needed(power: int) -> float:
        try:
            return needed_bytes(compiled(devices << power))
        except jax.errors.JaxRuntimeError as error:
            if not exhausted(error):
                raise
            return float("inf")

    powers = [p for p in range(_MOST + 1) if below is None or devices << p < below]
    fitting = bisect.bisect_right(powers, free, key=needed)
    return devices << powers[fitting - 1] if fitting else 0


def refusal(rows: int, largest: int | None) -> MemoryError:
    """The error of a batch that a device has no memory for; says the most rows that do fit, where that is known."""
    advice = "fewer rows or a smaller chunk take less."
    if largest is not None:
        advice = f"by its compiled size the largest that fits is rows={largest}, which rows=auto finds."
    if largest == 0:
        advice = "not even one row a device fits; a smaller chunk may."
    return MemoryError(f"The device has no memory for a batch of {rows=}: {advice}")
