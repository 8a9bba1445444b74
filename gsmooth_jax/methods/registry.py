"""From names to methods: what ``--method`` and ``--law`` mean, and which parts are this library's own. Host."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Any, cast

from gsmooth_jax import _spec, _validate, smoothing
from gsmooth_jax.certificates import CERTIFICATES, default_for
from gsmooth_jax.methods.arguments import check_law, check_method, check_noise, check_transform
from gsmooth_jax.methods.base import Guarantee, Method, Takes
from gsmooth_jax.methods.cc_cert import CCCert
from gsmooth_jax.methods.closed_form import ClosedForm
from gsmooth_jax.methods.cover import Cover
from gsmooth_jax.methods.cover.cells import Cells
from gsmooth_jax.methods.enumerate import Enumerate
from gsmooth_jax.methods.gsmooth import GSmooth
from gsmooth_jax.methods.interval import IntervalBounds
from gsmooth_jax.methods.median import Median
from gsmooth_jax.methods.spt import Spt
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import PixelNoise, Product
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise
from gsmooth_jax.transforms import TRANSFORMS, stages_of
from gsmooth_jax.types import LatentNoise, Region, Smoothing, Transform

METHODS: dict[str, Any] = {**CERTIFICATES} | {
    "cc_cert": CCCert,
    "cover": Cover,
    "enumerate": Enumerate,
    "gsmooth": GSmooth,
    "interval": IntervalBounds,
    "median": Median,
    "spt": Spt,
}
"""Name -> the theorem of a ``ClosedForm``, or the method."""

LAWS = {**smoothing.SMOOTHINGS, PixelNoise.name: PixelNoise, SurrogateNoise.name: SurrogateNoise}
"""Name -> a law of the parameter, or the noise of a latent."""

Law = Smoothing | Product | LatentNoise | SurrogateNoise


def parse(name: str, law: str, transform: Transform, folders: Sequence[pathlib.Path] = ()) -> Method:
    """Returns the method of that name with the law that the text describes, if any; see ``choose``.

    A surrogate is only read when the text does not say by its fingerprint which one it was. Its path may have been
    written down for another working folder: see ``SurrogateNoise.seen_from`` for the folders.
    """
    found: Any = smoothing.parse(law, LAWS) if law else None
    if isinstance(found, SurrogateNoise):
        found = found.seen_from(*folders).pinned()
    return choose(name, found, transform)


def takes(name: str) -> Takes:
    """What a method is given, by the text that names it (``auto`` takes a law or noise)."""
    head = _spec.head(name)
    return "law" if head == "auto" else _found(head)[1]


def choose(method: str | Method, law: Law | None, transform: Transform) -> Method:
    """Returns the method of that name; ``auto`` takes the one made for the law and the transform.

    A method that is one already brings its law.

    Raises:
      ValueError: an unknown name, or a method that the law does not fit.
    """
    check_transform(transform)
    if not isinstance(method, str):
        if law is not None:
            raise ValueError(f"Expected a law, or a method that brings its own; got {law=} and {method=}.")
        check_method(method)
        return method
    if law is not None:
        _check_brought(law)
    name, given = _spec.head(method), _given(law)
    if name == "auto":
        if given == "nothing":
            raise ValueError(f"Expected a law, or a method that brings its own; got {law=} and {method=}.")
        method = name = default_for(transform, cast(Smoothing | Product, law)) if given == "law" else "cover"
    factory, wanted = _found(name)
    if given != wanted and (given, wanted) != ("surrogate", "latent"):
        raise ValueError(_misfit(method, wanted, law, given))
    if wanted == "law" and not hasattr(factory, "hypotheses"):
        of = {"transform": transform} if "transform" in getattr(factory, "__dataclass_fields__", ()) else {}
        theorem = _spec.build(method, {name: functools.partial(factory, **of)}, kind="method")
        return ClosedForm(smoothing=cast(Smoothing | Product, law), certificate=theorem)
    brought = {} if given == "nothing" else {"noise": law}
    return _spec.build(method, {name: functools.partial(factory, **brought)}, kind="method")


def guarantee(*, transform: Transform, region: Region, method: Method, **terms: Any) -> Guarantee:
    """Returns the terms of a claim; where its method cannot prove such a one, the error lists those that can.

    Args:
      transform: of the claim.
      region: likewise.
      method: likewise.
      terms: the others, see ``Guarantee``.

    Raises:
      ValueError: as ``Guarantee``.
    """
    try:
        return Guarantee(transform=transform, region=region, method=method, **terms)
    except ValueError as error:
        if not isinstance(region, Box | Ball) or _checks(method, transform, region):
            raise
        others = [name for name in able(transform, region) if name != _spec.head(method.name)]
        raise ValueError(f"{error} Methods for it: {', '.join(others)}." if others else str(error)) from error


def _checks(method: Method, transform: Transform, region: Region) -> bool:
    """Whether a method takes a transform and a region."""
    try:
        method.check(transform, region)
    except ValueError:
        return False
    return True


def able(transform: Transform, region: Region) -> list[str]:
    """Returns the methods for classifiers that take a transform and a region, under a law or a noise of the library's.

    Those that need a surrogate are not among them.
    """
    stages = [stage for stage in stages_of(transform) if stage.params]
    laws = [smoothing.Gaussian(sigma=1.0), smoothing.LogNormal(sigma=1.0), smoothing.Exponential(scale=1.0)]
    each = Product((laws[0],) * len(stages)) if len(stages) > 1 else None
    tried: list[Law | None] = [None, PixelNoise(sigma=0.25), *laws, *([each] if each else [])]
    texts = {name: name for name in METHODS if name != "median"}  # which is about numbers
    texts |= {"spt": "spt(inner=0.1)"}  # it cannot do without
    return [name for name, text in texts.items() if any(_fits(text, law, transform, region) for law in tried)]


def _fits(name: str, law: Law | None, transform: Transform, region: Region) -> bool:
    try:
        return _checks(choose(name, law, transform), transform, region)
    except (ValueError, TypeError):  # a required option that is not given is a TypeError
        return False


def _check_brought(law: Any) -> None:
    _validate.instance(law=law)
    if isinstance(law, SurrogateNoise | AugmentedNoise | PixelNoise) or hasattr(law, "encode"):
        check_noise(law=law)
    else:
        check_law(law=law)


def _found(name: str) -> tuple[Any, Takes]:
    """The class of a method or certificate, and what it takes."""
    factory = _spec.find(name, METHODS, kind="method")
    return factory, getattr(factory, "takes", "law")


def describe(method: Method) -> str:
    """Returns the text of a method, which ``parse`` reads back together with its law's."""
    if _spec.own(method):
        return method.name
    fields = [f for f in dataclasses.fields(method) if f.name != "noise"]  # pyright: ignore[reportArgumentType]
    written = ", ".join(f"{f.name}={getattr(method, f.name)!r}" for f in fields)
    return f"{_spec.head(_spec.describe(method))}({written})"


def _given(law: Law | None) -> Takes:
    if law is None:
        return "nothing"
    if isinstance(law, AugmentedNoise | SurrogateNoise):
        return "surrogate"
    return "latent" if isinstance(law, LatentNoise) else "law"


_WORDS: dict[Takes, str] = {
    "law": "a law of the parameter, such as gaussian",
    "latent": "noise of a latent: pixel_noise or surrogate_noise",
    "surrogate": "surrogate_noise",
    "nothing": "none",
}


def _misfit(method: str, wanted: Takes, law: Law | None, given: Takes) -> str:
    if law is None:
        return f"Expected a law for method {method!r}: {_WORDS[wanted]}; got {law=}."
    shown = smoothing.describe(law)
    if given == "law":
        return f"Method {method!r} does not take {shown}, but {_WORDS[wanted]}."
    own = ("latent", "surrogate") if given == "surrogate" else ("latent",)
    takers = [n for n, m in METHODS.items() if getattr(m, "takes", "law") in own]
    return f"Method {method!r} does not take {shown}: {_spec.head(shown)} is for {' and '.join(takers)}."


def assumptions(guarantee: Guarantee) -> tuple[str, ...]:
    """Says what a claim rests on besides this library's theorems: the parts that are not in its registries.

    And what its method assumes by itself, if it says so.

    What such a part promises (a bound, a law, a theorem) is taken from its author; ``gsmooth_jax.testing`` has the
    checks that the library's own pass.
    """
    own = {*TRANSFORMS.values(), *LAWS.values(), *METHODS.values(), ClosedForm, Cells, AugmentedNoise}
    given = tuple(f"{kind} {_named(part)}" for kind, part in parts(guarantee) if type(part) not in own)
    assumes = getattr(guarantee.method, "assumes", None)
    return given if assumes is None else given + assumes(guarantee)


def parts(guarantee: Guarantee) -> list[tuple[str, object]]:
    """Returns everything that a claim is made with: (what it is, the object)."""
    transform, method = guarantee.transform, guarantee.method
    stages = stages_of(transform)
    return [("transform", s) for s in stages] + [("method", method)] + [("part", p) for p in method.parts]


def _named(part: object) -> str:
    if dataclasses.is_dataclass(part):
        return _spec.head(_spec.describe(part))
    return f"{type(part).__module__}:{type(part).__qualname__}"
