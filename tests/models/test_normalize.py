"""The fixed input layers cancel what they are there to cancel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.data import embedded_images
from gsmooth_jax.models import Normalize
from gsmooth_jax.transforms import GaussianBlur

IMAGES = embedded_images().images[:8].astype(np.float32) / 255


def apply(mode, images):
    return np.asarray(jax.jit(Normalize(mode=mode))(images))


def correlations(images):
    """[8]: of each image with the sharp one."""
    pairs = zip(np.asarray(images), IMAGES, strict=True)
    return np.array([np.corrcoef(image.ravel(), sharp.ravel())[0, 1] for image, sharp in pairs])


def test_image_cancels_brightness_and_contrast():
    assert apply("image", 0.6 * IMAGES + 0.2) == pytest.approx(apply("image", IMAGES), abs=0.03)


def test_centre_cancels_every_cyclic_translation_up_to_rounding():
    shifts = np.random.default_rng(0).integers(-28, 28, (8, 2))
    moved = np.stack([np.roll(image, shift, axis=(0, 1)) for image, shift in zip(IMAGES, shifts, strict=True)])
    assert (moved != IMAGES).any()
    np.testing.assert_allclose(apply("centre", moved), apply("centre", IMAGES), atol=1e-4)


@pytest.mark.parametrize(("variance", "channel"), [(0.0, 0), (8.0, 1), (20.0, 2), (40.0, 3)])
def test_sharpen_shows_a_blurred_image_as_it_was(variance, channel):
    blurred = jax.jit(jax.vmap(GaussianBlur(), in_axes=(0, None)))(IMAGES, jnp.array([variance]))
    restored = apply("sharpen", blurred)
    assert restored.shape == (8, 28, 28, 4)
    after, before = correlations(restored[..., channel]), correlations(blurred)
    assert (after > 1.15 * before).all() if variance else after == pytest.approx(1.0)


@pytest.mark.parametrize("variance", [2.0, 8.0, 16.0, 20.0])
def test_refocus_cancels_a_blur_but_for_rounding(variance):
    blurred = jax.jit(jax.vmap(GaussianBlur(), in_axes=(0, None)))(IMAGES, jnp.array([variance]))
    shown, sharp = apply("refocus", blurred), apply("refocus", IMAGES)
    assert shown.shape == (8, 14, 14, 1)
    assert sharp.std(axis=(1, 2, 3)) == pytest.approx(1.0, abs=0.01)
    # Of images of variance 1. At 20 px^2 rounding is undone with the blur: 10^4 times 6e-8 of the brightest pixels.
    np.testing.assert_allclose(shown, sharp, atol=2e-5 if variance < 10 else 1e-2)
    assert correlations(blurred).max() < (0.98 if variance < 10 else 0.8)


def test_refocus_takes_what_has_no_focus():
    odd = np.stack([np.zeros((9, 12, 3)), np.ones((9, 12, 3)), np.eye(9, 12)[:, :, None] * [1.0, 0.5, 0.0]])
    shown = apply("refocus", odd.astype(np.float32))
    assert shown.shape == (3, 5, 6, 3)
    assert np.isfinite(shown).all()
    assert np.abs(shown[:2]).max() < 0.1


def test_unknown_modes_are_listed():
    with pytest.raises(ValueError, match="Known: none, dataset, image, sharpen, centre, refocus"):
        Normalize(mode="whiten")  # pyright: ignore[reportArgumentType]
