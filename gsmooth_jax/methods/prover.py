"""Proves one input's claim: casts the votes that a method's hypotheses need, and draws its conclusion. Host."""

import time
from typing import Any

import numpy as np

from gsmooth_jax.claims import Ballot, Claim, Hypothesis, Ledger, Window
from gsmooth_jax.engine.kernels import answer_kernel
from gsmooth_jax.engine.scheduler import Prover, Request
from gsmooth_jax.estimation import keys
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.methods.base import Evidence, Guarantee, Pilots, Poll, Visit, few
from gsmooth_jax.methods.registry import assumptions
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.models import Classifier
from gsmooth_jax.types import ABSTAIN, Example


def prove(example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Prover[Claim]:
    """The prover of one input.

    Args:
      example: the input.
      model: asked once without noise; and for methods that apply it themselves.
      guarantee: the claim's terms.
      tests: of the guarantee.
    """
    began, method = time.perf_counter(), guarantee.method
    ballots = _Ballots(example.id, guarantee)
    # Asked first and read last: the device answers when it comes to it, and nothing waits.
    clean = answer_kernel(model, example.image) if isinstance(model, Classifier) else None
    inquiry, reply = method.hypotheses(example, model, guarantee, tests), None
    while True:
        try:
            asked = inquiry.send(reply)
        except StopIteration as end:
            found = end.value
            break
        if isinstance(asked, Pilots):
            reply = yield from ballots.select(asked)
        elif all(isinstance(a, Visit) for a in asked):
            reply = yield from ballots.visit(asked)
        else:
            reply = yield from ballots.cast(asked)
    hypotheses = tuple(sorted(found.hypotheses, key=lambda h: h.centre_id))
    windows, cast = tuple(found.windows), tuple(sorted(found.ballots))
    conclusion = method.concludes(evidence(ballots.selection, hypotheses, tests, windows, cast), guarantee)
    assert not conclusion.faults, conclusion.faults
    assumes, ledger = assumptions(guarantee), method.ledger(guarantee)
    notes = [found.note] if found.note else []
    if ballots.invalid:
        notes.append(f"{ballots.invalid} draws had NaN or infinite logits; each counts against the claim")
    return Claim(
        id=example.id,
        label=example.label,
        statement=conclusion.statement,
        certified=conclusion.certified,
        radius=conclusion.radius,
        status="conditional" if assumes and method.status == "proved" else method.status,
        assumes=assumes,
        alpha=alpha(ledger, guarantee),
        ledger=ledger,
        votes=selected(ballots.selection, guarantee) + votes_of(hypotheses, cast, guarantee),
        seconds=time.perf_counter() - began,
        selection=ballots.selection,
        hypotheses=hypotheses,
        windows=windows,
        ballots=cast,
        note="; ".join(notes),
        clean=None if clean is None else _known(int(clean), model.classes),
    )


def _known(answer: int, classes: int) -> int:
    return answer if answer < classes else ABSTAIN


def evidence(
    selection: tuple[int, ...],
    hypotheses: tuple[Hypothesis, ...],
    tests: Tests,
    windows: tuple[Window, ...] = (),
    ballots: tuple[Ballot, ...] = (),
) -> Evidence:
    """Returns what a claim rests on, given its votes."""
    passed = tuple(h for h in hypotheses if tests.decide(h) == "certified")
    return Evidence(selection, hypotheses, passed, tests.lower, windows, tests.passed(windows, ballots), ballots)


def alpha(ledger: Ledger, guarantee: Guarantee) -> float:
    """The probability with which a claim may be false: 0 where nothing is left to chance."""
    return guarantee.alpha if any(level for _, level in ledger) else 0.0


def selected(selection: tuple[int, ...], guarantee: Guarantee) -> int:
    """How many selection draws a claim has, given the counts at the first pilot."""
    method = guarantee.method
    return sum(selection) if method.picks else method.pilots(guarantee) * guarantee.selection_votes


def votes_of(hypotheses: tuple[Hypothesis, ...], ballots: tuple[Ballot, ...], guarantee: Guarantee) -> int:
    """How many votes a claim rests on: those about one centre share its votes."""
    alone = {h.centre_id: h.votes for h in hypotheses}
    pooled = {b.centre_id: guarantee.block * len(b.successes) for b in ballots}
    return sum(alone.values()) + sum(pooled.values())


class _Ballots:
    """The draws of one input.

    Attributes:
      selection: the [E] counts of the first pilot's draws.
      invalid: draws whose outputs were not finite.
    """

    def __init__(self, image_id: int, guarantee: Guarantee):
        self._image_id, self._guarantee = image_id, guarantee
        self.selection: tuple[int, ...] = ()
        self.invalid = 0

    def select(self, pilots: Pilots) -> Prover[list[np.ndarray]]:
        g = self._guarantee
        count = first = g.selection_votes
        if g.method.picks:
            first = few(g)
        streams = [Draws(centre, self._image_id, n, keys.SELECT, 0, first) for n, centre in enumerate(pilots.centres)]
        counts = yield [Request(stream, count) for stream in streams]
        doubtful = [n for n, c in enumerate(counts) if c.max() < first < count]
        if doubtful:
            more = yield [Request(streams[n]._replace(start=first, stop=count), count) for n in doubtful]
            added = dict(zip(doubtful, more, strict=True))
            counts = [c + added[n] if n in added else c for n, c in enumerate(counts)]
        self.selection = tuple(int(c) for c in counts[0])
        self.invalid += sum(int(c[-1]) for c in counts)
        return counts

    def visit(self, visits: list[Visit]) -> Prover[list[np.ndarray]]:
        """The blocks asked for at each centre."""
        size = self._guarantee.block
        requests = [
            Request(
                Draws(v.centre, self._image_id, v.centre_id, keys.ESTIMATE, first * size, (first + 1) * size), limit
            )
            for v in visits
            for first in range(v.start, v.stop)
            for limit in [(v.likely if first + 1 == v.stop else first + 1) * size]
        ]
        counts = yield requests
        self.invalid += sum(int(c[-1]) for c in counts)
        ends = np.cumsum([v.stop - v.start for v in visits])
        return np.split(np.stack(counts), ends[:-1])

    def cast(self, polls: list[Poll]) -> Prover[list[tuple[Hypothesis, ...]]]:
        """One block more at each centre, or of a fixed test all votes."""
        g = self._guarantee
        step = g.block if g.test == "sequential" else g.max_votes
        requests = []
        for poll in polls:
            start = poll.hypotheses[0].votes
            stop = min(start + step, poll.limit)
            centre_id = poll.hypotheses[0].centre_id
            draws = Draws(poll.centre, self._image_id, centre_id, keys.ESTIMATE, start, stop)
            requests.append(Request(draws, poll.limit))
        counts = yield requests
        self.invalid += sum(int(c[-1]) for c in counts)
        return [
            tuple(_counted(h, new, r.draws.stop) for h in poll.hypotheses)
            for poll, new, r in zip(polls, counts, requests, strict=True)
        ]


def _counted(h: Hypothesis, counts: np.ndarray, stop: int) -> Hypothesis:
    """A hypothesis with new votes: ``counts`` [E] of the draws from those it has to ``stop``."""
    new = int(counts[h.event]) if h.event >= 0 else stop - h.votes - int(counts[~h.event])
    return h._replace(successes=h.successes + new, votes=stop)
