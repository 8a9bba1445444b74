"""Transforms: pure functions of one image [H, W, C], or another input, and theta [P]. ``TRANSFORMS`` lists them."""

from gsmooth_jax import _spec
from gsmooth_jax.transforms._defect import composed as composed
from gsmooth_jax.transforms._defect import composition_defect as composition_defect
from gsmooth_jax.transforms._domain import check_domain as check_domain
from gsmooth_jax.transforms._pipe import stages_of as stages_of
from gsmooth_jax.transforms._pipe import states as states
from gsmooth_jax.transforms.additive import Additive as Additive
from gsmooth_jax.transforms.brightness import Brightness as Brightness
from gsmooth_jax.transforms.brightness_contrast import BrightnessContrast as BrightnessContrast
from gsmooth_jax.transforms.clip import Clip as Clip
from gsmooth_jax.transforms.composition import Composition as Composition
from gsmooth_jax.transforms.contrast import Contrast as Contrast
from gsmooth_jax.transforms.defocus_blur import DefocusBlur as DefocusBlur
from gsmooth_jax.transforms.gamma import Gamma as Gamma
from gsmooth_jax.transforms.gaussian_blur import GaussianBlur as GaussianBlur
from gsmooth_jax.transforms.glass_blur import GlassBlur as GlassBlur
from gsmooth_jax.transforms.hue import Hue as Hue
from gsmooth_jax.transforms.jpeg import Jpeg as Jpeg
from gsmooth_jax.transforms.low_pass import LowPass as LowPass
from gsmooth_jax.transforms.motion_blur import MotionBlur as MotionBlur
from gsmooth_jax.transforms.perspective import Perspective as Perspective
from gsmooth_jax.transforms.pixelate import Pixelate as Pixelate
from gsmooth_jax.transforms.quantize import Quantize as Quantize
from gsmooth_jax.transforms.rotation import Rotation as Rotation
from gsmooth_jax.transforms.rotational_blur import RotationalBlur as RotationalBlur
from gsmooth_jax.transforms.saturation import Saturation as Saturation
from gsmooth_jax.transforms.scaling import Scaling as Scaling
from gsmooth_jax.transforms.shear import Shear as Shear
from gsmooth_jax.transforms.shift import Shift as Shift
from gsmooth_jax.transforms.translation import Translation as Translation
from gsmooth_jax.transforms.vignette import Vignette as Vignette
from gsmooth_jax.transforms.volume import Volume as Volume
from gsmooth_jax.transforms.zoom_blur import ZoomBlur as ZoomBlur
from gsmooth_jax.types import Transform

TRANSFORMS = {
    t.name: t
    for t in (
        Additive,
        Brightness,
        BrightnessContrast,
        Clip,
        Contrast,
        DefocusBlur,
        Gamma,
        GaussianBlur,
        GlassBlur,
        Hue,
        Jpeg,
        LowPass,
        MotionBlur,
        Perspective,
        Pixelate,
        Quantize,
        Rotation,
        RotationalBlur,
        Saturation,
        Scaling,
        Shear,
        Shift,
        Translation,
        Vignette,
        Volume,
        ZoomBlur,
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
    return "|".join(_spec.describe(s) for s in stages_of(transform))
