"""Laws of the smoothing parameter: a device sampler and its host radius theory, one file each."""

from gsmooth_jax import _spec
from gsmooth_jax.smoothing.exponential import Exponential as Exponential
from gsmooth_jax.smoothing.folded_gaussian import FoldedGaussian as FoldedGaussian
from gsmooth_jax.smoothing.gaussian import Gaussian as Gaussian
from gsmooth_jax.smoothing.laplace import Laplace as Laplace
from gsmooth_jax.smoothing.log_normal import LogNormal as LogNormal
from gsmooth_jax.smoothing.noise import PixelNoise as PixelNoise
from gsmooth_jax.smoothing.rayleigh import Rayleigh as Rayleigh
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
}


def parse(text: str) -> Smoothing | PixelNoise:
    """Returns the law of the parameters that the text names, or the noise of the pixels.

    >>> parse("gaussian(sigma=0.5)")
    Gaussian(sigma=0.5)
    """
    return _spec.build(text, SMOOTHINGS | {PixelNoise.name: PixelNoise}, kind="law")


def describe(law: object) -> str:
    """Returns the text that ``parse`` reads back.

    >>> describe(Uniform(low=-1, high=1))
    'uniform(low=-1.0, high=1.0)'
    """
    return _spec.describe(law)
