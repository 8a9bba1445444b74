"""Why an image is not certified: one reason each, from what real provers record, and the last lines of a report."""

import collections
import dataclasses
from pathlib import Path

import hypothesis
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.certificates import Resolvable
from gsmooth_jax.claims import Answer, Interval
from gsmooth_jax.methods.cc_cert import CCCert
from gsmooth_jax.methods.enumerate import Enumerate
from gsmooth_jax.results import headers, reasons, report
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy
from gsmooth_jax.results.run import Run
from gsmooth_jax.transforms import Brightness, Translation
from tests.known import SHAPE, by_mean
from tests.results.test_export import claim

KEPT = Path(__file__).parents[2] / "experiments"
COVER = gs.Guarantee(
    transform=Brightness(), region=gs.Box([0.0], [0.2]), method=gs.Cover(noise=gs.PixelNoise(sigma=0.2)), max_votes=4096
)
SHIFT = dataclasses.replace(
    COVER,
    region=gs.Box([-0.15], [0.15]),
    method=gs.ClosedForm(smoothing=gs.Gaussian(sigma=0.2), certificate=Resolvable()),
    block=32,
)


def constant(mean, label, number=0):
    return gs.Example(id=number, image=np.full(SHAPE, mean, np.float32), label=label)


def made(guarantee, example, model=by_mean):
    """The claim of one image, and the header that a run of it would have."""
    classifier = gs.as_classifier(model, SHAPE)
    (found,) = gs.certify_stream(classifier, [example], guarantee, gs.Execution(devices=1))
    return found, headers.make(guarantee, model=headers.model_of(classifier), data={"name": "in memory"})


def reason(guarantee, example, model=by_mean):
    return reasons.why(*made(guarantee, example, model))


def summed_up(claims, header):
    return reasons.summed_up(claims, [reasons.why(c, header) for c in claims], header)


def test_what_is_certified_and_right_has_no_reason():
    assert reason(COVER, constant(0.8, 1)) is None
    assert reason(SHIFT, constant(0.8, None)) is None


@pytest.mark.parametrize("guarantee", [COVER, SHIFT])
def test_a_wrong_answer_is_named(guarantee):
    found = reason(guarantee, constant(0.9, 0))
    assert found.kind == "wrong"
    assert found.text.startswith("the smoothed classifier answers 1")
    # Closed forms prove it all the same; that does not count.
    assert ("in the whole region" in found.text) == (guarantee is SHIFT)


def test_an_abstention_says_how_the_votes_are_split():
    found, header = made(SHIFT, constant(0.5, 1))
    (tested,) = found.hypotheses
    assert found.statement is None
    text = f"no class has a clear majority: {tested.successes:,} of {tested.votes:,} votes for {tested.event}"
    assert reasons.why(found, header) == ("abstained", text, (), None)
    assert reason(COVER, constant(0.5, 1)).text.startswith("no class has a clear majority: ")


def test_a_majority_that_is_too_small_says_what_is_needed_and_how_far_it_reaches():
    found = reason(SHIFT, constant(0.62, 1))  # the true radius is 0.12
    assert found.kind == "margin"
    assert "votes are for 1, and 77.34% are needed; proved to 0." in found.text
    radius = float(found.text.split("proved to ")[1].split(" of ")[0])
    assert 0.0 < radius <= 0.12


def test_where_the_answer_changes_is_found():
    found = reason(COVER, constant(0.3, 0))  # brighter by 0.2 it is 1/2, which no number of votes would show
    assert found.kind in ("changes", "margin", "votes")
    wide = dataclasses.replace(COVER, region=gs.Box([0.0], [0.4]))
    found = reason(wide, constant(0.3, 0))
    assert found.kind == "changes"
    assert 0.2 < found.at[0] <= 0.4
    assert found.text.startswith(f"the answer seems to change near b = {found.at[0]:.3g}: ")


@pytest.mark.parametrize("guarantee", [COVER, SHIFT])
def test_out_of_votes_says_how_many_would_do_and_they_do(guarantee):
    few = dataclasses.replace(guarantee, max_votes=128, futility=1e-6)
    example = constant(0.26, 0)
    found, header = made(few, example)
    why = reasons.why(found, header)
    assert why.kind == "votes"
    assert (f"about {why.needed:,} would do" if guarantee is SHIFT else f"take {why.needed:,} or more") in why.text
    assert 128 < why.needed < 20_000
    assert made(dataclasses.replace(few, max_votes=4 * why.needed), example)[0].certified


@pytest.mark.parametrize("test", ["fixed", "fixed_two_sided"])
def test_fixed_tests_have_reasons_too(test):
    fixed = dataclasses.replace(SHIFT, test=test, max_votes=100, region=gs.Box([-0.1], [0.1]))
    found = reason(fixed, constant(0.68, 1))
    assert found.kind == "votes"
    assert 100 < found.needed < 10_000
    assert reason(fixed, constant(0.64, 1)).kind == "margin"


def test_logits_that_are_not_finite():
    def broken(images):
        return jnp.full((len(images), 2), jnp.nan)

    found, header = made(SHIFT, constant(0.8, 1), broken)
    assert reasons.why(found, header) == ("abstained", "the logits of its draws are not finite", (), None)
    assert found.clean == gs.ABSTAIN


def test_without_noise_the_value_is_named():
    def left(images):
        light = images[:, :, :2].mean(axis=(1, 2, 3)) - images[:, :, 2:].mean(axis=(1, 2, 3))
        return jnp.stack([light, -light], axis=-1)

    image = np.zeros(SHAPE, np.float32)
    image[:, 0] = 1.0
    terms = gs.Guarantee(transform=Translation(), region=gs.Box([0, 0], [0, 3]), method=Enumerate())
    found = reason(terms, gs.Example(id=0, image=image, label=0), left)
    assert (found.kind, found.at) == ("changes", (0.0, 2.0))
    assert found.text == "the answer changes near dy = 0 px, dx = 2 px"
    assert reason(terms, gs.Example(id=0, image=image, label=1), left).text == "the classifier answers 0"


def test_the_classifiers_own_answer_is_recorded():
    """Noise of this width takes the smoothed classifier to class 1 from everywhere; without it, 0.4 is class 0."""

    def fragile(images):
        spread = images.std(axis=(1, 2, 3)) - 0.05
        return jnp.stack([-spread, spread], axis=-1)

    found, header = made(COVER, constant(0.4, 0), fragile)
    assert (found.clean, found.predicted) == (0, 1)
    (entry,) = summed_up([found], header)
    assert entry["kind"] == "wrong"
    assert entry["advice"].startswith("without noise 1 of them is right")
    blind = dataclasses.replace(found, clean=1)
    for others, looks in (([], True), ([found], False)):  # one of two right is not poor yet
        (entry,) = summed_up([blind, *others], header)
        assert ("--mean" in entry["advice"]) == looks
    old = dataclasses.replace(found, clean=None)
    assert summed_up([old], header)[0]["advice"].startswith("train under this smoothing")
    assert report.summarize(Run("run", header, [found, old]))["clean_accuracy"] == 0.5
    assert report.summarize(Run("run", header, [old]))["clean_accuracy"] is None


RUNS = sorted(str(p.parent.relative_to(KEPT)) for p in KEPT.rglob("header.json"))


@pytest.mark.parametrize("run", [r for r in RUNS if r.split("/")[-1] not in ("rotation", "scaling")])
def test_every_kept_run_adds_up(run):
    header, claims = results.read_run(KEPT / run)
    found = [reasons.why(c, header) for c in claims]
    for c, why in zip(claims, found, strict=True):
        assert (why is None) == (c.certified and c.correct is not False)
        if why is not None:
            assert (why.kind == "abstained") <= (c.statement is None) <= (why.kind in ("abstained", "bounds"))
            assert (why.kind == "wrong") == (c.statement is not None and c.correct is False)
            assert why.text
            assert "\n" not in why.text
    kinds = collections.Counter(why.kind for why in found if why)
    summed = reasons.summed_up(claims, found, header)
    assert {entry["kind"]: entry["images"] for entry in summed} == kinds
    assert all(entry["means"] and entry["advice"] for entry in summed)
    assert kinds.total() == round((1 - certified_accuracy(claims)) * len(claims))
    share = accuracy(claims)
    assert share is not None
    assert kinds["wrong"] + sum(c.statement is None for c in claims) == round((1 - share) * len(claims))


def test_an_interval_that_does_not_hold_the_label():
    header = made(SHIFT, constant(0.5, 1))[1]
    why = reasons.why(claim(0, 0.1, statement=Interval(0.25, 0.5), label=0.75), header)
    assert why == ("wrong", "the smoothed number lies in [0.25, 0.5], in the whole region", (), None)


def test_a_plug_in_that_is_gone_leaves_the_names_out():
    header = {"transform": "nowhere.py:Gone"}
    assert reasons.place((0.25, -3.0), header) == "xi = 0.25, xi = -3"
    assert reasons.place((-31.0,), {"transform": "rotation|clip"}) == "angle = -31 deg"


@hypothesis.given(st.floats(1e-12, 1e12))
def test_a_radius_is_never_shown_larger_than_it_is(radius):
    shown = float(reasons.rounded_down(radius))
    assert shown <= radius
    assert shown > 0.998 * radius


def test_the_last_lines_keep_to_eighty_columns_and_name_the_run():
    header, claims = results.read_run(KEPT / "resolvable_mnist/gaussian_blur")
    summary = report.summarize(Run("a" * 30, header, claims))
    text = report.explained([summary]).plain
    assert text.splitlines()[0] == f"Why 37 of 500 images are not certified ({'a' * 30}):"
    assert max(map(len, text.splitlines())) <= 80
    assert [line.split()[:2] for line in text.splitlines() if line[7:8].isdigit()] == [
        ["15", "abstained"], ["15", "margin"], ["7", "wrong"]
    ]  # fmt: skip
    good = claim(0, 1.0, statement=Answer(1))
    assert report.explained([report.summarize(Run("run", header, [good]))]).plain == ""


def test_claims_about_random_parameters_say_how_often_the_answer_changes():
    counted = gs.Guarantee(
        transform=Brightness(), region=gs.Box([-0.2], [0.2]), method=CCCert(at_most=0.01), max_votes=1000, test="fixed"
    )
    found = reason(counted, constant(0.35, 0))  # an eighth of the parameters change it
    assert found.kind == "changes"
    assert "of 1,000 random parameters change the answer; a random one does with a probability of 0." in found.text
    assert found.text.endswith("at most, and 0.01 is asked for")
    assert reason(counted, constant(0.2, 0)) is None
    sampled = dataclasses.replace(counted, method=CCCert(bound="chernoff", at_most=1e-4))
    assert reason(sampled, constant(0.35, 0)).kind == "margin"
