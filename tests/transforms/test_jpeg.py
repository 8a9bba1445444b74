import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, features
from scipy import fft

from gsmooth_jax.data import embedded_images
from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image
from gsmooth_jax.transforms import Jpeg, check_domain
from gsmooth_jax.types import Computed, Domain

QUALITIES = np.array([100, 97, 75, 50, 49, 25, 10, 5, 1])
SHAPES = [(28, 28, 1), (6, 9, 1), (32, 32, 3), (17, 23, 3), (40, 33, 3), (5, 3, 3), (4, 6, 3)]
"""Whole blocks and not, odd sides, and planes of chroma too small to be interpolated."""


def files(shape):
    """uint8 images: smooth, noise, black and white noise."""
    rng = np.random.default_rng(0)
    yield (255 * smooth_image(shape, 1)).round().astype(np.uint8)
    yield rng.integers(0, 256, shape, dtype=np.uint8)
    yield 255 * rng.integers(0, 2, shape, dtype=np.uint8)


def by_pillow(file, quality, subsampling):
    stored = io.BytesIO()
    image = Image.fromarray(file[..., 0] if file.shape[2] == 1 else file)
    image.save(stored, "JPEG", quality=int(quality), subsampling=subsampling)
    return np.asarray(Image.open(stored)).reshape(file.shape)


def read_back(transform, file, qualities=QUALITIES):
    """[Q, H, W, C] levels."""
    thetas = (101.0 - qualities).astype(np.float32)[:, None]
    out = jax.jit(jax.vmap(transform, in_axes=(None, 0)))(file / np.float32(255), thetas)
    levels = np.rint(np.asarray(out, np.float64) * 255)
    np.testing.assert_allclose(out, levels / 255, atol=1e-7)
    return levels.astype(int)


def test_contract():
    check_transform(Jpeg())


def test_contract_with_all_of_the_colour():
    check_transform(Jpeg(subsampling="4:4:4"))


@pytest.mark.skipif(not features.check("libjpeg_turbo"), reason="Pillow was built with another JPEG library")
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_is_pillows_file_level_by_level(shape, subsampling):
    for file in files(shape):
        found = read_back(Jpeg(subsampling=subsampling), file)
        for levels, quality in zip(found, QUALITIES, strict=True):
            np.testing.assert_array_equal(levels, by_pillow(file, quality, subsampling), err_msg=f"{quality=}")


@pytest.mark.skipif(not features.check("libjpeg_turbo"), reason="Pillow was built with another JPEG library")
def test_is_pillows_file_of_digits_at_every_quality():
    qualities = np.arange(1, 101)
    for file in embedded_images().images[:3]:
        found = read_back(Jpeg(), file, qualities)
        np.testing.assert_array_equal(found, [by_pillow(file, q, "4:2:0") for q in qualities])


LUMA_50 = "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 "
LUMA_50 += "18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"
CHROMA_50 = "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66" + " 99" * 38


def steps_of(table, quality):
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((np.array(table.split(), int).reshape(8, 8) * scale + 50) // 100, 1, 255)


def by_the_standard(plane, steps):
    """A plane [H, W] of levels around 0 with real cosines (ITU-T T.81), not rounded; and [H, W] how near, in levels, a
    coefficient of its block lies to half way between two steps."""
    out, near = np.empty(plane.shape), np.empty(plane.shape)
    for y in range(0, plane.shape[0], 8):
        for x in range(0, plane.shape[1], 8):
            block = slice(y, y + 8), slice(x, x + 8)
            spectrum = fft.dctn(plane[block], norm="ortho") / steps
            near[block] = np.min(steps * np.abs(spectrum - np.floor(spectrum) - 0.5))
            out[block] = fft.idctn(np.rint(spectrum) * steps, norm="ortho")
    return out, near


def test_grey_is_the_standard_within_a_level_where_no_coefficient_is_near_a_tie():
    seen = 0
    for file in files((64, 48, 1)):
        for levels, quality in zip(read_back(Jpeg(), file), QUALITIES, strict=True):
            exact, near = by_the_standard(file[:, :, 0] - 128.0, steps_of(LUMA_50, quality))
            apart = np.abs(levels[:, :, 0] - np.clip(exact + 128, 0, 255))
            assert apart[near > 0.25].max(initial=0.0) <= 0.75
            seen += np.sum(near > 0.25) // 64
    assert seen > 300


@pytest.mark.parametrize("quality", [100, 90])
def test_colours_are_those_of_the_standard(quality):
    """JFIF's, with real numbers: at small steps what is rounded on the way makes up no more than a few levels."""
    to_planes = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    for file in files((24, 32, 3)):
        planes = (file - 128.0) @ to_planes.T
        steps = (steps_of(table, quality) for table in (LUMA_50, CHROMA_50, CHROMA_50))
        coded = np.stack([by_the_standard(planes[..., c], s)[0] for c, s in enumerate(steps)], axis=2)
        exact = np.clip(coded @ np.linalg.inv(to_planes).T + 128, 0, 255)
        (levels,) = read_back(Jpeg(subsampling="4:4:4"), file, np.array([quality]))
        assert np.sqrt(np.mean((levels - exact) ** 2)) < (1.0 if quality == 100 else 4.0)
        assert np.sqrt(np.mean((levels - file) ** 2)) > 0.5


def test_what_lies_between_levels_or_beyond_them_is_stored_first():
    image = np.array(smooth_image((8, 8, 1)) * 1.6 - 0.3, np.float32)
    file = np.rint(255 * np.clip(image, 0, 1)).astype(np.float32) / 255
    for loss in (1.0, 30.0):
        np.testing.assert_array_equal(apply(Jpeg(), image, jnp.array([loss])), apply(Jpeg(), file, jnp.array([loss])))
    np.testing.assert_array_equal(apply(Jpeg(), image, jnp.zeros(1)), image)


def test_every_quality_of_a_box_is_listed():
    listed = Jpeg().representatives((28, 28, 1), np.array([0.0]), np.array([51.0]))
    np.testing.assert_array_equal(listed[:, 0], np.arange(52))


def test_what_float32_may_do_is_known_where_the_levels_are():
    file = embedded_images().images[0] / np.float32(255)
    none, all_of_it = Computed.of(file), Computed.of(np.full((8, 8, 1), 0.5 / 255, np.float32))
    box = np.zeros(1), np.full(1, 100.0)
    assert Jpeg().float32_upper(none, *box).entry < 3e-7
    assert Jpeg().float32_upper(all_of_it, *box).entry >= 1.0
    assert Jpeg().float32_upper(none.then(0.0, 1.0, 1e-7), *box).entry >= 1.0


def test_other_inputs_are_refused():
    with pytest.raises(ValueError, match="4:2:0, 4:4:4"):
        Jpeg(subsampling="4:2:2")
    with pytest.raises(ValueError, match="3 channels"):
        check_domain(Jpeg(), Domain((8, 8, 2)))
    with pytest.raises(ValueError, match=r"jpeg stores entries in \[0, 1\]"):
        check_domain(Jpeg(), Domain((8, 8, 1), -1.0, 1.0))
