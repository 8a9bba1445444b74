"""Pixel noise against L2 perturbations."""

import dataclasses
from typing import ClassVar

import numpy as np

from gsmooth_jax.regions import Ball
from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.types import Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True)
class Additive:
    """Theorem (Cohen et al. 2019, Theorem 1).

    Let theta ~ N(0, sigma^2 I), one number for each of the H W C entries, and let p_lower, p_upper bound the smoothed
    classifier E f(x + theta). Then A wins at x + xi for every xi with |xi|_2 < sigma (Phi^-1(p_lower) -
    Phi^-1(p_upper)) / 2. Exact (their Theorem 2). (THEORY D1.)
    """

    name: ClassVar[str] = "additive"

    def check(self, transform: Transform, law: Smoothing, region: Region) -> None:
        """Raises ValueError unless the transform adds a number a pixel, the law has one sigma, the region is a ball."""
        if transform.group != "additive" or len(transform.params) != 1 or not transform.params[0].per_pixel:
            raise ValueError(f"additive needs one additive parameter a pixel; {transform.name} is not so.")
        if not isinstance(law, Gaussian) or isinstance(law.sigma, tuple):
            raise ValueError(f"additive needs a gaussian law with one sigma for all pixels, got {law}.")
        if not isinstance(region, Ball):
            raise ValueError(f"additive needs a Ball, got {region}.")
        param = transform.params[0]
        if np.isfinite(param.low) or np.isfinite(param.high):
            raise ValueError(
                f"gaussian noise leaves the range [{param.low}, {param.high}] of {transform.name}'s {param.name}."
            )

    def certifies(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether the ball's radius is below Cohen's. Host, float64, guarded inward."""
        return law.certifies(np.array([region.size]), p_lower, p_upper)
