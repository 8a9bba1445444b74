import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.data import embedded_images
from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image
from gsmooth_jax.transforms import GlassBlur, describe, parse
from tests.transforms.exact import gaussian_blurred, glass


def test_contract():
    check_transform(GlassBlur())


def test_contract_of_other_glass():
    check_transform(GlassBlur(seed=2**32 - 1))


@pytest.mark.parametrize("seed", [0, 7])
def test_blurs_swaps_and_blurs(seed):
    image = smooth_image((9, 14, 3))
    for strength in range(9):
        found = apply(GlassBlur(seed=seed), image, jnp.array([float(strength)]))
        np.testing.assert_allclose(found, glass(image.astype(np.float64), strength, seed), atol=2e-6)


def test_shuffles_among_neighbours():
    """Without the blurs every value is there once, and few have come from far, by several swaps."""
    h, w = 30, 40
    places = np.arange(h * w, dtype=np.float64).reshape(h, w, 1)
    for strength in (1, 3):
        out = glass(places, strength, blurred=lambda image, v: image.copy())
        np.testing.assert_array_equal(np.sort(out.ravel()), places.ravel())
        rows, columns = np.divmod(out[:, :, 0], w)
        far = np.maximum(np.abs(rows - np.arange(h)[:, None]), np.abs(columns - np.arange(w)[None]))
        assert np.mean(far > 0) > 0.5
        assert np.mean(far <= 2 * strength) > 0.9
    image = embedded_images().images[0] / 255.0
    blurred = gaussian_blurred(gaussian_blurred(image, 0.25), 0.25)
    assert np.abs(glass(image, 1) - blurred).max() > 0.1


def test_each_seed_is_its_own_glass():
    image = smooth_image((9, 14, 1))
    one, other = (apply(GlassBlur(seed=s), image, jnp.ones(1)) for s in (0, 1))
    assert np.abs(one - other).max() > 0.01
    assert parse(describe(GlassBlur(seed=3))) == GlassBlur(seed=3)
    with pytest.raises(ValueError, match=r"seed < 2\^32"):
        GlassBlur(seed=2**32)
