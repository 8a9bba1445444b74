"""Image data sets of TFDS that this library does not know, by their names."""

import shutil

import numpy as np
import pytest

from gsmooth_jax.data import open_source, preparing, stream
from gsmooth_jax.data.pictures import Fitting
from gsmooth_jax.data.specs import DataError
from gsmooth_jax.data.tfds_folder import folder_of
from gsmooth_jax.results import sources
from tests.data.conftest import spec_of


def test_any_prepared_data_set_is_read_by_its_name(arrays, prepared):
    source = open_source("tiny", "test", str(prepared))
    assert (len(source), source.classes, source.original_order) == (130, 3, False)
    images, labels = arrays["test"]
    found = source.read([3, 0])
    assert [(r.label, r.id) for r in found] == [(labels[3], 3), (labels[0], 0)]
    np.testing.assert_array_equal(found[0].image, images[3])
    chosen = sources.named("tiny", "test", every=40, data_dir=str(prepared), crop=(4, 3))
    assert chosen.part["crop"] == [4, 3]
    assert chosen.part["ids"] == "TFDS positions: not the published subset"
    (first, *_) = chosen.share(1, 2)
    assert first.id == 40
    np.testing.assert_array_equal(first.image, images[40][1:5, 1:4].astype(np.float32) / np.float32(255))
    again = sources.of_header(chosen.part, data_dir=str(prepared))
    assert again.part == chosen.part


def test_the_newest_version_and_configs_are_found(prepared, tmp_path):
    for version in ("3.0.1", "10.0.0", "9.0.0"):
        shutil.copytree(prepared / "tiny" / "3.0.1", tmp_path / "tiny" / "small" / version)
    assert folder_of("tiny/small", str(tmp_path)).name == "10.0.0"
    assert folder_of("tiny", str(tmp_path)) is None
    assert folder_of("../tiny", str(tmp_path / "tiny")) is None


def test_bad_names_splits_and_folders(prepared, tmp_path):
    with pytest.raises(ValueError, match=r"Unknown data 'other'\. Known: .*; folder:PATH of pictures or WAV files"):
        open_source("other", "test", str(prepared))
    with pytest.raises(ValueError, match=r"Unknown split 'validation'\. Known: test, train"):
        open_source("tiny", "validation", str(prepared))
    with pytest.raises(ValueError, match="Expected no resize or crop for 'embedded'"):
        stream("embedded", "test", fitting=Fitting(crop=(3,)))
    (tmp_path / "broken" / "1.0.0").mkdir(parents=True)
    with pytest.raises(DataError, match=r"The TFDS folder .* cannot be read"):
        open_source("broken", "test", str(tmp_path))
    with pytest.raises(DataError, match=r"tiny/test: an image of \[0\] cannot be read: .*at least 60 x 60"):
        open_source("tiny", "test", str(prepared), Fitting(crop=(60,)))[0]


def test_images_of_several_sizes_and_kinds(tmp_path):
    """Grey ones among colours are of three channels, as the data set says."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, shape, dtype=np.uint8) for shape in ((6, 9, 3), (8, 7, 1), (12, 12, 3))]
    spec = spec_of(
        {"test": (np.zeros((3, 1, 1, 3), np.uint8), np.zeros(3, np.uint8))},
        name="mixed",
        shape=(None, None, 3),
        layout="idx",
    )
    preparing._writer(spec, lambda split: (images, [0, 1, 2]), tmp_path, lambda _: None).download_and_prepare()
    with pytest.raises(DataError, match=r"mixed has images of several sizes: .*--resize, --crop"):
        open_source("mixed", "test", str(tmp_path))
    found = open_source("mixed", "test", str(tmp_path), Fitting(resize=(6,), crop=(5, 6)))
    assert [r.image.shape for r in found.read([0, 1, 2])] == [(5, 6, 3)] * 3
