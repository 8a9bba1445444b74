"""A classifier whose smoothed probabilities and radii are known, and a few images for it."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.certificates import Resolvable

SHAPE = (4, 4, 1)
SIGMA = 0.2


def by_mean(images):
    """Class 1 where the mean intensity is above 1/2, else class 0: a half-space, so every radius is known."""
    mean = images.mean(axis=(1, 2, 3))
    return jnp.stack([0.5 - mean, mean - 0.5], axis=-1)


def distances(noise, latents, centre):
    """[M]: |u - u_c|_(S^-1) for latents u [M, D] and u_c [D] or [M, D], rounded up by more than float64 is wrong."""
    apart = noise.whitened(np.subtract(latents, centre, dtype=np.float64))
    return np.sqrt(np.einsum("md,md->m", apart, apart)) * (1.0 + 1e-10)


@pytest.fixture(scope="session")
def classifier():
    return gs.as_classifier(by_mean, SHAPE)


@pytest.fixture(scope="session")
def guarantee():
    return gs.Guarantee(
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.15], [0.15]),
        method=gs.ClosedForm(smoothing=gs.Gaussian(sigma=SIGMA), certificate=Resolvable()),
        max_votes=4096,
        block=32,
    )


@pytest.fixture(scope="session")
def examples():
    """Twelve constant images: true radius |mean - 1/2|."""
    means = [0.05, 0.15, 0.25, 0.3, 0.34, 0.4, 0.5, 0.6, 0.66, 0.7, 0.8, 0.95]
    return [gs.Example(id=7 * i, image=np.full(SHAPE, m, np.float32), label=int(m > 0.5)) for i, m in enumerate(means)]


def without_time(claims):
    return [dataclasses.replace(c, seconds=0.0) for c in claims]
