import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import pytrees
from gsmooth_jax.cli import main
from gsmooth_jax.surrogate import load
from gsmooth_jax.training.surrogate_config import FitConfig
from gsmooth_jax.training.surrogate_fit import Recipe, errors, fit
from tests.surrogates import SHAPE, fit_config, flat_images


def _equal(a, b):
    return jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), a.variables, b.variables))


def _log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_learns_and_reports_what_it_learned(fitted):
    out, surrogate = fitted
    log, report = _log(out), json.loads((out / "fit.json").read_text())
    assert [r["epoch"] for r in log] == [1, 2, 3, 4]
    # Doing nothing costs the mean absolute brightness change, 7/8 of 0.225 here.
    assert log[-1]["error"] < 0.5 * log[0]["error"]
    assert report["test_mean"] < 0.06
    assert report["images"] == 40
    assert report["test_max"] >= report["test_mean_noisy"] >= report["test_mean"]
    assert report["test_max_l2"] >= report["test_max"]
    assert report["encoder_upper"] >= 1.0
    thetas = [e["theta"][0] for e in report["by_parameter"]]
    assert (min(thetas), max(thetas)) == (pytest.approx(-0.3), pytest.approx(0.3))
    assert 0.0 in thetas
    assert _equal(load(out), surrogate)
    assert (out / "surrogate.png").stat().st_size > 5000
    assert (out / "noise.png").stat().st_size > 5000


def test_the_reported_errors_are_those_of_the_images(fitted):
    out, surrogate = fitted
    images = flat_images(40, 1)
    recipe = Recipe.build(fit_config(out), SHAPE, 1)
    found = errors(surrogate, recipe, jax.random.key(0), jnp.asarray(images), np.array([[-0.3], [0.3]]))
    clean = images.astype(np.float32) / 255
    imitate = jax.jit(jax.vmap(lambda s, x: s(x, jnp.asarray([0.3])), in_axes=(None, 0)))
    difference = np.asarray(imitate(surrogate, clean)) - (clean + 0.3)
    assert found[-1]["theta"] == [pytest.approx(0.3)]
    assert found[-1]["mean"] == pytest.approx(np.abs(difference).mean(), rel=1e-3)
    assert found[-1]["max"] == pytest.approx(np.abs(difference).max(), rel=1e-3)
    assert found[-1]["max_l2"] == pytest.approx(np.linalg.norm(difference.reshape(40, -1), axis=1).max(), rel=1e-3)
    decibels = -10 * np.log10((difference.reshape(40, -1) ** 2).mean(axis=1))
    assert found[-1]["psnr"] == pytest.approx(decibels.mean(), rel=1e-3)
    assert 0.0 < found[-1]["ssim"] < 1.0


def test_a_perfect_surrogate_has_the_best_figures(fitted):
    @pytrees.register
    @dataclasses.dataclass(frozen=True)
    class Perfect:
        """Brightness itself."""

        encode = decode = staticmethod(lambda images: images)
        shift = staticmethod(lambda theta: jnp.full(SHAPE, theta[0]))

    recipe = dataclasses.replace(Recipe.build(fit_config(fitted[0]), SHAPE, 1), sigma=0.0)
    images = jnp.asarray(flat_images(8, 1))
    for entry in errors(Perfect(), recipe, jax.random.key(0), images, np.array([[-0.3], [0.3]])):
        assert entry["psnr"] == 100.0
        assert entry["ssim"] == pytest.approx(1.0, abs=1e-5)


def test_a_resumed_fit_equals_an_uninterrupted_one(fitted, tmp_path, capsys):
    class Killed(Exception):
        pass

    def kill(record):
        if record["epoch"] == 2:
            raise Killed

    data = flat_images(512, 0), flat_images(40, 1)
    with pytest.raises(Killed):
        fit(fit_config(tmp_path), *data, progress=False, on_epoch=kill)
    assert load(tmp_path).networks.transform == "brightness"  # usable, though cut off
    assert _equal(fit(fit_config(tmp_path), *data, progress=False), fitted[1])
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"sigma=0.1, not 0.3"):
        fit(fit_config(tmp_path, sigma=0.3), *data, progress=False)


def test_draws_cover_range_noise_and_identity():
    recipe = Recipe.build(fit_config("unused", sigma_parameter=(0.1,)), SHAPE, 1)
    theta = np.asarray(recipe.draw(jax.random.key(0), 4000))[:, 0]
    assert -0.6 <= theta.min() < -0.59
    assert 0.59 < theta.max() <= 0.6
    assert (theta == 0).mean() == 0.125
    # A blur's variance is never negative: the range ends where the transform does.
    blur = FitConfig(out="unused", transform="gaussian_blur", region=(0.0, 4.0), sigma_parameter=(1.0,))
    assert (blur.drawn().low, blur.drawn().high) == ((0.0,), (7.0,))
    assert blur.box().high == (4.0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transform": "twirl"}, "Unknown transform"),
        ({"transform": "additive"}, "a few parameters"),
        ({"region": (0.0, 1.0, 2.0)}, "LOW HIGH for each of the 1 parameters"),
        ({"region": (0.1, 0.2)}, "holds the identity"),
        ({"sigma": -1.0}, "sigma >= 0"),
        ({"sigma_parameter": (0.1, 0.1)}, "one for each parameter"),
        ({"encoder_decay": float("nan")}, "encoder_decay"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)
def test_bad_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fit_config("unused", **change)


def test_bad_data_is_refused_before_anything_is_written(tmp_path):
    good = flat_images(32, 0)
    for data, message in (
        ((good / 255.0, good), "training images"),
        ((good, good[:, :4]), "test images"),
        ((good[:8], good), "batch_size <= 8"),
        ((good[:, :7, :7], good[:, :7, :7]), "divisible by 2"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(fit_config(tmp_path / "new"), *data, progress=False)
    with pytest.raises(ValueError, match="Unknown arch"):
        fit(fit_config(tmp_path / "new", arch="vgg"), good, good, progress=False)
    assert not (tmp_path / "new").exists()


def test_the_command_line_is_the_configuration(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr("gsmooth_jax.data.load_split", lambda name, split, where: (f"{name} {split} {where}", None))
    monkeypatch.setattr("gsmooth_jax.training.surrogate_fit.fit", lambda *given: seen.append(given))
    words = "fit-surrogate --out o --transform rotation|brightness --region -5 5 -0.1 0.1 --sigma 0.2 --encoder 0"
    main([*words.split(), "--sigma-parameter", "2", "0.1", "--data-dir", "d"])
    config = FitConfig(
        out="o",
        transform="rotation|brightness",
        region=(-5, 5, -0.1, 0.1),
        sigma=0.2,
        encoder=(0,),
        sigma_parameter=(2, 0.1),
    )
    assert seen == [(config, "mnist train d", "mnist test d")]
    assert Recipe.build(config, (28, 28, 1), 1).networks.encoder == ()
    with pytest.raises(SystemExit) as stop:
        main(["fit-surrogate", "--out", "o", "--transform", "twirl"])
    assert stop.value.code == 2
    assert "Unknown transform 'twirl'" in capsys.readouterr().err
