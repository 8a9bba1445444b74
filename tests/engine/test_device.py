"""The whole certify path against a classifier whose radii are known, and under every way of running it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.engine.kernels import vote_kernel
from tests.known import SHAPE, by_mean, without_time


@pytest.fixture(scope="module")
def claims(classifier, guarantee, examples):
    return list(gs.certify_stream(classifier, examples, guarantee))


def test_certified_radii_are_never_above_the_true_ones_and_the_clear_ones_are_found(claims, examples):
    for claim, example in zip(claims, examples, strict=True):
        true_radius = abs(float(example.image.mean()) - 0.5)
        assert claim.id == example.id
        assert claim.radius <= true_radius
        assert not claim.certified or true_radius > 0.15
        assert claim.certified or true_radius < 0.165
        assert claim.status == "proved"
        assert claim.votes == sum(claim.selection) + claim.hypotheses[0].votes


def test_an_image_on_the_boundary_abstains(claims):
    assert claims[6].predicted == gs.ABSTAIN
    assert claims[6].radius == 0.0
    assert not claims[6].correct


@pytest.mark.parametrize(
    "execution",
    [
        gs.Execution(devices=1, rows=3),
        gs.Execution(devices=2, rows=8, chunk=8),
        gs.Execution(devices=8, rows=16, in_flight=1),
    ],
)
def test_execution_never_changes_a_claim(claims, classifier, guarantee, examples, execution):
    again = list(gs.certify_stream(classifier, examples, guarantee, execution))
    assert without_time(again) == without_time(claims)


def test_an_image_alone_gets_the_claim_it_gets_among_others(claims, classifier, guarantee, examples):
    alone = list(gs.certify_stream(classifier, examples[4:5], guarantee))
    assert without_time(alone) == without_time(claims[4:5])


def test_another_law_compiles_nothing(classifier, guarantee, examples, claims):
    before = vote_kernel._cache_size()
    wider = dataclasses.replace(
        guarantee, method=dataclasses.replace(guarantee.method, smoothing=gs.Gaussian(sigma=0.25)), seed=5
    )
    list(gs.certify_stream(classifier, examples[:2], wider))
    assert vote_kernel._cache_size() == before


def test_nothing_compiles_after_the_first_claim(classifier, guarantee, examples, caplog):
    """Refilled rows, speculation and half-empty last batches have the shapes of the first batch."""
    longer = [dataclasses.replace(e, id=e.id + 1000 * turn) for turn in range(3) for e in examples]
    claims = gs.certify_stream(classifier, longer, guarantee, gs.Execution(devices=4, rows=20))
    with jax.log_compiles(), caplog.at_level("WARNING"):
        jax.jit(lambda x: x + 41)(0)
        assert "ompil" in caplog.text  # the log does tell
        first = next(claims)
        caplog.clear()
        rest = list(claims)
    assert "ompil" not in caplog.text
    assert len({c.votes for c in [first, *rest]}) > 5


@pytest.mark.parametrize("test", ["fixed", "fixed_two_sided"])
def test_fixed_tests_spend_the_whole_budget_and_agree(classifier, guarantee, examples, test):
    fixed = dataclasses.replace(guarantee, test=test, max_votes=500)
    claims = list(gs.certify_stream(classifier, [examples[0], examples[-1]], fixed))
    assert [c.hypotheses[0].votes for c in claims] == [500, 500]
    assert all(c.certified and c.radius < 0.45 for c in claims)


def test_false_claims_are_as_rare_as_alpha_says(guarantee):
    # 1,000 images that lie just outside what may be claimed, at alpha = 0.05.
    alpha, n = 0.05, 1000
    loose = dataclasses.replace(guarantee, alpha=alpha, region=gs.Box([-0.15], [0.15]), max_votes=256)
    image = np.full(SHAPE, 0.65, np.float32)
    classifier = gs.as_classifier(by_mean, SHAPE)
    stream = (gs.Example(id=i, image=image, label=1) for i in range(n))
    false = sum(c.radius > 0.15 for c in gs.certify_stream(classifier, stream, loose, gs.Execution(rows=256)))
    assert 0 < false <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5


def test_a_budget_too_small_is_refused_before_any_work(guarantee, classifier):
    hopeless = dataclasses.replace(guarantee, region=gs.Box([-0.45], [0.45]), max_votes=100)

    def never():
        raise AssertionError("an image was taken")
        yield

    with pytest.raises(ValueError, match=r"max_votes=100 can never certify .* only reach size 0\.\d+ .* >= \d+"):
        gs.certify_stream(classifier, never(), hopeless)


def test_the_planner_knows_the_classical_limit(classifier, guarantee):
    # n = 100 unanimous votes at alpha = 0.001 reach p >= 0.9333, which is 1.50 sigma one-sided.
    hopeless = dataclasses.replace(guarantee, region=gs.Box([-0.45], [0.45]), max_votes=100, test="fixed")
    with pytest.raises(ValueError, match=r"only reach size 0\.300\d"):
        gs.certify_stream(classifier, [], hopeless)


def test_non_finite_logits_cost_votes_and_are_noted(guarantee):
    def sometimes_nan(images):
        logits = by_mean(images)
        return jnp.where(images.mean(axis=(1, 2, 3))[:, None] > 1.2, jnp.nan, logits)

    classifier = gs.as_classifier(sometimes_nan, SHAPE)
    images = [np.full(SHAPE, m, np.float32) for m in (0.95, 0.1)]
    stream = [gs.Example(id=i, image=x, label=1 - i) for i, x in enumerate(images)]
    with_nan, clean = gs.certify_stream(classifier, stream, guarantee)
    assert "NaN or infinite" in with_nan.note
    assert with_nan.hypotheses[0].successes < with_nan.hypotheses[0].votes
    assert clean.note == ""
    assert clean.certified


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 5, 1), np.float32)}, r"image 3 to have shape \(4, 4, 1\), got \(4, 5, 1\)"),
        ({"image": np.zeros(SHAPE, np.float64)}, "image 3 to be float32"),
        ({"image": np.full(SHAPE, np.nan, np.float32)}, "image 3 to be finite, got 16 NaN"),
        ({"image": np.full(SHAPE, 1.5, np.float32)}, r"image 3 to lie in \[0, 1\]"),
        ({"label": 2}, "label of image 3 in 0..1, got 2"),
    ],
)
def test_bad_examples_are_named_and_earlier_claims_are_kept(classifier, guarantee, examples, change, message):
    bad = dataclasses.replace(examples[0], **{"id": 3, **change})
    stream = gs.certify_stream(classifier, [examples[0], bad], guarantee)
    with pytest.raises(ValueError, match=message):
        list(stream)


@pytest.mark.parametrize(
    ("execution", "message"),
    [
        ({"rows": 9, "devices": 2}, "multiple of the 2 devices, got rows=9"),
        ({"chunk": 5}, "chunk to divide block=32, got chunk=5"),
        ({"devices": 99}, "devices <= 8"),
    ],
)
def test_bad_execution(classifier, guarantee, execution, message):
    with pytest.raises(ValueError, match=message):
        gs.certify_stream(classifier, [], guarantee, gs.Execution(**execution))


@pytest.mark.parametrize("field", ["rows", "chunk", "in_flight", "devices"])
def test_execution_takes_positive_integers(field):
    with pytest.raises(ValueError, match=f"integer {field} >= 1, got {field}=0"):
        gs.Execution(**{field: 0})


def test_images_in_memory(guarantee):
    images = np.stack([np.full(SHAPE, m, np.float32) for m in (0.1, 0.9)])
    claims = gs.certify(
        by_mean,
        jax.device_put(images),
        [0, 0],
        transform=guarantee.transform,
        region=guarantee.region,
        law=guarantee.method.smoothing,
    )
    assert [c.predicted for c in claims] == [0, 1]
    assert gs.certified_accuracy(claims) == 0.5
    terms = {"transform": guarantee.transform, "region": guarantee.region}
    for labels, ids, message in (
        ([0, 0], [1, 1], "distinct"),
        ([0, 0], [0, 2**32], r"id < 2\^32"),
        ([0, 0], [-1, 1], "id >= 0"),
        ([0, 0], [0.2, 0.7], "ids to be integers"),
        ([0.0, 1.0], [0, 1], "labels to be integers"),
    ):
        with pytest.raises(ValueError, match=message):
            gs.certify(by_mean, images, labels, ids=ids, law=guarantee.method.smoothing, **terms)
    with pytest.raises(TypeError, match="Expected law to be an object"):
        gs.certify(by_mean, images, [0, 0], law="gaussian(sigma=1.0)", **terms)
    with pytest.raises(TypeError, match="Expected transform to be an object"):
        gs.certify(by_mean, images, [0, 0], law=guarantee.method.smoothing, **(terms | {"transform": "brightness"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 1.0}, "0 < alpha < 1, got alpha=1.0"),
        ({"max_votes": 0}, "integer max_votes >= 1, got max_votes=0"),
        ({"selection_votes": -1}, "selection_votes"),
        ({"test": "peek"}, "Unknown test 'peek'. Known: fixed, fixed_two_sided, sequential"),
        ({"seed": -1}, "seed >= 0"),
        ({"seed": 2**32}, r"seed < 2\^32"),
        ({"transform": gs.transforms.Rotation()}, "rotation"),
        ({"region": gs.Box([0, 0], [1, 1])}, "1 parameters"),
    ],
)
def test_bad_guarantees(guarantee, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(guarantee, **change)
