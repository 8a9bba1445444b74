"""Entries of transformed images: brute force never leaves the bounds, and they are not idle."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.methods.interval.images import float32_error, hull, image_bounds
from gsmooth_jax.transforms import (
    Additive,
    Brightness,
    BrightnessContrast,
    Clip,
    Contrast,
    DefocusBlur,
    Gamma,
    GaussianBlur,
    MotionBlur,
    Pixelate,
    Quantize,
    Rotation,
    RotationalBlur,
    Scaling,
    Shift,
    Translation,
    Volume,
    ZoomBlur,
)
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param

MOVED = [Rotation(), Rotation(mask=True), Scaling(), Shift(), RotationalBlur(), ZoomBlur(), MotionBlur(), DefocusBlur()]
POINTWISE = [Brightness(), Contrast(), BrightnessContrast(), Gamma(), Volume()]
COMPOSED = [
    Rotation() | Clip() | Quantize(),
    Scaling() | BrightnessContrast() | Clip(),
    Brightness() | Clip() | Gamma() | Quantize(bits=3),
    Clip() | GaussianBlur() | Contrast(),
]


@functools.partial(jax.jit, static_argnums=0)
def ends(transform, image, low, high, error=0.0):
    found = jax.vmap(lambda a, b: image_bounds(transform, image, a, b, error))(low, high)
    return found.lower, found.upper


@functools.partial(jax.jit, static_argnums=0)
def images_at(transform, image, points):
    return jax.vmap(jax.vmap(transform, in_axes=(None, 0)), in_axes=(None, 0))(image, points)


def boxes(transform, rng, width, count=4):
    """Corners [count, P], and 40 points in each, the corners among them."""
    low, high = (np.array([r[end] for r in transform.typical]) for end in (0, 1))
    a = rng.uniform(low, high, (count, len(low)))
    b = np.minimum(a + width * (high - low), high).astype(np.float32)
    a = np.minimum(a.astype(np.float32), b)
    inside = rng.uniform(a[:, None], b[:, None], (count, 38, len(low))).astype(np.float32).clip(a[:, None], b[:, None])
    return a, b, np.concatenate([a[:, None], b[:, None], inside], axis=1)


def digit(number):
    return embedded_images().images[number].astype(np.float32) / 255.0


@pytest.mark.parametrize("transform", [*MOVED, GaussianBlur(), *POINTWISE, *COMPOSED], ids=lambda t: t.name)
def test_no_entry_leaves_its_bounds(transform):
    rng = np.random.default_rng(0)
    loose = {}
    for width in (0.0, 1e-3, 1e-2, 0.3):
        low, high, points = boxes(transform, rng, width)
        for image in (digit(3), digit(7), rng.uniform(size=(12, 9, 3)).astype(np.float32)):
            error = float32_error(transform, image, *(end.astype(np.float64) for end in (low.min(0), high.max(0))))
            lower, upper = (np.asarray(a) for a in ends(transform, image, low, high, error))
            assert np.isfinite(lower).all()
            assert np.isfinite(upper).all()
            reached = np.asarray(images_at(transform, image, points))
            assert (reached >= lower[:, None]).all()
            assert (reached <= upper[:, None]).all()
        loose[width] = np.mean(upper - lower) / max(np.ptp(reached, axis=1).mean(), 1e-4)
    rounded = any(isinstance(s, Quantize) for s in getattr(transform, "stages", ()))
    # Float32 errs in long sums by less than can be proved.
    sums = any(isinstance(s, GaussianBlur | DefocusBlur) for s in getattr(transform, "stages", (transform,)))
    assert loose[0.0] < (30 if rounded else 5 if sums else 1)
    assert loose[1e-2] < 4
    if transform in POINTWISE:
        assert loose[1e-2] < 1.1


@pytest.mark.parametrize("transform", [Translation(), Translation() | Clip() | Quantize(), Pixelate()])
def test_hulls_hold_the_values_among_them(transform):
    image = digit(5)
    parameters = np.array([[d] * len(transform.params) for d in (0.0, 0.3, 0.45, 1.0)], np.float32)
    among = np.array([True, False, True, False])
    reached = np.asarray(images_at(transform, image, parameters[None])[0])
    box = [end.astype(np.float64) for end in (parameters.min(0), parameters.max(0))]
    found = jax.jit(lambda *a: hull(transform, *a))(image, parameters, among, float32_error(transform, image, *box))
    lower, upper = np.asarray(found.lower), np.asarray(found.upper)
    assert (reached[among] >= lower).all()
    assert (reached[among] <= upper).all()
    tolerance = 4e-5 if "quantize" not in transform.name else 1 / 255 + 1e-6
    assert (reached[among].min(axis=0) - lower).max() < tolerance
    assert (upper - reached[among].max(axis=0)).max() < tolerance


@dataclasses.dataclass(frozen=True)
class Wrong(Pipe):
    """A stage that float32 takes away from the real one, by so much."""

    name = "wrong"
    params = (Param(name="t", unit="1"),)

    def __call__(self, image, theta):
        return image + 0.0 * theta[0]

    def float32_upper(self, image, low, high):
        return image.then(image.low, image.high, 1e-3)


def test_two_programs_may_be_wrong_to_either_side():
    image, ends = np.full((2, 2, 1), 0.5, np.float32), np.zeros(2)
    for transform in (Wrong(), Wrong() | Brightness()):
        assert float32_error(transform, image, ends, ends) >= 2e-3 * (1 - 1e-9)
    assert float32_error(Brightness(), image, ends, ends) == 0.0  # seen to by its intervals


def test_hulls_allow_for_the_error_that_they_are_given():
    image = jnp.float32([[0.25, 0.5], [0.75, 1.0]])[:, :, None]
    found = hull(Translation(), image, np.float32([[0, 0], [0, 1]]), np.array([True, True]), 0.01)
    np.testing.assert_allclose(found.lower, np.float32([[0.24, 0.24], [0.74, 0.74]])[:, :, None], atol=1e-6)
    np.testing.assert_allclose(found.upper, np.float32([[0.51, 0.51], [1.01, 1.01]])[:, :, None], atol=1e-6)


def test_a_rounding_takes_both_levels_only_near_a_tie():
    image = np.full((1, 1, 3), 0.5, np.float32)
    image[..., 1] = 100 / 255
    image[..., 2] = 100.4 / 255
    lower, upper = ends(Brightness() | Quantize(), image, np.float32([[0.0]]), np.float32([[0.0]]))
    levels = np.stack([lower, upper]).ravel().reshape(2, 3) * 255
    np.testing.assert_allclose(levels, [[127, 100, 100], [128, 100, 100]], atol=1e-3)


@pytest.mark.parametrize(
    ("transform", "stage"),
    [
        (Brightness() | Rotation(), "'rotation' mixes"),
        (Rotation() | GaussianBlur(), "'gaussian_blur' mixes"),
        (Rotation() | Translation(), "'translation' mixes"),
        (Translation(), "'translation' does not bound"),
    ],
)
def test_a_stage_without_bounds_is_named(transform, stage):
    point = jnp.zeros(len(transform.params))
    with pytest.raises(ValueError, match=stage):
        image_bounds(transform, jnp.zeros((8, 8, 1)), point, point, 0.0)
    if transform.name != "translation":
        with pytest.raises(ValueError, match=r"stage .* lists none|mixes"):
            hull(transform, jnp.zeros((8, 8, 1)), point[None], jnp.ones(1, bool), 0.0)


def test_what_comes_first_must_be_exact_to_be_moved():
    image = jnp.full((6, 6, 1), 0.5 / 255)
    point = jnp.zeros((1, 2))
    with pytest.raises(ValueError, match="'translation' mixes those of an image that is rounded"):
        hull(Quantize() | Translation(), image, point, jnp.ones(1, bool), 0.0)
    with pytest.raises(ValueError, match="'rotation' mixes"):
        image_bounds(Quantize() | Rotation(), image, point[0, :1], point[0, :1], 0.0)
    found = hull(Clip(high=0.001) | Translation(), image, point, jnp.ones(1, bool), 0.0)
    np.testing.assert_allclose(found.upper, 0.001, atol=2e-5)


def test_one_number_a_pixel_is_a_box_of_pixels():
    image, low = jnp.full((2, 2, 1), 0.5), jnp.array([-0.1, 0.0, 0.1, 0.2])
    lower, upper = ends(Additive() | Clip(), image, low[None], low[None] + 0.4)
    np.testing.assert_allclose(np.ravel(lower), [0.4, 0.5, 0.6, 0.7], atol=1e-5)
    np.testing.assert_allclose(np.ravel(upper), [0.8, 0.9, 1.0, 1.0], atol=1e-5)
