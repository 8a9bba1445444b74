"""Lipschitz bounds on natural images: never below what is measured, and not idle either."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.testing.transforms import entry_speeds
from gsmooth_jax.transforms import TRANSFORMS, Brightness, Clip, Contrast, Rotation, RotationalBlur, Scaling
from gsmooth_jax.types import EntryBounded, LipschitzBounded

BOUNDED = [t() for t in TRANSFORMS.values() if isinstance(t(), LipschitzBounded)]
ENTRIES = [t for t in [*BOUNDED, Rotation(mask=True)] if isinstance(t, EntryBounded)]
AVERAGED = {"brightness_contrast", "defocus_blur", "gaussian_blur", "hue", "motion_blur", "shear", "shift"}
"""Whose Lipschitz bound is better than the norm of the entries' largest speeds, which are not reached together."""
COMPOSED = [Rotation() | Brightness(), RotationalBlur() | Contrast(), Scaling() | Clip()]
CARRIED = [Rotation() | Scaling(), Brightness() | Rotation()]


@functools.partial(jax.jit, static_argnums=0)
def bounds_and_speeds(transform, images, points):
    """[B, N, P] each, for images [B, H, W, C]: bounds on N boxes, and the largest speed at the points [N, M, P]."""
    axes = jnp.eye(points.shape[-1])

    def speeds(image, point):
        change = jax.vmap(lambda axis: jax.jvp(lambda p: transform(image, p), (point,), (axis,))[1])(axes)
        return jnp.sqrt(jnp.sum(change**2, axis=(1, 2, 3)))

    def one_box(image, inside):
        bound = transform.lipschitz_upper(image, inside.min(axis=0), inside.max(axis=0))
        return bound, jax.lax.map(lambda p: speeds(image, p), inside).max(axis=0)

    return jax.lax.map(lambda image: jax.lax.map(lambda inside: one_box(image, inside), points), images)


def small_boxes(transform):
    """[5, 6, P]: six points in each of five boxes of 1/500 of the range, in five places of it."""
    low, high = (np.array([r[end] for r in transform.typical]) for end in (0, 1))
    corners = (low + (high - low) * np.linspace([0.13], [0.87], 5))[:, None]
    return corners + 0.002 * (high - low) * np.random.default_rng(0).uniform(size=(5, 6, len(low)))


def digits(transform, count):
    """[B, H, W, C]: for a transform of colours three digits at once, one in each channel."""
    images = embedded_images().images[:count].astype(np.float32) / 255.0
    if transform.name in ("hue", "saturation"):
        images = np.concatenate([images, images[::-1], np.roll(images, 3, axis=0)], axis=3)
    return images


@pytest.mark.parametrize("transform", [*BOUNDED, *COMPOSED, *CARRIED], ids=lambda t: t.name)
def test_no_bound_is_four_times_too_large_on_an_mnist_image(transform):
    images = digits(transform, 8)
    inside = small_boxes(transform)
    bound, speed = (np.asarray(a) for a in bounds_and_speeds(transform, images, jnp.asarray(inside, jnp.float32)))
    moved = speed > 1e-4
    assert moved.mean() > 0.5
    ratio = np.where(moved, bound / np.maximum(speed, 1e-4), 1.0)
    assert ratio.min() > 1 - 1e-5
    assert ratio.max() < 4
    assert np.median(ratio) < 2


@pytest.mark.parametrize("transform", ENTRIES, ids=lambda t: t.name)
def test_speeds_of_entries_have_the_norm_of_the_bound_on_an_mnist_image(transform):
    images = digits(transform, 4)
    inside = small_boxes(transform).astype(np.float32)
    low, high = inside.min(axis=1), inside.max(axis=1)
    bound = jax.jit(jax.vmap(jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0)), in_axes=(0, None, None)))
    bounds = np.asarray(bound(images, low, high))
    speeds = np.stack([entry_speeds(transform, image, low, high) for image in images])
    ratio = np.linalg.norm(speeds.reshape(*bounds.shape, -1), axis=-1) / bounds
    if transform.name in AVERAGED:
        assert 0.5 < ratio.min() <= ratio.max() < 1.5
    else:
        np.testing.assert_allclose(ratio, 1.0, rtol=1e-4)
