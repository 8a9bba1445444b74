"""One claim by a closed-form radius theory: choose a class, test its probability, apply the theorem. Host."""

import dataclasses
import time

import numpy as np

from gsmooth_jax.certificates import search
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import Claim, Evidence
from gsmooth_jax.estimation import bounds, keys, sequential
from gsmooth_jax.types import ABSTAIN, Example


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every image of a run has to show.

    Attributes:
      threshold: the region is certified if p_A is at least this (one-sided), rounded up.
      fewest: votes after which an image whose every vote is for its class is certified.
    """

    threshold: float
    fewest: int


def plan(guarantee: Guarantee) -> Plan:
    """Works out what the region needs, before any vote is cast.

    Raises:
      ValueError: the budget can never certify the region; the message says what it can, and what would.
    """
    g = guarantee
    threshold = search.threshold(g.certificate, g.law, g.region)
    if threshold >= 1.0:
        raise ValueError(f"No number of votes certifies {g.region} under {g.law}: its p_A would have to be 1.")
    if g.test == "sequential":
        fewest = bounds.smallest_n_sequential(threshold, g.alpha)
    else:
        fewest = bounds.smallest_n(threshold, g.alpha if g.test == "fixed" else g.alpha / 2)
    if fewest > g.max_votes:
        best = evidence_bounds(g, np.array([g.max_votes, 0, 0]), 0, threshold)
        reach = search.radius(g.certificate, g.law, g.region, best.p_lower, best.p_upper)
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
        lower = float(sequential.lower_confidence(successes, votes, guarantee.alpha))
        if sequential.SequentialTest(threshold, guarantee.alpha).decide(successes, votes) == "certified":
            lower = max(lower, threshold)  # the bisection inside lower_confidence rounds down
        upper = 1.0 - lower
    return Evidence(threshold=threshold, counts=tuple(int(c) for c in counts), p_lower=lower, p_upper=upper)


def verdict(guarantee: Guarantee, node: Evidence) -> tuple[bool, float]:
    """Applies the theorem: whether the region is proved, and the size that is (at least the region's own if so)."""
    g = guarantee
    certified = g.certificate.certifies(g.law, g.region, node.p_lower, node.p_upper)
    radius = search.radius(g.certificate, g.law, g.region, node.p_lower, node.p_upper)
    return certified, max(radius, g.region.size) if certified else radius


def prove(example: Example, guarantee: Guarantee, plan: Plan) -> Prover[Claim]:
    """The prover of one image: selection draws, then a test on fresh draws, then the theorem."""
    g, began = guarantee, time.perf_counter()

    def draws(phase: int, start: int, stop: int, limit: int) -> Draws:
        return Draws(example.image, example.id, 0, phase, start, stop, limit)

    selection = yield draws(keys.SELECT, 0, g.selection_votes, g.selection_votes)
    top = int(np.argmax(selection[:-1]))
    test = sequential.SequentialTest(plan.threshold, g.alpha, g.futility)
    counts, votes = np.zeros_like(selection), 0
    hopeless = selection[top] == 0
    while votes < g.max_votes and not hopeless:
        stop = min(votes + g.block, g.max_votes)
        counts = counts + (yield draws(keys.ESTIMATE, votes, stop, g.max_votes))
        votes = stop
        if g.test == "sequential" and test.decide(int(counts[top]), votes) != "undecided":
            break

    node = evidence_bounds(g, counts, top, plan.threshold)
    certified, radius = verdict(g, node)
    invalid = int(selection[-1] + counts[-1])
    return Claim(
        id=example.id,
        label=example.label,
        predicted=top if node.p_lower > node.p_upper else ABSTAIN,
        certified=certified,
        radius=radius,
        status="proved",
        alpha=g.alpha,
        votes=g.selection_votes + votes,
        seconds=time.perf_counter() - began,
        selection=tuple(int(c) for c in selection),
        nodes=(node,),
        note=f"{invalid} draws had NaN or infinite logits; each counts against the claim" if invalid else "",
    )
