"""How far an adversary of a region may move what is seen of an image at an outer draw (THEORY S4 to S6). Host."""

import math

import numpy as np

from gsmooth_jax import transforms
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.methods.spt import kernels
from gsmooth_jax.methods.spt.kernels import Given
from gsmooth_jax.methods.spt.stages import Adversary, Filter
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.transforms import Composition, Rotation, Shift, Volume, states
from gsmooth_jax.types import Computed, Example, LipschitzBounded, Region

_PARTS = 64
"""Of the region of a rotation, in each of which its speed is asked, to choose how many cells it takes."""

_OUTWARD = 1.0 + 1e-5


def check_region(adversary: Adversary, region: Region) -> None:
    """Raises ValueError unless it is an interval of angles or of volumes, or a ball of shifts."""
    wanted = Ball if isinstance(adversary.moving, Shift) else Box
    count = len(adversary.moving.params)
    if not isinstance(region, wanted) or (isinstance(region, Box) and len(region.low) != count):
        raise ValueError(f"spt takes an interval for rotation and volume, a ball for shift; got {region}.")
    if isinstance(region, Ball) and (region.dim != count or region.p != 2.0):
        raise ValueError(f"Expected an L2 ball of {count} parameters for {adversary.whole.name}, got {region}.")


def check_bounded(adversary: Adversary) -> None:
    """Raises ValueError where the transform states no bound, so that nothing can be said of all adversaries."""
    if not states(adversary.moving, LipschitzBounded):
        raise ValueError(
            f"{transforms.describe(adversary.whole)} states no bound on how fast it moves an image: its worst "
            "adversary is not known. Random ones are: error='random'."
        )


def errors_upper(
    image: np.ndarray,
    at: np.ndarray,
    adversary: Adversary,
    prepare: Filter,
    region: Region,
    *,
    given: Given,
    slack: float,
) -> np.ndarray:
    """Bounds the error of every adversary of a region.

    Args:
      image: [H, W, C].
      at: [M, P] float32, outer draws: z, the parameter that what is seen has in all, or b, the draw alone.
      adversary: Q T, with bilinear interpolation if any.
      prepare: P.
      region: of the adversary.
      given: what ``at`` is.
      slack: by about how much a bound may exceed the largest error, of a rotation; smaller ones take longer.

    Returns:
      [M] float64; infinite where the image may jump.
    """
    jump = np.float32(adversary.jump * _OUTWARD)
    if isinstance(region, Box) and isinstance(adversary.moving, Rotation):
        lows, highs = _cells(image, adversary.moving, region, slack)
        found = kernels.cells_kernel(
            image, at, lows, highs, jump, moving=adversary.moving, prepare=prepare, given=given
        )
    elif isinstance(region, Box):
        found = _of_files(image, at[:, 0], adversary, region, given)
    elif given == "z":
        found = kernels.bends_kernel(image, at, np.float32(region.size * _OUTWARD), jump, prepare=prepare)
    else:
        found = kernels.corners_kernel(image, at, _points(at, region.size), jump, prepare=prepare)
    return np.asarray(found, np.float64) * _OUTWARD + _float32(image, np.abs(at).max(), adversary, prepare, region)


def random_errors(
    example: Example,
    draws: np.ndarray,
    numbers: np.ndarray,
    adversary: Adversary,
    prepare: Filter,
    region: Region,
    *,
    given: Given,
    count: int,
    seed: int,
) -> np.ndarray:
    """[M] float64: the largest error of ``count`` uniform adversaries of a region at each draw. A bound for no others.

    Args:
      example: the image.
      draws: [M, P] float32, as ``at`` of ``errors_upper``.
      numbers: [M], of the draws: part of the keys.
      adversary: Q T, whatever its interpolation.
      prepare: P.
      region: of the adversary.
      given: what the draws are.
      count: see above.
      seed: of the keys.
    """
    ends = (region.low, region.high) if isinstance(region, Box) else ((-region.size,) * 2, (region.size,) * 2)
    low, high = (np.array(end, np.float32) for end in ends)
    found = kernels.random_kernel(
        _threefry.key(seed),
        example.image,
        np.uint32(example.id),
        numbers,
        draws,
        low,
        high,
        whole=adversary.whole,
        moving=adversary.moving,
        prepare=prepare,
        given=given,
        ball=isinstance(region, Ball),
        count=count,
    )
    return np.asarray(found, np.float64)


def _of_files(image: np.ndarray, at: np.ndarray, adversary: Adversary, region: Box, given: Given) -> np.ndarray:
    """[M]: of files made louder or quieter by ``region``, heard at volumes ``at`` [M] (THEORY S6)."""
    x, (least, most) = image.astype(np.float64), adversary.range
    quietest, loudest = (10.0 ** (end[0] / 20.0) for end in (region.low, region.high))
    cut = float(np.linalg.norm(np.maximum(np.maximum(loudest * x - most, least - loudest * x), 0.0)))
    rounded = adversary.jump * math.sqrt(image.size)
    gain = 10.0 ** (at.astype(np.float64) / 20.0)
    return gain * (cut / loudest + rounded / quietest) if given == "z" else gain * (cut + rounded)


def _cells(image: np.ndarray, moving: Rotation, region: Box, slack: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends [G, 1] of cells of one width, so narrow that an image moves by ``slack`` at most on its way there and back.

    So many as a power of 2^(1/4), for fewer programs.
    """
    edges = np.linspace(region.low, region.high, _PARTS + 1)
    speeds = np.asarray(kernels.speed_kernel(image, *_ends(edges), moving=moving))
    fastest = float(speeds[np.isfinite(speeds)].max(initial=0.0))
    wanted = (region.high[0] - region.low[0]) * fastest / slack
    count = math.ceil(2.0 ** (math.ceil(4.0 * math.log2(max(wanted, 8.0))) / 4.0))
    return _ends(np.linspace(region.low, region.high, count + 1))


def _ends(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends [G, 1] float32 of the intervals between edges [G + 1, 1]: neighbours share theirs.

    The outermost lie no further in than the edges.
    """
    single = edges.astype(np.float32)
    single[0] = np.where(single[0] > edges[0], np.nextafter(single[0], np.float32(-np.inf)), single[0])
    single[-1] = np.where(single[-1] < edges[-1], np.nextafter(single[-1], np.float32(np.inf)), single[-1])
    return single[:-1], single[1:]


def _points(b: np.ndarray, radius: float) -> np.ndarray:
    """[M, 2, G]: along each axis all whole numbers up to a radius, what makes whole numbers of b + g, and the ends."""
    whole = np.arange(-math.ceil(radius) - 1, math.ceil(radius) + 2)
    wide = np.broadcast_to(whole, (*b.shape, len(whole)))
    part = b.astype(np.float64) - np.floor(b)
    points = np.concatenate([wide, wide - part[:, :, None]], axis=2)
    return np.clip(points, -radius * _OUTWARD, radius * _OUTWARD).astype(np.float32)


def _float32(image: np.ndarray, furthest: float, adversary: Adversary, prepare: Filter, region: Region) -> float:
    """How far float32 may take the error from the one of real numbers.

    What is seen at the outer draw, what is seen of the adversary's file there, both where the error is computed and
    where the classifier sees them; and the file itself, which real numbers have transformed.
    """
    count = len(adversary.moving.params)
    most = np.full(count, furthest + region.size)
    seen = Composition((adversary.moving, *prepare.stages))
    own, reach = Computed.of(image), np.full(count, region.size)
    made = Composition((adversary.moving,)).float32_upper(own, -reach, reach)
    low, high = min(own.low, made.low, 0.0), max(own.high, made.high, 0.0)
    some = Computed(shape=image.shape, low=low - adversary.jump, high=high + adversary.jump)
    each = sum(seen.float32_upper(start, -most, most).error for start in (own, some))
    # What T_(z - g) makes of the file's: twice as much at most where it is a shift or a rotation.
    apart = 10.0 ** (most[0] / 20.0) if isinstance(adversary.moving, Volume) else 2.0
    return 2.0 * (each + apart * made.error)
