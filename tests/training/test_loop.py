import dataclasses
import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import models
from gsmooth_jax.models import Architecture, Classifier, Normalize
from gsmooth_jax.training import TrainConfig, _run_folder, loop
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.training.loop import train
from gsmooth_jax.training.step import TrainState, averaged, batch_moments


def _data(count, size, channels, seed):
    """Three classes: a bright band at the top, in the middle or at the bottom, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % 3
    images = rng.integers(0, 60, (count, size, size, channels))
    band = size // 3
    for image, label in zip(images, labels, strict=True):
        image[label * band : (label + 1) * band] += 150
    return images.astype(np.uint8), labels


_SMALL = (*_data(96, 16, 1, 0), *_data(30, 16, 1, 1))


def _config(out, **changes):
    settings = {"transform": ("brightness",), "law": ("uniform(low=-0.1, high=0.1)",), "noise": 0.1}
    return TrainConfig(**({"out": str(out), "epochs": 3, "batch_size": 32, "normalize": "image"} | settings | changes))


def _log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, train(_config(out), *_SMALL, progress=False)


def _same(a, b):
    return jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), a, b))


def _equal(a, b):
    return _same(a.variables, b.variables)


def test_learns_and_leaves_a_checkpoint(finished):
    out, classifier = finished
    log = _log(out)
    assert [record["epoch"] for record in log] == [1, 2, 3]
    assert log[-1]["loss"] < log[0]["loss"]
    images, labels = _SMALL[2] / np.float32(255), _SMALL[3]
    accuracy = float((classifier(images).argmax(axis=-1) == labels).mean())
    assert accuracy == pytest.approx(log[-1]["test_clean"])
    loaded = models.load(out)
    assert _equal(loaded, classifier)
    info = models.describe(out)["info"]
    assert info["result"] == log[-1]
    assert info["training"]["law"] == ["uniform(low=-0.1, high=0.1)"]
    assert "out" not in info["training"]


def test_a_resumed_run_equals_an_uninterrupted_one(finished, tmp_path, capsys):
    class Killed(Exception):
        pass

    def kill(record):
        raise Killed

    with pytest.raises(Killed):
        train(_config(tmp_path), *_SMALL, progress=False, on_epoch=kill)
    assert models.describe(tmp_path)["info"]["result"]["epoch"] == 1  # usable, though cut off
    # A line of an epoch whose state was not stored any more is written again, not twice.
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": 2}) + "\n")
    resumed = train(_config(tmp_path), *_SMALL, progress=False)
    assert capsys.readouterr().out == ""
    whole, classifier = finished
    assert _equal(resumed, classifier)
    without_time = [[{k: v for k, v in r.items() if k != "train_seconds"} for r in _log(p)] for p in (whole, tmp_path)]
    assert without_time[0] == without_time[1]


def test_a_finished_run_is_read_back(finished):
    out, classifier = finished
    before = (out / "log.jsonl").read_text()
    assert _equal(train(_config(out), *_SMALL, progress=False), classifier)
    assert (out / "log.jsonl").read_text() == before


def test_another_run_in_the_folder_is_refused(finished):
    out, _ = finished
    with pytest.raises(ValueError, match=r"noise=0.1, not 0.2"):
        train(_config(out, noise=0.2), *_SMALL, progress=False)
    images, *rest = _SMALL
    with pytest.raises(ValueError, match="crc32"):
        train(_config(out), 255 - images, *rest, progress=False)


def test_residual_networks_train_with_consistency_and_crops(tmp_path, monkeypatch):
    small = {"tiny": lambda classes: models.MODELS["resnet20"](classes=classes, depth=8, width=2)}
    monkeypatch.setattr("gsmooth_jax.models.architecture.MODELS", models.MODELS | small)
    config = TrainConfig(
        out=str(tmp_path), arch="tiny", consistency=5.0, noise=0.1, crop_flip=True, epochs=1, batch_size=8
    )
    data = (*_data(16, 8, 3, 0), *_data(4, 8, 3, 1))
    classifier = train(config, *data, progress=False)
    assert _equal(models.load(tmp_path), classifier)
    assert set(classifier.variables) == {"params", "batch_stats"}
    assert set(_log(tmp_path)[0]) == {"epoch", "loss", "train_accuracy", "train_seconds", "test_clean", "test_smoothed"}


class _Killed(Exception):
    pass


@pytest.fixture(scope="module")
def speed(tmp_path_factory):
    """A small speed network trained as the large one is, killed after its first epoch and resumed."""
    patch = pytest.MonkeyPatch()
    small = {"tiny": lambda classes: models.MODELS["speed_net"](classes=classes, widths=(4, 6))}
    patch.setattr("gsmooth_jax.models.architecture.MODELS", models.MODELS | small)
    settings = {"label_smoothing": 0.1, "averaging": 0.9, "flips": True, "shifts": 1, "normalize": "dataset"}
    config = TrainConfig(
        out=str(tmp_path_factory.mktemp("speed")),
        arch="tiny",
        optimizer="muon",
        noise=0.1,
        validation=20,
        epochs=2,
        batch_size=16,
        **settings,
    )
    data = _data(84, 8, 3, 0)
    states = []

    def keep(self, state, record):
        states.append(jax.device_get(state))
        return store(self, state, record)

    store = _run_folder.RunFolder.store
    patch.setattr(_run_folder.RunFolder, "store", keep)

    def kill(record):
        raise _Killed

    with pytest.raises(_Killed):
        train(config, *data, progress=False, on_epoch=kill)
    classifier = train(config, *data, progress=False)
    yield config, data, states, classifier
    patch.undo()


def test_the_average_is_kept_and_the_whitening_is_not_trained(speed):
    config, (images, _), (first, last), classifier = speed
    assert _same(classifier.variables["params"], last.average)
    assert not _same(last.params, last.average)
    assert not _same(first.params, last.params)
    assert _same(first.frozen, last.frozen)
    assert _same(classifier.variables["frozen"], last.frozen)
    assert _equal(models.load(config.out), classifier)
    # Of the training images alone: of their noisy pixels, as the network sees them.
    mean, std = classifier.apply.normalize.mean, classifier.apply.normalize.std
    np.testing.assert_allclose(mean, images[:64].mean(axis=(0, 1, 2)) / 255, atol=1e-4)
    assert not np.allclose(mean, images.mean(axis=(0, 1, 2)) / 255, atol=1e-4)
    assert len(std) == 3


def test_the_average_is_exponential():
    state = TrainState(params={}, batch_stats={}, frozen={}, average=[1.0], opt_state=(), step=jnp.int32(0))
    assert averaged(state, [3.0], 0.9) == [2.0]  # over the first steps the plain mean
    later = dataclasses.replace(state, step=jnp.int32(1000))
    assert averaged(later, [3.0], 0.9) == [pytest.approx(0.9 * 1.0 + 0.1 * 3.0)]
    assert averaged(later, [3.0], 0.0) == {}


def test_averaged_weights_have_moments_of_their_own(speed):
    """Where evaluation takes a batch's own moments, it answers as training does."""
    _, (images, _), _, classifier = speed
    plain = Augment.build(TrainConfig(out="unused"))
    moments = batch_moments(classifier.variables, plain, jax.random.key(0), images[:32], architecture=classifier.apply)
    batch = images[:32] / np.float32(255)
    logits, _ = jax.jit(classifier.apply.train_apply)(classifier.variables, batch)
    own = dataclasses.replace(classifier, variables={**classifier.variables, "batch_stats": moments})
    np.testing.assert_allclose(jax.jit(Classifier.__call__)(own, batch), logits, rtol=1e-3, atol=1e-4)
    # Those that are kept are of noisy images: near these, and not those of the weights that were averaged.
    kept, running = classifier.variables["batch_stats"], speed[2][-1].batch_stats
    errors = [
        sum(float(jnp.abs(jnp.log(a["var"] / b["var"])).mean()) for a, b in zip(kept.values(), x.values(), strict=True))
        for x in (moments, running)
    ]
    assert 2 * errors[0] < errors[1]


def test_held_out_images_are_evaluated_in_place_of_test_images(speed):
    config, (images, labels), _, classifier = speed
    right = jax.jit(Classifier.__call__)(classifier, images[-20:] / np.float32(255)).argmax(axis=-1) == labels[-20:]
    last = _log(pathlib.Path(config.out))[-1]
    assert last["validation_clean"] == pytest.approx(float(right.mean()))
    assert not any(name.startswith("test") for name in last)


def test_a_training_starts_from_a_checkpoint(speed, tmp_path, monkeypatch):
    config, data, (_, last), classifier = speed
    begun = []

    def begin(self, fresh):
        begun.append(fresh)
        raise _Killed

    monkeypatch.setattr(_run_folder.RunFolder, "restore", begin)
    with pytest.raises(_Killed):
        train(dataclasses.replace(config, out=str(tmp_path), start=config.out), *data, progress=False)
    assert _same(begun[0].variables, classifier.variables)
    assert _same(begun[0].average, last.average)
    assert int(begun[0].step) == 0


def test_a_start_may_answer_by_the_mirror_image_too_or_not():
    both, one, wider = (
        Architecture.parse(f"speed_net{options}", classes=3, normalize=Normalize())
        for options in ("(mirror=True)", "", "(mirror=True, widths=(8, 8))")
    )
    assert loop._untrained(both) == loop._untrained(one) == one
    assert loop._untrained(wider) != one


def test_another_start_is_refused(speed, finished, tmp_path):
    config, data, _, _ = speed
    with pytest.raises(ValueError, match="start to be a checkpoint of"):
        train(dataclasses.replace(config, out=str(tmp_path / "new"), start=str(finished[0])), *data, progress=False)
    assert not (tmp_path / "new").exists()


def test_the_validation_split_is_checked(tmp_path):
    images, labels = _SMALL[:2]
    for given, validation, message in (
        (_SMALL, 16, "no test images"),
        ((images, labels), 0, "test images and labels, or validation"),
        ((images, labels), 96, "validation < 96"),
        ((images, labels), 80, "batch_size"),
    ):
        with pytest.raises(ValueError, match=message):
            train(_config(tmp_path, validation=validation), *given, progress=False)


def test_progress_bar_shows_accuracy_and_time_left(finished, tmp_path, capsys):
    out, _ = finished
    train(_config(out), *_SMALL, progress=False)
    assert capsys.readouterr().out == ""
    train(_config(out), *_SMALL, progress=True)
    assert "9/9" in capsys.readouterr().out


def test_diverging_training_is_an_error(tmp_path):
    with pytest.raises(FloatingPointError, match="learning rate"):
        train(_config(tmp_path, noise=1e38), *_SMALL, progress=False)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (0, _SMALL[0] / 255, "uint8"),
        (1, _SMALL[1][:-1], r"labels \[N\]"),
        (1, _SMALL[1] - 1, "labels >= 0"),
        (2, _SMALL[2][:, :8], "test images"),
        (3, _SMALL[3] + 1, "classes up to 3"),
    ],
)
def test_bad_data_is_refused_before_anything_is_written(tmp_path, position, value, message):
    data = list(_SMALL)
    data[position] = value
    with pytest.raises(ValueError, match=message):
        train(_config(tmp_path / "new"), *data, progress=False)
    assert not (tmp_path / "new").exists()


def test_batch_larger_than_the_data_is_refused(tmp_path):
    with pytest.raises(ValueError, match="batch_size"):
        train(dataclasses.replace(_config(tmp_path), batch_size=97), *_SMALL, progress=False)
