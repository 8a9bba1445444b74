"""What rounding and float32 may do to a cell: against the worst that an entry, a path or a program can do."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import pytrees
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry, _half_widths
from gsmooth_jax.methods.cover.kernels import NearTieRounding, latent_kernel
from gsmooth_jax.methods.cover.path import joined
from gsmooth_jax.testing.transforms import smooth_image
from gsmooth_jax.transforms import Brightness, Clip, Quantize, Rotation
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param
from tests.known import SHAPE, distances

SIGMA = 0.2
NOISE = gs.PixelNoise(sigma=SIGMA)
SIXTY_FOUR = Brightness() | Clip() | Quantize(bits=6)
N = int(np.prod(SHAPE))


def geometry(transform, noise=NOISE):
    return Geometry(np.zeros(SHAPE, np.float32), CoverDecomposition.of(transform), noise, Centres())


@pytest.mark.parametrize("rounding", ["nearest", "down"])
@pytest.mark.parametrize("wrong", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(("between", "moved"), [(0, 1), (3, 0), (3, 5), (0, N), (N, 0)])
def test_entries_that_rounding_moves_are_charged_together(rounding, wrong, between, moved):
    """Some are half way between two levels; some leave a fixed value, by just so much that they go on to the next.

    Of its way an entry may owe a part, ``wrong``, to float32.
    """
    found = geometry(Brightness() | Clip() | Quantize(bits=6, rounding=rounding))
    jump, reach = found.stages.jump, found.stages.reach
    seen = found._float32(np.zeros(1), np.zeros(1))._replace(off=wrong * reach)
    assert jump == pytest.approx((0.5 if rounding == "nearest" else 1.0) / 63)
    unknown = np.array([np.inf])  # how far the levels are
    (charged,) = found._rounded(np.array([np.sqrt(moved) * (1 - wrong) * reach]), np.array([between]), unknown, seen)
    worst = np.sqrt(between + moved) * jump / SIGMA
    assert worst * (1 - 1e-9) <= charged <= worst * (1 + 1e-9)
    # No more than all entries can be moved.
    (charged,) = found._rounded(np.array([99.0]), np.array([between]), unknown, seen)
    assert charged == pytest.approx(np.sqrt(N) * jump / SIGMA)


def test_a_constant_image_is_charged_what_its_rounding_does():
    """All entries lie on a level until brightness takes them almost half way to the next: they stay where they are."""
    image, high = np.full(SHAPE, 21 / 63, np.float32), 0.499 / 63
    for transform in (Brightness() | Quantize(bits=6), SIXTY_FOUR):
        flat = Geometry(image, CoverDecomposition.of(transform), NOISE, Centres(), scale=50.0)
        path = joined(list(flat._strip(np.zeros(1), np.array([high]), 0).stretches))
        brightness = np.linspace(0.0, high, 101)[:, None]
        files = np.round((image.ravel().astype(np.float64) + brightness) * 63) / 63
        for number, allowed in enumerate(path.beyond + path.longest):
            inside = (path.lows[number, 0] <= brightness) & (brightness <= path.highs[number, 0])
            ends = path.latents[number : number + 2].reshape(2, -1)
            far = np.minimum(*(distances(NOISE, files[inside[:, 0]], end) for end in ends))
            assert (far <= allowed).all()


def noisy_image():
    """Noise, some of it white and black."""
    return np.clip(np.random.default_rng(0).normal(0.5, 0.4, SHAPE), 0.0, 1.0).astype(np.float32)


@pytest.mark.parametrize("bits", [2, 8, 12])
def test_files_are_no_further_from_an_image_than_its_levels_and_its_way(bits):
    """THEORY M1, with the worst that a box, another program's float32 and its ties can do."""
    rng, image, levels = np.random.default_rng(0), noisy_image(), 2**bits - 1
    found = Geometry(image, CoverDecomposition.of(Brightness() | Clip() | Quantize(bits=bits)), NOISE, Centres())
    (away,) = found.values(np.array([[0.01]])).away
    exact = np.clip(image.astype(np.float64) + 0.01, 0.0, 1.0)
    least = np.linalg.norm(exact - np.round(exact * levels) / levels)
    assert least <= away <= least + 1e-5
    seen = found._float32(np.zeros(1), np.array([0.01]))._replace(thrice=3e-4)
    furthest = 0.0
    for gap in (0.0, 1e-4, 1e-3, 0.1):
        (charged,) = found._rounded(np.array([gap]), np.array([N]), np.array([away]), seen)
        assert charged <= np.sqrt(N) * 0.5 / levels / SIGMA * (1.0 + 1e-9)
        for _ in range(50):
            # Of some entries, each away from its level.
            ways = np.sign(exact - np.round(exact * levels) / levels) * rng.uniform(0.0, 1.0, (2, *SHAPE)) ** 3
            moved, wrong = (size * way / np.linalg.norm(way) for size, way in zip((gap, 1e-4), ways, strict=True))
            theirs = np.round((exact + moved + wrong) * levels) / levels
            furthest = max(furthest, np.linalg.norm(theirs - exact - moved) / SIGMA / charged)
    assert 0.5 < furthest <= 1.0


def test_a_photograph_is_charged_less_than_half_a_level_of_every_entry():
    image = np.asarray(smooth_image((12, 12, 1)))
    found = Geometry(image, CoverDecomposition.of(Rotation() | Clip() | Quantize()), NOISE, Centres())
    seen = found.values(np.linspace(-5.0, 5.0, 20)[:, None])
    assert (seen.away < 0.7 * 0.5 / 255 * np.sqrt(seen.between)).all()
    assert (seen.away > 0.4 * 0.5 / 255 * np.sqrt(seen.between)).all()
    down = Geometry(image, CoverDecomposition.of(Rotation() | Clip() | Quantize(rounding="down")), NOISE, Centres())
    assert np.isinf(down.values(np.zeros((1, 1))).away).all()


@dataclasses.dataclass(frozen=True)
class Wrong(Pipe):
    """A transform that float32 takes away from the real one, by so much."""

    name = "wrong"
    params = (Param(name="t", unit="1"),)
    typical = ((0.0, 1.0),)

    def __call__(self, image, theta):
        return image + 0.0 * theta[0]

    def lipschitz_upper(self, image, low, high):
        return jnp.zeros(1)

    def entry_speeds_upper(self, image, low, high):
        return jnp.zeros((1, *image.shape))

    def float32_upper(self, image, low, high):
        return image.then(image.low, image.high, 1e-3, 2e-3)


@pytrees.register
@dataclasses.dataclass(frozen=True)
class Encoded(gs.PixelNoise):
    """An encoder that float32 takes half a standard deviation away too."""

    def float32_upper(self, image):
        assert image.error == 2e-3
        return 0.5


def test_the_attackers_program_and_ours_may_both_be_wrong():
    found = geometry(Wrong(), Encoded(sigma=SIGMA))
    seen = found._float32(np.zeros(1), np.ones(1))
    assert seen.slack == pytest.approx(2 * (2e-3 / SIGMA + 0.5))
    assert seen.off == pytest.approx(2e-3)
    assert seen.thrice == pytest.approx(6e-3)
    # Without a rounding nothing but that is between a latent and the one that is meant.
    (point,) = found._lone(np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1))).stretches
    assert point.beyond[0] >= seen.slack
    strip = joined(list(found._strip(np.zeros(1), np.ones(1), 0).stretches))
    assert strip.beyond.min() >= seen.slack
    rounded = geometry(Wrong() | Clip() | Quantize())
    path = joined(list(rounded._strip(np.zeros(1), np.ones(1), 0).stretches))
    assert path.beyond.min() >= rounded._float32(np.zeros(1), np.ones(1)).slack > 0.0


def test_what_is_between_the_corners_that_float32_knows_is_not_left_out():
    rng = np.random.default_rng(0)
    low = rng.uniform(-50, 50, (1000, 2))
    high = low + rng.uniform(0, 10.0 ** rng.uniform(-9, 1, (1000, 2)))
    half = _half_widths(low, high)
    assert (half >= 0.5 * (high - low)).all()
    known = [end.astype(np.float32).astype(np.float64) for end in (low, high)]
    assert (half >= 0.5 * (known[1] - known[0])).all()
    assert (known[1] - known[0] > high - low).any()  # it does happen


def test_entries_are_counted_that_a_rounding_may_take_elsewhere():
    image = np.full((2, 2, 1), 0.5, np.float32)
    image[0, 0], image[0, 1] = 0.0, 0.25
    thetas, fixed = np.float32([[0.0], [0.5], [1.0]]), (0.0, 1.0)
    _, between, _ = latent_kernel.__wrapped__(
        NOISE, image, thetas, 0.0, transform=Brightness() | Clip(), ties=None, rounding=None, fixed=fixed
    )
    assert np.asarray(between).tolist() == [3, 2, 0]
    # Levels 0, 1/2 and 1 with ties at 1/4 and 3/4: near means how far from one in levels.
    halves = Quantize(low=0.0, high=1.5, bits=2)
    ties = NearTieRounding(Brightness(), halves)
    for near, counts in ((0.0, [1, 1, 1]), (0.06, [1, 1, 1]), (0.5, [4, 4, 4])):
        _, between, _ = latent_kernel.__wrapped__(
            NOISE, image, thetas, near, transform=Brightness() | halves, ties=ties, rounding=None, fixed=()
        )
        assert np.asarray(between).tolist() == counts
    _, between, _ = latent_kernel.__wrapped__(
        NOISE,
        image,
        np.float32([[0.02], [-0.02]]),
        0.05,
        transform=Brightness() | halves,
        ties=ties,
        rounding=None,
        fixed=(),
    )
    assert np.asarray(between).tolist() == [1, 1]
