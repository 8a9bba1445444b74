"""Radius theories: each turns bounds on class probabilities into a statement about a region. Host, float64."""

from gsmooth_jax.certificates.additive import Additive as Additive
from gsmooth_jax.certificates.brightness_contrast import BrightnessContrast as BrightnessContrast
from gsmooth_jax.certificates.composition import Composition as Composition
from gsmooth_jax.certificates.general_lipschitz import GeneralLipschitz as GeneralLipschitz
from gsmooth_jax.certificates.multiplicative import Multiplicative as Multiplicative
from gsmooth_jax.certificates.resolvable import Resolvable as Resolvable
from gsmooth_jax.smoothing import Product
from gsmooth_jax.types import Smoothing, Transform

CERTIFICATES = {
    "resolvable": Resolvable,
    "brightness_contrast": BrightnessContrast,
    "composition": Composition,
    "general_lipschitz": GeneralLipschitz,
    "multiplicative": Multiplicative,
    "additive": Additive,
}


def default_for(transform: Transform, law: Smoothing | Product) -> str:
    """Returns the name of the certificate whose theorem fits the transform's group and the law, or laws.

    Raises:
      ValueError: the transform has no exact composition law, which all of these need.
    """
    if transform.group == "none":
        lawless = getattr(transform, "lawless", None)
        why = f": {lawless()}" if lawless else "."
        raise ValueError(
            f"{transform.name} has no exact composition law, which every law of a transform's parameter needs{why} "
            "For it there is cover, whose noise is drawn elsewhere: pixel_noise(sigma=0.25), or surrogate_noise(...)."
        )
    if transform.group == "composition" or isinstance(law, Product):
        return "composition"
    if transform.group == "brightness_contrast":
        return "brightness_contrast"
    if any(p.per_pixel for p in transform.params):
        return "additive"
    return "multiplicative" if law.acts == "multiplicative" else "resolvable"
