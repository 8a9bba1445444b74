"""One claim by a closed-form radius theory: choose a class, test its probability, apply the theorem. Host."""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from gsmooth_jax import smoothing
from gsmooth_jax.certificates import search
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import Claim, Evidence, Ledger
from gsmooth_jax.estimation import bounds, keys, sequential
from gsmooth_jax.smoothing.noise import ParameterNoise
from gsmooth_jax.types import ABSTAIN, Certificate, Example, Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClosedForm:
    """The smoothing is a random transform, and a theorem says what its class probability proves.

    Attributes:
      smoothing: the law of the transform's parameter.
      certificate: the theorem.
    """

    smoothing: Smoothing
    certificate: Certificate

    geometric: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The theorem's."""
        return self.certificate.name

    @property
    def law(self) -> str:
        """The text that ``smoothing.parse`` reads back."""
        return smoothing.describe(self.smoothing)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the theorem's hypotheses hold."""
        self.certificate.check(transform, self.smoothing, region)

    def voting_noise(self, transform: Transform) -> ParameterNoise:
        """A draw of the transform."""
        return ParameterNoise(transform=transform, law=self.smoothing)

    def requirement(self, guarantee: Guarantee) -> str:
        """Says what a claim will take; raises ValueError when the budget can never certify the region."""
        needed = plan(self, guarantee)
        return (
            f"Needed: p_A >= {needed.threshold:.5g}, which takes {needed.fewest} votes if all agree; "
            f"at most {guarantee.max_votes:,} an image."
        )

    def proving(self, guarantee: Guarantee) -> Callable[[Example], Prover[Claim]]:
        """Works out what the region needs, then returns ``prove`` for these terms."""
        return functools.partial(prove, method=self, guarantee=guarantee, plan=plan(self, guarantee))

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the class's probability, or half to it and half to all other classes' together."""
        if guarantee.test == "fixed_two_sided":
            half = 0.5 * guarantee.alpha
            return (("selection", 0.0), ("class, from below", half), ("other classes, from above", half))
        return (("selection", 0.0), ("class, from below", guarantee.alpha))

    def checking(self, guarantee: Guarantee) -> Callable[[Claim], Iterator[str]]:
        """Returns what recomputes a claim from its votes."""
        return functools.partial(_faults, self, guarantee, threshold=plan(self, guarantee).threshold)


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
    threshold = search.threshold(certificate, law, g.region)
    if threshold >= 1.0:
        raise ValueError(f"No number of votes certifies {g.region} under {law}: its p_A would have to be 1.")
    if g.test == "sequential":
        fewest = bounds.smallest_n_sequential(threshold, g.alpha)
    else:
        fewest = bounds.smallest_n(threshold, g.alpha if g.test == "fixed" else g.alpha / 2)
    if fewest > g.max_votes:
        best = evidence_bounds(g, np.array([g.max_votes, 0, 0]), 0, threshold)
        reach = search.radius(certificate, law, g.region, best.p_lower, best.p_upper)
        raise ValueError(
            f"max_votes={g.max_votes} can never certify {g.region} at alpha={g.alpha}: "
            f"even {g.max_votes} unanimous votes only reach size {reach:.4g} "
            f"(they prove p_A >= {best.p_lower:.6g}; needed: {threshold:.6g}). "
            f"Expected max_votes >= {fewest}, a smaller region or a wider law."
        )
    return Plan(threshold, -(-fewest // g.block) * g.block)


def evidence_bounds(guarantee: Guarantee, counts: np.ndarray, top: int, threshold: float) -> Evidence:
    """Bounds the class probabilities from the votes of one test, as the guarantee's test does.

    Args:
      guarantee: names the test and alpha.
      counts: [K + 1], the last being non-finite draws.
      top: the class chosen beforehand, from other draws.
      threshold: what p_A has to reach.
    """
    votes, successes = int(counts.sum()), int(counts[top])
    if votes == 0:
        lower, upper = 0.0, 1.0
    elif guarantee.test == "fixed_two_sided":
        # Draws with non-finite logits stand for one more class, which only widens the bound.
        lower, upper = bounds.top_and_runner_up(counts, top, guarantee.alpha)
    elif guarantee.test == "fixed":
        lower = float(bounds.proportion_lower(successes, votes, guarantee.alpha))
        upper = 1.0 - lower
    else:
        lower = _sequential_lower(successes, votes, guarantee.alpha, threshold)
        upper = 1.0 - lower
    return Evidence(threshold=threshold, counts=tuple(int(c) for c in counts), p_lower=lower, p_upper=upper)


@functools.lru_cache(maxsize=4096)  # images of a run often end with the same counts
def _sequential_lower(successes: int, votes: int, alpha: float, threshold: float) -> float:
    lower = float(sequential.lower_confidence(successes, votes, alpha))
    if sequential.SequentialTest(threshold, alpha).decide(successes, votes) == "certified":
        lower = max(lower, threshold)  # the bisection inside lower_confidence rounds down
    return lower


def verdict(method: ClosedForm, region: Region, node: Evidence) -> tuple[bool, float]:
    """Applies the theorem: whether the region is proved, and the size that is (at least the region's own if so)."""
    certified = method.certificate.certifies(method.smoothing, region, node.p_lower, node.p_upper)
    radius = search.radius(method.certificate, method.smoothing, region, node.p_lower, node.p_upper)
    return certified, max(radius, region.size) if certified else radius


def prove(example: Example, method: ClosedForm, guarantee: Guarantee, plan: Plan) -> Prover[Claim]:
    """The prover of one image: selection draws, then a test on fresh draws, then the theorem."""
    g, began = guarantee, time.perf_counter()

    def draws(phase: int, start: int, stop: int, limit: int) -> list[Draws]:
        return [Draws(example.image, example.id, 0, phase, start, stop, limit)]

    (selection,) = yield draws(keys.SELECT, 0, g.selection_votes, g.selection_votes)
    top = int(np.argmax(selection[:-1]))
    test = sequential.SequentialTest(plan.threshold, g.alpha, g.futility)
    counts, votes = np.zeros_like(selection), 0
    hopeless = selection[top] == 0
    while votes < g.max_votes and not hopeless:
        stop = min(votes + g.block, g.max_votes)
        (new,) = yield draws(keys.ESTIMATE, votes, stop, g.max_votes)
        counts, votes = counts + new, stop
        if g.test == "sequential" and test.decide(int(counts[top]), votes) != "undecided":
            break

    node = evidence_bounds(g, counts, top, plan.threshold)
    certified, radius = verdict(method, g.region, node)
    invalid = int(selection[-1] + counts[-1])
    return Claim(
        id=example.id,
        label=example.label,
        predicted=top if node.p_lower > node.p_upper else ABSTAIN,
        certified=certified,
        radius=radius,
        status="proved",
        alpha=g.alpha,
        ledger=method.ledger(g),
        votes=g.selection_votes + votes,
        seconds=time.perf_counter() - began,
        selection=tuple(int(c) for c in selection),
        nodes=(node,),
        note=f"{invalid} draws had NaN or infinite logits; each counts against the claim" if invalid else "",
    )


def _faults(method: ClosedForm, g: Guarantee, claim: Claim, *, threshold: float) -> Iterator[str]:
    if len(claim.nodes) != 1:
        yield f"nodes: expected one smoothing centre, got {len(claim.nodes)}"
        return
    (stored,) = claim.nodes
    if not isinstance(stored, Evidence):
        yield "nodes: expected the votes of one test, got a cell"
        return
    selection, counts = np.array(claim.selection), np.array(stored.counts)
    if selection.shape != counts.shape or (selection < 0).any() or (counts < 0).any():
        yield f"counts: impossible: selection {claim.selection}, test {stored.counts}"
        return
    if selection.sum() != g.selection_votes:
        yield f"selection: {selection.sum()} votes, the header says {g.selection_votes}"
    if counts.sum() > g.max_votes:
        yield f"counts: {counts.sum()} votes, the header allows {g.max_votes}"
    if g.test != "sequential" and counts.sum() not in (0, g.max_votes):
        yield f"counts: {counts.sum()} votes, a fixed test casts {g.max_votes}"

    top = int(np.argmax(selection[:-1]))
    node = evidence_bounds(g, counts, top, threshold)
    certified, radius = verdict(method, g.region, node)
    derived = {
        "threshold": (stored.threshold, threshold),
        "p_lower": (stored.p_lower, node.p_lower),
        "p_upper": (stored.p_upper, node.p_upper),
        "radius": (claim.radius, radius),
        "alpha": (claim.alpha, g.alpha),
        "ledger": (claim.ledger, method.ledger(g)),
        "votes": (claim.votes, int(selection.sum() + counts.sum())),
        "certified": (claim.certified, certified),
        "predicted": (claim.predicted, top if node.p_lower > node.p_upper else ABSTAIN),
        "status": (claim.status, "proved"),
    }
    for field, (says, follows) in derived.items():
        same = (
            math.isclose(says, follows, rel_tol=1e-9, abs_tol=1e-12) if isinstance(follows, float) else says == follows
        )
        if not same:
            yield f"{field}: the file says {says!r}, the evidence gives {follows!r}"
