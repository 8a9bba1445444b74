import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gsmooth_jax.data import embedded_images
from gsmooth_jax.testing.transforms import apply, check_transform, grid, read_bilinear, smooth_image, tightness
from gsmooth_jax.transforms import Clip, Quantize, Rotation, composition_defect, describe, parse, states
from gsmooth_jax.types import LipschitzBounded

SIZES = [(8, 13), (12, 9), (16, 16)]
ANGLES = (-170.0, -33.0, -0.02, 0.0, 0.5, 10.0, 90.0, 180.0, 3605.0)


def _inside_disc(image):
    y, x, cy, cx = grid(image.shape)
    return np.where((y**2 + x**2 <= min(cy, cx) ** 2)[:, :, None], image, 0.0)


def test_contract():
    check_transform(Rotation())


def test_contract_with_mask():
    check_transform(Rotation(mask=True), at_identity=_inside_disc)


def test_matches_scipy():
    image = smooth_image((8, 13, 3))
    y, x, cy, cx = grid(image.shape)
    for degrees in (-170.0, -33.0, 0.5, 10.0, 90.0):
        sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
        expected = read_bilinear(image, x * sin + y * cos + cy, x * cos - y * sin + cx)
        np.testing.assert_allclose(apply(Rotation(), image, jnp.array([degrees])), expected, atol=2e-5)


def by_pillow(image, degrees):
    """[H, W] of any dtype, in Pillow's mode L (uint8) or F (float32)."""
    return np.asarray(Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR))


def by_scipy(image, degrees):
    return ndimage.rotate(image, degrees, order=1, reshape=False)


def by_opencv(image, degrees):
    cv2 = pytest.importorskip("cv2", minversion="5")  # older ones read at multiples of 1/32 px
    h, w = image.shape[:2]
    return cv2.warpAffine(image, cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0), (w, h), flags=cv2.INTER_LINEAR)


PROGRAMS = {"pillow": by_pillow, "scipy": by_scipy, "opencv": by_opencv}


@pytest.mark.parametrize("convention", PROGRAMS)
def test_a_convention_is_its_program_on_real_valued_images(convention):
    rotation, rng = Rotation(convention=convention), np.random.default_rng(0)
    for size in SIZES:
        image = rng.uniform(0.2, 1.0, size).astype(np.float32)
        for degrees in ANGLES:
            found = apply(rotation, image[:, :, None], jnp.array([degrees]))[:, :, 0]
            np.testing.assert_allclose(found, PROGRAMS[convention](image, degrees), atol=2e-5, err_msg=f"{degrees=}")
        # It is another one than ours: the border differs, or the centre.
        ours = apply(Rotation(), image[:, :, None], jnp.array([10.0]))[:, :, 0]
        assert np.abs(ours - PROGRAMS[convention](image, 10.0)).max() > 0.05


@pytest.mark.parametrize("convention", PROGRAMS)
def test_a_convention_is_its_program_on_files(convention):
    rounding = "down" if convention == "pillow" else "nearest"
    rotation, rng = Rotation(convention=convention) | Clip() | Quantize(rounding=rounding), np.random.default_rng(1)
    files = [*embedded_images().images[:6, :, :, 0], *(rng.integers(0, 256, size, dtype=np.uint8) for size in SIZES)]
    for file in files:
        for degrees in (-33.0, 0.0, 7.3, 45.0, 91.0):
            found = np.asarray(apply(rotation, file[:, :, None] / np.float32(255), jnp.array([degrees])))[:, :, 0] * 255
            wrong = np.abs(np.rint(found) - PROGRAMS[convention](file, degrees).astype(float))
            # float32 takes what is nearly half way between two levels, or nearly on one, to either.
            assert wrong.max() <= 1
            assert (wrong > 0).mean() <= 0.005


def test_ours_is_one_that_scipy_knows_too():
    image = smooth_image((8, 13, 1))[:, :, 0]
    expected = ndimage.rotate(image, 10.0, order=1, reshape=False, mode="grid-constant")
    np.testing.assert_allclose(apply(Rotation(), image[:, :, None], jnp.array([10.0]))[:, :, 0], expected, atol=2e-5)


@pytest.mark.parametrize("convention", PROGRAMS)
def test_contract_of_a_convention_inside_the_disc(convention):
    check_transform(Rotation(convention=convention, mask=True), at_identity=_inside_disc)


def test_contract_of_a_convention_without_jumps():
    check_transform(Rotation(convention="opencv"))


@pytest.mark.parametrize("convention", ["pillow", "scipy"])
def test_an_image_jumps_where_a_lit_pixel_leaves_the_canvas_and_only_there(convention):
    image = np.asarray(embedded_images().images[0], np.float32) / 255
    assert not np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).any()
    whole, bound = Rotation(convention=convention), jax.jit(Rotation(convention=convention).lipschitz_upper)
    ours = jax.jit(Rotation().lipschitz_upper)
    # A black border: the bound holds for every pair of angles, and is no worse than without the canvas' edge.
    angles = np.sort(np.random.default_rng(0).uniform(-50, 50, 40)).astype(np.float32)
    turned = np.asarray(jax.jit(jax.vmap(whole, in_axes=(None, 0)))(image, angles[:, None]), np.float64)
    for a, b, change in zip(angles, angles[1:], np.diff(turned, axis=0), strict=False):
        low, high = jnp.array([a]), jnp.array([b])
        assert np.linalg.norm(change) <= float(bound(image, low, high)[0]) * (b - a) + 1e-5
        assert float(bound(image, low, high)[0]) <= 1.001 * float(ours(image, low, high)[0])
    # One lit pixel on the border: it makes the image jump, so the bound is infinite; not inside the disc.
    fine = jnp.linspace(-9.0, 9.0, 801, dtype=jnp.float32)[:, None]
    steps = jax.jit(lambda x: jnp.abs(jnp.diff(jax.vmap(whole, in_axes=(None, 0))(x, fine), axis=0)).max())
    masked = jax.jit(Rotation(convention=convention, mask=True).lipschitz_upper)
    for border in ((0, 5), (27, 5), (5, 0), (5, 27)):
        lit = image.copy()
        lit[border] = 0.5
        assert float(steps(lit)) > 0.1 > 10 * float(steps(image))
        assert float(bound(lit, fine[0], fine[-1])[0]) == np.inf
        assert float(masked(lit, jnp.array([-180.0]), jnp.array([180.0]))[0]) < np.inf


def test_the_bound_knows_that_pillow_repeats_the_outermost_pixels():
    # One row, whose two pixels read it half a pixel above and below: what changes is how far along they read.
    pair = np.array([[[0.5], [1.0]]], np.float32)
    assert tightness(Rotation(convention="pillow"), pair, [44.5], [45.5]) > 0.95


def test_a_pixel_that_is_half_outside_is_still_seen_by_pillow():
    # At the identity no source is near the edge of Pillow's canvas, and all of the border's are on that of SciPy's.
    lit, zero = jnp.ones((6, 6, 1)), jnp.zeros(1)
    assert float(jax.jit(Rotation(convention="pillow").lipschitz_upper)(lit, zero, zero)[0]) < np.inf
    assert float(jax.jit(Rotation(convention="scipy").lipschitz_upper)(lit, zero, zero)[0]) == np.inf


def test_more_than_a_turn_is_as_fast_as_any_part_of_it():
    image, bound = jnp.asarray(smooth_image((6, 7, 1))), jax.jit(Rotation().lipschitz_upper)
    parts = max(float(bound(image, jnp.array([a]), jnp.array([a + 45.0]))[0]) for a in range(0, 360, 45))
    for high in (360.0, 400.0, 719.0, 720.0):
        assert float(bound(image, jnp.zeros(1), jnp.array([high]))[0]) >= parts


def test_specs_of_the_first_release_stay_equal():
    assert describe(Rotation()) == "rotation(mask=False)"
    assert parse("rotation(mask=False)") == Rotation()
    assert parse(describe(Rotation(convention="scipy"))).convention == "scipy"
    for bad, message in (({"convention": "cv3"}, "Known: continuous, opencv"), ({"mask": 3}, "True or False")):
        with pytest.raises(ValueError, match=message):
            Rotation(**bad)


def test_positive_angles_turn_left():
    image = smooth_image((10, 10, 1))
    np.testing.assert_allclose(apply(Rotation(), image, jnp.array([90.0])), np.rot90(image), atol=1e-5)


def test_continuous_where_pixels_cross_the_border():
    angles = jnp.linspace(44.0, 46.0, 401)[:, None]
    turned = jax.jit(jax.vmap(Rotation(), in_axes=(None, 0)))(jnp.ones((8, 8, 1)), angles)
    assert float(jnp.abs(jnp.diff(turned, axis=0)).max()) < 1e-3  # 5.7 px from the centre times 8.7e-5 rad


def test_bound_is_within_two_and_a_half_times_the_change_of_a_natural_image():
    image = smooth_image((32, 32, 3))
    for low in (-20.0, 0.0, 7.0):
        assert tightness(Rotation(mask=True), image, [low], [low + 0.1]) > 0.4
        assert tightness(Rotation(), image, [low], [low + 0.1]) > 0.4


def test_wide_boxes_are_bounded_too():
    image = jnp.asarray(smooth_image((10, 10, 1)))
    bound = jax.jit(Rotation().lipschitz_upper)
    narrow = [float(bound(image, jnp.array([a]), jnp.array([a + 1.0]))[0]) for a in np.arange(-180.0, 180.0, 20.0)]
    assert float(bound(image, jnp.array([-180.0]), jnp.array([180.0]))[0]) >= max(narrow)


def test_images_are_driven_apart_most_at_45_degrees():
    def apart(low, high):
        return float(Rotation().sensitivity_upper((9, 7, 1), jnp.array([low]), jnp.array([high]))[0])

    assert apart(0.0, 0.0) == pytest.approx(1.0, abs=1e-4)
    assert apart(45.0, 45.0) == pytest.approx((1 + 4 * (1 - 0.5**0.5) ** 2) ** 0.5, rel=1e-4)
    assert apart(10.0, 80.0) == apart(-50.0, -30.0) == apart(-400.0, 400.0) == pytest.approx(apart(45.0, 45.0))
    for same in (-80.0, 80.0, 100.0, -3610.0):
        assert apart(same, same) == pytest.approx(apart(10.0, 10.0), rel=1e-5)
    assert apart(-20.0, 10.0) == apart(20.0, 20.0) > apart(10.0, 10.0)


def test_interpolation_breaks_the_composition_law():
    images = jnp.asarray(smooth_image((16, 16, 1)))[None]
    assert composition_defect(Rotation(), images, jax.random.key(0)) > 0.1


@pytest.mark.parametrize(("interpolation", "order"), [("nearest", 0), ("bicubic", None)])
def test_other_interpolations(interpolation, order):
    rotation = Rotation(interpolation=interpolation)
    check_transform(rotation)
    image = smooth_image((9, 12, 3))
    y, x, cy, cx = grid(image.shape)
    for degrees in (-170.0, -33.0, 0.5, 10.0):
        sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
        ys, xs = x * sin + y * cos + cy, x * cos - y * sin + cx
        found = apply(rotation, image, jnp.array([degrees]))
        if order is None:
            expected = by_catmull_rom(image, ys, xs)
        else:
            planes = [ndimage.map_coordinates(image[..., c], [ys, xs], order=0, mode="grid-constant") for c in range(3)]
            expected = np.stack(planes, axis=2)
        inside = (ys > -0.49) & (ys < 8.49) & (xs > -0.49) & (xs < 11.49)  # SciPy's canvas ends elsewhere
        np.testing.assert_allclose(np.asarray(found)[inside], expected[inside], atol=2e-5)


def by_catmull_rom(image, ys, xs):
    """Each source by the spline's own formula (Catmull and Rom 1974), one row of four pixels after the other."""
    ring = np.pad(image, ((4, 4), (4, 4), (0, 0)))

    def spline(p, t):
        bend = 2 * p[0] - 5 * p[1] + 4 * p[2] - p[3], 3 * (p[1] - p[2]) + p[3] - p[0]
        return p[1] + 0.5 * t * (p[2] - p[0] + t * (bend[0] + t * bend[1]))

    out = np.zeros_like(image)
    for index in np.ndindex(ys.shape):
        y, x = np.clip((ys[index], xs[index]), -2, (image.shape[0] + 1, image.shape[1] + 1))
        i, j = int(np.floor(y)), int(np.floor(x))
        rows = [spline(ring[i + 3 + r, j + 3 : j + 7], x - j) for r in range(4)]
        out[index] = spline(rows, y - i)
    return out


def test_other_interpolations_state_no_bound():
    image, box = jnp.ones((5, 5, 1)), (jnp.zeros(1), jnp.ones(1))
    for interpolation in ("nearest", "bicubic"):
        rotation = Rotation(interpolation=interpolation)
        assert not states(rotation, LipschitzBounded)
        assert "states none" in (rotation | Clip()).unbounded()
        assert parse(describe(rotation)) == rotation
        for bound in (rotation.lipschitz_upper, rotation.entry_speeds_upper):
            with pytest.raises(ValueError, match="states none"):
                bound(image, *box)
        with pytest.raises(ValueError, match="bilinear"):
            Rotation(interpolation=interpolation, convention="pillow")
    assert states(Rotation(), LipschitzBounded)
    with pytest.raises(ValueError, match="Known: bicubic, bilinear, nearest"):
        Rotation(interpolation="cubic")
