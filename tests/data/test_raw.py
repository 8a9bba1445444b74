"""Raw files are read in their original order, and anything but exactly the data set is refused."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.data import raw
from gsmooth_jax.data.specs import DATASETS, DataError, SplitSpec
from tests.data.conftest import random_arrays, spec_of, split_of, write_cifar, write_cifar100, write_idx

TRAIN_IMAGES, TEST_IMAGES, TEST_LABELS = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def same(found, wanted):
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("split", ["train", "test"])
def test_idx_reads_back(arrays, spec, tmp_path, split, zipped):
    write_idx(tmp_path / "below", arrays, zipped=zipped)
    same(raw.read_split("idx", tmp_path, spec, split), arrays[split])


@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar_layouts_read_back(tmp_path, split):
    arrays = random_arrays((4, 6, 3))
    spec = spec_of(arrays, shape=(4, 6, 3), layout="cifar_binary")
    write_cifar(tmp_path / "binary", arrays)
    same(raw.read_split("cifar_binary", tmp_path, spec, split), arrays[split])

    sheets = tmp_path / "sheets"
    sheets.mkdir()
    images, labels = arrays[split]
    names = [f"data_batch_{k}" for k in range(1, 6)] if split == "train" else ["test_batch"]
    for name, part in zip(names, np.array_split(images, len(names)), strict=True):
        Image.fromarray(part.reshape(len(part), 24, 3)).save(sheets / f"{name}.png")
    (sheets / f"{split}_lables.json").write_text(json.dumps(labels.tolist()))
    same(raw.read_split("cifar_sheets", sheets, spec, split), arrays[split])

    last = sheets / f"{names[-1]}.png"
    last.write_bytes(last.read_bytes()[:-400])
    with pytest.raises(DataError, match="whole PNG"):
        raw.read_split("cifar_sheets", sheets, spec, split)


@pytest.mark.parametrize("cut", [1, 2, 30, 3000])
def test_truncated_idx_is_refused(spec, idx_files, tmp_path, cut):
    for path in idx_files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    broken = tmp_path / TEST_IMAGES
    broken.write_bytes(broken.read_bytes()[:-cut])
    with pytest.raises(DataError, match=f"{TEST_IMAGES} to hold 3916 bytes .* got {3916 - cut}"):
        raw.read_split("idx", tmp_path, spec, "test")


def test_truncated_gzip_is_refused(arrays, spec, tmp_path):
    write_idx(tmp_path, arrays, zipped=True)
    broken = tmp_path / f"{TRAIN_IMAGES}.gz"
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(DataError, match="whole gzip"):
        raw.read_split("idx", tmp_path, spec, "train")


def test_not_idx_and_missing_files_are_refused(spec, arrays, tmp_path):
    with pytest.raises(DataError, match=TEST_IMAGES):
        raw.read_split("idx", tmp_path, spec, "test")
    write_idx(tmp_path, arrays)
    (tmp_path / TEST_IMAGES).write_bytes(b"<html>not here</html>")
    with pytest.raises(DataError, match="IDX"):
        raw.read_split("idx", tmp_path, spec, "test")
    (tmp_path / TEST_IMAGES).write_bytes((tmp_path / TEST_LABELS).read_bytes())
    with pytest.raises(DataError, match="rank"):
        raw.read_split("idx", tmp_path, spec, "test")


def test_truncated_cifar_is_refused(tmp_path):
    arrays = random_arrays((4, 6, 3))
    spec = spec_of(arrays, shape=(4, 6, 3), layout="cifar_binary")
    write_cifar(tmp_path, arrays)
    batch = tmp_path / "data_batch_5.bin"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-5])
    with pytest.raises(DataError, match="whole records of 73 bytes"):
        raw.read_split("cifar_binary", tmp_path, spec, "train")
    batch.write_bytes(whole[:-73])  # a whole record less: only the count can tell
    with pytest.raises(DataError, match=r"Expected 230 images .* got 229"):
        raw.read_split("cifar_binary", tmp_path, spec, "train")


@pytest.fixture
def cifar100(tmp_path):
    """Made files of CIFAR-100's format with all its fine labels: spec (unknown checksums), arrays, folder."""
    spec = DATASETS["cifar100"]
    arrays = {
        split: (np.random.default_rng(n).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), np.arange(n, dtype=np.uint8))
        for split, n in (("train", 100), ("test", 60))
    }
    write_cifar100(tmp_path, arrays, spec.coarse)
    splits = {split: SplitSpec(count=len(labels)) for split, (_, labels) in arrays.items()}
    return dataclasses.replace(spec, splits=splits), arrays, tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar100_reads_the_fine_labels(cifar100, split):
    spec, arrays, folder = cifar100
    assert (folder / f"{split}.bin").stat().st_size == 3074 * len(arrays[split][1])
    same(raw.read_split("cifar100_binary", folder, spec, split), arrays[split])


def test_cifar100_files_of_a_wrong_length_are_refused(cifar100):
    spec, _, folder = cifar100
    path = folder / "test.bin"
    whole = path.read_bytes()
    for wrong in (whole[:-1], whole + b"x", b""):
        path.write_bytes(wrong)
        with pytest.raises(DataError, match=rf"test.bin to hold whole records of 3074 bytes, got {len(wrong)} bytes"):
            raw.read_split("cifar100_binary", folder, spec, "test")
    path.write_bytes(whole[:-3074])
    with pytest.raises(DataError, match=r"Expected 60 images .* got 59"):
        raw.read_split("cifar100_binary", folder, spec, "test")


@pytest.mark.parametrize(
    ("byte", "value", "message"),
    [
        (1, 100, r"fine labels of cifar100/train in 0\.\.99, got 100 for image 7"),
        (0, 20, r"coarse labels of cifar100/train in 0\.\.19, got 20 for image 7"),
        (0, 8, r"coarse label of fine label 7 to be 7 in cifar100/train, got 8 for image 7"),
    ],
)
def test_cifar100_labels_out_of_range_are_refused(cifar100, byte, value, message):
    spec, _, folder = cifar100
    data = bytearray((folder / "train.bin").read_bytes())
    data[7 * 3074 + byte] = value
    (folder / "train.bin").write_bytes(data)
    with pytest.raises(DataError, match=message):
        raw.read_split("cifar100_binary", folder, spec, "train")


def test_cifar100_groups_five_classes_each():
    assert np.bincount(DATASETS["cifar100"].coarse).tolist() == [5] * 20


def test_one_changed_pixel_or_label_is_refused(arrays, spec):
    for which in (0, 1):
        changed = [array.copy() for array in arrays["test"]]
        changed[which][-1] = (changed[which][-1].astype(int) + 1) % 3
        with pytest.raises(DataError, match="SHA-256"):
            raw.check_content(spec, "test", *changed)


def test_wrong_shape_dtype_and_label_range_are_refused(arrays, spec):
    images, labels = arrays["test"]
    with pytest.raises(DataError, match=r"shape \(6, 5, 1\), got uint8 of shape \(5, 6, 1\)"):
        raw.check_content(spec, "test", images.transpose(0, 2, 1, 3), labels)
    with pytest.raises(DataError, match=r"uint8 .* got float32"):
        raw.check_content(spec, "test", images.astype(np.float32), labels)
    wrong = labels.copy()
    wrong[17] = 3
    mislabelled = dataclasses.replace(spec, splits={"test": split_of(images, wrong)})
    with pytest.raises(DataError, match=r"in 0..2, got 3 for image 17"):
        raw.check_content(mislabelled, "test", images, wrong)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_known_data_sets_match_tfds(name):
    import tensorflow_datasets as tfds

    spec, builder = DATASETS[name], tfds.builder(name)
    assert spec.version == str(builder.version)
    assert spec.image_shape == builder.info.features["image"].shape
    assert spec.classes == builder.info.features["label"].num_classes
    assert spec.has_text_id == ("id" in builder.info.features)
    assert bool(spec.coarse) == ("coarse_label" in builder.info.features)
    if spec.archive is not None:  # the checksum is the one that TFDS holds its own download to
        (url,) = builder.url_infos
        assert url.endswith(f"/{spec.archive.name}")
        assert builder.url_infos[url].checksum == spec.archive.sha256
    assert all(isinstance(split, SplitSpec) and split.count >= 10_000 for split in spec.splits.values())
