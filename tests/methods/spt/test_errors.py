"""How far adversaries move what is seen: bounds against brute force."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import transforms
from gsmooth_jax.methods.spt import errors
from gsmooth_jax.methods.spt.stages import Adversary, parse_filter
from tests.methods.spt.images import digits

TURN = Adversary.of(transforms.parse("rotation|clip|quantize"))
MOVE = Adversary.of(transforms.parse("shift|quantize"))
BOTH = parse_filter("vignette|low_pass(radius=3)")
INTERVAL, DISC = gs.Box([-8.0], [12.0]), gs.Ball(2.0, 2)
CASES = {"rotation": (TURN, INTERVAL, 30.0, 0.03), "shift": (MOVE, DISC, 3.0, 0.0)}


def pictures(case, count):
    """Digits, for shifts with a frame that stays on the canvas: what leaves it is another test's."""
    frame = (2, 2) if case == "shift" else (0, 0)
    return np.pad(digits(count), ((0, 0), frame, frame, (0, 0)))


@functools.partial(jax.jit, static_argnames=("adversary", "prepare", "given"))
def brute(image, at, g, adversary, prepare, given):
    """[M, N]: the errors of adversaries g [N, P] at draws [M, P], as the theorem has them."""

    def one(draw, a):
        back, in_all = (draw - a, draw) if given == "z" else (draw, draw + a)
        file = adversary.whole(image, a)
        return jnp.linalg.norm(
            (prepare(adversary.moving(file, back)) - prepare(adversary.moving(image, in_all))).ravel()
        )

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(at, g)


def adversaries(region, count, rng):
    if isinstance(region, gs.Box):
        return rng.uniform(region.low, region.high, (count, 1)).astype(np.float32)
    way = rng.normal(size=(count, 2))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return (way * region.radius * rng.uniform(size=(count, 1)) ** 0.5).astype(np.float32)


def fine(region):
    if isinstance(region, gs.Box):
        return np.linspace(region.low, region.high, 301).astype(np.float32)
    side = np.linspace(-region.radius, region.radius, 25)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return points[np.linalg.norm(points, axis=1) <= region.radius].astype(np.float32)


@pytest.mark.parametrize("given", ["z", "b"])
@pytest.mark.parametrize("prepare", [BOTH, parse_filter("")], ids=["filtered", "as it is"])
@pytest.mark.parametrize("case", CASES)
def test_no_adversary_moves_what_is_seen_further_and_some_nearly_as_far(case, prepare, given):
    adversary, region, sigma, slack = CASES[case]
    rng, ratios = np.random.default_rng(0), []
    thorough = given == "z" and bool(prepare.stages)  # what proofs rest on
    for image in pictures(case, 5 if thorough else 1):
        at = (sigma * rng.normal(size=(20, len(adversary.moving.params)))).astype(np.float32)
        upper = errors.errors_upper(image, at, adversary, prepare, region, given=given, slack=slack)
        for g in (adversaries(region, 1000 if thorough else 200, rng), fine(region)):
            found = np.asarray(brute(image, at, g, adversary, prepare, given))
            assert (found <= upper[:, None]).all()
        ratios.append(upper / found.max(axis=1))
    # A whole number of pixels leaves hardly an error, and then the roundings are most of the bound.
    assert np.median(np.concatenate(ratios)) < 1.5


def test_the_rounding_and_what_leaves_the_canvas_are_counted():
    lit = np.full((6, 6, 1), 0.5, np.float32)
    at = np.array([[0.5, -1.25], [3.0, 0.0]], np.float32)
    plain = Adversary.of(transforms.Shift())
    rough = Adversary.of(transforms.parse("shift|quantize(bits=3)"))
    for adversary in (plain, rough):
        for given in ("z", "b"):
            upper = errors.errors_upper(lit, at, adversary, BOTH, DISC, given=given, slack=0.0)
            for g in (adversaries(DISC, 2000, np.random.default_rng(1)), fine(DISC)):
                found = np.asarray(brute(lit, at, g, adversary, BOTH, given)).max(axis=1)
                assert (found <= upper).all()
                assert (found > 0.3 * upper).all()


PCM = "low=-1.0, high=0.999969482421875"  # 16-bit samples


@pytest.mark.parametrize("given", ["z", "b"])
@pytest.mark.parametrize("loudest", [0.3, 0.9], ids=["never cut", "cut when loud"])
def test_no_volume_moves_what_is_heard_further_and_some_as_far(loudest, given):
    file = Adversary.of(transforms.parse(f"volume|clip({PCM})|quantize(bits=16, {PCM})"))
    rng = np.random.default_rng(3)
    region, at = gs.Box([-3.0], [4.0]), rng.normal(scale=4.0, size=(20, 1)).astype(np.float32)
    g = np.linspace(-3.0, 4.0, 301, dtype=np.float32)[:, None]
    for wave in rng.uniform(-loudest, loudest, (5, 400)).astype(np.float32):
        upper = errors.errors_upper(wave, at, file, parse_filter(""), region, given=given, slack=0.0)
        found = np.asarray(brute(wave, at, g, file, parse_filter(""), given)).max(axis=1)
        assert (found <= upper).all()
        # Rounding moves an entry by anything up to half a level: the root of its mean square is 0.58 of that.
        assert (found / upper).max() > (0.99 if loudest > 0.7 else 0.5)


def test_an_image_that_may_jump_has_no_bound():
    lit = np.ones((6, 6, 1), np.float32)
    jumps = Adversary.of(transforms.Rotation(convention="pillow"))
    found = errors.errors_upper(
        lit, np.zeros((2, 1), np.float32), jumps, BOTH, gs.Box([-8.0], [40.0]), given="z", slack=0.1
    )
    assert np.isinf(found).all()


@pytest.mark.parametrize("case", CASES)
def test_random_adversaries_are_below_the_worst(case):
    adversary, region, sigma, slack = CASES[case]
    (image,), rng = pictures(case, 1), np.random.default_rng(2)
    at = (sigma * rng.normal(size=(8, len(adversary.moving.params)))).astype(np.float32)
    worst = errors.errors_upper(image, at, adversary, BOTH, region, given="z", slack=slack)
    terms = {"given": "z", "seed": 0}
    example, numbers = gs.Example(id=1, image=image), np.arange(8, dtype=np.uint32)
    one, many = (
        errors.random_errors(example, at, numbers, adversary, BOTH, region, count=n, **terms) for n in (1, 200)
    )
    assert (one < many).all()
    assert (many <= worst).all()
    assert np.median(worst / many) < 1.6


def test_regions_are_intervals_and_balls():
    errors.check_region(TURN, INTERVAL)
    errors.check_region(MOVE, DISC)
    for adversary, region in (
        (TURN, DISC),
        (MOVE, gs.Box([-1, -1], [1, 1])),
        (MOVE, INTERVAL),
        (MOVE, gs.Ball(1.0, 3)),
        (Adversary.of(transforms.parse("volume|quantize(bits=16, low=-1.0)")), gs.Ball(1.0, 1)),
    ):
        with pytest.raises(ValueError, match=r"ball|interval"):
            errors.check_region(adversary, region)


def test_what_is_no_rotation_shift_or_volume_is_refused():
    for text, message in (
        ("brightness", "resolvable"),
        ("translation", "resolvable"),
        ("scaling", "rotation, shift or volume"),
        ("rotation|gamma", "rotation, shift or volume"),
        ("vignette|rotation", "rotation, shift or volume"),
        ("rotation|quantize|quantize", "one quantize"),
        ("rotation|clip(low=0.1)", "keeps 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Adversary.of(transforms.parse(text))
    for text in ("clip", "gamma", "rotation"):
        with pytest.raises(ValueError, match="linear filters"):
            parse_filter(text)
    for interpolation in ("nearest", "bicubic"):
        with pytest.raises(ValueError, match="states no bound"):
            errors.check_bounded(Adversary.of(transforms.Rotation(interpolation=interpolation)))
