"""Attacks on claims whose truth is known: false ones are found out, proved ones never."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks import EotPgd, Grid, Random, attack_stream
from gsmooth_jax.attacks.kernels import ascent_kernel, centre_kernel
from gsmooth_jax.claims import Answer
from gsmooth_jax.engine.kernels import vote_kernel
from gsmooth_jax.transforms import Brightness, Clip, Pixelate, Quantize
from tests.known import SHAPE

ATTACKS = [Grid(tries=9), Random(tries=40), EotPgd(tries=3, steps=8, draws=4)]
COVER = gs.Guarantee(
    transform=Brightness() | Clip() | Quantize(bits=8),
    region=gs.Box([-0.15], [0.15]),
    method=gs.Cover(noise=gs.PixelNoise(sigma=0.2)),
)


def three(images):
    """Class 0 has a little less than 1/2 at mean 1/2, two others share the rest."""
    mean, first = images.mean(axis=(1, 2, 3)), images[:, 0, 0, 0]
    odd = jnp.floor(first * 1e4) % 2
    return jnp.stack([mean - 0.535, odd * (0.535 - mean), (1 - odd) * (0.535 - mean)], axis=-1)


@pytest.fixture(scope="module", params=["closed form", "cover"])
def run(request, classifier, guarantee, examples):
    """A guarantee, images whose true radius is |mean - 1/2|, and the claims about them."""
    terms = guarantee if request.param == "closed form" else COVER
    return terms, examples, list(gs.certify_stream(classifier, examples, terms))


def attacked(run, classifier, attack, claims=None, **settings):
    terms, examples, found = run
    return list(attack_stream(classifier, zip(examples, claims or found, strict=True), terms, attack, **settings))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_proved_claims_stand_and_images_near_the_boundary_fall(run, classifier, attack):
    _, examples, claims = run
    outcomes = attacked(run, classifier, attack)
    certified = [o for o in outcomes if o.certified]
    assert len(certified) >= 6
    assert all(
        o.robust and o.right and not o.changed_answer and not o.broke_claim and o.status == "proved" for o in certified
    )
    for outcome, example, claim in zip(outcomes, examples, claims, strict=True):
        margin = abs(float(example.image.mean()) - 0.5)
        assert (outcome.id, outcome.label, outcome.certified) == (claim.id, claim.label, claim.certified)
        assert outcome.target == ((claim.predicted,) if claim.statement else (int(np.argmax(claim.selection)),))
        assert outcome.right == (outcome.target == (claim.label,))
        if margin > 0.18:
            assert outcome.robust
        if 0.05 < margin < 0.12:
            assert outcome.flipped
            assert outcome.worst is not None
            assert margin <= abs(outcome.worst[0]) <= 0.15
            assert outcome.worst[0] * (example.image.mean() - 0.5) < 0
            assert sum(outcome.counts) == 1024


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_a_false_claim_is_found_out(run, classifier, attack):
    terms, examples, claims = run
    # The means 0.4 and 0.6, wrongly claimed, and 0.8.
    chosen = [
        (examples[i], dataclasses.replace(claims[i], certified=True, statement=Answer(int(i > 6)))) for i in (5, 7, 10)
    ]
    outcomes = list(attack_stream(classifier, chosen, terms, attack, votes=128, confirm=4096))
    assert [o.changed_answer for o in outcomes] == [True, True, False]
    assert [o.broke_claim for o in outcomes] == [True, True, False]


def test_an_answer_that_changes_breaks_no_claim_where_none_stood(run, classifier):
    terms, examples, claims = run
    chosen = [(examples[i], claims[i]) for i in (5, 7)]
    assert not any(claim.certified for _, claim in chosen)
    outcomes = list(attack_stream(classifier, chosen, terms, ATTACKS[0], votes=128, confirm=4096))
    assert [(o.changed_answer, o.broke_claim, o.robust) for o in outcomes] == [(True, False, False)] * 2


def test_nothing_recompiles(run, classifier):
    attacked(run, classifier, ATTACKS[2])
    before = [k._cache_size() for k in (vote_kernel, centre_kernel, ascent_kernel)]
    assert attacked(run, classifier, ATTACKS[1], votes=50, confirm=100)[0].tries == 41
    assert attacked(run, classifier, dataclasses.replace(ATTACKS[2], steps=2, first=1.0))
    assert [k._cache_size() for k in (vote_kernel, centre_kernel, ascent_kernel)] == before


def test_execution_never_changes_an_outcome(classifier, guarantee, examples):
    run = guarantee, examples, list(gs.certify_stream(classifier, examples, guarantee))
    outcomes, again = (attacked(run, classifier, ATTACKS[1], execution=e) for e in (None, gs.Execution(devices=1)))
    assert again == outcomes


def test_what_is_neither_claimed_nor_right_is_left_alone(run, classifier):
    terms, examples, claims = run
    wrong = [dataclasses.replace(c, label=1 - c.label, certified=i > 0) for i, c in enumerate(claims[:2])]
    left, tried = attack_stream(classifier, zip(examples[:2], wrong, strict=True), terms, ATTACKS[0])
    assert (left.tries, left.counts, left.robust) == (0, (), False)
    assert tried.tries == 10
    assert not tried.robust


@pytest.mark.parametrize(("test", "falls"), [("fixed", True), ("fixed_two_sided", False)])
def test_what_a_claim_says_decides_what_contradicts_it(guarantee, test, falls):
    terms = dataclasses.replace(guarantee, test=test, region=gs.Box([-1e-6], [1e-6]))
    claim = gs.Claim(
        id=0, label=0, statement=Answer(0), certified=True, radius=1e-6, status="proved", assumes=(), alpha=1e-3,
        ledger=(), votes=0, seconds=0.0, selection=(32, 0, 0, 0), hypotheses=(),
    )  # fmt: skip
    example = gs.Example(id=0, image=np.full(SHAPE, 0.5, np.float32), label=0)
    (outcome,) = attack_stream(gs.as_classifier(three, SHAPE), [(example, claim)], terms, Grid(tries=2), confirm=4096)
    assert not outcome.flipped
    assert outcome.changed_answer == outcome.broke_claim == falls


def test_bad_input_is_refused_before_any_work(run, classifier):
    terms, examples, claims = run

    def images():
        pytest.fail("an image was asked for")
        yield examples[0], claims[0]

    pixelate = dataclasses.replace(COVER, transform=Pixelate(), region=gs.Box([0.0], [0.5]))
    for guarantee, attack, settings, message in (
        (terms, ATTACKS[0], {"votes": 0}, "votes >= 1"),
        (terms, ATTACKS[0], {"confirm": 10}, "confirm=10 shows nothing at level 1e-06"),
        (pixelate, ATTACKS[2], {}, "use grid"),
    ):
        with pytest.raises(ValueError, match=message):
            attack_stream(classifier, images(), guarantee, attack, **settings)
    wide = dataclasses.replace(examples[0], image=np.zeros((5, 4, 1), np.float32))
    with pytest.raises(ValueError, match="image 0"):
        list(attack_stream(classifier, [(wide, claims[0])], terms, ATTACKS[0]))
