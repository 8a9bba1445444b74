"""Recomputes every verdict of a run from the evidence in its files, without the classifier. Host."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gsmooth_jax.certify import closed_form
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.claims import Claim
from gsmooth_jax.types import ABSTAIN


def verify(guarantee: Guarantee, claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with the claims, one line a fault naming image and field; empty if all follow.

    Args:
      guarantee: rebuilt from the run's header.
      claims: of the run's results file.
    """
    threshold = closed_form.plan(guarantee).threshold
    faults: list[str] = []
    seen: set[int] = set()
    for claim in claims:
        faults += [f"image {claim.id}: {fault}" for fault in _faults(guarantee, claim, threshold)]
        if claim.id in seen:
            faults.append(f"image {claim.id}: listed twice")
        seen.add(claim.id)
    return faults


def _faults(g: Guarantee, claim: Claim, threshold: float) -> Iterator[str]:
    if len(claim.nodes) != 1:
        yield f"nodes: expected one smoothing centre, got {len(claim.nodes)}"
        return
    (stored,) = claim.nodes
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
    node = closed_form.evidence_bounds(g, counts, top, threshold)
    certified, radius = closed_form.verdict(g, node)
    derived = {
        "threshold": (stored.threshold, threshold),
        "p_lower": (stored.p_lower, node.p_lower),
        "p_upper": (stored.p_upper, node.p_upper),
        "radius": (claim.radius, radius),
        "alpha": (claim.alpha, g.alpha),
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
