"""Surrogates of tiny images: one with random weights (F2 moves, A1 is tall, H bends), and one that was fitted."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.surrogate import Surrogate
from gsmooth_jax.surrogate.networks import NETWORKS, Networks, Size, UNet
from gsmooth_jax.training.surrogate_config import FitConfig
from gsmooth_jax.training.surrogate_fit import fit

SHAPE = (8, 8, 1)

# These compile in a fraction of the time of the shipped sizes.
NETWORKS["flat"] = Size(decoder=functools.partial(UNet, levels=(1,), patch=2), width=4, encoder=(3,))
NETWORKS["tiny"] = Size(decoder=functools.partial(UNet, levels=(1, 2), patch=2), width=4, encoder=(3,))


def random_surrogate(transform="rotation|brightness", low=(-8.0, -0.2), high=(8.0, 0.2), seed=0):
    """Drawn by NumPy: compiling the networks' initialisers takes longer than the tests."""
    networks = Networks(name="tiny", image_shape=SHAPE, transform=transform, low=low, high=high)
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(networks.init, jax.random.key(0))

    def fill(path, leaf):
        if "scale" in jax.tree_util.keystr(path):
            return jnp.ones(leaf.shape)
        return jnp.asarray(rng.normal(0, 0.3, leaf.shape), jnp.float32)

    return Surrogate(variables=jax.tree_util.tree_map_with_path(fill, shapes), networks=networks)


def flat_images(count, seed):
    """Nearly constant images [count, 8, 8, 1] uint8, of every brightness."""
    rng = np.random.default_rng(seed)
    means = rng.integers(20, 235, (count, 1, 1, 1))
    return (means + rng.integers(-20, 21, (count, *SHAPE))).astype(np.uint8)


def fit_config(out, **changes):
    settings = {"transform": "brightness", "region": (-0.3, 0.3), "arch": "flat", "sigma_parameter": (0.05,)}
    settings |= {"sigma": 0.1, "epochs": 4, "batch_size": 16, "learning_rate": 0.02}
    return FitConfig(**({"out": str(out)} | settings | changes))


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """A folder and the surrogate of brightness in it."""
    out = tmp_path_factory.mktemp("fitted")
    return out, fit(fit_config(out), flat_images(512, 0), flat_images(40, 1), progress=False)
