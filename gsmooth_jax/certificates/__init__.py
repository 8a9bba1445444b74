"""Radius theories: each turns bounds on class probabilities into a statement about a region. Host, float64."""

from gsmooth_jax.certificates.additive import Additive as Additive
from gsmooth_jax.certificates.brightness_contrast import BrightnessContrast as BrightnessContrast
from gsmooth_jax.certificates.multiplicative import Multiplicative as Multiplicative
from gsmooth_jax.certificates.resolvable import Resolvable as Resolvable
from gsmooth_jax.types import Smoothing, Transform

CERTIFICATES = {
    "resolvable": Resolvable,
    "brightness_contrast": BrightnessContrast,
    "multiplicative": Multiplicative,
    "additive": Additive,
}


def default_for(transform: Transform, law: Smoothing) -> str:
    """Returns the name of the certificate whose theorem fits the transform's group and the law.

    Raises:
      ValueError: the transform has no exact composition law, which all of these need.
    """
    if transform.group == "none":
        raise ValueError(
            f"{transform.name} has no exact composition law, which every law of a transform's parameter needs. For it "
            "there is cover, whose noise is drawn elsewhere: pixel_noise(sigma=0.25), or surrogate_noise(...)."
        )
    if transform.group == "brightness_contrast":
        return "brightness_contrast"
    if any(p.per_pixel for p in transform.params):
        return "additive"
    return "multiplicative" if law.acts == "multiplicative" else "resolvable"
