"""Parts of a region and the pairs of centres that speak for them: they cover it, and their bounds hold."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import pytrees
from gsmooth_jax.claims import Window
from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.methods import coverage
from gsmooth_jax.methods.cover import geometry as geometries
from gsmooth_jax.methods.cover import path as paths
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry, TooLong
from gsmooth_jax.methods.cover.pairs import pair_bounds
from gsmooth_jax.methods.cover.path import Path, Stretch, joined
from gsmooth_jax.testing.transforms import apply, smooth_image
from gsmooth_jax.transforms import Brightness, Clip, Contrast, Pixelate, Quantize, Rotation
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param
from tests.known import SHAPE, distances

SIGMA = 0.2
NOISE = gs.PixelNoise(sigma=SIGMA)
BRIGHTNESS_TOO = gs.PixelNoise(sigma=SIGMA, brightness=0.1)
EXACT = gs.PixelNoise(sigma=SIGMA, brightness=0.1, exact=True)


def geometry_of(image, transform, noise=NOISE):
    """Of an image under a transform."""
    return Geometry(image, CoverDecomposition.of(transform), noise, Centres())


def windows(parts):
    """What parts say of an event."""
    return [Window(tuple(p.low.tolist()), tuple(p.high.tolist()), 1e-3, 1, *p[2:]) for p in parts]


def needed(noise, centres, part, images):
    """For each of a part's pairs: its bound for the images [N, ...] alone, and whether any is needed at all."""
    seen = noise.whitened(images.reshape(len(images), -1).astype(np.float64))
    found = []
    for first, second in part.pairs:
        a, b = noise.whitened(np.stack([centres[part.centre_id + i].ravel() for i in (first, second)]))
        way, off = b - a, seen - 0.5 * (a + b)
        length = np.linalg.norm(way)
        along = off @ way / length if length > 0.0 else np.zeros(len(off))
        aside = np.sqrt(np.maximum(np.sum(off**2, axis=1) - along**2, 0.0))
        nothing = np.zeros(len(off))
        found.append(pair_bounds(nothing + 0.5 * length, aside, np.abs(along), nothing).max(initial=0.0))
    return np.array(found)


@dataclasses.dataclass(frozen=True)
class ZigZag(Pipe):
    """Walks along one pixel, and to and fro along another: 8 times while the parameter grows by 1."""

    name = "zigzag"
    params = (Param(name="t", unit="1"),)
    typical = ((0.0, 1.0),)

    def __call__(self, image, theta):
        away = jnp.abs(8.0 * theta[0] - jnp.round(8.0 * theta[0]))
        return image.at[0, 0].add(4.0 * theta[0]).at[0, 1].add(away)

    def lipschitz_upper(self, image, low, high):
        return jnp.hypot(4.0, 8.0)[None]

    def float32_upper(self, image, low, high):
        return image.pointwise(image.low, image.high + 4.0 * high[0], units=4)


@pytest.mark.parametrize(
    ("transform", "low", "high", "noise"),
    [
        (Rotation(), [-10.0], [25.0], NOISE),
        (Rotation() | Clip() | Quantize(bits=6), [-5.0], [5.0], NOISE),
        (Rotation() | Clip() | Quantize(), [-5.0], [5.0], NOISE),
        (Rotation() | Clip() | Quantize(rounding="down"), [-2.0], [5.0], NOISE),
        (ZigZag(), [0.0], [1.0], NOISE),
        (Pixelate() | Quantize(), [0.0], [0.7], NOISE),
        (Rotation() | Brightness(), [-4.0, -0.1], [4.0, 0.05], NOISE),
        (Rotation() | Contrast() | Quantize(bits=6), [-3.0, -0.1], [3.0, 0.1], NOISE),
        (Rotation() | Contrast() | Brightness(), [-3.0, -0.05, 0.0], [3.0, 0.05, 0.05], NOISE),
        (Brightness(), [-0.3], [0.2], BRIGHTNESS_TOO),
        (Rotation() | Brightness() | Quantize(), [-4.0, -0.3], [4.0, 0.2], BRIGHTNESS_TOO),
        (Rotation() | Brightness() | Clip(), [-4.0, -0.1], [4.0, 0.05], BRIGHTNESS_TOO),
        (Rotation() | Brightness() | Clip(), [-4.0, -0.1], [4.0, 0.05], EXACT),
    ],
    ids=lambda v: v.name if hasattr(v, "params") else None,
)
def test_parts_cover_the_region_and_their_bounds_hold(transform, low, high, noise):
    image, low, high = np.asarray(smooth_image((12, 12, 1))), np.array(low), np.array(high)
    layout = geometry_of(image, transform, noise).layout(low, high)
    region, asked = gs.Box(low.tolist(), high.tolist()), windows(layout.parts)
    assert coverage.covered(asked, region)
    assert not coverage.overlapping(asked)
    missing = len(asked) // 2
    assert not coverage.covered(asked[:missing] + asked[missing + 1 :], region)

    finite = CoverDecomposition.of(transform).values
    points = (
        np.random.default_rng(0).uniform(low, high, (1000, len(low)))
        if finite is None
        else finite.representatives(image.shape, low, high)
    )
    moved = np.asarray(jax.vmap(lambda t: noise.encode(apply(transform, image, t)))(jnp.asarray(points, jnp.float32)))
    slack = []
    for part in layout.parts:
        inside = ((part.low <= points) & (points <= part.high)).all(axis=1)
        if inside.any():
            least = needed(noise, layout.centres, part, moved[inside])
            assert (least <= np.array(part.bounds) + 1e-9).all()
            slack.append(np.log(part.bounds).sum() / np.log(np.minimum(least, 0.9999)).sum())
    # Not idle bounds either: votes are worth most of what they would be if the images were known.
    assert np.median(slack) > (0.5 if len(low) == 1 else 0.3)


def test_rounding_is_charged_for_the_images_own_way_under_brightness_noise():
    """The background of a digit, 0 in the middle of the region, is rounded another way than the digit elsewhere."""
    image = embedded_images().images[3].astype(np.float32) / 255.0
    noise, high = gs.PixelNoise(sigma=0.25, brightness=0.3), np.array([1e-3, 0.03])
    transform = Contrast() | Brightness() | Quantize(bits=6)
    points = np.random.default_rng(0).uniform(-high, high, (500, 2))
    moved = np.asarray(jax.vmap(lambda t: apply(transform, image, t))(jnp.asarray(points, jnp.float32)))
    layout = geometry_of(image, transform, noise).layout(-high, high)
    for part in layout.parts:
        inside = ((part.low <= points) & (points <= part.high)).all(axis=1)
        assert (needed(noise, layout.centres, part, moved[inside]) <= np.array(part.bounds) + 1e-9).all()


def test_every_box_has_a_bound_on_the_speed_inside_it(monkeypatch):
    boxes, found, speeds, layout = [], [], Geometry._speeds, Path.layout

    def bounded(self, low, high):
        boxes.extend(zip(low[:, 0], high[:, 0], speeds(self, low, high)[:, 0], strict=True))
        return speeds(self, low, high)

    def kept(path, centres):
        found.append(list(path.stretches))
        return layout(dataclasses.replace(path, stretches=found[-1]), centres)

    monkeypatch.setattr(Geometry, "_speeds", bounded)
    monkeypatch.setattr(Path, "layout", kept)
    image = np.asarray(smooth_image((12, 12, 1)))
    geometry = geometry_of(image, Rotation(), gs.PixelNoise(sigma=0.02))
    parts = geometry.layout(np.array([-7.3]), np.array([11.1])).parts
    path = joined(*found)
    assert len(path.lows) > 20 * len(boxes)
    for (low,), (high,), longest in zip(path.lows, path.highs, path.longest, strict=True):
        (speed,) = [v for a, b, v in boxes if a <= low and high <= b]
        assert longest >= 0.5 * speed * (high - low) / 0.02
    ends = {part.low[0] for part in parts} | {part.high[0] for part in parts}
    assert max(len(repr(float(end))) for end in ends) <= 9


@pytest.mark.parametrize(
    ("transform", "low", "high"),
    [
        (Rotation() | Clip(), [-9.0], [20.0]),
        (Rotation() | Clip() | Quantize(), [-5.0], [5.0]),
        (Rotation() | Brightness(), [-4.0, -0.1], [4.0, 0.05]),
    ],
)
def test_what_is_held_at_a_time_changes_no_part(transform, low, high, monkeypatch):
    image, low, high = np.asarray(smooth_image((12, 12, 1))), np.array(low), np.array(high)
    whole = geometry_of(image, transform).layout(low, high)
    monkeypatch.setattr(geometries, "_STRETCH_BYTES", 0)
    monkeypatch.setattr(geometries, "_BATCH_BYTES", 0)
    monkeypatch.setattr(paths, "_GROUP", 3)
    stretches = []
    legs = Path._legs
    monkeypatch.setattr(
        Path,
        "_legs",
        lambda path: legs(dataclasses.replace(path, stretches=map(lambda s: stretches.append(s) or s, path.stretches))),
    )
    pieces = geometry_of(image, transform).layout(low, high)
    assert max(len(s.latents) for s in stretches) <= geometries.FEW + 1
    assert len(stretches) > 3
    assert [p[2:] for p in pieces.parts] == [p[2:] for p in whole.parts]
    for one, other in zip(pieces.parts, whole.parts, strict=True):
        np.testing.assert_array_equal([one.low, one.high], [other.low, other.high])
    for number in range(len(whole.centres)):
        np.testing.assert_allclose(pieces.centres[number], whole.centres[number], atol=1e-6)


def test_a_region_that_takes_more_centres_than_votes_is_left_early():
    image, low, high = np.asarray(smooth_image((12, 12, 1))), np.array([-20.0]), np.array([20.0])
    whole, geometry = geometry_of(image, Rotation()).layout(low, high), geometry_of(image, Rotation())
    assert geometry.layout(low, high, most=len(whole.parts)).parts
    with pytest.raises(TooLong) as caught:
        geometry_of(image, Rotation()).layout(low, high, most=len(whole.parts) // 2)
    assert caught.value.parts / caught.value.share == pytest.approx(len(whole.parts), rel=0.2)


def test_the_outlook_is_of_the_layout_that_comes():
    for transform, low, high in (
        (Rotation(), [-20.0], [30.0]),
        (Rotation() | Brightness(), [-4.0, -0.1], [4.0, 0.1]),
        (Pixelate(), [0.0], [0.7]),
    ):
        image, low, high = np.asarray(smooth_image((12, 12, 1))), np.array(low), np.array(high)
        seen, centres = (
            geometry_of(image, transform).outlook(low, high),
            len(geometry_of(image, transform).layout(low, high).centres),
        )
        assert 0.5 * centres < seen.centres < 2.5 * centres + 8
        assert seen.images >= seen.centres


def zigzag(way, apart, slack):
    """The part of a path of one box, ``way`` long, of which float32 shows ends as far apart as if it were straight."""
    latents = np.zeros((2, 144))
    latents[1, 0] = way
    box = Stretch(np.zeros((1, 1)), np.ones((1, 1)), latents, np.array([0.5 * way]) / SIGMA, np.zeros(1))
    (part,) = Path(stretches=[box], slack=slack / SIGMA, spacing=0.5, noise=NOISE).layout(Centres())
    return part


def test_latents_that_float32_has_moved_apart_do_not_make_a_path_straight():
    error, apart = 1e-2, 0.1
    way = apart + 2.0 * error
    inner, _ = zigzag(way, apart, 2.0 * error).bounds[:2]
    aside = 0.5 * np.sqrt(way**2 - apart**2) / SIGMA  # of the path that it may be
    exact = 0.5 * way / SIGMA, aside, 0.5 * apart / SIGMA, 0.0
    assert inner >= pair_bounds(*(np.array(value) for value in exact))
    believed, _ = zigzag(way, apart, 0.0).bounds[:2]
    assert believed < inner


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Coarse(gs.PixelNoise):
    """Latents are rounded to tenths of a standard deviation, and draws have another law than the normal one."""

    total: float = dataclasses.field(default=0.0, metadata={"static": True})

    def encode(self, images):
        return jnp.round(images * 50.0) / 50.0

    def float32_upper(self, image):
        return 0.05 * np.sqrt(image.size)

    def total_variation_upper(self, entries):
        assert entries == 144
        return self.total


def test_what_draws_lack_is_added_to_every_bound():
    image, ends = np.asarray(smooth_image((12, 12, 1))), (np.array([0.0]), np.array([0.2]))
    law, other = (geometry_of(image, Brightness(), Coarse(sigma=SIGMA, total=t)).layout(*ends) for t in (0.0, 0.012))
    for part, apart in zip(law.parts, other.parts, strict=True):
        known = dict(zip(part.pairs, part.bounds, strict=True))
        assert apart.pairs
        for pair, bound in zip(apart.pairs, apart.bounds, strict=True):
            # Twelve of the last decimal, to which either is rounded up.
            assert bound == pytest.approx(min(known[pair] + 0.012, 1.0), abs=0.00101)
            assert bound >= min(known[pair] + 0.012, 1.0) - 1e-9


def test_latents_on_a_grid_are_within_their_bounds():
    """Here rounding to it takes a latent half a standard deviation away: centres are where they are, images are not."""
    image, noise = np.asarray(smooth_image((12, 12, 1))), Coarse(sigma=SIGMA)
    layout = geometry_of(image, Rotation(), noise).layout(np.array([-4.0]), np.array([9.0]))
    points = np.random.default_rng(0).uniform(-4.0, 9.0, (1000, 1))
    moved = jax.vmap(lambda t: noise.encode(apply(Rotation(), image, t)))(jnp.asarray(points, jnp.float32))
    for part in layout.parts:
        inside = ((part.low <= points) & (points <= part.high)).all(axis=1)
        least = needed(noise, layout.centres, part, np.asarray(moved)[inside])
        assert (least <= np.array(part.bounds) + 1e-9).all()
    levels = np.concatenate([layout.centres[i].ravel() for i in range(len(layout.centres))]) * 50.0
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)


def test_centres_lie_beyond_the_ends_of_a_path_and_never_beyond_values():
    image = np.asarray(smooth_image((12, 12, 1)))
    layout = geometry_of(image, Brightness()).layout(np.array([0.0]), np.array([0.2]))
    means = [float(c.mean() - image.mean()) for c in layout.centres]
    assert min(means) < -0.03
    assert max(means) > 0.23
    steps = np.diff(means) * 12 / SIGMA  # of 144 entries
    assert (steps <= geometries.SPACING + 1e-3).all()
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.6)
    values = geometry_of(image, Pixelate()).layout(np.array([0.0]), np.array([0.5]))
    many = len(Pixelate().representatives(image.shape, np.array([0.0]), np.array([0.5])))
    assert len(values.centres) <= many


@pytest.mark.parametrize(
    ("transform", "high", "fewer"), [(Brightness(), [0.4], 10), (Rotation() | Brightness(), [0.3, 0.3], 10)]
)
def test_brightness_noise_takes_far_fewer_centres(transform, high, fewer):
    image, high = embedded_images().images[0].astype(np.float32) / 255.0, np.array(high)
    noise = gs.PixelNoise(sigma=0.25)

    def count(noise):
        return len(geometry_of(image, transform, noise).layout(-high, high).centres)

    assert fewer * count(dataclasses.replace(noise, brightness=0.3)) < count(noise)


def test_values_that_another_program_rounds_the_other_way_are_charged():
    """Means of neighbouring pixels often lie half way between two levels, where 1e-5 decides."""
    transform, noise = Pixelate() | Clip() | Quantize(), gs.PixelNoise(sigma=0.1)
    rng, furthest = np.random.default_rng(0), 0.0
    for image in embedded_images().images[:8].astype(np.float32) / 255.0:
        geometry = geometry_of(image, transform, noise)
        for parameter in (0.1, 0.3, 0.5):
            layout = geometry.point(np.array([parameter]))
            moved = np.asarray(apply(Pixelate() | Clip(), image, jnp.array([parameter])), np.float64)
            theirs = np.round((moved + rng.uniform(-1e-5, 1e-5, moved.shape)) * 255.0) / 255.0
            assert needed(noise, layout.centres, layout.parts[0], theirs[None]) <= layout.parts[0].bounds
            far = distances(noise, theirs.reshape(1, -1), layout.centres[layout.parts[0].centre_id].ravel())[0]
            furthest = max(furthest, far)
    assert furthest > 1.0 / 255.0 / 0.1 - 1e-6  # it does happen


@pytest.mark.parametrize(("rounding", "bits"), [("nearest", 8), ("nearest", 16), ("down", 8)])
def test_a_rounding_behind_a_wrong_entry_is_charged(rounding, bits):
    """Entries at a clip's end that go a little further than where a rounding takes them elsewhere, by float32 alone."""
    geometry = geometry_of(np.zeros(SHAPE, np.float32), Brightness() | Clip() | Quantize(bits=bits, rounding=rounding))
    jump, reach = geometry.stages.jump, geometry.stages.reach
    assert 0.0 in geometry.stages.fixed
    n = int(np.prod(SHAPE))
    for wrong in (0.0, 0.1 * reach, 0.9 * reach, 1.1 * reach):
        seen = geometry._float32(np.zeros(1), np.zeros(1))._replace(off=wrong)
        way = max(reach - wrong, 0.0) * (1.0 + 1e-6)  # of every entry: with what is wrong it comes just beyond
        (charged,) = geometry._rounded(np.array([way * np.sqrt(n)]), np.zeros(1), np.array([np.inf]), seen)
        assert charged >= jump * np.sqrt(n) / SIGMA * (1.0 - 1e-6)


@dataclasses.dataclass(frozen=True)
class Steps:
    """Brightness in steps: the values change at ``jumps`` [M - 1]."""

    jumps: tuple[float, ...]
    levels: tuple[float, ...]
    listed: tuple[float, ...]  # its representatives, right or wrong

    name = "steps"
    params = (gs.types.Param(name="x", unit="1"),)
    group = "none"

    def __call__(self, image, theta):
        return image + jnp.asarray(self.levels)[jnp.searchsorted(jnp.asarray(self.jumps), theta[0])]

    def representatives(self, image_shape, low, high):
        del image_shape
        inside = [j for j in self.jumps if low[0] < j < high[0]]
        middles = np.convolve([low[0], *inside, high[0]], [0.5, 0.5], "valid")
        return np.array(self.listed or middles)[:, None]

    def float32_upper(self, image, low, high):
        return image.pointwise(image.low + min(self.levels), image.high + max(self.levels), units=2)


def test_the_image_itself_stays_with_its_own_value():
    """Ends drawn half way between values would leave 0 to the value below -0.1, which gets another answer."""
    steps = Steps((-0.1, 0.3), (-0.6, 0.0, 0.2), ())
    geometry = geometry_of(np.full(SHAPE, 0.7, np.float32), steps)
    layout = geometry.layout(np.array([-3.0]), np.array([0.4]))
    (own,) = [w for w in windows(layout.parts) if coverage.holds_identity(w, gs.Box([-3.0], [0.4]))]
    assert own.pairs[0] == (0, 0)
    np.testing.assert_allclose(layout.centres[own.centre_id], 0.7, atol=1e-6)


@pytest.mark.parametrize("listed", [(0.35, 0.1, -0.05), (-0.05, 0.1, 0.1, 0.35), (-2.0, 0.1, 0.35)])
def test_values_out_of_order_are_refused(listed):
    steps = Steps((0.0, 0.3), (-0.6, 0.0, 0.2), listed)
    geometry = geometry_of(np.full(SHAPE, 0.7, np.float32), steps)
    with pytest.raises(ValueError, match="Expected representatives of steps that ascend"):
        geometry.layout(np.array([-0.1]), np.array([0.4]))
