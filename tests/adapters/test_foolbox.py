"""Foolbox takes a classifier of this library as it is: a JAX function of images."""

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from tests.known import SHAPE, by_mean

foolbox = pytest.importorskip("foolbox")


def test_it_attacks_the_classifier_itself():
    images = jnp.asarray(np.stack([np.full(SHAPE, mean, np.float32) for mean in (0.1, 0.6)]))
    network = foolbox.JAXModel(gs.as_classifier(by_mean, SHAPE), bounds=(0, 1))
    _, found, success = foolbox.attacks.LinfPGD()(network, images, jnp.array([0, 1]), epsilons=0.2)
    assert success.tolist() == [False, True]
    assert float(jnp.abs(found - images).max()) <= 0.2 + 1e-6
