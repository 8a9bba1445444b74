import jax.numpy as jnp
import numpy as np
import pytest
from scipy import fft, ndimage

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import GaussianBlur, describe, parse


def test_contract():
    check_transform(GaussianBlur(), law_tolerance=1e-5)


def test_matches_the_cosine_transform():
    image = smooth_image((12, 16, 3))
    wy, wx = (np.pi * np.arange(n) / n for n in image.shape[:2])
    decay = np.exp(-0.5 * 3.7 * np.add.outer(wy**2, wx**2))[:, :, None]
    expected = fft.idctn(decay * fft.dctn(image.astype(np.float64), axes=(0, 1)), axes=(0, 1))
    np.testing.assert_allclose(GaussianBlur()(image, jnp.array([3.7])), expected, atol=2e-6)


def test_is_a_gaussian_kernel_with_a_mirror_border():
    image = smooth_image((16, 20, 1))
    expected = ndimage.gaussian_filter(image.astype(np.float64), (2.0, 2.0, 0.0), mode="reflect", truncate=8.0)
    np.testing.assert_allclose(GaussianBlur()(image, jnp.array([4.0])), expected, atol=1e-5)


def test_bound_is_tight():
    assert tightness(GaussianBlur(), smooth_image((16, 16, 3)), [1.0], [1.01]) > 0.98


def test_contract_of_the_cyclic_border():
    check_transform(GaussianBlur(border="cyclic"), law_tolerance=1e-5)


@pytest.mark.parametrize("shape", [(12, 16, 3), (9, 7, 1)])
def test_the_cyclic_border_matches_the_fourier_transform(shape):
    image = smooth_image(shape)
    squares = np.add.outer(*((2 * np.pi * np.fft.fftfreq(n)) ** 2 for n in shape[:2]))
    decay = np.exp(-0.5 * 3.7 * squares)[:, :, None]
    expected = np.fft.ifft2(decay * np.fft.fft2(image.astype(np.float64), axes=(0, 1)), axes=(0, 1)).real
    np.testing.assert_allclose(GaussianBlur(border="cyclic")(image, jnp.array([3.7])), expected, atol=2e-6)


def test_the_cyclic_border_is_a_gaussian_kernel_that_wraps():
    image = smooth_image((16, 20, 1))
    expected = ndimage.gaussian_filter(image.astype(np.float64), (2.0, 2.0, 0.0), mode="wrap", truncate=8.0)
    np.testing.assert_allclose(GaussianBlur(border="cyclic")(image, jnp.array([4.0])), expected, atol=1e-5)


def test_the_bound_of_the_cyclic_border_is_tight():
    assert tightness(GaussianBlur(border="cyclic"), smooth_image((16, 16, 3)), [1.0], [1.01]) > 0.98


def test_only_the_cyclic_border_commutes_with_a_roll():
    image, variance = jnp.asarray(smooth_image((9, 8, 1))), jnp.array([2.0])
    for border, commutes in (("cyclic", True), ("reflect", False)):
        blur = GaussianBlur(border=border)
        apart = jnp.roll(blur(image, variance), (3, -2), (0, 1)) - blur(jnp.roll(image, (3, -2), (0, 1)), variance)
        assert (float(jnp.abs(apart).max()) < 2e-6) == commutes


def test_older_texts_of_it_are_unchanged():
    assert describe(GaussianBlur()) == "gaussian_blur"
    assert parse(describe(GaussianBlur(border="cyclic"))) == GaussianBlur(border="cyclic")
    with pytest.raises(ValueError, match=r"Unknown border 'zero'\. Known: cyclic, reflect"):
        parse("gaussian_blur(border='zero')")
