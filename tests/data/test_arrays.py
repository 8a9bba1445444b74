"""Files of arrays."""

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.data.arrays import open_arrays
from gsmooth_jax.data.specs import DataError, MissingDataError
from gsmooth_jax.types import Domain


def test_images_of_file_levels_are_divided_by_255(tmp_path):
    levels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3) * 20
    np.savez(tmp_path / "a.npz", images=levels, labels=[3], other=0)
    found = open_arrays(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(found.images, levels.astype(np.float32) / np.float32(255))
    assert found.images.dtype == np.float32
    assert found.labels.tolist() == [3]
    assert found.ids is None


def test_samples_of_16_bits_are_divided_by_32768(tmp_path):
    samples = np.array([[-32768, 0, 32767], [1, 2, 3]], np.int16)
    np.savez(tmp_path / "a.npz", images=samples)
    found = open_arrays(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(found.images * 32768, samples)
    assert (found.images.dtype, found.domain) == (np.float32, Domain((3,), -1.0, 32767 / 32768))


def two_means(images):
    return images.mean(axis=(1, 2)).repeat(2, -1)


def test_pictures_of_int16_are_taken_as_they_are(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.full((1, 2, 2, 1), 255, np.int16))
    found = open_arrays(str(tmp_path / "a.npz"))
    assert (found.images.max(), found.domain) == (255, Domain((2, 2, 1)))
    terms = {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.1], [0.1]), "law": gs.Gaussian(sigma=0.2)}
    with pytest.raises(ValueError, match=r"image 0 to be float32 in \[0, 1\], got dtype int16"):
        gs.certify_run(two_means, str(tmp_path / "a.npz"), out=tmp_path / "run", **terms)


def test_bad_files(tmp_path):
    with pytest.raises(MissingDataError, match="a file of arrays"):
        open_arrays(str(tmp_path / "none.npz"))
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(DataError, match="is no file of arrays"):
        open_arrays(str(tmp_path / "cut.npz"))
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="to hold images, and perhaps labels and ids, got x"):
        open_arrays(str(tmp_path / "x.npz"))
    np.savez(tmp_path / "flat.npz", images=np.zeros(3))
    with pytest.raises(DataError, match=r"waveforms \[N, T\] in .*, got shape \(3,\)"):
        open_arrays(str(tmp_path / "flat.npz"))
    np.savez(tmp_path / "object.npz", images=np.array([None], object))
    with pytest.raises(DataError, match="is no file of arrays"):
        open_arrays(str(tmp_path / "object.npz"))
