"""Targets made of the classifier whose radii are known."""

import numpy as np
import pytest

from gsmooth_jax.attacks.target import Space, Target
from tests.known import SHAPE


@pytest.fixture(scope="session")
def target(classifier):
    """Makes the target of a guarantee: a constant image of class 1, whose true radius is its mean less 1/2."""

    def make(guarantee, mean=0.6, image_id=3):
        return Target(
            classifier=classifier,
            noise=guarantee.method.vote(guarantee.transform).noise,
            transform=guarantee.transform,
            space=Space.of(guarantee.transform, guarantee.region, SHAPE),
            image=np.full(SHAPE, mean, np.float32),
            image_id=image_id,
            events=(1,),
            seed=guarantee.seed,
        )

    return make
