"""Which stages have a composition law together, and what it is (THEORY B3)."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp

from gsmooth_jax.transforms.brightness import Brightness
from gsmooth_jax.transforms.brightness_contrast import BrightnessContrast
from gsmooth_jax.transforms.contrast import Contrast
from gsmooth_jax.transforms.gamma import Gamma
from gsmooth_jax.transforms.gaussian_blur import GaussianBlur
from gsmooth_jax.transforms.translation import Translation
from gsmooth_jax.types import Transform

Kind = Literal["translation", "gaussian_blur", "brightness", "contrast", "gamma"]

_KINDS: dict[type, tuple[tuple[Kind, int], ...]] = {
    Translation: (("translation", 0), ("translation", 1)),
    GaussianBlur: (("gaussian_blur", 0),),
    Brightness: (("brightness", 0),),
    Contrast: (("contrast", 0),),
    Gamma: (("gamma", 0),),
    BrightnessContrast: (("brightness", 1), ("contrast", 0)),
}
"""Class -> what its parameters do, in the order in which they do it, and their places in theta."""

_COMMUTE = {
    frozenset(pair)
    for pair in (
        ("translation", "gaussian_blur"),
        ("translation", "brightness"),
        ("translation", "contrast"),
        ("translation", "gamma"),
        ("gaussian_blur", "brightness"),
        ("gaussian_blur", "contrast"),
    )
}
_RESCALE: set[tuple[Kind, Kind]] = {("contrast", "brightness"), ("gamma", "contrast")}
"""(factor, what it rescales), the factor's stage first."""

_RESCALE_BEHIND: set[tuple[Kind, Kind]] = {("contrast", "brightness")}
"""The same, what is rescaled first."""

_FEW = 5
"""Stages whose orders are tried, for a message."""


@dataclasses.dataclass(frozen=True)
class Rescaling:
    """The one parameter whose attack or whose noise another one multiplies.

    Attributes:
      factor: place in theta of the logarithm of the factor.
      scaled: place of what it multiplies.
      before: whether the factor's stage comes first: then draws multiply the attack, else the attack divides draws.
    """

    factor: int
    scaled: int
    before: bool


@dataclasses.dataclass(frozen=True)
class Part:
    """One parameter of a composition.

    Attributes:
      kind: what it does.
      place: in theta.
      stage: whose it is.
      number: which stage that is.
    """

    kind: Kind
    place: int
    stage: Transform
    number: int


def known(stages: Sequence[Transform]) -> bool:
    """Whether all stages are such as have laws with others."""
    return all(type(stage) in _KINDS for stage in stages)


def parts(stages: Sequence[Transform]) -> list[Part]:
    """Returns the parameters of stages that have laws with others, in the order in which they act."""
    found, start = [], 0
    for number, stage in enumerate(stages):
        found += [Part(kind, start + place, stage, number) for kind, place in _KINDS[type(stage)]]
        start += len(stage.params)
    return found


def lawless(stages: Sequence[Transform]) -> str:
    """Says which stages have no composition law that is known here; empty where all have one together.

    Names an order of the stages in which they would have one, if there is one.
    """
    if len(stages) == 1:
        return "" if stages[0].group != "none" else f"stage {stages[0].name!r} has none."
    for stage in stages:
        if type(stage) not in _KINDS:
            alone = "" if getattr(stage, "group", "none") == "none" else " together with others"
            return f"stage {stage.name!r} has none{alone}."
    for first, second in itertools.combinations(parts(stages), 2):
        if first.number != second.number and not _lawful(first, second):
            why = f"{first.stage.name!r} before {second.stage.name!r} has none here."
            if frozenset((first.kind, second.kind)) in _COMMUTE:
                return f"{why} With gaussian_blur(border='cyclic') it would."
            orders = itertools.permutations(stages) if len(stages) <= _FEW else iter(())
            order = next((o for o in orders if _pairwise(o)), None)
            return f"{why} In this order it would: {'|'.join(s.name for s in order)}." if order else why
    return ""


def rescaling(stages: Sequence[Transform]) -> Rescaling | None:
    """Returns the pair of stages' parameters of which one rescales the other; None where all of them add."""
    if len(stages) == 1:
        return Rescaling(0, 1, before=False) if stages[0].group == "brightness_contrast" else None
    for first, second in itertools.combinations(parts(stages), 2):
        if (first.kind, second.kind) in _RESCALE:
            return Rescaling(first.place, second.place, before=True)
        if (second.kind, first.kind) in _RESCALE_BEHIND:
            return Rescaling(second.place, first.place, before=False)
    return None


def resolve(stages: Sequence[Transform], first: jax.Array, second: jax.Array) -> jax.Array:
    """Returns the parameter [P] that does what ``first`` [P] and then ``second`` do. Device."""
    total, found = first + second, rescaling(stages)
    if found is None:
        return total
    f, s = found.factor, found.scaled
    if found.before:
        return total.at[s].set(jnp.exp(second[f]) * first[s] + second[s])
    return total.at[s].set(first[s] + jnp.exp(-first[f]) * second[s])


def _pairwise(stages: Sequence[Transform]) -> bool:
    pairs = itertools.combinations(parts(stages), 2)
    return all(_lawful(a, b) for a, b in pairs if a.number != b.number)


def _lawful(first: Part, second: Part) -> bool:
    if frozenset((first.kind, second.kind)) in _COMMUTE:
        blurs = (p.stage for p in (first, second) if isinstance(p.stage, GaussianBlur))
        shifts = "translation" in (first.kind, second.kind)
        return not shifts or all(blur.border == "cyclic" for blur in blurs)
    return (first.kind, second.kind) in _RESCALE or (second.kind, first.kind) in _RESCALE_BEHIND
