"""Checks of what a claim is made of: each part is what its Protocol says, and stays what it was. Host."""

from collections.abc import Iterable
from typing import Any

import jax

from gsmooth_jax import _validate, pytrees
from gsmooth_jax.regions import Box, check_whole_ends
from gsmooth_jax.smoothing import PixelNoise, Product
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import Certificate, Domain, LatentNoise, Smoothing, Transform, param_dim


def check_transform(transform: Any) -> None:
    """Raises TypeError unless it is a transform that cannot change.

    It is compiled in, as it was when first used: an attribute that changes later would not be seen.
    """
    _validate.instance(transform=transform)
    described = "a transform: name, params, group, typical, and a call of (image, theta)"
    _validate.kind(Transform, described, transform=transform)
    for stage in stages_of(transform):
        options = getattr(stage, "__dataclass_params__", None)
        fixed = isinstance(stage, tuple) or (options is not None and options.frozen)
        try:
            hash(stage)
        except TypeError:
            fixed = False
        if not fixed:
            raise TypeError(
                f"Expected transform to be a frozen dataclass of hashable fields, as it is compiled in, got {stage!r}."
            )


def check_box(name: str, transform: Transform, region: Any) -> None:
    """Raises ValueError unless a method's region is a box of the transform's parameters, all of it in their range."""
    count = len(transform.params)
    if not isinstance(region, Box) or len(region.low) != count:
        raise ValueError(f"{name} takes a box of {count} parameters for {transform.name}, got {region}.")
    check_range(transform, region.low, region.high)
    check_whole_ends(transform, region.low, region.high)


def check_range(transform: Transform, lows: Iterable[float], highs: Iterable[float]) -> None:
    """Raises ValueError unless a transform is defined between such ends [P] of a region."""
    for p, low, high in zip(transform.params, lows, highs, strict=True):
        if low < p.low or high > p.high:
            raise ValueError(
                f"Expected the region of {transform.name} with {p.name} in [{p.low:g}, {p.high:g}], "
                f"got [{low:g}, {high:g}]."
            )


def check_entries(transform: Transform, region: Any, law: Any, domain: Domain) -> None:
    """Raises ValueError where a region or a law names another number of parameters than inputs of a domain give."""
    count = param_dim(transform, domain.shape)
    for part in (region, law):
        if getattr(part, "dim", None) not in (None, count):
            raise ValueError(
                f"Expected dim={count}, the parameters of {transform.name} for inputs {domain}, got {part}."
            )


def check_law(**laws: Any) -> None:
    """Raises TypeError unless every value is a law of a parameter whose numbers can be handed to the device.

    Or one law for each stage of a composition.
    """
    for name, law in laws.items():
        if isinstance(law, Product):
            _validate.kind(tuple, "a tuple of laws", **{f"{name}.laws": law.laws})
            for number, one in enumerate(law.laws):
                check_law(**{f"{name}.laws[{number}]": one})
            continue
        _validate.kind(Smoothing, "a law of the parameter, such as gs.Gaussian(sigma=0.5)", **{name: law})
        _check_numbers(name, law)


def check_noise(**noises: Any) -> None:
    """Raises TypeError unless every value is noise of a latent, or a text form of it."""
    for name, noise in noises.items():
        if isinstance(noise, SurrogateNoise):
            continue
        if not isinstance(noise, PixelNoise | AugmentedNoise):  # to ask them for all that they have would cost time
            _validate.kind(LatentNoise, "noise of a latent, such as gs.PixelNoise(sigma=0.25)", **{name: noise})
        _check_numbers(name, noise)


def check_certificate(certificate: Any) -> None:
    """Raises TypeError unless it is a theorem."""
    _validate.kind(Certificate, "a theorem: name, check, and certifies", certificate=certificate)


def check_method(method: Any) -> None:
    """Raises TypeError unless it is a method."""
    if isinstance(method, type) or not callable(getattr(method, "check", None)):
        raise TypeError(f"Expected method to be a method, such as gs.Cover(noise=...), got {method=}.")


def _check_numbers(name: str, part: Any) -> None:
    leaves = jax.tree.leaves(part, is_leaf=lambda leaf: leaf is None)
    if any(leaf is part for leaf in leaves):
        raise TypeError(
            f"Expected {name} to be a pytree (a dataclass of gsmooth_jax.pytrees.register), got {name}={part!r}."
        )
    pytrees.check(**{name: part})
    if any(leaf is None for leaf in leaves):
        raise TypeError(f"Expected {name} to hold numbers, got {name}={part!r}.")
