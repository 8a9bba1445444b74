"""From counts to a claim: what is asked for, how votes become successes, and what a claim says of itself."""

import dataclasses

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.certificates import search
from gsmooth_jax.claims import Answer, Hypothesis
from gsmooth_jax.estimation import bounds, keys
from gsmooth_jax.methods import prover
from gsmooth_jax.methods import tests as verdicts
from gsmooth_jax.methods.base import Conclusion, Found, Pilots
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results.verify import verify
from tests.methods.counted import proved


def test_a_sequential_test_asks_for_a_block_at_a_time(guarantee):
    claim, asked = proved(guarantee, [2, 30, 0], [2, 30, 0], [0, 32, 0])
    assert [(r.draws.phase, r.draws.start, r.draws.stop, r.limit) for r in asked] == [
        (keys.SELECT, 0, 32, 32),
        (keys.ESTIMATE, 0, 32, 4096),
        (keys.ESTIMATE, 32, 64, 4096),
    ]
    assert {(r.draws.image_id, r.draws.centre_id) for r in asked} == {(3, 0)}
    (tested,) = claim.hypotheses
    assert (tested.event, tested.successes, tested.votes) == (1, 62, 64)
    assert claim.selection == (2, 30, 0)
    assert claim.votes == 32 + 64
    assert claim.certified
    assert (claim.statement, claim.predicted, claim.correct) == (Answer(1), 1, True)
    assert verify(guarantee, [claim]) == []


def test_a_contrary_counts_the_new_votes_alone():
    contrary = Hypothesis((), (), 0.0, 0, 1e-3, ~1, successes=25, votes=32)
    counted = prover._counted(contrary, np.array([20, 3, 9]), 64)
    assert (counted.successes, counted.votes) == (25 + 29, 64)


def test_what_is_undecided_has_not_passed(guarantee):
    tests, asked = verdicts.Tests(guarantee), Hypothesis((), (), 0.6, 0, 5e-4, 1, successes=40, votes=64)
    assert tests.decide(asked) == "undecided"
    sure = asked._replace(centre_id=1, successes=64)
    assert prover.evidence((2, 30, 0), (asked, sure), tests).passed == (sure,)


def test_each_pilot_has_draws_of_its_own(guarantee):
    image = np.full((4, 4, 1), 0.5, np.float32)
    asked = next(prover._Ballots(3, guarantee).select(Pilots([image, image, image])))
    assert [(r.draws.image_id, r.draws.centre_id, r.draws.phase) for r in asked] == [
        (3, number, keys.SELECT) for number in range(3)
    ]


def test_the_last_block_ends_where_the_votes_do(guarantee):
    few = dataclasses.replace(guarantee, max_votes=80)
    claim, asked = proved(few, [2, 30, 0], [5, 27, 0], [5, 27, 0], [2, 14, 0])
    assert [(r.draws.start, r.draws.stop) for r in asked[1:]] == [(0, 32), (32, 64), (64, 80)]
    assert claim.hypotheses[0][-2:] == (68, 80)
    assert verify(few, [claim]) == []


def test_draws_without_an_answer_are_noted_and_counted_against_the_class(guarantee):
    fixed = dataclasses.replace(guarantee, test="fixed", max_votes=100)
    claim, _ = proved(fixed, [0, 31, 1], [0, 98, 2])
    assert claim.hypotheses[0][-2:] == (98, 100)
    assert claim.note == "3 draws had NaN or infinite logits; each counts against the claim"
    assert verify(fixed, [claim]) == []


def test_draws_without_an_answer_choose_no_class(guarantee):
    claim, _ = proved(guarantee, [3, 9, 20], [0, 32, 0])
    assert {h.event for h in claim.hypotheses} == {1}
    assert (claim.statement, claim.certified) == (Answer(1), True)
    assert verify(guarantee, [claim]) == []


def test_no_vote_goes_to_an_image_whose_draws_have_no_answer_at_all(guarantee):
    claim, asked = proved(guarantee, [0, 0, 32])
    assert len(asked) == 1
    assert (claim.votes, claim.statement, claim.predicted, claim.certified) == (32, None, gs.ABSTAIN, False)
    assert verify(guarantee, [claim]) == []


@pytest.mark.parametrize(
    "counts",
    [
        [3, 490, 5, 2, 0],
        [0, 500, 0, 0, 0],
        [0, 460, 0, 0, 40],
        [230, 250, 10, 10, 0],
        [0, 0, 500, 0, 0],
        [0, 250, 250, 0, 0],
    ],
)
def test_a_two_sided_test_proves_the_bounds_of_all_events(guarantee, counts):
    """The contrary of each other event is a hypothesis of its own: draws without an answer are one more class."""
    two_sided = dataclasses.replace(guarantee, test="fixed_two_sided", max_votes=500)
    claim, asked = proved(two_sided, [1, 29, 1, 1, 0], counts)
    assert [r.draws.stop for r in asked] == [32, 500]
    own, *others = claim.hypotheses
    assert [h.event for h in claim.hypotheses] == [1, ~0, ~2, ~3, ~4]
    assert [h.successes for h in claim.hypotheses] == [counts[1], *(500 - counts[k] for k in (0, 2, 3, 4))]
    assert {h.votes for h in claim.hypotheses} == {500}
    assert claim.votes == 32 + 500  # the hypotheses about one centre share its votes
    assert own.level == two_sided.alpha / 2
    assert [h.level for h in others] == [two_sided.alpha / 8] * 4

    p_lower, p_upper = bounds.top_and_runner_up(counts, 1, two_sided.alpha)
    method = two_sided.method
    radius = search.radius(method.certificate, method.smoothing, two_sided.region, p_lower, p_upper)
    size = two_sided.region.size
    assert claim.certified == method.certificate.certifies(method.smoothing, two_sided.region, p_lower, p_upper)
    assert claim.radius == pytest.approx(max(radius, size) if claim.certified else radius, rel=1e-6)
    assert claim.statement == (Answer(1) if p_lower > p_upper else None)
    assert verify(two_sided, [claim]) == []


def test_contrary_events_bound_as_the_bound_of_all_other_classes(guarantee):
    """Over random counts: the bounds from ``~k`` are those of ``bounds.top_and_runner_up``."""
    two_sided = dataclasses.replace(guarantee, test="fixed_two_sided", max_votes=300)
    tests, rng = Tests(two_sided), np.random.default_rng(0)
    for _ in range(50):
        counts = rng.multinomial(300, rng.dirichlet([4.0, 0.3, 0.3, 0.3])).tolist()
        claim, _ = proved(two_sided, [32, 0, 0, 0], counts)
        own, *others = claim.hypotheses
        p_lower, p_upper = tests.lower(own), 1.0 - min(map(tests.lower, others))
        expected = bounds.top_and_runner_up(counts, 0, two_sided.alpha)
        assert (p_lower, min(p_upper, 1.0 - p_lower)) == pytest.approx(expected, abs=1e-11)


@dataclasses.dataclass(frozen=True)
class Foreign(gs.transforms.Brightness, group="additive"):
    """A transform that the library does not know."""


@dataclasses.dataclass(frozen=True)
class Exact:
    """A method without randomness: it computes the largest change of brightness that an image bears."""

    status = "proved"
    computes = picks = False
    block = 1
    name = law = "exact"
    parts = ()

    def check(self, transform, region):
        pass

    def check_budget(self, guarantee):
        pass

    def check_model(self, model):
        pass

    def vote(self, transform):
        return None

    def requirement(self, guarantee, example=None):
        return ""

    def ledger(self, guarantee):
        return (("computation", 0.0),)

    def pilots(self, guarantee):
        return 0

    def hypotheses(self, example, model, guarantee, tests):
        mean, (low,), (high,) = float(example.image.mean()), guarantee.region.low, guarantee.region.high
        top = int(mean > 0.5)
        kept = mean + low > 0.5 if top else mean + high < 0.5
        return Found([Hypothesis((low,), (high,), 0.5, 0, 0.0, top, successes=int(kept), votes=1)], "by hand")
        yield

    def concludes(self, evidence, guarantee):
        kept = bool(evidence.passed)
        return Conclusion(
            Answer(evidence.hypotheses[0].event) if kept else None, kept, guarantee.region.size if kept else 0.0
        )


def test_a_method_without_votes_asks_for_none_and_spends_no_alpha(classifier, guarantee, examples):
    terms = dataclasses.replace(guarantee, method=Exact())
    claims = list(gs.certify_stream(classifier, examples, terms))
    assert [c.certified for c in claims] == [abs(float(e.image.mean()) - 0.5) > 0.15 for e in examples]
    assert {(c.alpha, c.selection, c.votes, c.note) for c in claims} == {(0.0, (), 1, "by hand")}
    # Not one of the library's methods: its claims rest on its author's word.
    assert {(c.status, c.assumes) for c in claims} == {("conditional", ("method tests.methods.test_prover:Exact",))}
    assert verify(terms, claims) == []
    for change, field in (
        ({"alpha": 1e-3}, "alpha"),
        ({"votes": 2}, "votes"),
        ({"selection": (1, 0, 0)}, "selection"),
        ({"status": "proved"}, "status"),
        ({"assumes": ()}, "assumes"),
    ):
        (fault,) = verify(terms, [dataclasses.replace(claims[0], **change)])
        assert fault.startswith(f"image {claims[0].id}: {field}:")


def test_a_transform_that_the_library_does_not_know_makes_claims_conditional(guarantee):
    terms = dataclasses.replace(guarantee, transform=Foreign())
    claim, _ = proved(terms, [0, 32, 0], [0, 32, 0])
    assert (claim.status, claim.assumes) == ("conditional", ("transform tests.methods.test_prover:Foreign",))
    assert verify(terms, [claim]) == []
    (fault,) = verify(guarantee, [claim])[:1]
    assert "status: the file says 'conditional'" in fault
