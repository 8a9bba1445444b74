import jax.numpy as jnp
import numpy as np
from scipy import fft, ndimage

from gsmooth_jax.testing.transforms import check_transform, smooth_image, tightness
from gsmooth_jax.transforms import GaussianBlur


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
