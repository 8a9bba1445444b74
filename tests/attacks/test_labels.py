"""Attacks where nobody knows the labels, and on claims that are no class."""

import dataclasses

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks import Grid, attack_stream, summary
from gsmooth_jax.certificates import Resolvable
from gsmooth_jax.models import as_model
from tests.known import SHAPE, by_mean

MEANS = (0.05, 0.25, 0.45, 0.95)
IMAGES = [gs.Example(id=i, image=np.full(SHAPE, m, np.float32), label=None) for i, m in enumerate(MEANS)]
HEADER = {"seed": 0, "model": {"fingerprint": "f"}, "transform": "brightness", "region": {}}


def attacked(model, guarantee):
    claims = list(gs.certify_stream(model, IMAGES, guarantee, gs.Execution(devices=1)))
    pairs = list(zip(IMAGES, claims, strict=True))
    outcomes = list(attack_stream(model, pairs, guarantee, Grid(tries=5), execution=gs.Execution(devices=1)))
    return claims, outcomes, summary.summarize(HEADER, claims, outcomes, Grid(tries=5), votes=32)


@pytest.fixture(scope="module")
def brightness():
    return gs.Guarantee(
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.15], [0.15]),
        method=gs.ClosedForm(smoothing=gs.Gaussian(sigma=0.2), certificate=Resolvable()),
        max_votes=1024,
    )


def test_without_labels_the_answer_has_to_stay(brightness):
    claims, outcomes, found = attacked(gs.as_classifier(by_mean, SHAPE), brightness)
    assert [c.certified for c in claims] == [o.robust for o in outcomes] == [True, True, False, True]
    assert {o.right for o in outcomes} == {None}
    assert (found["smoothed_accuracy"], found["empirical_robust_accuracy"], found["broke_claim"]) == (None, 0.75, [])
    (row,) = zip(*(column.cells for column in summary.render([("run", found)]).columns), strict=True)
    assert [str(cell) for cell in row][4:7] == ["-", "75.0%", "75.0%"]


def test_an_interval_is_attacked_by_its_events(brightness):
    method = gs.Median(noise=gs.PixelNoise(sigma=0.1), steps=20)
    terms = dataclasses.replace(brightness, method=method, region=gs.Box([-0.02], [0.02]), max_votes=4000)
    claims, outcomes, found = attacked(as_model(lambda images: images.mean(axis=(1, 2, 3)), SHAPE), terms)
    assert any(c.certified for c in claims)
    assert found["broke_claim"] == []
    assert {o.right for o in outcomes} == {None}
