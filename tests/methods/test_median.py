"""``median``: intervals that hold the smoothed number everywhere, against numbers whose median is known."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.claims import Interval
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.median import NumberVote
from gsmooth_jax.models import Regressor, as_model
from gsmooth_jax.results import records
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness
from tests.known import SHAPE, by_mean, without_time

NOISE = gs.PixelNoise(sigma=0.2)
METHOD = gs.Median(noise=NOISE, steps=100)
TERMS = gs.Guarantee(transform=Brightness(), region=gs.Box([-0.1], [0.1]), method=METHOD)


def mean(images):
    """Under the noise, its median is the mean of the image itself."""
    return images.mean(axis=(1, 2, 3))


@pytest.fixture(scope="module")
def model():
    return as_model(mean, SHAPE)


def constant(number, value, label=None):
    return gs.Example(id=number, image=np.full(SHAPE, value, np.float32), label=label)


@pytest.fixture(scope="module")
def claims(model):
    return list(gs.certify_stream(model, [constant(0, 0.3, 0.3), constant(1, 0.6, 0.9), constant(2, 0.95)], TERMS))


def test_the_interval_holds_every_median_of_the_region(model, claims):
    assert isinstance(model, Regressor)
    for claim, value in zip(claims, (0.3, 0.6, 0.95), strict=True):
        assert isinstance(claim.statement, Interval)
        assert claim.certified
        # The medians of the region fill [value - 0.1, value + 0.1].
        assert claim.statement.low <= value - 0.1
        assert claim.statement.high >= value + 0.1
        assert claim.statement.high - claim.statement.low < 0.5 or math.isinf(claim.statement.high)
        assert claim.radius == 0.1
    assert [c.correct for c in claims] == [True, False, None]
    assert math.isinf(claims[2].statement.high)  # the thresholds end at 1
    assert verify(TERMS, claims) == []


def test_both_ends_are_tested_on_the_same_votes(claims):
    windows, ballots = claims[0].windows, claims[0].ballots
    events = {w.event for w in windows}
    assert len(events) == 2
    parts = [{w[:2] for w in windows if w.event == event} for event in events]
    assert parts[0] == parts[1]
    for number in {b.centre_id for b in ballots}:
        both = [b for b in ballots if b.centre_id == number]
        assert {b.event for b in both} == events
        assert len({len(b.successes) for b in both}) == 1
    assert claims[0].votes == 32 * 3 + sum({b.centre_id: len(b.successes) for b in ballots}.values())


def test_an_end_is_what_the_device_compared_with(claims):
    """To the last digit: of the float32 numbers some are larger than the decimals that they stand for."""
    ends = [end for c in claims for end in (c.statement.low, c.statement.high) if math.isfinite(end)]
    assert all(float(np.float32(end)) == end for end in ends)
    assert any(round(end, 2) != end for end in ends)


def test_an_interval_has_two_ends(claims):
    """Of two lower ends the lower one would do; but no prover tests more than it claims."""
    lower = [h for h in claims[0].hypotheses if h.event < METHOD.steps + 1]
    both = (*claims[0].hypotheses, *(h._replace(event=h.event - 1) for h in lower))
    (fault,) = verify(TERMS, [dataclasses.replace(claims[0], hypotheses=both)])[:1]
    assert "of more events than the two ends of an interval" in fault


def test_false_intervals_are_as_rare_as_alpha_says(model):
    """Thresholds of which none but 0.295 and 0.505 are in reach: at the region's ends the median is outside."""
    alpha, n = 0.05, 120
    method = dataclasses.replace(METHOD, low=0.295, high=0.505, steps=1)
    loose = dataclasses.replace(TERMS, method=method, alpha=alpha, region=gs.Box([-0.1], [0.1]), max_votes=2048)
    claims = list(gs.certify_stream(model, (constant(i, 0.4) for i in range(n)), loose))
    false = 0
    for claim in claims:
        if claim.certified and claim.statement is not None:
            false += claim.statement.low > 0.3 or claim.statement.high < 0.5
    assert false <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5
    narrow = dataclasses.replace(loose, method=dataclasses.replace(method, low=0.31, high=0.49))
    false = sum(
        c.certified and (c.statement.low > 0.3 or c.statement.high < 0.5)
        for c in gs.certify_stream(model, (constant(i, 0.4) for i in range(n)), narrow)
    )
    assert false <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda w, b: (w._replace(event=w.event + 1), b), "more events|statement"),
        (lambda w, b: (w._replace(bounds=tuple(0.999 for _ in w.bounds)), b), "certified"),
        (lambda w, b: (w, b._replace(successes=tuple(0 for _ in b.successes))), "certified"),
        (lambda w, b: (w, b._replace(successes=(*b.successes, 1))), "different numbers of votes|votes"),
    ],
)
def test_tampered_evidence_is_found(claims, change, named):
    (window, *windows), ballots = claims[0].windows, list(claims[0].ballots)
    at = len(ballots) // 2
    window, ballots[at] = change(window, ballots[at])
    changed = dataclasses.replace(claims[0], windows=(window, *windows), ballots=tuple(ballots))
    faults = verify(TERMS, [changed])
    assert any(any(n in f for n in named.split("|")) for f in faults), faults


def test_a_narrower_statement_does_not_follow(claims):
    said = claims[0].statement
    for other in (Interval(said.low + 0.01, said.high), Interval(said.low, said.high - 0.01), None):
        (fault,) = verify(TERMS, [dataclasses.replace(claims[0], statement=other)])
        assert fault.startswith("image 0: statement")


def test_a_record_keeps_the_interval(claims):
    for claim in claims:
        ((line, _),) = records.lines_of(records.to_record(claim))
        assert records.from_line(line) == claim


def test_numbers_that_are_not_finite_are_neither_above_nor_below():
    vote = NumberVote(noise=NOISE, thresholds=np.float32([0.0, 1.0]))
    keys, more = jax.random.split(jax.random.key(0), (2, 1, 4))
    events = vote(lambda images: jnp.full(len(images), jnp.nan), keys, np.zeros((1, *SHAPE), np.float32))
    assert np.asarray(events).tolist() == [[[False] * 4 + [True]] * 4]
    events = vote(lambda images: jnp.full(len(images), 0.5), more, np.zeros((1, *SHAPE), np.float32))
    assert np.asarray(events).tolist() == [[[True, False, False, True, False]] * 4]


def test_a_classifiers_confidence_is_a_number(classifier):
    sharp = gs.as_classifier(lambda images: 20.0 * by_mean(images), SHAPE)
    method = gs.Median(noise=NOISE, output=1)
    terms = dataclasses.replace(TERMS, method=method, region=gs.Box([-0.02], [0.02]))
    (claim,) = gs.certify_stream(sharp, [constant(0, 0.75, 1)], terms)
    assert claim.certified
    low, high = (float(jax.nn.sigmoid(40.0 * (0.25 + d))) for d in (-0.02, 0.02))
    assert claim.statement.low <= low <= high <= claim.statement.high
    for wrong, message in ((dataclasses.replace(method, output=2), "output in 0..1"), (METHOD, "output in 0..1")):
        with pytest.raises(ValueError, match=message):
            gs.certify_stream(classifier, [], dataclasses.replace(terms, method=wrong))
    with pytest.raises(ValueError, match="output=None for a model that returns numbers"):
        gs.certify_stream(as_model(mean, SHAPE), [], terms)


def test_texts_and_front_end(claims):
    assert registry.parse(METHOD.name, METHOD.law, Brightness()) == METHOD
    images = np.stack([constant(0, v).image for v in (0.3, 0.6, 0.95)])
    again = gs.certify(mean, images, [0.3, 0.9, 0.95], transform=Brightness(), region=TERMS.region, method=METHOD)
    assert without_time(again[:2]) == without_time(claims[:2])
    with pytest.raises(ValueError, match="speaks of classes"):
        gs.certify(mean, images, transform=Brightness(), region=TERMS.region, law=NOISE)
    for bad, message in (
        ({"low": 1.0, "high": 0.0}, "low < high"),
        ({"steps": 0}, "steps >= 1"),
        ({"output": -1}, "output >= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            gs.Median(noise=NOISE, **bad)
