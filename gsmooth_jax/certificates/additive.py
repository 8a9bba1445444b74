"""Noise of every pixel against perturbations of bounded L1, L2 or L-infinity norm."""

import dataclasses
import math
from typing import ClassVar

import numpy as np

from gsmooth_jax.regions import NORMS, Ball
from gsmooth_jax.smoothing import Gaussian, Laplace, SoapL2, SoapLinf, Uniform
from gsmooth_jax.types import Region, Smoothing, Transform

_NORMS: dict[type, tuple[float, ...]] = {
    Gaussian: NORMS,
    Laplace: (1.0,),
    Uniform: NORMS,
    SoapL2: NORMS,
    SoapLinf: (math.inf,),
}
"""The norms in which a law's radius is known."""


@dataclasses.dataclass(frozen=True)
class Additive:
    """Theorem.

    Let theta have a law with one number for each of the n entries of an image, and let p_lower, p_upper bound the
    smoothed classifier E f(x + theta). Then A wins at x + xi for every xi of the ball |xi|_p <= r if the law certifies
    one worst shift of the ball (THEORY A10). With q = (Phi^-1(p_lower) - Phi^-1(p_upper)) / 2:

      normal:   r < sigma q in L2 (Cohen et al. 2019, Theorem 1) and, no further, in L1;
                r sqrt(n) < sigma q in L-infinity
      Laplace:  r < -(scale / 2) ln(4 (1 - p_lower) p_upper) in L1, for p_lower >= 1/2 (Teng et al. 2020)
      uniform, of width w:  2 r < w (p_lower - p_upper) in L1 (Yang et al. 2020); in L2 and L-infinity
                r < w n^(1/p) (1 - (1 - (p_lower - p_upper) / 2)^(1/n))
      soap_l2:  as the normal law, with a radius of its own in place of sigma q (THEORY G2)
      soap_linf:  in L-infinity, a radius that is estimated with a confidence of its own (THEORY G4), one-sided

    Exact but for the last: by the Neyman-Pearson lemma (THEORY 0.1) some classifier with these bounds loses at a radius
    no smaller.
    """

    name: ClassVar[str] = "additive"

    def check(self, transform: Transform, law: Smoothing, region: Region) -> None:
        """Raises ValueError unless the transform adds a number a pixel and the law has a radius for the ball."""
        if transform.group != "additive" or len(transform.params) != 1 or not transform.params[0].per_pixel:
            raise ValueError(f"additive needs one additive parameter a pixel; {transform.name} is not so.")
        if type(law) not in _NORMS or (isinstance(law, Gaussian) and isinstance(law.sigma, tuple)):
            known = ", ".join(kind.name for kind in _NORMS)
            raise ValueError(f"additive needs one law for all pixels with a known radius ({known}), got {law}.")
        if not isinstance(region, Ball):
            raise ValueError(f"additive needs a Ball, got {region}.")
        param = transform.params[0]
        if np.isfinite(param.low) or np.isfinite(param.high):
            raise ValueError(
                f"{law.name} noise leaves the range [{param.low}, {param.high}] of {transform.name}'s {param.name}."
            )
        _worst_shift(law, region)

    def certifies(self, law: Smoothing, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether a worst shift of the ball is certified. Host, float64, guarded inward."""
        assert isinstance(region, Ball)
        return law.certifies(_worst_shift(law, region), p_lower, p_upper)


def _worst_shift(law: Smoothing, ball: Ball) -> np.ndarray:
    """Returns a shift [n] of the ball that is certified only if all are; its first entry, where all others are 0.

    THEORY A10.

    Raises:
      ValueError: none is known, or it depends on how many entries an image has.
    """
    known = _NORMS[type(law)]
    if ball.p not in known:
        has = " and ".join(f"L{p:g}" for p in known)
        raise ValueError(f"{law.name} noise has a known radius in {has}, not in {ball.norm_in_words()}; got {ball}.")
    dim = ball.dim
    if isinstance(law, SoapL2 | SoapLinf):
        dim = law.dim
        if ball.dim not in (None, dim):
            raise ValueError(f"Expected a law and a Ball of one dim, got {law} and {ball}.")
        if ball.p < math.inf:
            return np.array([ball.radius] + [0.0] * (dim - 1))
    if ball.p == 1.0 or (ball.p == 2.0 and isinstance(law, Gaussian)):
        return np.array([ball.radius])
    if dim is None:
        raise ValueError(
            f"Expected a Ball with dim, as many as an image has entries, such as dim=3072: the radius of {law.name} "
            f"noise in {ball.norm_in_words()} depends on it; got {ball}."
        )
    return np.full(dim, ball.radius * dim ** (0.0 if ball.p == math.inf else -0.5))
