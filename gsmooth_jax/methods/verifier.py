"""Recomputes one claim from its evidence, without the model: the counterpart of ``prover``. Host."""

import math
from collections.abc import Iterator
from typing import Any

from gsmooth_jax.claims import Ballot, Claim, Hypothesis, Window
from gsmooth_jax.methods import prover
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.registry import assumptions
from gsmooth_jax.methods.tests import Tests


def faults(claim: Claim, guarantee: Guarantee, tests: Tests) -> Iterator[str]:
    """Yields what does not follow from a claim's evidence, one line a fault, beginning with the field's name.

    Votes are taken as they are, and so is what was computed about the input: thresholds and the parts of the region.

    Args:
      claim: as recorded.
      guarantee: the claim's terms.
      tests: of the guarantee.
    """
    method = guarantee.method
    if impossible := list(_impossible(claim, guarantee)):
        yield from impossible
        return
    conclusion = method.concludes(
        prover.evidence(claim.selection, claim.hypotheses, tests, claim.windows, claim.ballots), guarantee
    )
    yield from conclusion.faults
    assumes, ledger = assumptions(guarantee), method.ledger(guarantee)
    derived = {
        "certified": (claim.certified, conclusion.certified),
        "statement": (claim.statement, conclusion.statement),
        "radius": (claim.radius, conclusion.radius),
        "alpha": (claim.alpha, prover.alpha(ledger, guarantee)),
        "ledger": (claim.ledger, ledger),
        "votes": (
            claim.votes,
            prover.selected(claim.selection, guarantee) + prover.votes_of(claim.hypotheses, claim.ballots, guarantee),
        ),
        "status": (claim.status, "conditional" if assumes and method.status == "proved" else method.status),
        "assumes": (claim.assumes, assumes),
    }
    for field, (says, follows) in derived.items():
        if not _same(says, follows):
            yield f"{field}: the file says {says!r}, the evidence gives {follows!r}"


def _impossible(claim: Claim, guarantee: Guarantee) -> Iterator[str]:
    """What no prover writes: hypotheses with votes or values that cannot be."""
    most = guarantee.selection_votes if guarantee.method.pilots(guarantee) else 0
    if any(type(count) is not int or not 0 <= count <= most for count in claim.selection):
        yield f"selection: impossible counts {claim.selection}"
    params = len(guarantee.transform.params)
    strange = next((h for h in claim.hypotheses if not _possible(h, params, len(claim.selection))), None)
    if strange is not None:
        yield f"hypotheses: impossible values: {strange}"
        return
    if (level := max((h.level for h in claim.hypotheses), default=0.0)) > guarantee.alpha:
        yield f"hypotheses: tested at the level {level}, above the header's alpha {guarantee.alpha}"
        return
    if len({(h.centre_id, h.event) for h in claim.hypotheses}) != len(claim.hypotheses):
        yield "hypotheses: one about the same centre and event is listed twice"
    if len({(h.centre_id, h.votes) for h in claim.hypotheses}) != len({h.centre_id for h in claim.hypotheses}):
        yield "hypotheses: those about one centre have different numbers of votes"
    yield from _impossible_windows(claim, guarantee)


def _impossible_windows(claim: Claim, guarantee: Guarantee) -> Iterator[str]:
    params, events, block = len(guarantee.transform.params), len(claim.selection), guarantee.block
    strange = next((b for b in claim.ballots if not _possible_ballot(b, events, block)), None)
    if strange is not None:
        yield f"ballots: impossible values: {strange}"
        return
    lengths = {b.centre_id: len(b.successes) for b in claim.ballots}
    if len({(b.centre_id, b.event) for b in claim.ballots}) != len(claim.ballots):
        yield "ballots: one about the same centre and event is listed twice"
    if any(len(b.successes) != lengths[b.centre_id] for b in claim.ballots):
        yield "ballots: those of one centre have different numbers of votes"
    strange = next((w for w in claim.windows if not _possible_window(w, params, guarantee.alpha, events)), None)
    if strange is not None:
        yield f"windows: impossible values: {strange}"
    elif {h.centre_id for h in claim.hypotheses} & set(lengths):
        yield "hypotheses: of a centre whose votes windows share"


def _possible_ballot(b: Ballot, events: int, block: int) -> bool:
    return (
        set(map(type, (b.centre_id, b.event, *b.successes))) == {int}
        and b.centre_id >= 0
        and all(0 <= s <= block for s in b.successes)
        and (not events or -events <= b.event < events)
    )


def _possible_window(w: Window, params: int, alpha: float, events: int) -> bool:
    ids = [w.centre_id + offset for pair in w.pairs for offset in pair]
    return (
        len(w.low) == len(w.high) == params
        and set(map(type, (*w.low, *w.high, *w.bounds, w.level))) == {float}
        and all(a <= b for a, b in zip(w.low, w.high, strict=True))
        and len(w.bounds) == len(w.pairs) > 0
        and all(len(pair) == 2 for pair in w.pairs)
        and len(set(ids)) == sum(len(set(pair)) for pair in w.pairs)
        and all(0.0 < q <= 1.0 for q in w.bounds)
        and 0.0 <= w.level <= alpha
        and set(map(type, (w.centre_id, w.event, *ids))) == {int}
        and min(ids) >= 0
        and (not events or -events <= w.event < events)
    )


def _possible(h: Hypothesis, params: int, events: int) -> bool:
    whole = (h.centre_id, h.event, h.successes, h.votes)
    return (
        type(h.low) is type(h.high) is tuple
        and len(h.low) == len(h.high)
        and len(h.low) in (0, params)
        and all(type(end) is float and math.isfinite(end) for end in h.low + h.high)
        and all(a <= b for a, b in zip(h.low, h.high, strict=True))
        and type(h.threshold) is type(h.level) is float
        and 0.0 <= h.threshold <= 1.0
        and 0.0 <= h.level <= 1.0
        and set(map(type, whole)) == {int}
        and type(h.shared) is bool
        and h.centre_id >= 0
        and 0 <= h.successes <= h.votes
        and (not events or -events <= h.event < events)
    )


def _same(says: Any, follows: Any) -> bool:
    if isinstance(says, float) and isinstance(follows, float):
        return math.isclose(says, follows, rel_tol=1e-9, abs_tol=1e-12)
    return says == follows
