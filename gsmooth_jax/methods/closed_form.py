"""Transforms with a composition law: the smoothing is a random transform, and a closed form says what it proves. Host.

HYPOTHESES. T(T(x, a), b) = T(x, gamma_a(b)) holds exactly (THEORY B1) and theta is drawn from the law. There is one
smoothing centre, the image itself, and one hypothesis at the whole alpha: p_A = P(f(T(x, theta)) = c) > t. A two-sided
test also bounds every other class from above (THEORY F5).

FORMULA. t is the smallest p_A at which the certificate covers every shift of the region, by the Neyman-Pearson lemma
for its law (THEORY 0.1, A1 to A6, A8, A9): under a normal law and parameters that add, |xi / sigma| < Phi^-1(p_A). The
radius is the size of the largest similar region that the same bound on p_A certifies (THEORY F10).

DIFFERENCES from GSmooth Theorem 1, TSS, Cohen et al., Muravev and Petiushko: radii are the exact ones of each
direction, where the published integral is too large for laws whose density has an edge (THEORY A7); contrast with
brightness, and compositions with a law for each stage, are tested exactly, over a whole box (THEORY A6, A9); a region
is a box or a ball, not a number; the test is sequential and anytime-valid (THEORY F2) unless asked otherwise, and a
fixed number of votes is looked at once.
"""

import dataclasses
import functools
from typing import Any, ClassVar

import numpy as np

from gsmooth_jax import _spec, smoothing
from gsmooth_jax.certificates import search
from gsmooth_jax.claims import Answer, Hypothesis, Ledger, Status
from gsmooth_jax.estimation import bounds, sequential
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.arguments import check_certificate, check_law
from gsmooth_jax.methods.base import (
    Conclusion,
    Evidence,
    Found,
    Guarantee,
    Inquiry,
    Pilots,
    Poll,
    Takes,
    Tests,
    check_classes,
    chosen_class,
)
from gsmooth_jax.smoothing import Product
from gsmooth_jax.smoothing.noise import ParameterNoise
from gsmooth_jax.types import Certificate, Example, Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClosedForm:
    """The method; see the module.

    Attributes:
      smoothing: the law of the transform's parameter, or one for each stage.
      certificate: the theorem.
    """

    smoothing: Smoothing | Product
    certificate: Certificate

    computes: ClassVar[bool] = False
    takes: ClassVar[Takes] = "law"
    picks: ClassVar[bool] = True
    block: ClassVar[int] = 8

    def __post_init__(self):
        check_law(smoothing=self.smoothing)
        check_certificate(self.certificate)

    @property
    def status(self) -> Status:
        """What its theorem says; of one that says nothing, proved."""
        return getattr(self.certificate, "status", "proved")

    @property
    def name(self) -> str:
        """The text of the theorem."""
        return _spec.describe(self.certificate)

    @property
    def law(self) -> str:
        """The text that ``smoothing.parse`` reads back."""
        return smoothing.describe(self.smoothing)

    @property
    def parts(self) -> tuple[object, ...]:
        """The law, or laws, and the theorem."""
        laws = self.smoothing.laws if isinstance(self.smoothing, Product) else (self.smoothing,)
        return (*laws, self.certificate)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the theorem's hypotheses hold."""
        if isinstance(self.smoothing, Product) and not hasattr(self.certificate, "transform"):
            raise ValueError(f"{self.name} takes one law, not one for each stage; got {self.law}.")
        self.certificate.check(transform, self.smoothing, region)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier."""
        check_classes(self.name, model)

    def vote(self, transform: Transform) -> ClassVote:
        """The classes of a draw of the transform."""
        return ClassVote(noise=ParameterNoise(transform=transform, law=self.smoothing))

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError when the budget can never certify the region."""
        plan(self, guarantee)

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take; raises ValueError when the budget can never certify the region."""
        del example
        needed, exact = plan(self, guarantee), getattr(self.certificate, "exact", None)
        beside = "" if exact is None else f" ({search.threshold(exact, self.smoothing, guarantee.region):.5g} exactly)"
        return (
            f"Needed: p_A >= {needed.threshold:.5g}{beside}, which takes {needed.fewest} votes if all agree; "
            f"at most {guarantee.max_votes:,} an image."
        )

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the class's probability, or half to it and half to all other classes' together.

        But for what a law takes whose curve is itself an estimate.
        """
        rest = _level(self, guarantee)
        taken = (("law's curve", guarantee.alpha - rest),) if rest < guarantee.alpha else ()
        if guarantee.test == "fixed_two_sided":
            half = 0.5 * rest
            return (("selection", 0.0), ("class, from below", half), ("other classes, from above", half), *taken)
        return (("selection", 0.0), ("class, from below", rest), *taken)

    def pilots(self, guarantee: Guarantee) -> int:
        """One: the image itself."""
        del guarantee
        return 1

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Selection draws choose the class; fresh draws test its probability."""
        del model
        g = guarantee
        (selection,) = yield Pilots([example.image])
        asked = _asked(g, selection, plan(self, g).threshold, _level(self, g))
        hopeless = max(selection[:-1]) == 0
        while asked[0].votes < g.max_votes and not hopeless:
            (asked,) = yield [Poll(example.image, asked, g.max_votes)]
            if g.test == "sequential" and tests.decide(asked[0]) != "undecided":
                break
        return Found(asked)

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Applies the theorem to the bounds that the votes prove: the region's claim, and the size that follows."""
        g, region = guarantee, guarantee.region
        faults = _faults(self, g, evidence)
        if faults:
            return Conclusion(None, False, 0.0, faults)
        top, *others = evidence.hypotheses
        p_lower = evidence.lower(top)
        p_upper = min([1.0 - p_lower, *(1.0 - min(map(evidence.lower, others)) for _ in others[:1])])
        certified = bool(self.certificate.certifies(self.smoothing, region, p_lower, p_upper))
        radius = search.radius(self.certificate, self.smoothing, region, p_lower, p_upper)
        statement = Answer(top.event) if p_lower > p_upper else None
        return Conclusion(statement, certified, max(radius, region.size) if certified else radius)


def _level(method: ClosedForm, g: Guarantee) -> float:
    """What of alpha is left to the votes."""
    return g.alpha - getattr(method.smoothing, "level", 0.0)


def _asked(
    g: Guarantee, selection: np.ndarray | tuple[int, ...], threshold: float, level: float
) -> tuple[Hypothesis, ...]:
    """The hypotheses about the class that the selection draws chose, and of a two-sided test about all other events.

    Draws with non-finite logits stand for one more class, which only widens the bound.
    """
    top = int(np.argmax(selection[:-1]))
    if g.test != "fixed_two_sided":
        return (Hypothesis((), (), threshold, 0, level, top),)
    half, others = 0.5 * level, [k for k in range(len(selection)) if k != top]
    own = Hypothesis((), (), threshold, 0, half, top)
    return (own, *(Hypothesis((), (), 0.0, 0, half / len(others), ~k) for k in others))


def _faults(method: ClosedForm, g: Guarantee, evidence: Evidence) -> tuple[str, ...]:
    selection, found = evidence.selection, evidence.hypotheses
    _, wrong = chosen_class(selection, g)
    if len(selection) < 2:
        return wrong
    asked = _asked(g, selection, plan(method, g).threshold, _level(method, g))
    faults = list(wrong)
    if len(found) != len(asked):
        return (f"hypotheses: expected {len(asked)} about one smoothing centre, got {len(found)}",)
    for says, follows in zip(found, asked, strict=True):
        if says._replace(successes=0, votes=0, threshold=follows.threshold) != follows:
            faults.append(f"hypotheses: expected {follows}, got {says}")
        if abs(says.threshold - follows.threshold) > 1e-9 * follows.threshold:
            faults.append(f"threshold: the file says {says.threshold!r}, the theorem gives {follows.threshold!r}")
    votes, against = found[0].votes, sum(h.votes - h.successes for h in found[1:])
    if found[1:] and found[0].successes + against != votes:
        faults.append(f"successes: {found[0].successes} and {against} against other events do not add up to {votes}")
    if votes > g.max_votes:
        faults.append(f"votes: {votes}, the header allows {g.max_votes}")
    if g.test != "sequential" and votes not in (0, g.max_votes):
        faults.append(f"votes: {votes}, a fixed test casts {g.max_votes}")
    return tuple(faults)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every image of a run has to show.

    Attributes:
      threshold: the region is certified if p_A is at least this (one-sided), rounded up.
      fewest: votes after which an image whose every vote is for its class is certified.
    """

    threshold: float
    fewest: int


@functools.lru_cache(maxsize=8)
def plan(method: ClosedForm, guarantee: Guarantee) -> Plan:
    """Works out what the region needs, before any vote is cast.

    Raises:
      ValueError: the budget can never certify the region; the message says what it can, and what would.
    """
    g, certificate, law = guarantee, method.certificate, method.smoothing
    level = _level(method, g)
    if level <= 0.0:
        raise ValueError(f"Expected alpha above the level of the law's curve, got alpha={g.alpha!r} and {law}.")
    threshold = search.threshold(certificate, law, g.region)
    if threshold >= 1.0:
        raise ValueError(f"No number of votes certifies {g.region} under {law}: its p_A would have to be 1.")
    if g.test == "sequential":
        fewest = bounds.smallest_n_sequential(threshold, level)
    else:
        fewest = bounds.smallest_n(threshold, level if g.test == "fixed" else level / 2)
    if fewest > g.max_votes:
        best = _unanimous(g, level)
        reach = search.radius(certificate, law, g.region, best, 1.0 - best)
        raise ValueError(
            f"max_votes={g.max_votes} can never certify {g.region} at alpha={g.alpha}: "
            f"even {g.max_votes} unanimous votes only reach size {reach:.4g} "
            f"(they prove p_A >= {best:.6g}; needed: {threshold:.6g}). "
            f"Expected max_votes >= {fewest}, a smaller region or a wider law."
        )
    return Plan(threshold, -(-fewest // g.block) * g.block)


def _unanimous(g: Guarantee, level: float) -> float:
    """The bound on p_A when every vote of the budget is for the class."""
    if g.test == "sequential":
        return float(sequential.lower_confidence(g.max_votes, g.max_votes, level))
    return bounds.largest_p_lower(g.max_votes, level if g.test == "fixed" else level / 2)
