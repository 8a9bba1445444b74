"""What the certificates of resolvable transforms share: which shifts of a region are the worst, and domain checks."""

import math

import numpy as np

from gsmooth_jax.regions import Ball, Box, check_whole_ends
from gsmooth_jax.smoothing import Exponential, Gaussian, Laplace, LogNormal, Uniform
from gsmooth_jax.types import Param, Region, Smoothing, Transform

_MOST_PARAMETERS = 12  # a box of P parameters has 2^P corners


def worst_shifts(law: Smoothing, region: Region) -> np.ndarray:
    """Returns [M, P] shifts, such that the law certifies the whole region if it certifies each of them.

    A box: its corners (THEORY A8). A ball: exact under a normal law (the parameter with the smallest standard deviation
    is the worst direction), in L1 (its corners) and L-infinity, and for one parameter; under any other law the L2
    ball's bounding box, which is sound and conservative.
    """
    if isinstance(region, Ball) and region.p < math.inf:
        axes = region.radius * np.eye(region.dim or 1)
        if isinstance(law, Gaussian | LogNormal):
            return axes
        if region.p == 1.0 and isinstance(law, Laplace | Uniform | Exponential):
            return np.concatenate([axes, -axes])
    return bounding_box(region).corners()


def bounding_box(region: Region) -> Box:
    """Returns the smallest box that holds the region; the region itself if it is a box."""
    if isinstance(region, Ball):
        return Box([-region.radius] * (region.dim or 1), [region.radius] * (region.dim or 1))
    if isinstance(region, Box):
        return region
    raise ValueError(f"Expected a Box or a Ball, got {region!r}.")


def check_shifts(certificate: str, transform: Transform, law: Smoothing, region: Region) -> None:
    """Raises unless region and law fit the transform's parameters: number, range, whole ends, the law's dimension."""
    dim = len(transform.params)
    if any(p.per_pixel for p in transform.params):
        raise ValueError(f"{certificate} needs scalar parameters; {transform.name} has one a pixel: use additive.")
    if dim > _MOST_PARAMETERS:
        raise ValueError(f"{certificate} takes at most {_MOST_PARAMETERS} parameters; {transform.name} has {dim}.")
    if isinstance(region, Ball) and region.dim is None:
        raise ValueError(f"Expected a Ball with dim={dim} for {transform.name}, got dim=None.")
    box = bounding_box(region)
    if len(box.low) != dim:
        raise ValueError(f"Expected a region of {dim} parameters for {transform.name}, got {region}.")
    check_whole(transform, region, box)
    law.certifies(np.zeros(dim), 0.9, 0.1)  # raises for a law of another number of parameters
    for param, low, high in zip(transform.params, box.low, box.high, strict=True):
        check_range(transform, law, param, low, high)


def check_whole(transform: Transform, region: Region, box: Box) -> None:
    """Raises where a region reads as if it held more than its whole numbers: T rounds (0, .5) to (0, 1)."""
    whole = [p.whole for p in transform.params]
    if isinstance(region, Ball):
        if all(whole) and region.radius < 1.0:
            raise ValueError(
                f"Expected a ball of {transform.name} with a radius >= 1 {transform.params[0].unit}, got {region}: it "
                "moves by whole numbers, and a smaller ball holds none but 0."
            )
        return
    check_whole_ends(transform, box.low, box.high)


def check_range(transform: Transform, law: Smoothing, param: Param, low: float, high: float) -> None:
    """Raises where a region's range of one parameter, or what its law draws, leaves that of the transform."""
    if low < param.low or high > param.high:
        raise ValueError(
            f"The region's {param.name} in [{low}, {high}] {param.unit} leaves the range [{param.low}, {param.high}] "
            f"of {transform.name}."
        )
    support = law.support if law.acts == "additive" else tuple(map(_log, law.support))
    # The smoothed classifier at an attacked image sees region + draw, in one application of the transform.
    if low + support[0] < param.low or high + support[1] > param.high:
        raise ValueError(
            f"{law.name} noise in [{support[0]}, {support[1]}] leaves the range [{param.low}, {param.high}] of "
            f"{transform.name}'s {param.name}. Laws for a parameter >= 0: exponential, folded_gaussian, uniform."
        )


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf
