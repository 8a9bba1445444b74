import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import Quantize, describe, parse


def test_contract():
    check_transform(Quantize(), at_identity=lambda image: np.round(image * 255) / 255)


def test_rounds_to_the_levels_of_a_file():
    image = smooth_image((16, 16, 3))
    out = np.asarray(Quantize(bits=8)(image, jnp.zeros(0)))
    np.testing.assert_array_equal((out * 255).round().astype(np.uint8), (image * 255).round().astype(np.uint8))
    np.testing.assert_array_equal(np.unique(Quantize(bits=1)(image, jnp.zeros(0))), [0.0, 1.0])
    assert np.linalg.norm(out - image) <= np.sqrt(image.size) / 510


def test_leaves_the_levels_alone():
    levels = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(16, 16, 1)
    np.testing.assert_allclose(Quantize()(levels, jnp.zeros(0)), levels, rtol=2e-7)


@pytest.mark.parametrize("bits", [0, 17, 8.0, True])
def test_refuses_other_bits(bits):
    with pytest.raises(ValueError, match="bits"):
        Quantize(bits=bits)


@pytest.mark.parametrize("high", [1.0, 32767 / 32768])
def test_the_levels_span_its_range(high):
    quantize, levels = Quantize(bits=16, low=-1.0, high=high), np.linspace(-1.0, high, 2**16)
    signal = np.random.default_rng(0).uniform(-1.0, high, 10_000).astype(np.float32)
    out = np.asarray(quantize(signal, jnp.zeros(0)), np.float64)
    nearest = levels[np.abs(np.searchsorted(levels, out)[:, None] + np.arange(-1, 1)).clip(0, 2**16 - 1)]
    assert np.abs(nearest - out[:, None]).min(axis=1).max() < 1e-7
    assert np.abs(out - signal).max() < quantize.jump + 1e-7
    assert quantize.jump == (high + 1.0) / (2 * 65535)
    assert [quantize.keeps(v) for v in (-1.0, high, 1e-6)] == [True, True, False]
    assert quantize.keeps(0.0) == (high < 1.0)  # 16-bit PCM has a level for silence, an even number of levels has not
    assert describe(quantize) == f"quantize(bits=16, low=-1.0{'' if high == 1.0 else f', high={high}'})"
    assert describe(Quantize()) == "quantize(bits=8)"


def test_refuses_an_empty_range():
    with pytest.raises(ValueError, match="low < high"):
        Quantize(low=1.0)


def test_rounds_down_as_pillow_does():
    image = smooth_image((16, 16, 3))
    out = np.asarray(Quantize(rounding="down")(image, jnp.zeros(0)))
    np.testing.assert_array_equal((out * 255).round(), np.floor(image.astype(np.float64) * 255 + 1e-3))
    moved = image.astype(np.float64) - out
    assert 0.9 * Quantize(rounding="down").jump < moved.max() <= Quantize(rounding="down").jump
    assert moved.min() > -5e-6
    check_transform(Quantize(rounding="down"), at_identity=lambda image: np.floor(image * 255) / 255)


@pytest.mark.parametrize("rounding", ["nearest", "down"])
def test_an_entry_nearer_than_the_reach_comes_back_to_its_level(rounding):
    quantize = Quantize(rounding=rounding)
    levels = np.arange(1, 200, dtype=np.float64) / 255
    for share, stays in ((1 - 1e-6 / quantize.reach, True), (1 + 1e-6 / quantize.reach, False)):
        out = np.asarray(quantize(jnp.asarray(levels + share * quantize.reach, jnp.float32), jnp.zeros(0)))
        assert ((np.abs(out - levels) < 1e-6) == stays).all()


def test_rounding_down_leaves_the_levels_alone_whatever_float32_made_of_them():
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    for nearly in (levels, np.nextafter(levels, np.float32(0)), levels * np.float32(1 - 2e-7)):
        out = Quantize(rounding="down")(nearly.reshape(16, 16, 1), jnp.zeros(0))
        np.testing.assert_allclose(out, levels.reshape(16, 16, 1), rtol=4e-7)


def test_specs_of_the_first_release_stay_equal():
    assert describe(Quantize()) == "quantize(bits=8)"
    assert parse("quantize(bits=8)") == Quantize()
    assert parse(describe(Quantize(rounding="down"))).rounding == "down"
    with pytest.raises(ValueError, match="Known: down, nearest"):
        Quantize(rounding="up")
