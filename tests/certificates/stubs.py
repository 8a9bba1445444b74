"""Transforms reduced to what certificates read: a name, parameters, a group."""

import dataclasses

from gsmooth_jax.types import Group, Param


@dataclasses.dataclass(frozen=True)
class Stub:
    name: str
    params: tuple[Param, ...]
    group: Group = "additive"


BRIGHTNESS = Stub("brightness", (Param(name="b", unit="intensity"),))
BLUR = Stub("gaussian_blur", (Param(name="v", unit="px^2", low=0.0),))
GAMMA = Stub("gamma", (Param(name="g", unit="log exponent", log=True),))
TRANSLATION = Stub("translation", tuple(Param(name=name, unit="px", whole=True) for name in ("dy", "dx")))
ROTATION = Stub("rotation", (Param(name="angle", unit="degrees"),), "none")
PIXELS = Stub("additive", (Param(name="delta", unit="intensity", per_pixel=True),))
CONTRAST_BRIGHTNESS = Stub(
    "brightness_contrast",
    (Param(name="k", unit="log factor", log=True), Param(name="b", unit="intensity")),
    "brightness_contrast",
)
