"""A network behind a fitted denoiser through the command line: certified, verified, replayed, attacked."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import cli, results, smoothing, transforms
from gsmooth_jax.cli.given import Network
from gsmooth_jax.models import Denoiser
from gsmooth_jax.surrogate import denoiser as denoisers
from gsmooth_jax.surrogate.denoiser import DenoisingNetwork
from gsmooth_jax.types import Domain
from tests.cli.test_commands import gsmooth
from tests.surrogates import SHAPE

CODE = """
import jax.numpy as jnp


def by_mean(images):
    mean = images.mean(axis=(1, 2, 3))
    return jnp.stack([0.5 - mean, mean - 0.5], axis=-1)
"""


def denoiser(shape, brighter):
    """One that adds a number to every pixel: its last bias, all else being zero."""
    network = DenoisingNetwork(name="flat", width=2)
    variables = jax.eval_shape(lambda key: network.init(key, shape), jax.random.key(0))
    variables = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), variables)
    last = max(name for name in variables["params"] if name.startswith("Conv"))
    variables["params"][last]["bias"] += brighter
    return Denoiser(variables=variables, apply=network, domain=Domain(shape))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a network, six grey images, and denoisers of such images and of others."""
    (tmp_path / "nets.py").write_text(CODE)
    levels = np.array([5, 95, 170, 200, 210, 230], np.uint8).reshape(-1, 1, 1, 1)
    np.savez(tmp_path / "grey.npz", images=levels + np.zeros(SHAPE, np.uint8), labels=np.array([0, 0, 1, 1, 1, 1]))
    denoisers.save(tmp_path / "denoiser", denoiser(SHAPE, 0.3), {"fit": {"noise": 0.12}})
    denoisers.save(tmp_path / "large", denoiser((12, 12, 1), 0.3), {"fit": {"noise": 0.12}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_two_are_certified_as_one_model(here, capsys):
    both = ["--model", "nets.py:by_mean", "--denoiser", "denoiser", "--devices", 1]
    terms = ["--transform", "brightness", "--region", -0.05, 0.05, "--law", "gaussian(sigma=0.1)", "--max-votes", 64]
    certify = ["certify", "--data", "grey.npz", *terms, "--out", "run"]
    assert gsmooth(*certify, *both) == cli.DONE
    header, claims = results.read_run(Path("run"))
    assert [c.predicted for c in claims] == [0, 1, 1, 1, 1, 1]  # the second, 0.37, is brightened beyond 1/2
    assert header["model"]["architectures"] == [{"callable": "nets.by_mean", "denoiser": {"name": "flat", "width": 2}}]
    capsys.readouterr()
    assert gsmooth("verify", "run", "--replay", 2, *both, "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["faults"] == {"run": []}
    assert gsmooth("attack", "run", "--attack", "grid", "--tries", 2, "--limit", 1, *both) == cli.DONE
    assert gsmooth("report", "run", "--html", "page.html") == cli.DONE
    assert "nets.by_mean behind the denoiser flat" in Path("page.html").read_text()
    # Without the denoiser, or behind another one, it is another model.
    capsys.readouterr()
    assert gsmooth("verify", "run", "--replay", 1, "--model", "nets.py:by_mean") == cli.BAD_INPUT
    assert "the denoiser before it with --denoiser" in " ".join(capsys.readouterr().err.split())
    assert gsmooth(*certify, "--model", "nets.py:by_mean") == cli.BAD_INPUT
    assert "another claim" in " ".join(capsys.readouterr().err.split())
    for folder, message in (
        ("large", "Expected a denoiser of inputs (8, 8, 1) in [0, 1], as its classifier, got one of (12, 12, 1)"),
        ("nowhere", "No checkpoint at 'nowhere'"),
    ):
        named = ["--model", "nets.py:by_mean", "--denoiser", folder, "--out", "new"]
        assert gsmooth("certify", "--data", "grey.npz", *terms, *named) == cli.BAD_INPUT
        assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("new").exists()


def test_the_noise_is_the_one_that_the_denoiser_was_fitted_to(here):
    found = Network(model="nets.py:by_mean", denoiser=Path("denoiser")).found("rotation")
    assert found.trained_law("rotation") == smoothing.PixelNoise(sigma=0.12, exact=True)
    assert "pixel_noise(sigma=0.12, exact=True)" in str(found.method("auto", None, transforms.Rotation()).law)
