"""Verdicts: what is remembered is what the plain test says, each hypothesis at its own level, fixed tests once."""

import dataclasses

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import gsmooth_jax as gs
from gsmooth_jax.claims import Hypothesis
from gsmooth_jax.estimation import bounds, sequential
from gsmooth_jax.methods.tests import Tests

COVER = gs.Guarantee(
    transform=gs.transforms.Brightness(), region=gs.Box([-0.1], [0.1]), method=gs.Cover(noise=gs.PixelNoise(sigma=0.2))
)


def ask(threshold, level, successes, votes, event=1):
    return Hypothesis((), (), threshold, 0, level, event, successes=successes, votes=votes)


def test_what_is_remembered_is_what_the_plain_test_says(monkeypatch):
    rng, asked, decide = np.random.default_rng(0), [], Tests._decide
    votes = [(s, n) for n in (32, 64, 320) for s in (n, n - 1, n - n // 8)]
    many = [
        ask(float(t), 1e-3 * 0.5 ** int(k), s, n)
        for s, n in votes
        for t, k in zip(rng.uniform(0.5, 0.999, 60), rng.integers(1, 5, 60), strict=True)
    ]
    monkeypatch.setattr(Tests, "_decide", lambda self, h: asked.append(h) or decide(self, h))
    remembered = list(map(Tests(COVER).decide, many))
    plain = [sequential.SequentialTest(h.threshold, h.level, 0.01).decide(h.successes, h.votes) for h in many]
    assert remembered == plain
    assert set(remembered) == {"certified", "undecided", "rejected"}
    assert len(asked) < 0.5 * len(many)


def test_only_votes_level_and_threshold_decide():
    tests = Tests(COVER)
    assert tests.decide(ask(0.6, 5e-4, 64, 64)) == "certified"
    for change in ({"event": 3}, {"event": ~1}, {"centre_id": 9}, {"shared": True}, {"low": (0.0,), "high": (0.1,)}):
        assert tests.decide(ask(0.6, 5e-4, 64, 64)._replace(**change)) == "certified"
    assert tests.decide(ask(0.6, 5e-4, 40, 64)) == "undecided"
    assert tests.decide(ask(0.6, 1e-30, 64, 64)) == "undecided"


@pytest.mark.parametrize("test", ["sequential", "fixed", "fixed_two_sided"])
def test_without_a_level_nothing_passes(guarantee, test):
    tests = Tests(dataclasses.replace(guarantee, test=test))
    for level in (0.0, -1.0):
        unanimous = ask(0.5, level, 4096, 4096)
        assert tests.decide(unanimous) == "rejected"
        assert tests.lower(unanimous) == 0.0
    assert tests.decide(unanimous._replace(level=1e-3)) == "certified"  # what is remembered is of its level
    assert tests.decide(ask(1.0, 1e-3, 4096, 4096)) == "rejected"
    assert tests.lower(ask(0.5, 1e-3, 0, 0)) == 0.0


@pytest.mark.parametrize("test", ["fixed", "fixed_two_sided"])
def test_a_fixed_test_is_looked_at_once(guarantee, test):
    terms = dataclasses.replace(guarantee, test=test, max_votes=500)
    tests, level = Tests(terms), 5e-4
    for threshold in (0.0, 0.5, 0.9):
        passes = [s for s in range(501) if tests.decide(ask(threshold, level, s, 500)) == "certified"]
        enough = np.asarray(bounds.proportion_lower(np.arange(501), 500, level)) > threshold
        assert passes == np.flatnonzero(enough).tolist()
        assert len(passes) > 0
        for votes in (1, 32, 499, 501, 5000):
            assert tests.decide(ask(threshold, level, votes, votes)) == "rejected"


COUNTS = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@hypothesis.given(counts=COUNTS, threshold=st.floats(0.001, 0.999), level=st.floats(1e-6, 0.1))
@hypothesis.settings(max_examples=300, deadline=None)
def test_the_bound_and_the_verdict_of_a_sequential_test_agree(counts, threshold, level):
    tests, asked = Tests(COVER), ask(threshold, level, *counts)
    lower = tests.lower(asked)
    plain = float(sequential.lower_confidence(*counts, level))
    assert plain <= lower <= plain + 1e-12
    if tests.decide(asked) == "certified":
        assert lower >= threshold
    else:
        assert lower <= threshold


def test_the_bound_of_a_test_that_just_passes_is_not_rounded_below_its_threshold():
    """The bisection inside the bound stops short of the largest threshold that passes."""
    above = 0
    for successes, votes in ((32, 32), (95, 96), (600, 704), (4000, 4096)):
        plain = float(sequential.lower_confidence(successes, votes, 1e-3))
        low, high = plain, plain + 1e-9
        for _ in range(60):
            middle = 0.5 * (low + high)
            passes = sequential.SequentialTest(middle, 1e-3).decide(successes, votes) == "certified"
            low, high = (middle, high) if passes else (low, middle)
        assert Tests(COVER).lower(ask(low, 1e-3, successes, votes)) == low
        above += low > plain
    assert above > 0


@hypothesis.given(counts=COUNTS, level=st.floats(1e-6, 0.1))
def test_the_bound_of_a_fixed_test_is_the_one_of_its_votes(counts, level):
    tests = Tests(dataclasses.replace(COVER, test="fixed"))
    assert tests.lower(ask(0.5, level, *counts)) == float(bounds.proportion_lower(*counts, level))


class Computed:
    """A method that leaves nothing to chance."""

    def check(self, transform, region):
        pass

    def ledger(self, guarantee):
        return (("computation", 0.0),)


def test_what_is_computed_passes_without_a_level():
    tests = Tests(dataclasses.replace(COVER, method=Computed()))
    decisions = [tests.decide(ask(t, 0.0, *votes)) for votes in ((1, 1), (0, 1), (0, 0)) for t in (0.0, 0.5, 1.0)]
    assert decisions == ["certified"] * 3 + ["rejected"] * 6
