"""Picture files of any kind and size become images of one, as a header says."""

import io

import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.data.pictures import Fitting, UnreadableError, decode

RNG = np.random.default_rng(0)


def stored(array, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_pixels_are_the_files_own(kind, shape):
    array = RNG.integers(0, 256, shape, dtype=np.uint8)
    if len(shape) == 3:
        array[..., 3:] = 255
    found = decode(stored(array, kind, **({"lossless": True} if kind == "WEBP" else {})), Fitting())
    grey = len(shape) == 2 and kind == "PNG"  # WebP knows colours alone
    expected = array[..., None] if grey else np.broadcast_to(array[..., None], (5, 7, 3)) if len(shape) == 2 else array
    np.testing.assert_array_equal(found, expected[..., :3])


def test_jpeg_and_palettes():
    flat = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    assert np.abs(decode(stored(flat, "JPEG", quality=95), Fitting()).astype(int) - flat).max() <= 3
    palette = io.BytesIO()
    Image.fromarray(flat).convert("P").save(palette, "PNG")
    assert decode(palette, Fitting()).shape == (8, 8, 3)


def test_pictures_are_turned_as_their_camera_says():
    array = RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    np.testing.assert_array_equal(decode(stored(array, exif=exif), Fitting()), np.rot90(array, -1))


@pytest.mark.parametrize(
    ("fitting", "shape"),
    [
        ({}, (40, 60)),
        ({"resize": (20,)}, (20, 30)),
        ({"resize": (20, 10)}, (20, 10)),
        ({"crop": (30, 50)}, (30, 50)),
        ({"resize": (20,), "crop": (20,)}, (20, 20)),
    ],
)
def test_sizes(fitting, shape):
    array = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert decode(stored(array), Fitting(**fitting)).shape == (*shape, 3)
    assert Fitting.from_json(Fitting(**fitting).to_json()) == Fitting(**fitting)
    tall = decode(stored(array.transpose(1, 0, 2)), Fitting(resize=(20,)))
    assert tall.shape == (30, 20, 3)


def test_the_middle_is_cut_out():
    array = RNG.integers(0, 256, (9, 11), dtype=np.uint8)
    np.testing.assert_array_equal(decode(stored(array), Fitting(crop=(3, 5)))[..., 0], array[3:6, 3:8])


def test_what_cannot_be_decoded():
    with pytest.raises(UnreadableError, match="it is no picture that Pillow knows"):
        decode(io.BytesIO(b"nothing"), Fitting())
    whole = stored(RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)).getvalue()
    with pytest.raises(UnreadableError, match=r"truncated|broken"):
        decode(io.BytesIO(whole[: len(whole) // 2]), Fitting())
    with pytest.raises(UnreadableError, match=r"mode I;16, not of 8 bits a channel"):
        decode(stored(np.full((3, 3), 40_000, np.uint16)), Fitting())
    with pytest.raises(ValueError, match="pictures of at least 5 x 5 pixels, got 3 x 4"):
        decode(stored(np.zeros((3, 4), np.uint8)), Fitting(crop=(5,)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resize": (1, 2, 3)}, r"resize to be one number of pixels, or height and width, got \(1, 2, 3\)"),
        ({"crop": (0,)}, r"crop\[0\] >= 1, got crop\[0\]=0"),
        ({"resize": (2.5,)}, r"an integer resize\[0\]"),
    ],
)
def test_bad_fittings(given, message):
    with pytest.raises(ValueError, match=message):
        Fitting(**given)
