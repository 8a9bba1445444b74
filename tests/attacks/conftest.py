"""The half-space classifier of the certify tests, and targets made of it."""

import numpy as np
import pytest

from gsmooth_jax.attacks.target import Space, Target
from tests.known import SHAPE, classifier, examples, guarantee  # noqa: F401 (fixtures)


@pytest.fixture(scope="session")
def target(classifier):  # noqa: F811
    """Makes the target of a guarantee: a constant image of class 1, whose true radius is its mean less 1/2."""

    def make(guarantee, mean=0.6, image_id=3):  # noqa: F811
        return Target(
            classifier=classifier,
            noise=guarantee.method.voting_noise(guarantee.transform),
            transform=guarantee.transform,
            space=Space.of(guarantee.transform, guarantee.region, SHAPE),
            image=np.full(SHAPE, mean, np.float32),
            image_id=image_id,
            top=1,
            seed=guarantee.seed,
        )

    return make
