"""Laws of the smoothing parameter: a device sampler and its host radius theory, one file each."""

import re
from collections.abc import Mapping
from typing import Any

from gsmooth_jax import _spec
from gsmooth_jax.smoothing.exponential import Exponential as Exponential
from gsmooth_jax.smoothing.folded_gaussian import FoldedGaussian as FoldedGaussian
from gsmooth_jax.smoothing.gaussian import Gaussian as Gaussian
from gsmooth_jax.smoothing.laplace import Laplace as Laplace
from gsmooth_jax.smoothing.log_normal import LogNormal as LogNormal
from gsmooth_jax.smoothing.noise import PixelNoise as PixelNoise
from gsmooth_jax.smoothing.product import Product as Product
from gsmooth_jax.smoothing.rayleigh import Rayleigh as Rayleigh
from gsmooth_jax.smoothing.soap_l2 import SoapL2 as SoapL2
from gsmooth_jax.smoothing.soap_linf import SoapLinf as SoapLinf
from gsmooth_jax.smoothing.uniform import Uniform as Uniform
from gsmooth_jax.types import Smoothing

SMOOTHINGS = {
    "gaussian": Gaussian,
    "uniform": Uniform,
    "exponential": Exponential,
    "folded_gaussian": FoldedGaussian,
    "laplace": Laplace,
    "log_normal": LogNormal,
    "rayleigh": Rayleigh,
    "soap_l2": SoapL2,
    "soap_linf": SoapLinf,
}


_STAGES = re.compile(r"\|(?![^()]*\))")
"""A bar outside brackets: a path in a text may hold one."""


def parse(text: str, others: Mapping[str, Any] | None = None) -> Smoothing | Product | PixelNoise:
    """Returns the law of the parameters that the text names, one for each stage, or the noise of the pixels.

    >>> parse("gaussian(sigma=0.5)")
    Gaussian(sigma=0.5)
    >>> parse("rayleigh(scale=1.0)|gaussian(sigma=0.5)").laws
    (Rayleigh(scale=1.0), Gaussian(sigma=0.5))

    Args:
      text: ``name(key=literal, ...)``; of several laws joined by ``|``.
      others: name -> noise that may stand alone, besides that of the pixels.

    Raises:
      ValueError: unknown name or argument, or an empty part.
    """
    parts = _STAGES.split(text)
    if len(parts) > 1:
        return Product(tuple(_spec.build(part, SMOOTHINGS, kind="law") for part in parts))
    return _spec.build(text, SMOOTHINGS | {PixelNoise.name: PixelNoise} | dict(others or {}), kind="law")


def describe(law: object) -> str:
    """Returns the text that ``parse`` reads back.

    >>> describe(Uniform(low=-1, high=1))
    'uniform(low=-1.0, high=1.0)'
    """
    return "|".join(map(_spec.describe, law.laws)) if isinstance(law, Product) else _spec.describe(law)
