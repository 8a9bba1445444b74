"""The climb finds what draws miss, in the region's own geometry, and says where there is nothing to climb."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks import EotPgd, Random, eot_pgd
from gsmooth_jax.attacks.target import Space
from gsmooth_jax.certificates import Additive
from gsmooth_jax.transforms import Brightness, BrightnessContrast, Clip, Pixelate, Quantize, Rotation, Translation
from tests.known import SHAPE, SIGMA

FEW = EotPgd(tries=3, steps=12, draws=4)


def cover(transform, low, high):
    return gs.Guarantee(transform=transform, region=gs.Box(low, high), method=gs.Cover(noise=gs.PixelNoise(sigma=0.2)))


def test_it_ends_at_the_corner_that_is_worst_for_the_class(target):
    # e^k (x + b) is darkest at the lowest k and b. Their widths differ 100 times: units do not matter.
    made = target(cover(BrightnessContrast(), [-0.5, -0.005], [0.5, 0.005]))
    np.testing.assert_allclose(FEW.propose(made), np.tile([-0.5, -0.005], (3, 1)), rtol=1e-3)
    # For the other class the opposite corner is.
    made = dataclasses.replace(made, events=(0,))
    np.testing.assert_allclose(FEW.propose(made), np.tile([0.5, 0.005], (3, 1)), rtol=1e-3)


def test_in_many_parameters_it_reaches_what_draws_never_do(target):
    # One number a pixel: the class changes at distance 0.1 * sqrt(16) = 0.4, in one direction of 16.
    law = gs.ClosedForm(smoothing=gs.Gaussian(sigma=SIGMA), certificate=Additive())
    ball = gs.Guarantee(transform=gs.transforms.Additive(), region=gs.Ball(0.44), method=law)
    made = target(ball)
    darkened = made.image.mean() + Random(tries=1000).propose(made).mean(axis=1)
    assert darkened.min() > 0.5
    climbed = FEW.propose(made)
    assert (made.image.mean() + climbed.mean(axis=1) < 0.495).all()
    assert np.linalg.norm(climbed.astype(np.float64), axis=1).max() <= 0.44


@pytest.mark.parametrize("p", [1, np.inf])
def test_in_every_norm_it_reaches_the_sphere(target, p):
    law = {1: gs.Laplace(scale=SIGMA), np.inf: gs.Gaussian(sigma=SIGMA)}[p]
    method = gs.ClosedForm(smoothing=law, certificate=Additive())
    radius = {1: 0.01, np.inf: 0.02}[p]
    made = target(gs.Guarantee(transform=gs.transforms.Additive(), region=gs.Ball(radius, 16, p), method=method))
    climbed = FEW.propose(made).astype(np.float64)
    assert np.linalg.norm(climbed, ord=p, axis=1).max() <= radius
    # The mean falls nearly as far as it can: of L1 by a sixteenth of the radius, of L-infinity by the radius.
    lowest = -radius / 16 if p == 1 else -radius
    assert (climbed.mean(axis=1) < 0.85 * lowest).all()


def test_it_looks_through_roundings(target):
    made = target(cover(Brightness() | Clip() | Quantize(bits=8), [-0.2], [0.2]))
    np.testing.assert_allclose(FEW.propose(made), -0.2, rtol=1e-3)


def test_without_a_gradient_it_is_the_random_attack(target):
    made = target(cover(Brightness(), [-0.2], [0.2]))
    flat = gs.as_classifier(lambda images: jnp.zeros((len(images), 2)), SHAPE)
    made = dataclasses.replace(made, classifier=flat)
    assert np.array_equal(FEW.propose(made), Random(tries=3).propose(made))


def test_more_climbs_than_fit_at_once_keep_their_draws(target, monkeypatch):
    monkeypatch.setattr(eot_pgd, "_AT_ONCE", 3)
    made = target(cover(BrightnessContrast(), [-0.5, -0.005], [0.5, 0.005]))
    few, many = (EotPgd(tries=k, steps=2, draws=4).propose(made) for k in (3, 7))
    assert many.shape == (7, 2)
    assert np.array_equal(many[:3], few)
    assert len(np.unique(many, axis=0)) == 7


@pytest.mark.parametrize("transform", [Translation(), Pixelate(), Pixelate() | Quantize(bits=8)])
def test_piecewise_constant_transforms_are_refused(transform):
    dim = len(transform.params)
    space = Space.of(transform, gs.Box([0.0] * dim, [0.5] * dim), SHAPE)
    with pytest.raises(ValueError, match="use grid"):
        FEW.check(transform, space, SHAPE)


def test_settings_are_checked():
    space = Space.of(Rotation(), gs.Box([-5], [5]), SHAPE)
    FEW.check(Rotation() | Quantize(bits=8), space, SHAPE)
    for change, message in (({"steps": 0}, "steps >= 1"), ({"draws": 0}, "draws >= 1"), ({"first": -1.0}, "first > 0")):
        with pytest.raises(ValueError, match=message):
            EotPgd(**change)
