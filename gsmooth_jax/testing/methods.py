"""What every method promises: ``check_method``."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee, Method
from gsmooth_jax.methods.stream import certify_stream
from gsmooth_jax.models import Model
from gsmooth_jax.results import headers, records
from gsmooth_jax.results.verify import verify
from gsmooth_jax.types import Example, Region, Transform


def check_method(
    method: Method,
    *,
    model: Model,
    examples: Sequence[Example],
    transform: Transform,
    region: Region,
    **terms: Any,
) -> list[Claim]:
    """Certifies a few inputs, and checks what is shared by all methods: that claims follow from their evidence alone.

    What a method's theorem says is its author's to test: against inputs whose truth is known, and by the rate of false
    claims at a large alpha.

    Args:
      method: with its noise.
      model: a small one.
      examples: some that the method certifies and some that it does not.
      transform: what the adversary applies.
      region: its parameters.
      **terms: of the ``Guarantee``, such as ``max_votes``.

    Returns:
      The claims, for tests of their truth.

    Raises:
      AssertionError: a promise that is not kept.
    """
    guarantee = Guarantee(transform=transform, region=region, method=method, **terms)
    _check_texts(guarantee)
    ledger = method.ledger(guarantee)
    assert len({name for name, _ in ledger}) == len(ledger), f"the ledger names a part twice: {ledger}"
    assert all(level >= 0.0 for _, level in ledger), f"a part of alpha is negative: {ledger}"
    assert sum(level for _, level in ledger) <= guarantee.alpha * (1 + 1e-12), f"more than alpha is spent: {ledger}"

    claims = list(certify_stream(model, examples, guarantee))
    assert [c.id for c in claims] == [e.id for e in examples]
    assert any(c.certified for c in claims), "none of the examples is certified: nothing is tested"
    assert not all(c.certified for c in claims), "all of the examples are certified: nothing is tested"
    again = certify_stream(model, examples[::-1], guarantee, Execution(rows=3, devices=1, in_flight=1))
    assert [_timeless(c) for c in again] == [_timeless(c) for c in claims[::-1]], "execution or order changes a claim"
    assert verify(guarantee, claims) == []
    for claim in claims:
        ((line, _),) = records.lines_of(records.to_record(claim))
        assert records.from_line(line) == claim
        _check_evidence(claim, guarantee)
    return claims


def _timeless(claim: Claim) -> Claim:
    """A claim without what depends on the clock."""
    return dataclasses.replace(claim, **{f.name: 0.0 for f in dataclasses.fields(claim) if "seconds" in f.name})


def _check_texts(guarantee: Guarantee) -> None:
    """Whatever a header says rebuilds the same terms."""
    header = headers.make(guarantee, model={"fingerprint": ""}, data={})
    rebuilt = headers.guarantee_of(header)
    assert headers.make(rebuilt, model={"fingerprint": ""}, data={}) == header
    text, law = registry.describe(guarantee.method), guarantee.method.law
    assert registry.describe(registry.parse(text, law, guarantee.transform)) == text


def _check_evidence(claim: Claim, guarantee: Guarantee) -> None:
    """A claim does not outlive its evidence: each field that is altered is found, and so is each weaker hypothesis."""
    altered = {
        "certified": not claim.certified,
        "radius": claim.radius + 1.0,
        "alpha": 0.5 * guarantee.alpha + 1e-6,
        "ledger": (("everything", 0.5 * guarantee.alpha),),
        "votes": claim.votes + 1,
        "status": "heuristic" if claim.status == "statistical" else "statistical",
        "assumes": ("nothing of the kind",),
    }
    for field, value in altered.items():
        assert verify(guarantee, [dataclasses.replace(claim, **{field: value})]), f"another {field} is not noticed"
    if claim.statement is not None:
        assert verify(guarantee, [dataclasses.replace(claim, statement=None)]), "a missing statement is not noticed"
    if not claim.certified:
        return
    none = dataclasses.replace(claim, hypotheses=(), windows=())
    if none == claim:  # of a method whose evidence is counts alone
        none = dataclasses.replace(claim, ballots=())
    assert verify(guarantee, [none]), "a claim without hypotheses is accepted"
    if claim.windows:
        _check_windows(claim, guarantee)
    for number, hypothesis in enumerate(claim.hypotheses):
        others = claim.hypotheses[:number], claim.hypotheses[number + 1 :]
        other = dataclasses.replace(
            claim, hypotheses=(*others[0], hypothesis._replace(event=hypothesis.event + 1), *others[1])
        )
        assert verify(guarantee, [other]), f"another event is not noticed: {hypothesis}"
        lower = hypothesis._replace(threshold=0.5 * hypothesis.threshold)
        # What was computed about an input is taken as it is; what the terms alone decide is not.
        if not guarantee.method.computes and lower.threshold:
            changed = dataclasses.replace(claim, hypotheses=(*others[0], lower, *others[1]))
            assert verify(guarantee, [changed]), f"a lower threshold is not noticed: {hypothesis}"
        for weaker in (hypothesis._replace(successes=0), hypothesis._replace(threshold=1.0)):
            changed = dataclasses.replace(claim, hypotheses=(*others[0], weaker, *others[1]))
            # Of overlapping evidence a part may be spared, but then other fields no longer follow.
            if weaker.votes and not verify(guarantee, [changed]):
                raise AssertionError(f"the claim stands although this hypothesis fails: {weaker}")


def _check_windows(claim: Claim, guarantee: Guarantee) -> None:
    """Nor does it outlive the votes that hypotheses share: each window, and each centre's votes, are needed."""
    silent = [dataclasses.replace(claim, ballots=())]
    silent.append(dataclasses.replace(claim, ballots=tuple(b._replace(successes=()) for b in claim.ballots)))
    for changed in silent:
        assert verify(guarantee, [changed]), "a claim without votes is accepted"
    for number, window in enumerate(claim.windows):
        for other in (window._replace(event=window.event + 1), window._replace(bounds=(1.0,) * len(window.bounds))):
            changed = (*claim.windows[:number], other, *claim.windows[number + 1 :])
            assert verify(guarantee, [dataclasses.replace(claim, windows=changed)]), f"it stands with {other}"
    for number, ballot in enumerate(claim.ballots):
        other = ballot._replace(successes=(*ballot.successes, 0))
        changed = (*claim.ballots[:number], other, *claim.ballots[number + 1 :])
        assert verify(guarantee, [dataclasses.replace(claim, ballots=changed)]), f"votes too many: {other}"
