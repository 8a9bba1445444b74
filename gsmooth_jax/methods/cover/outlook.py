"""What a claim is going to take, said before the work: from bounds on the transform's speed alone. Host."""

import math
import time
from pathlib import Path

import numpy as np

from gsmooth_jax.estimation import pooled
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.cover.geometry import FEW, SPACING, Geometry, Unbounded
from gsmooth_jax.methods.cover.pairs import pair_bounds
from gsmooth_jax.methods.cover.windows import level
from gsmooth_jax.regions import Box

_SURE = 0.999
"""How probable the answer is taken to be."""

_ASIDE = 0.1
"""Standard deviations by which boxes of a path stray from the line between centres, about."""

_HELD = 400
"""Latents of a path in memory at once, at most: two dozen centres, whitened, and the boxes of as many legs."""


def told(geometry: Geometry, guarantee: Guarantee) -> str:
    """Says what a region takes of an image, about.

    Raises:
      MemoryError: there is no room for the part of its path that has to be in memory at once.
    """
    region = guarantee.region
    assert isinstance(region, Box)
    low, high = np.array(region.low), np.array(region.high)
    held, free = _HELD * 12 * geometry.image.size, _free()
    if held > free:
        raise MemoryError(
            f"Laying out one image's path takes about {held / 2**30:.1f} GiB at a time, and {free / 2**30:.1f} GiB are "
            "free: images of fewer pixels take less."
        )
    try:
        seen = geometry.outlook(low, high)
        geometry.values(low[None])  # compiles
        began = time.perf_counter()
        geometry.values(low[None])
    except (Unbounded, FloatingPointError) as error:
        return f"The first image cannot be certified: {error}"
    seconds = (time.perf_counter() - began) * seen.images / FEW
    votes = seen.centres * guarantee.block * _layers(guarantee)
    path = "" if math.isnan(seen.length) else f"a path of up to {seen.length:,.0f} standard deviations: "
    return (
        f"The first image: {path}{seen.images:,} transformed images ({seconds:,.1f} s), up to {seen.centres:,} "
        f"smoothing centres ({4 * geometry.image.size * seen.centres / 2**20:,.0f} MiB), {votes:,} votes if they agree."
    )


def _layers(guarantee: Guarantee) -> int:
    """Layers of votes that a window of a straight path takes where nearly all are for the event."""
    half = SPACING * (0.5 + np.arange(4))
    bounds = pair_bounds(half, np.full(4, _ASIDE), np.full(4, 0.5 * SPACING), np.zeros(4))
    gain = pooled.growth(_SURE, np.full(4, 2 * guarantee.block), pooled.Bets.against(bounds))
    return math.ceil(float(pooled.missing(np.zeros(()), level(guarantee, 0)) / gain))


def _free() -> float:
    """Bytes of memory that a new process could have; infinity where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return math.inf
