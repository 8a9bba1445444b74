"""Image transforms: pure functions of one image [H, W, C] and theta [P]. ``TRANSFORMS`` is the registry."""

from gsmooth_jax import _spec
from gsmooth_jax.transforms.additive import Additive as Additive
from gsmooth_jax.transforms.brightness import Brightness as Brightness
from gsmooth_jax.transforms.brightness_contrast import BrightnessContrast as BrightnessContrast
from gsmooth_jax.transforms.clip import Clip as Clip
from gsmooth_jax.transforms.composition import Composition as Composition
from gsmooth_jax.transforms.contrast import Contrast as Contrast
from gsmooth_jax.transforms.gamma import Gamma as Gamma
from gsmooth_jax.transforms.gaussian_blur import GaussianBlur as GaussianBlur
from gsmooth_jax.transforms.quantize import Quantize as Quantize
from gsmooth_jax.transforms.translation import Translation as Translation
from gsmooth_jax.types import Transform

TRANSFORMS = {
    t.name: t
    for t in (
        Additive,
        Brightness,
        BrightnessContrast,
        Clip,
        Contrast,
        Gamma,
        GaussianBlur,
        Quantize,
        Translation,
    )
}
"""name -> class; ``parse`` and the command line know these."""


def parse(text: str) -> Transform:
    """Builds the transform that the text names: ``"gamma"``, or ``"rotation|quantize(bits=8)"``, first stage first.

    Raises:
      ValueError: unknown name or argument, or an empty stage.
    """
    stages = tuple(_spec.build(part, TRANSFORMS, kind="transform") for part in text.split("|"))
    return stages[0] if len(stages) == 1 else Composition(stages)


def describe(transform: Transform) -> str:
    """Returns the text that ``parse`` reads back."""
    if isinstance(transform, Composition):
        return "|".join(_spec.describe(s) for s in transform.stages)
    return _spec.describe(transform)
