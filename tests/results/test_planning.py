"""What a run will take, tried on a few images: the figures are those of real claims, and the best noise is found."""

import dataclasses

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.methods import registry
from gsmooth_jax.results import planning
from gsmooth_jax.transforms import Brightness
from tests.known import SHAPE, by_mean

LAW = gs.Gaussian(sigma=0.2)
TERMS = gs.Guarantee(
    transform=Brightness(),
    region=gs.Box([-0.1], [0.1]),
    method=registry.choose("auto", LAW, Brightness()),
    max_votes=512,
)


@pytest.fixture(scope="module")
def examples():
    means, labels = (0.1, 0.3, 0.45, 0.8, 0.9), (0, 0, 0, 1, 0)
    return [
        gs.Example(id=i, image=np.full(SHAPE, m, np.float32), label=y)
        for i, (m, y) in enumerate(zip(means, labels, strict=True))
    ]


def test_a_trial_is_what_the_claims_say(classifier, examples):
    found = planning.tried(classifier, examples, TERMS)
    other = dataclasses.replace(TERMS, seed=found.seed)
    claims = list(gs.certify_stream(classifier, examples, other))
    assert [dataclasses.replace(c, seconds=0.0) for c in found.claims] == [
        dataclasses.replace(c, seconds=0.0) for c in claims
    ]
    assert found.votes == np.mean([c.votes for c in claims])
    assert found.certified == 0.6  # 0.1, 0.3 and 0.8; 0.9 is wrong, and 0.45 too near
    assert (found.clean, found.reached) == (0.8, 1.0)
    assert found.seconds > 0.0
    wrong = planning.tried(classifier, examples[4:], TERMS)
    assert (wrong.certified, wrong.reached) == (0.0, 0.0)  # proved, of the wrong class


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_a_trial_makes_none_of_the_runs_draws(classifier, examples, seed):
    """Else a law that was chosen by a sweep would be claimed by the draws that spoke for it."""
    terms = dataclasses.replace(TERMS, seed=seed)
    found = planning.tried(classifier, examples[2:3], terms)
    (claim,) = gs.certify_stream(classifier, examples[2:3], terms)
    assert found.seed != seed
    assert found.claims[0].hypotheses != claim.hypotheses


def test_a_sweep_tries_each_width_and_says_where_nothing_can_be(classifier, examples):
    trials = list(planning.sweep(classifier, examples, TERMS, factors=(0.01, 1.0, 2.0)))
    assert [t.law for t in trials] == [f"gaussian(sigma={s})" for s in (0.002, 0.2, 0.4)]
    assert "No number of votes" in trials[0].refused
    assert [bool(t.refused) for t in trials] == [True, False, False]
    assert planning.best(trials).votes == min(t.votes for t in trials[1:])
    assert planning.best(trials[:1]) is trials[0]


def test_the_best_is_what_certifies_most_then_furthest_then_cheapest():
    worst = planning.Trial(law="a", certified=0.5, reached=1.0, votes=1.0)
    others = [
        planning.Trial(law="b", certified=0.6, reached=0.1, votes=100.0),
        planning.Trial(law="c", certified=0.6, reached=0.2, votes=100.0),
        planning.Trial(law="d", certified=0.6, reached=0.2, votes=90.0),
        planning.Trial(law="e", certified=0.9, refused="no"),
    ]
    assert planning.best([worst, *others]).law == "d"


@pytest.mark.parametrize(
    ("law", "twice"),
    [
        (gs.Gaussian(sigma=(0.3, 0.1)), gs.Gaussian(sigma=(0.6, 0.2))),
        (gs.Uniform(low=-1.0, high=3.0), gs.Uniform(low=-2.0, high=6.0)),
        (gs.Exponential(scale=12.0), gs.Exponential(scale=24.0)),
        (
            gs.PixelNoise(sigma=0.25, brightness=0.1, exact=True),
            gs.PixelNoise(sigma=0.5, brightness=0.2, exact=True),
        ),
    ],
)
def test_a_law_is_widened(law, twice):
    assert planning.widened(law, 2.0) == twice


def test_what_has_no_width():
    with pytest.raises(ValueError, match="with a width"):
        planning.widened(gs.Rayleigh(), 2.0)
    nothing = dataclasses.replace(TERMS, transform=gs.transforms.parse("pixelate"), region=gs.Box([0.0], [0.5]),
                                  method=gs.Enumerate())  # fmt: skip
    with pytest.raises(ValueError, match="Expected a method with a law"):
        planning.sweep(gs.as_classifier(by_mean, SHAPE), [], nothing)


def test_memory_is_that_of_this_process():
    assert planning.peak_bytes() > 2**26
