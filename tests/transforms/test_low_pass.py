import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import LowPass, Rotation, Vignette, describe, parse


def by_fft(image, radius):
    h, w, _ = image.shape
    j, k = np.fft.fftfreq(h, 1 / h)[:, None], np.fft.fftfreq(w, 1 / w)[None, :]
    kept = (j**2 + k**2 <= radius**2)[:, :, None]
    return np.fft.ifft2(np.fft.fft2(image, axes=(0, 1)) * kept, axes=(0, 1)).real


@pytest.mark.parametrize("radius", [0.5, 2.0, 3.0])
def test_contract(radius):
    check_transform(LowPass(radius=radius), at_identity=lambda image: by_fft(image, radius))


def test_contract_behind_others():
    chain = Rotation() | Vignette() | LowPass(radius=2.0)
    check_transform(chain, at_identity=lambda image: chain(jnp.asarray(image), jnp.zeros(1)))


@pytest.mark.parametrize("shape", [(8, 13, 3), (9, 6, 1)])
@pytest.mark.parametrize("radius", [1.0, 2.5, 4.0, 40.0])
def test_is_the_disc_of_the_fft(shape, radius):
    image = smooth_image(shape)
    np.testing.assert_allclose(LowPass(radius=radius)(image, jnp.zeros(0)), by_fft(image, radius), atol=2e-6)


def test_keeps_what_it_has_kept_and_all_if_it_is_wide():
    image = jnp.asarray(smooth_image((12, 12, 1)))
    once = LowPass(radius=2.0)(image, jnp.zeros(0))
    np.testing.assert_allclose(LowPass(radius=2.0)(once, jnp.zeros(0)), once, atol=1e-6)
    np.testing.assert_allclose(LowPass(radius=9.0)(image, jnp.zeros(0)), image, atol=2e-6)


def test_texts_and_bad_input():
    assert parse(describe(LowPass(radius=3))) == LowPass(radius=3)
    for bad in (0.0, -1.0, float("nan"), "4"):
        with pytest.raises(ValueError, match="radius"):
            LowPass(radius=bad)
