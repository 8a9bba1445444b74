"""What a run is about may grow: its folder goes on where the data begin with what it has, and with nothing else."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.data.specs import DataError
from gsmooth_jax.results import headers, recorded, sources
from tests import edited
from tests.known import SHAPE
from tests.models.test_host import HostModel, numpy_by_mean
from tests.results.test_certify import without_time

TERMS = {
    "transform": gs.transforms.Brightness(),
    "region": gs.Box([-0.1], [0.1]),
    "law": gs.Gaussian(sigma=0.2),
    "max_votes": 64,
    "execution": gs.Execution(devices=1),
}
NETWORK = HostModel(numpy_by_mean, layout="NHWC")
IMAGES = np.linspace(0.05, 0.95, 8, dtype=np.float32).reshape(-1, 1, 1, 1) * np.ones((8, *SHAPE), np.float32)


def certify_run(out, data, model=NETWORK, **changes):
    return gs.certify_run(model, data, out=out, **(TERMS | changes))


def picture(path, level, size=(4, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, level, np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path):
    """A dark class and a bright one."""
    for number in range(4):
        picture(tmp_path / "pictures" / ("dark", "light")[number % 2] / f"{number}.png", 20 + 200 * (number % 2))
    return tmp_path / "pictures"


def test_a_run_grows_with_its_limit_and_holds_what_one_made_at_once_does(tmp_path):
    np.savez(tmp_path / "data.npz", images=IMAGES, labels=np.arange(8) // 4, ids=np.arange(30, 38))
    data = str(tmp_path / "data.npz")
    for limit in (2, 5, 5, None):
        run = certify_run(tmp_path / "run", data, limit=limit)
        assert len(run.claims) == (limit or 8)
        assert gs.verify(run).faults == []
    whole = certify_run(tmp_path / "whole", data)
    assert without_time(run.claims) == without_time(whole.claims)
    assert run.header["data"] == whole.header["data"]
    assert [part["images"] for part in run.header["grown_from"]] == [2, 5]
    assert "grown_from" not in whole.header
    assert gs.verify(run, replay=3, model=NETWORK).faults == []
    written = (tmp_path / "run" / results.RESULTS).read_bytes()
    certify_run(tmp_path / "run", data)
    assert (tmp_path / "run" / results.RESULTS).read_bytes() == written
    with pytest.raises(ValueError, match=r"another claim \(.*data.images: the folder has 8, this run 3"):
        certify_run(tmp_path / "run", data, limit=3)
    np.savez(tmp_path / "data.npz", images=IMAGES[::-1], labels=np.arange(8) // 4, ids=np.arange(30, 38))
    with pytest.raises(ValueError, match=r"another claim \(data.sha256"):
        certify_run(tmp_path / "run", data)
    with pytest.raises(ValueError, match="lacks images of the run, or holds others, by the checksum"):
        gs.verify(run, replay=1, model=NETWORK)


def test_a_data_set_grows_too(tmp_path):
    network = HostModel(lambda images: images.reshape(len(images), -1)[:, :10], layout="NHWC")
    certify_run(tmp_path, "embedded", model=network, limit=2)
    run = certify_run(tmp_path, "embedded", model=network, limit=4)
    assert [c.id for c in run.claims] == [0, 20, 40, 60]
    assert [part["images"] for part in run.header["grown_from"]] == [2]
    assert gs.verify(run).faults == []


def test_records_of_no_header_that_the_run_has_had_are_found(tmp_path):
    certify_run(tmp_path, IMAGES[:2])
    run = certify_run(tmp_path, IMAGES[:4])
    assert len({c.header for c in run.claims}) == 2
    header = json.loads((tmp_path / headers.FILE).read_text())
    forged = header | {"grown_from": [header["grown_from"][0] | {"images": 1}]}
    (tmp_path / headers.FILE).write_text(json.dumps(forged))
    assert any(" of 4 records" in fault for fault in gs.verify(tmp_path).faults)
    (tmp_path / headers.FILE).write_text(json.dumps(header | {"grown_from": [3]}))
    with pytest.raises(ValueError, match=r"is damaged .grown_from is no list of data"):
        gs.verify(tmp_path)
    (tmp_path / headers.FILE).write_text(json.dumps(header))
    records = edited.lines(tmp_path / results.RESULTS)
    edited.write(tmp_path / results.RESULTS, records[:1] + records[2:])
    assert gs.verify(tmp_path).faults == ["image 1: missing"]


def test_pictures_may_be_added(pictures, tmp_path):
    run = certify_run(tmp_path / "run", f"folder:{pictures}")
    before = {c.id: c.label for c in run.claims}
    assert sorted(before.values()) == [0, 0, 1, 1]
    assert run.header["data"]["class_names"] == ["dark", "light"]
    picture(pictures / "dark" / "0a.png", 30)
    picture(pictures / "light" / "z.png", 230)
    grown = certify_run(tmp_path / "run", f"folder:{pictures}")
    assert grown.claims[:4] == run.claims
    assert len({c.id for c in grown.claims}) == 6
    assert gs.verify(grown, replay=6, model=NETWORK).faults == []
    picture(pictures / "light" / "1.png", 150)
    with pytest.raises(ValueError, match=r"data\.sha256"):
        certify_run(tmp_path / "run", f"folder:{pictures}")
    assert all(c.correct for c in grown.claims)


@pytest.mark.parametrize("data", ["folder:pictures", "data.npz"])
def test_a_header_keeps_a_place_as_it_was_given_and_it_is_found_from_elsewhere(pictures, tmp_path, monkeypatch, data):
    np.savez(tmp_path / "data.npz", images=IMAGES, labels=np.arange(8) // 4)
    monkeypatch.chdir(tmp_path)
    part = certify_run("runs/one", data, limit=2).header["data"]
    assert part["name"] == data
    elsewhere = tmp_path.with_name(f"{tmp_path.name} moved")
    elsewhere.mkdir()
    for path in sorted(tmp_path.iterdir()):
        path.rename(elsewhere / path.name)
    run = elsewhere / "runs" / "one"
    assert gs.verify(run, replay=2, model=NETWORK).faults == []  # from the run's folder upwards
    there = data.replace("folder:", f"folder:{elsewhere}/") if data.startswith("folder:") else str(elsewhere / data)
    grown = certify_run(run, there)
    assert grown.header["data"]["name"] == data
    assert len(grown.claims) == grown.header["data"]["images"] > 2
    (elsewhere / "runs").rename(tmp_path / "runs")
    with pytest.raises(gs.data.MissingDataError, match=r"is of (folder:pictures|data\.npz), found neither .*\(--data "):
        gs.verify("runs/one", replay=1, model=NETWORK)
    with pytest.raises(ValueError, match=r"Expected data as of the run, folder:PATH or a file\.npz .*got 'mnist'"):
        gs.verify("runs/one", replay=1, model=NETWORK, data="mnist")
    with pytest.raises(ValueError, match=r"Unknown data 'runs' \(did you mean folder:runs\?\)"):
        sources.named("runs", "test")


def test_pictures_that_cannot_be_read_are_listed_and_the_rest_goes_on(pictures, tmp_path):
    (pictures / "dark" / "bad.png").write_bytes(b"nothing")
    with pytest.warns(UserWarning, match=r"1 of 5 pictures cannot be read and are left out: dark/bad.png \(it is no"):
        run = certify_run(tmp_path / "run", f"folder:{pictures}")
    assert len(run.claims) == 4
    assert run.header["data"]["unread"] == {"dark/bad.png": "it is no picture that Pillow knows"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gs.verify(run, replay=4, model=NETWORK).faults == []


def test_pictures_of_several_sizes(pictures, tmp_path):
    picture(pictures / "dark" / "wide.png", 30, size=(6, 12))
    with pytest.raises(DataError, match=r"pictures of one size, got .*6 x 12 \(dark/wide.png\).*--resize, --crop"):
        sources.named(f"folder:{pictures}", "test")
    found = sources.named(f"folder:{pictures}", "test", resize=(4,), crop=(4, 3))
    assert found.shape == (4, 3, 1)
    assert {k: found.part[k] for k in ("resize", "crop", "filter")} == {
        "resize": [4],
        "crop": [4, 3],
        "filter": "bilinear",
    }
    (example, *_) = found.share(0, 1)
    assert example.image.dtype == np.float32
    Image.fromarray(np.full((4, 4, 3), (250, 0, 0), np.uint8)).save(pictures / "light" / "red.png")
    coloured = sources.named(f"folder:{pictures}", "test", resize=(4,), crop=(4, 3))
    assert {e.image.shape for e in coloured.share(0, 1)} == {(4, 3, 3)}


def test_bad_choices(pictures, tmp_path):
    with pytest.raises(ValueError, match=r"Expected no resize or crop for .*data\.npz"):
        sources.named(str(tmp_path / "data.npz"), "test", crop=(3,))
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="4 of 4"), pytest.raises(DataError, match="got none that can be read"):
        sources.named(f"folder:{pictures}", "test")
    assert [recorded.short(name) for name in ("mnist", "tiny/small", "folder:/a/cats", "/b/c.npz")] == [
        "mnist",
        "tiny-small",
        "cats",
        "c",
    ]


def test_labels_outside_of_the_models_classes(pictures, tmp_path):
    (pictures / "labels.csv").write_text("dark/0.png,0\nlight/1.png,7\n")
    with pytest.raises(ValueError, match=r"takes images .* of 2 classes, folder:.* has images .* of 8"):
        certify_run(tmp_path / "run", f"folder:{pictures}")
    assert not (tmp_path / "run").exists()
