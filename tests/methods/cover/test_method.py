"""``cover``: the distances hold everywhere, false claims are rare, and the true region is found."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer, Hypothesis
from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.methods import coverage
from gsmooth_jax.methods.cover.cell_votes import level, threshold
from gsmooth_jax.methods.cover.geometry import Geometry, Stages
from gsmooth_jax.methods.cover.two_centres import Path, two_centres
from gsmooth_jax.results.verify import verify
from gsmooth_jax.testing.transforms import apply, smooth_image
from gsmooth_jax.transforms import Brightness, Clip, Contrast, Gamma, Pixelate, Quantize, Rotation, Scaling, Translation
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param
from tests.known import SHAPE, by_mean, without_time

SIGMA = 0.2
NOISE = gs.PixelNoise(sigma=SIGMA)
BRIGHTNESS_TOO = gs.PixelNoise(sigma=SIGMA, brightness=0.1)
BRIGHTER = gs.Guarantee(transform=Brightness(), region=gs.Box([-0.1], [0.1]), method=gs.Cover(noise=NOISE))


def constant(number, mean):
    return gs.Example(id=number, image=np.full(SHAPE, mean, np.float32), label=int(mean > 0.5))


def wanting(distance):
    """A target that is the same everywhere."""
    return lambda points, floors: np.full(len(points), distance)


@pytest.fixture(scope="module")
def claims(classifier):
    return list(gs.certify_stream(classifier, [constant(i, m) for i, m in enumerate((0.1, 0.45, 0.5, 0.7))], BRIGHTER))


def test_the_distance_is_the_one_of_the_theorem():
    # A half-space of latents at distance r from u has p_A = Phi(r): the radius that p_A proves is r itself.
    normal = np.arange(1.0, 17.0)
    normal /= np.linalg.norm(normal)
    for r in (0.3, 1.0, 2.5):
        boundary = (r * SIGMA * normal).astype(np.float32)
        distance = NOISE.distances(boundary[None], np.zeros(16))[0]
        assert special.ndtri(special.ndtr(r)) <= distance * (1 + 1e-6)
        np.testing.assert_allclose(distance, r, rtol=1e-6)


def test_what_holds_is_proved_and_what_does_not_is_not(claims):
    # The answer changes where the mean crosses 1/2: at -0.1 ... 0.1 the images 0.1 and 0.7 keep theirs.
    assert [c.certified for c in claims] == [True, False, False, True]
    assert [c.predicted for c in claims] == [0, 0, gs.ABSTAIN, 1]
    assert [c.radius for c in claims] == [0.1, 0.0, 0.0, 0.1]
    assert all(c.status == "proved" for c in claims)
    assert claims[0].votes < 1000
    assert verify(BRIGHTER, claims) == []


def test_a_margin_that_needs_smaller_cells_is_found(classifier):
    # Between two pilots the class is lost in a narrow band of brightness: there p_A falls to 0.69, elsewhere it is 1.
    def banded(images):
        mean = images.mean(axis=(1, 2, 3))
        inside = 0.02 - jnp.abs(mean - 0.75)
        return jnp.stack([inside, -inside], axis=-1)

    example = dataclasses.replace(constant(3, 0.5), label=1)
    for transform, region in (
        (Brightness(), gs.Box([-1.0], [1.0])),
        (Contrast() | Brightness(), gs.Box([-0.05, -1.0], [0.05, 1.0])),
    ):
        wide = dataclasses.replace(BRIGHTER, transform=transform, region=region, max_votes=100_000)
        (claim,) = gs.certify_stream(gs.as_classifier(banded, SHAPE), [example], wide)
        assert claim.certified
        assert min(h.level for h in claim.hypotheses) < level(wide, 0)
        assert any(h.shared for h in claim.hypotheses)
        assert verify(wide, [claim]) == []


def test_no_votes_go_to_the_proof_of_a_wrong_answer(classifier):
    right, wrong = (dataclasses.replace(constant(0, 0.7), label=label) for label in (1, 0))
    (proved,), (given_up,) = (list(gs.certify_stream(classifier, [e], BRIGHTER)) for e in (right, wrong))
    assert proved.certified
    assert not given_up.certified
    assert proved.predicted == given_up.predicted == 1  # still told, at the price of one cell
    assert given_up.votes < proved.votes
    assert verify(BRIGHTER, [given_up]) == []


@pytest.mark.parametrize("low", [-0.05, 0.0])
def test_two_parameters(classifier, low):
    transform, region = Contrast() | Brightness(), gs.Box([low, -0.05], [-low, 0.05])  # 0.62 is the darkest image
    both = dataclasses.replace(BRIGHTER, transform=transform, region=region)
    bright, dark = gs.certify_stream(classifier, [constant(0, 0.7), constant(1, 0.52)], both)
    assert bright.certified
    assert not dark.certified
    assert len(bright.hypotheses) > 1
    assert verify(both, [bright, dark]) == []


def test_false_claims_are_as_rare_as_alpha_says(classifier):
    alpha, n = 0.05, 200
    loose = dataclasses.replace(BRIGHTER, alpha=alpha, region=gs.Box([-0.1], [0.0]), max_votes=4096)
    stream = (constant(i, 0.599) for i in range(n))
    false = sum(c.certified for c in gs.certify_stream(classifier, stream, loose))
    assert false <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5


def test_a_band_between_two_centres_is_not_passed_over():
    """The worst case of the theorem of two centres: wrong answers in a band, as wide as makes them just too many."""
    # Half of the mean's noise falls inside.
    width = 1.001 * special.ndtri(0.75) * SIGMA / np.sqrt(np.prod(SHAPE))

    def banded(images):
        outside = jnp.abs(images.mean(axis=(1, 2, 3)) - 0.55) - width
        return jnp.stack([outside, -outside], axis=-1)

    alpha, n = 0.05, 100
    loose = dataclasses.replace(BRIGHTER, alpha=alpha, region=gs.Box([0.0], [0.1]), max_votes=4096)
    claims = list(gs.certify_stream(gs.as_classifier(banded, SHAPE), (constant(i, 0.5) for i in range(n)), loose))
    assert any(h.shared for c in claims for h in c.hypotheses)
    assert sum(c.certified for c in claims) <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5
    assert verify(loose, claims) == []


@pytest.mark.parametrize(
    "execution", [gs.Execution(devices=1, rows=3), gs.Execution(devices=8, rows=16, chunk=8, in_flight=1)]
)
def test_execution_never_changes_a_claim(claims, classifier, execution):
    stream = [constant(i, m) for i, m in enumerate((0.1, 0.45, 0.5, 0.7))]
    assert without_time(gs.certify_stream(classifier, stream, BRIGHTER, execution)) == without_time(claims)


def test_another_sigma_compiles_nothing(claims, classifier):
    before = _traces()
    other = dataclasses.replace(BRIGHTER, method=gs.Cover(noise=gs.PixelNoise(sigma=0.15, brightness=0.1)))
    list(gs.certify_stream(classifier, [constant(0, 0.9)], other))
    assert _traces() == before


def _traces():
    from gsmooth_jax.engine.kernels import vote_kernel
    from gsmooth_jax.methods.cover.kernels import latent_kernel, speed_kernel

    return [kernel._cache_size() for kernel in (latent_kernel, speed_kernel, vote_kernel)]


def test_every_piece_of_a_path_lies_in_the_box_of_its_bound(monkeypatch):
    boxes, gaps, paths = [], [], []
    speeds, strayed, cells = Geometry._speeds, Geometry._strayed, Path.cells

    def bounded(self, low, high):
        boxes.extend(zip(low[:, 0], high[:, 0], speeds(self, low, high)[:, 0], strict=True))
        return speeds(self, low, high)

    monkeypatch.setattr(Geometry, "_speeds", bounded)
    monkeypatch.setattr(Geometry, "_strayed", lambda *a: gaps.extend(a[2]) or strayed(*a))
    monkeypatch.setattr(Path, "cells", lambda path: paths.append(path) or cells(path))
    image = np.asarray(smooth_image((12, 12, 1)))
    found = Geometry(image, Stages.of(Rotation()), NOISE).cells(np.array([-7.3]), np.array([11.1]), wanting(0.02))
    (path,) = paths
    assert len(gaps) > 20 * len(boxes)
    for (low,), (high,), gap in zip(path.lows, path.highs, gaps, strict=True):
        (speed,) = [v for a, b, v in boxes if a <= low and high <= b]
        assert gap >= 0.5 * speed * (high - low)
    ends = {cell.low[0] for cell in found} | {cell.high[0] for cell in found}
    assert max(len(repr(float(end))) for end in ends) <= 9


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
    ("transform", "high", "close"),
    [(ZigZag(), 2.0, 0.9), (Rotation(), 1.0, 0.75), (Scaling(), 0.03, 0.8), (Contrast(), 0.1, 0.4)],
    ids=lambda v: v.name if hasattr(v, "params") else None,
)
def test_between_two_latents_a_path_strays_no_further_than_said(monkeypatch, transform, high, close):
    found, strayed, cells = [], Geometry._strayed, Path.cells
    monkeypatch.setattr(Geometry, "_strayed", lambda *a: found.append(strayed(*a) / (a[2] / SIGMA)) or strayed(*a))
    monkeypatch.setattr(Path, "cells", lambda path: found.append(path) or cells(path))
    image = embedded_images().images[3].astype(np.float32) / 255.0
    geometry = Geometry(image, Stages.of(transform), NOISE)
    geometry.cells(np.array([0.0]), np.array([high]), wanting(100.0 if transform == ZigZag() else 0.5))
    saved, path = found
    shares = []
    for i, (a, b) in enumerate(itertools.pairwise(path.latents.reshape(len(path.latents), -1).astype(np.float64))):
        inside = np.linspace(path.lows[i], path.highs[i], 9, dtype=np.float32)
        way = np.asarray(jax.vmap(lambda t: apply(transform, image, t))(inside)).reshape(len(inside), -1) - a
        share = np.clip(way @ (b - a) / np.sum((b - a) ** 2), 0.0, 1.0)[:, None]
        shares.append(np.linalg.norm(way - share * (b - a), axis=1).max() / SIGMA / path.beyond[i])
    assert max(shares) <= 1.0
    if transform == ZigZag():
        assert max(shares) > 0.99
    assert np.mean(saved) <= close


def test_latents_that_float32_has_moved_apart_do_not_make_a_path_straight():
    geometry = Geometry(np.zeros((12, 12, 1), np.float32), Stages.of(ZigZag()), NOISE)
    error, apart = 1e-4, 0.5
    way = apart + 2.0 * error  # of the path; as far apart its ends seem to be
    computed = np.zeros((2, 12, 12, 1), np.float32)
    computed[1, 0, 0] = way
    (said,) = geometry._strayed(computed, np.array([0.5 * way]), 0, 2.0 * error / SIGMA)
    assert 0.5 * np.sqrt(way**2 - apart**2) / SIGMA <= said


def hypothesis(cell, centre_id=0):
    """What a cell's votes have to show."""
    ends = tuple(cell.low.tolist()), tuple(cell.high.tolist())
    return Hypothesis(*ends, threshold(cell.distance), centre_id, level(BRIGHTER, 0), 1, cell.shared)


def needed_between(noise, a, b, images):
    """The distance at which two centres prove these images together, as exactly as may be."""
    way, aside = b.astype(np.float64) - a, []
    for image in images:
        # Of a point on the line the squared distance is quadratic in its place: three values tell where it is least.
        near, middle, far = noise.distances(a + np.array([[0.0], [0.5], [1.0]]) * way, image.ravel()) ** 2
        bend, slope = 2 * (near + far) - 4 * middle, 4 * middle - 3 * near - far
        place = np.clip(-slope / (2 * bend), 0.0, 1.0) if bend > 0.0 else 0.0
        aside.append(noise.distances((a + place * way)[None], image.ravel())[0])
    return two_centres(noise.distances(b[None], a)[0], max(aside, default=0.0))


@pytest.mark.parametrize(
    ("transform", "low", "high", "target", "noise"),
    [
        (Rotation(), [-10.0], [25.0], 0.5, NOISE),
        (Rotation() | Clip() | Quantize(bits=6), [-5.0], [5.0], 1.0, NOISE),
        (Pixelate() | Quantize(), [0.0], [0.7], 6.0, NOISE),
        (Rotation() | Brightness(), [-4.0, -0.1], [4.0, 0.05], 1.0, NOISE),
        (Rotation() | Contrast() | Quantize(bits=6), [-3.0, -0.1], [3.0, 0.1], 1.2, NOISE),
        (Rotation() | Contrast() | Brightness(), [-3.0, -0.05, 0.0], [3.0, 0.05, 0.05], 1.2, NOISE),
        (Brightness(), [-0.3], [0.2], 0.5, BRIGHTNESS_TOO),
        (Rotation() | Brightness() | Quantize(), [-4.0, -0.3], [4.0, 0.2], 0.8, BRIGHTNESS_TOO),
        (Rotation() | Brightness() | Clip(), [-4.0, -0.1], [4.0, 0.05], 1.0, BRIGHTNESS_TOO),
    ],
    ids=lambda v: v.name if hasattr(v, "params") else None,
)
def test_cells_cover_the_region_and_their_distances_hold(transform, low, high, target, noise):
    image, low, high = np.asarray(smooth_image((12, 12, 1))), np.array(low), np.array(high)
    geometry = Geometry(image, Stages.of(transform), noise)
    cells = geometry.cells(low, high, wanting(target))
    region, asked = gs.Box(low.tolist(), high.tolist()), [hypothesis(c, i) for i, c in enumerate(cells)]
    assert coverage.covered(asked, region)
    assert not coverage.overlapping(asked)
    missing = len(cells) // 2
    assert not coverage.covered(asked[:missing] + asked[missing + 1 :], region)

    finite = Stages.of(transform).values
    points = (
        np.random.default_rng(0).uniform(low, high, (400, len(low)))
        if finite is None
        else finite.representatives(image.shape, low, high)
    )
    moved = np.asarray(jax.vmap(lambda t: apply(transform, image, t))(jnp.asarray(points, jnp.float32)))
    shares = []
    for i, cell in enumerate(cells):
        assert cell.distance <= target
        if not cell.shared:
            inside = ((cell.low <= points) & (points <= cell.high)).all(axis=1)
            far = noise.distances(moved[inside].reshape(-1, image.size), cell.centre.ravel())
            assert (far <= cell.distance).all()
            shares += (far / cell.distance).tolist()
        for both in coverage.parts(asked[i : i + 2]) if all(h.shared for h in asked[i : i + 2]) else []:
            other = cells[i + 1]
            inside = ((both.low <= points) & (points <= both.high)).all(axis=1)
            needed = needed_between(noise, cell.centre.ravel(), other.centre.ravel(), moved[inside])
            assert needed <= min(cell.distance, other.distance)
            shares.append(needed / min(cell.distance, other.distance))
    # Not idle bounds either: the cells are really as wide as they are said to be.
    assert max(shares) > (0.5 if len(low) == 1 else 0.35)


def test_rounding_is_charged_for_the_images_own_way_under_brightness_noise():
    """The background of a digit, 0 in the middle of the region, is rounded another way than the digit elsewhere."""
    image = embedded_images().images[3].astype(np.float32) / 255.0
    noise, high = gs.PixelNoise(sigma=0.25, brightness=0.3), np.array([1e-3, 0.03])
    transform = Contrast() | Brightness() | Quantize(bits=6)
    points = np.random.default_rng(0).uniform(-high, high, (500, 2))
    moved = np.asarray(jax.vmap(lambda t: apply(transform, image, t))(jnp.asarray(points, jnp.float32)))
    for cell in Geometry(image, Stages.of(transform), noise).cells(-high, high, wanting(0.5)):
        inside = ((cell.low <= points) & (points <= cell.high)).all(axis=1)
        far = noise.distances(moved[inside].reshape(-1, image.size), cell.centre.ravel())
        assert (far <= cell.distance).all()


def test_cells_end_where_rounding_alone_exceeds_the_target():
    image = embedded_images().images[0].astype(np.float32) / 255.0
    geometry = Geometry(image, Stages.of(Rotation() | Brightness() | Quantize(bits=6)), gs.PixelNoise(sigma=0.25))
    low, high = np.array([0.0, 0.1]), np.array([0.1, 0.101])
    cells = geometry.cells(low, high, wanting(0.2))
    assert 0.2 < max(c.distance for c in cells) < 1.0


def test_a_cell_says_what_rounding_alone_makes_of_its_distance():
    """So that no votes go to smaller and smaller cells where a transformed image has more that can be rounded."""
    image = embedded_images().images[0].astype(np.float32) / 255.0
    geometry = Geometry(image, Stages.of(Scaling() | Clip() | Quantize()), gs.PixelNoise(sigma=0.25))
    tiny = geometry.cells(np.array([0.3 - 1e-6]), np.array([0.3]), wanting(0.5))
    assert len(tiny) == 1
    assert tiny[0].floor <= tiny[0].distance < 1.01 * tiny[0].floor
    assert tiny[0].floor > 1.2 * geometry.point(np.zeros(1)).floor


@pytest.mark.parametrize(
    ("transform", "high", "fewer"), [(Brightness(), [0.4], 10), (Rotation() | Brightness(), [0.3, 0.3], 20)]
)
def test_brightness_noise_takes_far_fewer_cells(transform, high, fewer):
    image, high = embedded_images().images[0].astype(np.float32) / 255.0, np.array(high)
    noise = gs.PixelNoise(sigma=0.25)

    def count(noise):
        return len(Geometry(image, Stages.of(transform), noise).cells(-high, high, wanting(1.4)))

    assert fewer * count(dataclasses.replace(noise, brightness=0.3)) < count(noise)


def test_values_that_another_program_rounds_the_other_way_are_charged():
    """Means of neighbouring pixels often lie half way between two levels, where 1e-5 decides."""
    transform, noise = Pixelate() | Clip() | Quantize(), gs.PixelNoise(sigma=0.1)
    rng, furthest = np.random.default_rng(0), 0.0
    for image in embedded_images().images[:8].astype(np.float32) / 255.0:
        geometry = Geometry(image, Stages.of(transform), noise)
        for parameter in (0.1, 0.3, 0.5):
            cell = geometry.point(np.array([parameter]))
            moved = np.asarray(apply(Pixelate() | Clip(), image, jnp.array([parameter])), np.float64)
            theirs = np.round((moved + rng.uniform(-1e-5, 1e-5, moved.shape)) * 255.0) / 255.0
            far = noise.distances(theirs.reshape(1, -1), cell.centre.ravel())[0]
            assert far <= cell.distance
            furthest = max(furthest, far)
    assert furthest > 1.0 / 255.0 / 0.1 - 1e-6  # it does happen


def test_a_finite_transform_needs_no_lipschitz_bound():
    image = np.asarray(smooth_image((8, 8, 1)))
    geometry = Geometry(image, Stages.of(Pixelate()), NOISE)
    cells = geometry.cells(np.array([0.0]), np.array([0.5]), wanting(1e-9))
    assert len(cells) == len(Pixelate().representatives(image.shape, np.array([0.0]), np.array([0.5])))
    assert all(c.distance < 1e-2 for c in cells)


@pytest.mark.parametrize(("rounding", "bits"), [("nearest", 8), ("nearest", 16), ("down", 8)])
def test_a_rounding_behind_a_wrong_entry_is_charged(rounding, bits):
    """Entries at a clip's end that go a little further than where a rounding takes them elsewhere, by float32 alone."""
    geometry = Geometry(
        np.zeros(SHAPE, np.float32), Stages.of(Brightness() | Clip() | Quantize(bits=bits, rounding=rounding)), NOISE
    )
    jump, reach = geometry.stages.jump, geometry.stages.reach
    assert 0.0 in geometry.stages.fixed
    n = int(np.prod(SHAPE))
    for wrong in (0.0, 0.1 * reach, 0.9 * reach, 1.1 * reach):
        seen = geometry._float32(np.zeros(1), np.zeros(1))._replace(off=wrong)
        way = max(reach - wrong, 0.0) * (1.0 + 1e-6)  # of every entry: with what is wrong it comes just beyond
        (charged,) = geometry._rounded(np.array([way * np.sqrt(n)]), np.zeros(1), seen)
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
    geometry = Geometry(np.full(SHAPE, 0.7, np.float32), Stages.of(steps), NOISE)
    cells = geometry.cells(np.array([-3.0]), np.array([0.4]), wanting(0.1))
    (own,) = [c for c in cells if coverage.holds_identity(hypothesis(c), gs.Box([-3.0], [0.4]))]
    np.testing.assert_allclose(own.centre, 0.7, atol=1e-6)


@pytest.mark.parametrize("listed", [(0.35, 0.1, -0.05), (-0.05, 0.1, 0.1, 0.35), (-2.0, 0.1, 0.35)])
def test_values_out_of_order_are_refused(listed):
    steps = Steps((0.0, 0.3), (-0.6, 0.0, 0.2), listed)
    geometry = Geometry(np.full(SHAPE, 0.7, np.float32), Stages.of(steps), NOISE)
    with pytest.raises(ValueError, match="Expected representatives of steps that ascend"):
        geometry.cells(np.array([-0.1]), np.array([0.4]), wanting(0.1))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("certified", {"certified": False}),
        ("radius", {"radius": 0.2}),
        ("alpha", {"alpha": 0.1}),
        ("ledger", {"ledger": (("everything", 1e-3),)}),
        ("assumes", {"assumes": ("part somewhere.Else",)}),
        ("statement", {"statement": Answer(1)}),
        ("statement", {"statement": None}),
        ("votes", {"votes": 3}),
        ("status", {"status": "heuristic"}),
        ("selection", {"selection": (31, 0, 0)}),
    ],
)
def test_a_tampered_field_is_named(claims, field, change):
    (fault,) = verify(BRIGHTER, [dataclasses.replace(claims[0], **change)])
    assert fault.startswith(f"image 0: {field}:")


def test_a_missing_or_weakened_cell_is_found(claims):
    claim = claims[0]
    first, *rest = claim.hypotheses
    missing = dataclasses.replace(claim, hypotheses=tuple(rest))
    assert any("certified: the file says True" in f for f in verify(BRIGHTER, [missing]))
    weak = first._replace(successes=first.votes // 2)
    faults = verify(BRIGHTER, [dataclasses.replace(claim, hypotheses=(weak, *rest))])
    assert any("certified" in f for f in faults)


def test_non_finite_logits_cost_votes_and_are_noted():
    def sometimes_nan(images):
        return jnp.where(images.mean(axis=(1, 2, 3))[:, None] > 0.97, jnp.nan, by_mean(images))

    classifier = gs.as_classifier(sometimes_nan, SHAPE)
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.95)], BRIGHTER)
    assert "NaN or infinite" in claim.note
    assert not claim.certified


def test_the_votes_may_run_out(classifier):
    wide = dataclasses.replace(BRIGHTER, region=gs.Box([-0.3], [0.3]))
    (whole,) = gs.certify_stream(classifier, [constant(0, 0.1)], wide)
    assert whole.certified
    assert len(whole.hypotheses) > 4
    budget = sum(h.votes for h in whole.hypotheses) - BRIGHTER.block
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.1)], dataclasses.replace(wide, max_votes=budget))
    assert not claim.certified
    assert claim.predicted == 0
    assert f"max_votes={budget} is too few for all cells" in claim.note
    # Known from the number of cells: only those of the image itself are tested.
    assert len(claim.hypotheses) <= 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transform": Translation(), "region": gs.Box([-1, -1], [1, 1])}, "enumerates the values of one parameter"),
        ({"transform": Brightness() | Gamma(), "region": gs.Box([-1, -1], [1, 1])}, "'gamma' states none behind"),
        ({"region": gs.Ball(0.1, 1)}, "takes a box of 1 parameters"),
        ({"transform": gs.transforms.ZoomBlur(), "region": gs.Box([-0.1], [0.1])}, r"with z in \[0, inf\]"),
        ({"transform": gs.transforms.Additive()}, "another number"),
    ],
)
def test_bad_guarantees(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(BRIGHTER, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"max_votes": 20}, "max_votes=20 can never certify anything"), ({"test": "fixed"}, "test='fixed'")],
)
def test_bad_budgets_are_refused_before_any_work(classifier, change, message):
    with pytest.raises(ValueError, match=message):
        gs.certify_stream(classifier, [], dataclasses.replace(BRIGHTER, **change))


def test_a_method_brings_its_law():
    images = np.full((1, *SHAPE), 0.9, np.float32)
    terms = {"transform": Brightness(), "region": gs.Box([-0.1], [0.1])}
    (by_name,) = gs.certify(by_mean, images, [1], law=NOISE, **terms)
    (by_method,) = gs.certify(by_mean, images, [1], method=gs.Cover(noise=NOISE), **terms)
    assert without_time([by_name]) == without_time([by_method])
    for wrong in ({"law": NOISE, "method": gs.Cover(noise=NOISE)}, {}):
        with pytest.raises(ValueError, match="Expected a law, or a method that brings its own"):
            gs.certify(by_mean, images, [1], **terms, **wrong)
    with pytest.raises(ValueError, match="pixel_noise is for cover"):
        gs.certify(by_mean, images, [1], law=NOISE, method="resolvable", **terms)


def test_a_doubtful_cell_fills_the_rows_that_nobody_needs(classifier):
    terms = gs.Guarantee(transform=Brightness(), region=gs.Box([-1e-4], [1e-4]), method=gs.Cover(noise=NOISE))
    doubtful, batches = gs.Example(id=0, image=np.full(SHAPE, 0.505, np.float32), label=1), []
    (claim,) = gs.certify_stream(
        classifier, [doubtful], terms, gs.Execution(devices=1, rows=8), on_votes=batches.append
    )
    assert claim.votes > 12 * terms.block
    assert 3 * len(batches) < claim.votes / terms.block
