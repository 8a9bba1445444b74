"""From names to methods: what ``--method`` and ``--law`` mean, and which parts are this library's own. Host."""

import functools

from gsmooth_jax import _spec, _validate, smoothing
from gsmooth_jax.certificates import CERTIFICATES, default_for
from gsmooth_jax.methods.base import Guarantee, Method
from gsmooth_jax.methods.closed_form import ClosedForm
from gsmooth_jax.methods.cover import Cover
from gsmooth_jax.methods.gsmooth import GSmooth
from gsmooth_jax.smoothing import PixelNoise
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise
from gsmooth_jax.transforms import TRANSFORMS, Composition
from gsmooth_jax.types import LatentNoise, Smoothing, Transform

METHODS = {**CERTIFICATES, "cover": Cover, "gsmooth": GSmooth}
"""Name -> the theorem or method behind it."""

LAWS = {**smoothing.SMOOTHINGS, PixelNoise.name: PixelNoise, SurrogateNoise.name: SurrogateNoise}
"""Name -> a law of the parameter, or the noise of a latent."""

Law = Smoothing | LatentNoise | SurrogateNoise


def parse(name: str, law: str, transform: Transform) -> Method:
    """Returns the method of that name with the law that the text describes; see ``choose``.

    A surrogate is only read when the text does not say by its fingerprint which one it was.
    """
    found = _spec.build(law, LAWS, kind="law")
    return choose(name, found.pinned() if isinstance(found, SurrogateNoise) else found, transform)


def choose(method: str | Method, law: Law | None, transform: Transform) -> Method:
    """Returns the method of that name; ``auto`` takes the one made for the law and the transform.

    A method that is one already brings its law.

    Raises:
      ValueError: an unknown name, or a method that the law does not fit.
    """
    _validate.instance(transform=transform, law=law)
    if isinstance(method, str) == (law is None):
        raise ValueError(f"Expected a law, or a method that brings its own; got {law=} and {method=}.")
    if not isinstance(method, str) or law is None:
        assert not isinstance(method, str)
        return method
    name = method.partition("(")[0].strip()
    if isinstance(law, LatentNoise | SurrogateNoise):
        by_surrogate = isinstance(law, AugmentedNoise | SurrogateNoise)
        if name == "gsmooth" and by_surrogate:
            return _spec.build(method, {name: functools.partial(GSmooth, noise=law)}, kind="method")
        if name in ("auto", "cover"):
            return Cover(noise=law)
        _validate.known(METHODS, method=name)
        takers = (
            "surrogate_noise is for cover and gsmooth" if by_surrogate else "pixel_noise is for cover, and cover alone"
        )
        raise ValueError(f"Method {method!r} does not take {smoothing.describe(law)}: {takers}.")
    name = default_for(transform, law) if name == "auto" else method
    _validate.known(METHODS, method=name)
    if name not in CERTIFICATES:
        wanted = "noise of a latent: pixel_noise or surrogate_noise" if name == "cover" else "surrogate_noise"
        raise ValueError(f"Method {method!r} does not take {smoothing.describe(law)}, but {wanted}.")
    return ClosedForm(smoothing=law, certificate=CERTIFICATES[name]())


def assumptions(guarantee: Guarantee) -> tuple[str, ...]:
    """Says what a claim rests on besides this library's theorems: the parts that are not in its registries.

    What such a part promises (a bound, a law, a theorem) is taken from its author; ``gsmooth_jax.testing`` has the
    checks that the library's own pass.
    """
    transform, method = guarantee.transform, guarantee.method
    stages = transform.stages if isinstance(transform, Composition) else (transform,)
    own = {*TRANSFORMS.values(), *LAWS.values(), *METHODS.values(), ClosedForm, AugmentedNoise}
    parts = [("transform", s) for s in stages] + [("method", method)] + [("part", p) for p in method.parts]
    return tuple(f"{kind} {_named(part)}" for kind, part in parts if type(part) not in own)


def _named(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"
