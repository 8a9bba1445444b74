import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.cli import main
from gsmooth_jax.models import Denoiser
from gsmooth_jax.surrogate import denoiser as denoisers
from gsmooth_jax.training.denoiser_config import DenoiserConfig
from gsmooth_jax.training.denoiser_fit import _stability, errors, fit
from tests.surrogates import SHAPE, flat_images

DATA = flat_images(512, 0), flat_images(40, 1)
NOISE = 0.3

CODE = """
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.models import HostModel


def by_mean(images):
    mean = images.mean(axis=(1, 2, 3))
    return 40.0 * jnp.stack([0.5 - mean, mean - 0.5], axis=-1)


def by_corner(images):
    corner = images[:, 0, 0, 0]
    return 40.0 * jnp.stack([0.5 - corner, corner - 0.5], axis=-1)


host = HostModel(lambda x: np.stack([0.5 - x[:, 0, 0, 0], x[:, 0, 0, 0] - 0.5], 1), layout="NHWC", fingerprint="corner")
"""


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    file = tmp_path_factory.mktemp("nets") / "nets.py"
    file.write_text(CODE)
    return str(file)


def config(out, **changes):
    settings = {"noise": NOISE, "arch": "flat", "epochs": 3, "batch_size": 16, "learning_rate": 0.02}
    return DenoiserConfig(**({"out": str(out)} | settings | changes))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, nets):
    """A folder, its log, and the denoiser in it."""
    out = tmp_path_factory.mktemp("denoiser")
    records = []
    found = fit(config(out, classifier=(f"{nets}:by_corner",)), *DATA, progress=False, on_epoch=records.append)
    return out, records, found


def _log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def _equal(a, b):
    return jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), a.variables, b.variables))


def test_learns_what_the_noise_hides(fitted):
    out, records, found = fitted
    assert [r["epoch"] for r in records] == [1, 2, 3]
    assert _log(out) == records
    last = records[-1]
    assert last["test_mse_noisy"] == pytest.approx(NOISE**2, rel=0.1)  # of the identity
    assert last["test_mse"] < 0.5 * last["test_mse_noisy"]
    assert last["loss"] < NOISE**2
    assert last["kept"] > last["kept_noisy"]
    assert _equal(gs.load_denoiser(out), found)
    assert denoisers.fitted_noise(out) == NOISE


def test_the_reported_errors_are_those_of_the_images(fitted, nets):
    *_, found = fitted
    images = flat_images(40, 2)
    dark = gs.as_classifier(lambda x: jnp.stack([0.5 - x[:, 0, 0, 0], x[:, 0, 0, 0] - 0.5], -1), SHAPE)
    said = errors(found, (), (dark,), jax.random.key(3), jnp.asarray(images), NOISE)
    clean = images.astype(np.float32) / 255
    _, noise_key = jax.random.split(jax.random.fold_in(jax.random.key(3), 0))
    noisy = clean + NOISE * np.asarray(jax.random.normal(noise_key, clean.shape))
    denoised = np.asarray(jax.jit(lambda d, x: d(x))(found, noisy))
    assert said["test_mse"] == pytest.approx(((denoised - clean) ** 2).mean(), rel=1e-3)
    assert said["test_mse_noisy"] == pytest.approx(((noisy - clean) ** 2).mean(), rel=1e-3)
    truth = clean[:, 0, 0, 0] > 0.5
    assert said["kept"] == pytest.approx(((denoised[:, 0, 0, 0] > 0.5) == truth).mean(), abs=0.03)
    assert said["kept_noisy"] == pytest.approx(((noisy[:, 0, 0, 0] > 0.5) == truth).mean(), abs=1e-5)


def test_a_resumed_fit_equals_an_uninterrupted_one(fitted, tmp_path, capsys, nets):
    class Killed(Exception):
        pass

    def kill(record):
        if record["epoch"] == 2:
            raise Killed

    one = (f"{nets}:by_corner",)
    with pytest.raises(Killed):
        fit(config(tmp_path, classifier=one), *DATA, progress=False, on_epoch=kill)
    assert gs.load_denoiser(tmp_path).domain.shape == SHAPE  # usable, though cut off
    assert _equal(fit(config(tmp_path, classifier=one), *DATA, progress=False), fitted[2])
    assert [r["epoch"] for r in _log(tmp_path)] == [1, 2, 3]
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"noise=0.3, not 0.2"):
        fit(config(tmp_path, classifier=one, noise=0.2), *DATA, progress=False)
    with open(nets, "a") as file:
        file.write("\n")  # the same network still
    assert _equal(fit(config(tmp_path, classifier=one), *DATA, progress=False), fitted[2])


def test_stability_keeps_answers_and_starts_where_it_is_told(fitted, tmp_path, nets):
    out, _, found = fitted
    white = {"objective": "stability", "classifier": (f"{nets}:by_corner",), "start": str(out), "epochs": 2}
    seen = []
    stable = fit(config(tmp_path / "w", **white), *DATA, progress=False, on_epoch=seen.append)
    assert not _equal(stable, found)
    assert seen[-1]["loss"] < seen[0]["loss"]
    assert seen[-1]["kept"] > seen[-1]["kept_noisy"]
    # Black box: other networks in the place of the one to come, a step each in turn.
    black = white | {"classifier": (f"{nets}:by_mean", f"{nets}:by_corner"), "epochs": 1}
    assert not _equal(fit(config(tmp_path / "b", **black), *DATA, progress=False), stable)
    with pytest.raises(ValueError, match=r"start to be a denoiser .*width=6.*, got .*width=4"):
        fit(config(tmp_path / "no", **white, width=6), *DATA, progress=False)
    assert not (tmp_path / "no").exists()


def test_stability_is_the_cross_entropy_of_the_classifiers_own_answers():
    classifier = gs.as_classifier(lambda x: x.reshape(len(x), -1)[:, :3], SHAPE)
    clean, denoised = (jnp.asarray(np.random.default_rng(s).random((6, *SHAPE), np.float32)) for s in (0, 1))
    logits = np.asarray(denoised).reshape(6, -1)[:, :3].astype(np.float64)
    answers = np.asarray(clean).reshape(6, -1)[:, :3].argmax(1)
    expected = np.log(np.exp(logits).sum(1)) - logits[np.arange(6), answers]
    assert float(_stability(classifier, denoised, clean)) == pytest.approx(expected.mean(), rel=1e-5)


def test_the_images_go_through_transforms_that_stay(tmp_path):
    """A denoiser that changes nothing is off by the noise alone, whatever the images went through."""
    seen = []
    still = {"learning_rate": 1e-12, "epochs": 1, "transform": ("brightness",), "law": ("uniform(low=0.2, high=0.3)",)}
    found = fit(config(tmp_path, **still), *DATA, progress=False, on_epoch=seen.append)
    assert seen[0]["test_mse_noisy"] == pytest.approx(NOISE**2, rel=0.1)
    identity = Denoiser(variables=jax.tree.map(jnp.zeros_like, found.variables), apply=found.apply, domain=found.domain)
    said = errors(identity, (), (), jax.random.key(0), jnp.asarray(DATA[1]), NOISE)
    assert said["test_mse"] == said["test_mse_noisy"]
    assert "kept" not in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 0.0}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"objective": "l1"}, "Unknown objective 'l1'"),
        ({"objective": "stability"}, "a classifier whose answers"),
        ({"classifier": "nets.py:net"}, "tuple of texts"),
        ({"arch": "vgg"}, "Unknown arch"),
        ({"width": 0}, "width"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"transform": ("rotation",)}, "as many laws as transforms"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        config("unused", **change)


def test_bad_data_and_networks_are_refused_before_anything_is_written(tmp_path, nets):
    good = flat_images(32, 0)
    for data, message in (
        ((good / 255.0, good), "training images"),
        ((good, good[:, :4]), "test images"),
        ((good[:8], good), "batch_size <= 8"),
        ((good[:, :7, :7], good[:, :7, :7]), "divisible by 2"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(config(tmp_path / "new"), *data, progress=False)
    for named, message in (
        ("shipped:mnist_rotational_blur", r"inputs \(8, 8, 1\) in \[0, 1\], as the data, got \(28, 28, 1\)"),
        (f"{nets}:host", "called on the host and has no derivatives"),
        (f"{nets}:nothing", "Cannot import model"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(config(tmp_path / "new", objective="stability", classifier=(named,)), good, good, progress=False)
    with pytest.raises(FileNotFoundError, match="No checkpoint"):
        fit(config(tmp_path / "new", start=str(tmp_path / "none")), good, good, progress=False)
    assert not (tmp_path / "new").exists()


def test_the_command_line_is_the_configuration(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr("gsmooth_jax.data.load_split", lambda name, split, where: (f"{name} {split} {where}", None))
    monkeypatch.setattr("gsmooth_jax.training.denoiser_fit.fit", lambda *given: seen.append(given))
    words = "fit-denoiser --out o --noise 0.25 --objective stability --classifier a b --start s --data-dir d"
    main(words.split())
    expected = DenoiserConfig(out="o", noise=0.25, objective="stability", classifier=("a", "b"), start="s")
    assert seen == [(expected, "mnist train d", "mnist test d")]
    assert dataclasses.asdict(expected)["arch"] == "unet-small"
    with pytest.raises(SystemExit) as stop:
        main(["fit-denoiser", "--out", "o", "--noise", "-1"])
    assert stop.value.code == 2
    assert "noise" in capsys.readouterr().err
