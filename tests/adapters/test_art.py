"""Against the Adversarial Robustness Toolbox itself: its mixin's shapes, and one of its attacks."""

import numpy as np
import pytest

import gsmooth_jax as gs
from tests.known import SHAPE, by_mean

pytest.importorskip("art")

from art.attacks.evasion import HopSkipJump
from art.estimators.classification.classifier import ClassifierMixin
from art.estimators.estimator import BaseEstimator

from gsmooth_jax.adapters.art import SmoothedClassifier

LAW, TERMS = gs.Gaussian(sigma=0.2), {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.3], [0.3])}


def smoothed(**changes):
    terms = {"input_shape": SHAPE, "law": LAW, "votes": 400, "execution": gs.Execution(devices=1), **TERMS}
    return SmoothedClassifier(by_mean, **(terms | changes))


def constants(*means):
    return np.stack([np.full(SHAPE, mean, np.float32) for mean in means])


def test_it_is_an_estimator_of_that_toolbox():
    found = smoothed()
    assert isinstance(found, BaseEstimator)
    assert isinstance(found, ClassifierMixin)
    assert found.input_shape == SHAPE
    assert found.nb_classes == 2
    assert found.clip_values is not None
    assert found.clip_values.tolist() == [0.0, 1.0]
    with pytest.raises(NotImplementedError, match="gsmooth train"):
        found.fit(constants(0.5), np.array([1]))


def test_predictions_are_one_hot_and_abstentions_zero():
    assert smoothed().predict(constants(0.1, 0.5, 0.9)).tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    answers = gs.Smoothed(by_mean, LAW, gs.transforms.Brightness()).predict(constants(0.1, 0.5, 0.9), votes=400)
    assert answers.tolist() == [0, gs.ABSTAIN, 1]


def test_radii_are_the_claims_own():
    images = constants(0.1, 0.5, 0.7, 0.9)
    classes, radii = smoothed().certify(images, n=2000)
    claims = gs.certify(by_mean, images, law=LAW, max_votes=2000, execution=gs.Execution(devices=1), **TERMS)
    assert classes.tolist() == [c.predicted for c in claims]
    assert classes[1] == -1
    assert radii.tolist() == [c.radius if c.predicted >= 0 else 0.0 for c in claims]
    assert radii[0] >= 0.3 > radii[2] > 0.0 == radii[1]


def test_an_attack_of_that_toolbox_takes_it():
    image = constants(0.6)
    attack = HopSkipJump(smoothed(votes=100, alpha=0.4), max_iter=1, max_eval=20, init_eval=4, verbose=False)
    found = attack.generate(image)
    assert found.shape == image.shape
    assert float(found.mean()) < 0.6
