"""Corrupted images, by transforms and from files."""

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import corruptions
from gsmooth_jax.types import ABSTAIN

IDS = np.array([3, 8, 20])


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 6, 5, 1)).astype(np.float32) / 255


def parameters(transform, region, severity, seed=0):
    return np.stack([corruptions._parameter(transform, region, severity, (seed, int(i))) for i in range(200)])


def test_the_parameter_is_so_many_fifths_of_an_end():
    both, one = gs.Box([-10.0], [20.0]), gs.Box([0.0], [2.0])
    found = parameters(gs.transforms.Rotation(), both, 3)
    assert {*found.ravel().tolist()} == {-6.0, 12.0}
    assert 0.3 < (found > 0).mean() < 0.7
    assert {*parameters(gs.transforms.ZoomBlur(), one, 2).ravel().tolist()} == {0.8}
    assert {*parameters(gs.transforms.GlassBlur(), one, 3).ravel().tolist()} == {1.0}  # whole px
    assert (parameters(gs.transforms.Rotation(), both, 3, seed=1) != found).any()
    np.testing.assert_array_equal(parameters(gs.transforms.Rotation(), both, 3), found)


def test_images_are_what_files_hold(images):
    found = corruptions.transformed(images, gs.transforms.Brightness(), gs.Box([0.0], [0.5]), 5, ids=IDS)
    np.testing.assert_allclose(found, np.round(255 * (images + 0.5).clip(0, 1)) / 255, atol=1e-6)
    np.testing.assert_allclose(found * 255, np.round(found * 255), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"severity": 0}, "severity from 1 to 5, got severity=0"),
        ({"severity": 6}, "severity from 1 to 5, got severity=6"),
        ({"region": gs.Box([0.0, 0.0], [1.0, 1.0])}, "box of 1 parameters for zoom_blur"),
        ({"region": gs.Box([-0.5], [0.5])}, r"z in \[0, inf\]"),
    ],
)
def test_refuses_what_does_not_fit(images, change, message):
    terms = {"transform": gs.transforms.ZoomBlur(), "region": gs.Box([0.0], [0.5]), "severity": 1, "ids": IDS}
    with pytest.raises(ValueError, match=message):
        corruptions.transformed(images, **terms | change)


@pytest.fixture
def folder(tmp_path):
    stored = np.random.default_rng(1).integers(0, 256, (5 * 21, 6, 5, 1)).astype(np.uint8)
    np.save(tmp_path / "fog.npy", stored)
    np.save(tmp_path / "labels.npy", np.tile(np.arange(21) % 10, 5))
    return tmp_path, stored


def test_files_hold_one_severity_behind_the_other(folder):
    path, stored = folder
    assert corruptions.files(path) == ["fog"]
    found = list(corruptions.read(path, "fog", (6, 5, 1), IDS, IDS % 10))
    assert len(found) == 5
    for severity, images in enumerate(found):
        assert images.dtype == np.float32
        np.testing.assert_array_equal(np.round(images * 255), stored[21 * severity + IDS])


def test_other_files_are_refused(folder, tmp_path_factory):
    path, stored = folder

    def read(name="fog", shape=(6, 5, 1), ids=IDS, labels=IDS % 10):
        return list(corruptions.read(path, name, shape, ids, labels))

    with pytest.raises(ValueError, match=r"Expected \[5 N, 6, 6, 1\] uint8 in .*fog.npy, got \[105, 6, 5, 1\] uint8"):
        read(shape=(6, 6, 1))
    with pytest.raises(ValueError, match=r"Expected images up to 21 in .*, got 21 of each severity"):
        read(ids=np.array([21]), labels=np.array([1]))
    with pytest.raises(ValueError, match="to hold the labels of this data set, got others"):
        read(labels=IDS % 10 + 1)
    np.save(path / "snow.npy", stored.astype(np.float32))
    with pytest.raises(ValueError, match="float32"):
        read("snow")
    np.save(path / "frost.npy", stored[:-1])
    with pytest.raises(ValueError, match=r"got \[104, 6, 5, 1\]"):
        read("frost")
    (path / "rain.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"Expected a NumPy file in .*rain.npy"):
        read("rain")
    with pytest.raises(FileNotFoundError, match=r"hail\.npy"):
        read("hail")
    with pytest.raises(ValueError, match=r"files such as zoom_blur\.npy"):
        corruptions.files(tmp_path_factory.mktemp("empty"))


def test_a_score_counts_answers_and_abstentions(images, monkeypatch):
    smoothed = gs.Smoothed(lambda x: x[:, 0, :2, 0], gs.PixelNoise(sigma=0.1))
    monkeypatch.setattr(gs.Smoothed, "predict", lambda *_, **__: np.array([1, ABSTAIN, 0]))
    found = corruptions.score(smoothed, images, np.array([1, 1, 1]), IDS, votes=10, alpha=0.1)
    assert found == (pytest.approx(1 / 3), pytest.approx(1 / 3))
