"""Image data sets of TFDS that this library does not know, by their names."""

import shutil

import numpy as np
import pytest

from gsmooth_jax.data import open_source, stream
from gsmooth_jax.data.pictures import Fitting
from gsmooth_jax.data.specs import DataError
from gsmooth_jax.data.tfds_folder import folder_of
from gsmooth_jax.results import inputs


def test_any_prepared_data_set_is_read_by_its_name(arrays, prepared):
    source = open_source("tiny", "test", str(prepared))
    assert (len(source), source.classes, source.original_order) == (130, 3, False)
    images, labels = arrays["test"]
    found = source.read([3, 0])
    assert [(r.label, r.id) for r in found] == [(labels[3], 3), (labels[0], 0)]
    np.testing.assert_array_equal(found[0].image, images[3])
    chosen = inputs.named("tiny", "test", every=40, data_dir=str(prepared), crop=(4, 3))
    assert chosen.part["crop"] == [4, 3]
    assert chosen.part["ids"] == "TFDS positions: not the published subset"
    (first, *_) = chosen.share(1, 2)
    assert first.id == 40
    np.testing.assert_array_equal(first.image, images[40][1:5, 1:4].astype(np.float32) / np.float32(255))
    again = inputs.of_header(chosen.part, data_dir=str(prepared))
    assert again.part == chosen.part


def test_the_newest_version_and_configs_are_found(prepared, tmp_path):
    for version in ("3.0.1", "10.0.0", "9.0.0"):
        shutil.copytree(prepared / "tiny" / "3.0.1", tmp_path / "tiny" / "small" / version)
    assert folder_of("tiny/small", str(tmp_path)).name == "10.0.0"
    assert folder_of("tiny", str(tmp_path)) is None
    assert folder_of("../tiny", str(tmp_path / "tiny")) is None


def test_bad_names_splits_and_folders(prepared, tmp_path):
    with pytest.raises(ValueError, match=r"Unknown data 'other'\. Known: .*; folder:PATH of pictures, a file.npz"):
        open_source("other", "test", str(prepared))
    with pytest.raises(ValueError, match=r"Unknown split 'validation'\. Known: test, train"):
        open_source("tiny", "validation", str(prepared))
    with pytest.raises(ValueError, match="Expected no resize or crop for 'embedded'"):
        stream("embedded", "test", fitting=Fitting(crop=(3,)))
    (tmp_path / "broken" / "1.0.0").mkdir(parents=True)
    with pytest.raises(DataError, match="The TFDS folder .* cannot be read"):
        open_source("broken", "test", str(tmp_path))
    with pytest.raises(DataError, match=r"tiny/test: an image of \[0\] cannot be read: .*at least 60 x 60"):
        open_source("tiny", "test", str(prepared), Fitting(crop=(60,)))[0]
