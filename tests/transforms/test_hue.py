import dm_pix
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply, check_transform, smooth_image, tightness
from gsmooth_jax.transforms import Clip, Hue, Rotation, Saturation


def colour_image(shape=(12, 10), seed=0):
    """[H, W, 3] in [0, 1] with the spectrum of photographs in each channel."""
    return np.concatenate([smooth_image((*shape, 1), seed=3 * seed + c) for c in range(3)], axis=2)


def turned(image, degrees):
    """[H, W, 3] float64: R(angle) x by the matrix exponential's closed form, of the axis (1, 1, 1)."""
    n = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    angle = np.deg2rad(degrees)
    return image @ (np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(n, n)).T


def plane_angle(image):
    """[H, W]: the angle in degrees of each colour about the grey axis, and [H, W] its distance from it."""
    y = np.sqrt(3) * (image[..., 1] - image[..., 2])
    x = 2 * image[..., 0] - image[..., 1] - image[..., 2]
    return np.rad2deg(np.arctan2(y, x)), np.hypot(x, y)


def test_contract():
    check_transform(Hue())


@pytest.mark.parametrize("transform", [Rotation() | Hue(), Hue() | Saturation() | Clip()], ids=lambda t: t.name)
def test_contract_behind_and_before_another(transform):
    check_transform(transform)


def test_turns_about_the_grey_axis():
    image = colour_image()
    for degrees in (-200.0, -120.0, -31.0, 0.5, 45.0, 7205.0):
        found = np.asarray(apply(Hue(), image, jnp.array([degrees])), np.float64)
        np.testing.assert_allclose(found, turned(image.astype(np.float64), degrees), atol=1e-6)
        np.testing.assert_allclose(found.mean(axis=2), image.mean(axis=2), atol=1e-6)
        assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(image), rel=1e-6)
    red = jnp.zeros((1, 1, 3)).at[0, 0, 0].set(1.0)
    np.testing.assert_allclose(Hue()(red, jnp.array([120.0]))[0, 0], [0.0, 1.0, 0.0], atol=1e-6)  # green


def test_agrees_with_the_hexcone_of_dm_pix_on_the_angle():
    image = colour_image()
    for third in (-120.0, 120.0):
        expected = dm_pix.adjust_hue(jnp.asarray(image), third / 360)
        np.testing.assert_allclose(apply(Hue(), image, jnp.array([third])), expected, atol=1e-5)
    furthest = 0.0
    for degrees in (-31.0, 10.0, 30.0, 60.0, 77.0):
        theirs, distance = plane_angle(np.asarray(dm_pix.adjust_hue(jnp.asarray(image), degrees / 360), np.float64))
        ours, _ = plane_angle(np.asarray(apply(Hue(), image, jnp.array([degrees])), np.float64))
        apart = np.abs((ours - theirs + 180) % 360 - 180)[distance > 0.05]
        furthest = max(furthest, apart.max())
    assert 1.0 < furthest < 2.3


def test_the_bound_is_the_speed_itself_at_every_angle():
    image = colour_image()
    for degrees in (-170.0, 0.0, 33.0):
        assert tightness(Hue(), image, [degrees], [degrees + 0.5]) > 0.9999
        speed = jax.jvp(lambda t: Hue()(jnp.asarray(image), t), (jnp.array([degrees]),), (jnp.ones(1),))[1]
        bound = float(Hue().lipschitz_upper(jnp.asarray(image), jnp.array([degrees]), jnp.array([degrees]))[0])
        assert float(jnp.linalg.norm(speed)) * (1 - 1e-6) <= bound
    apart, growth = Hue().sensitivity_upper((4, 4, 3), jnp.array([-30.0]), jnp.array([30.0]))
    other = colour_image(seed=1)
    zero = jnp.zeros(1)
    grown = Hue().lipschitz_upper(jnp.asarray(other), zero, zero) - Hue().lipschitz_upper(
        jnp.asarray(image), zero, zero
    )
    assert float(apart) == pytest.approx(1.0, abs=2e-6)
    assert abs(float(grown[0])) <= float(growth[0]) * np.linalg.norm(image - other)


def test_grey_images_have_no_hue_and_other_channels_no_meaning():
    grey = jnp.asarray(smooth_image((6, 6, 1)))
    angle = jnp.array([40.0])
    np.testing.assert_array_equal(Hue()(grey, angle), grey)
    assert float(Hue().lipschitz_upper(grey, angle, angle)[0]) == 0.0
    np.testing.assert_allclose(Hue()(jnp.repeat(grey, 3, axis=2), angle), jnp.repeat(grey, 3, axis=2), atol=1e-6)
    with pytest.raises(ValueError, match=r"3 channels .* got image.shape=\(4, 4, 2\)"):
        Hue()(jnp.zeros((4, 4, 2)), angle)
