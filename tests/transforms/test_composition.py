import functools
import itertools
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import (
    TRANSFORMS,
    Additive,
    Brightness,
    BrightnessContrast,
    Clip,
    Composition,
    Contrast,
    Perspective,
    Quantize,
    Rotation,
    RotationalBlur,
    Scaling,
    Shear,
    Translation,
    composition,
    composition_defect,
    parse,
)
from gsmooth_jax.types import Chainable, LipschitzBounded, param_dim
from tests.transforms.exact import EXACT

CHAINED = sorted(n for n, t in TRANSFORMS.items() if isinstance(t(), LipschitzBounded) and isinstance(t(), Chainable))
"""What may stand anywhere in a composition and moves the image."""

WIDE = {"rotation": (-400.0, 400.0), "scaling": (-0.7, 1.5), "perspective": (-0.8, 0.8), "shear": (-3.0, 3.0)}


@pytest.mark.parametrize(
    "transform",
    [
        Rotation() | Clip(),
        Scaling() | Brightness(),
        RotationalBlur() | Contrast() | Clip(),
        Contrast() | Brightness(),
        # The contrast multiplies what the brightness did, and grows with it: no slack hides either.
        Brightness() | Contrast(),
        # Entries are carried to where the second stage reads them.
        # Behind a clip, brightness is no offset.
        Brightness() | Clip(),
        Brightness() | Rotation(),
        Rotation() | BrightnessContrast(),
        Rotation() | Scaling() | Brightness(),
        Perspective(axis="horizontal") | Shear(),
    ],
    ids=lambda t: t.name,
)
def test_contract_and_proved_bounds(transform):
    check_transform(transform)


def test_applies_the_first_stage_first_and_splits_theta():
    image = jnp.asarray(smooth_image((4, 5, 1)))
    both = Contrast() | Additive() | Translation()
    assert param_dim(both, image.shape) == 23
    delta = jnp.linspace(-1, 1, 20)
    theta = jnp.concatenate([jnp.array([0.5]), delta, jnp.array([1.0, -2.0])])
    expected = np.roll(image * np.exp(0.5) + delta.reshape(4, 5, 1), (1, -2), (0, 1))
    np.testing.assert_allclose(jax.jit(both)(image, theta), expected, atol=1e-6)


def test_nested_compositions_are_flat_and_hashable():
    a, b, c = Rotation(), Clip(), Quantize()
    assert (a | b) | c == a | (b | c) == Composition((a, b, c)) == parse("rotation|clip|quantize")
    assert hash((a | b) | c) == hash(a | (b | c))
    assert (a | c).name == "rotation|quantize"
    assert (a | c).typical == Rotation.typical


LAWFUL = [
    "translation|brightness",
    "contrast|translation",
    "gamma|translation",
    "translation|gaussian_blur(border='cyclic')",
    "gaussian_blur(border='cyclic')|brightness",
    "contrast|gaussian_blur",
    "contrast|brightness",
    "brightness|contrast",
    "gamma|contrast",
    "gamma|translation|contrast",
    "contrast|brightness|translation",
    "brightness_contrast|translation",
    "brightness|gaussian_blur(border='cyclic')|translation|contrast",
    "translation|gaussian_blur(border='cyclic')|contrast|brightness",
]


@pytest.mark.parametrize("text", LAWFUL)
def test_what_two_parameters_do_one_after_the_other_a_third_one_does(text):
    transform, rng = parse(text), np.random.default_rng(0)
    assert transform.group == "composition"
    image = jnp.asarray(smooth_image((9, 8, 3)))
    low, high = np.array(transform.typical).T
    whole = np.array([p.whole for p in transform.params])
    apply, resolve = jax.jit(transform), jax.jit(transform.resolve)
    for _ in range(20):
        a, c = rng.uniform(0.7 * low, 0.7 * high, (2, len(low))).astype(np.float32)
        a = np.where(whole, np.rint(a), a)
        np.testing.assert_allclose(apply(apply(image, a), c), apply(image, resolve(a, c)), atol=1e-5)
    assert composition_defect(transform, image[None], jax.random.key(0), pairs=4) < 1e-4  # L2, of 216 entries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gamma|brightness", "'gamma' before 'brightness' has none here."),
        ("brightness|gamma|contrast", "'brightness' before 'gamma' has none"),
        ("gaussian_blur(border='cyclic')|gamma", "'gaussian_blur' before 'gamma' has none"),
        ("contrast|gamma", "'contrast' before 'gamma' has none here. In this order it would: gamma|contrast."),
        ("translation|gaussian_blur", r"'gaussian_blur' has none here. With gaussian_blur\(border='cyclic'\)"),
        ("brightness|brightness", "'brightness' before 'brightness' has none"),
        ("brightness|clip", "stage 'clip' has none."),
        ("gamma|quantize|contrast", "stage 'quantize' has none."),
        ("rotation|brightness", "stage 'rotation' has none."),
        ("brightness|volume", "stage 'volume' has none together with others."),
    ],
)
def test_stages_without_a_law_are_named(text, message):
    transform = parse(text)
    assert transform.group == "none"
    with pytest.raises(ValueError, match=f"No composition law for {re.escape(repr(transform.name))}: .*{message}"):
        transform.resolve(jnp.zeros(2), jnp.zeros(2))


def test_one_stage_has_its_own_law():
    assert Composition((Brightness(),)).group == "additive"
    assert Composition((Rotation(),)).lawless() == "stage 'rotation' has none."
    joint = Composition((BrightnessContrast(),)).resolve(jnp.array([0.5, 0.1]), jnp.array([-0.2, 0.3]))
    np.testing.assert_allclose(joint, [0.3, 0.1 + np.exp(-0.5) * 0.3], rtol=1e-6)


def test_bound_goes_through_preparation_and_clipping():
    image, low, high = jnp.asarray(smooth_image((8, 8, 1))), jnp.array([0.1]), jnp.array([0.2])
    bound = Contrast().lipschitz_upper
    np.testing.assert_array_equal((Contrast() | Clip()).lipschitz_upper(image, low, high), bound(image, low, high))
    prepared = Quantize(bits=2)(image, jnp.zeros(0))
    composed = Quantize(bits=2) | Contrast()
    np.testing.assert_array_equal(composed.lipschitz_upper(image, low, high), bound(prepared, low, high))
    assert (Clip() | Quantize()).lipschitz_upper(image, jnp.zeros(0), jnp.zeros(0)).shape == (0,)


def test_what_a_stage_drives_apart_the_next_ones_see():
    # Each contrast at its strongest multiplies the last brightness, and so does the speed of the one behind it.
    image, high = jnp.full((4, 4, 1), 0.5), np.array([1.0, 2.0, 0.01])
    for low in ([0.0, 0.0, 0.0], [0.0, 2.0, 0.0]):  # the second contrast has a range, or one value
        bound = (Brightness() | Contrast() | Contrast()).lipschitz_upper(
            image, jnp.asarray(low), jnp.asarray(high, jnp.float32)
        )
        fastest = np.exp(high[1] + high[2]) * 1.5 * np.sqrt(image.size)
        assert float(bound[0]) >= np.exp(high[1] + high[2]) * np.sqrt(image.size)
        assert fastest <= float(bound[2]) < 2 * fastest


@pytest.mark.parametrize(
    ("transform", "stage"),
    [
        (Rotation() | Quantize(), "quantize"),
        (Brightness() | Rotation(convention="pillow"), "rotation"),
        (Translation() | Clip(), "translation"),
    ],
)
def test_refuses_a_bound_it_cannot_prove(transform, stage):
    p = param_dim(transform, (4, 4, 1))
    with pytest.raises(ValueError, match=f"'{stage}'"):
        transform.lipschitz_upper(jnp.zeros((4, 4, 1)), jnp.zeros(p), jnp.zeros(p))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("rotation|gamma", "gamma|rotation"),
        ("brightness|rotation(convention='scipy')|clip", "rotation|brightness|clip"),
        ("rotation|quantize|brightness|clip", "rotation|brightness|clip|quantize"),
        ("rotation|translation", None),
        ("rotation|scaling|shear|contrast|brightness|gamma", None),  # too many orders to try
    ],
)
def test_says_which_order_has_a_bound(text, order):
    why = parse(text).unbounded()
    assert why.startswith("stage '")
    if order is None:
        assert "order" not in why
    else:
        assert why.endswith(f"In this order it would: {order}.")
        assert not Composition(parse(order).stages[: -1 if order.endswith("quantize") else None]).unbounded()
    assert parse("rotation|scaling").unbounded() == ""


def boxes(transform, rng, count):
    """Corners [P] of boxes from a thousandth of the range to all of it."""
    ranges = np.array([WIDE[transform.name]] if transform.name in WIDE else transform.typical)
    for _ in range(count):
        ends = np.sort(rng.uniform(*ranges.T, (2, len(ranges))), axis=0)
        middle, half = ends.mean(axis=0), np.diff(ends, axis=0)[0] / 2 * 10 ** rng.uniform(-3, 0)
        yield np.float32(middle - half), np.float32(middle + half)


@pytest.mark.parametrize("name", CHAINED)
def test_no_image_is_driven_apart_further_than_said(name):
    """By the norms, in float64, of the matrices that T(., xi) and its change along a parameter are."""
    transform, rng = TRANSFORMS[name](), np.random.default_rng(0)
    shape = (4, 3, 3) if name in ("hue", "saturation") else (7, 6, 1)
    units = np.eye(math.prod(shape)).reshape(-1, *shape)
    bound = jax.jit(functools.partial(transform.sensitivity_upper, shape))
    found = []

    def linear(theta):
        constant = EXACT[name](np.zeros(shape), *theta)
        return np.stack([(EXACT[name](unit, *theta) - constant).ravel() for unit in units])

    for low, high in boxes(transform, rng, 25):
        apart, growth = (np.zeros(len(low)) if a is None else np.asarray(a, np.float64) for a in bound(low, high))
        here = rng.uniform(low, high)
        matrix = linear(here)
        shares = [np.linalg.norm(matrix, 2) / apart, 0.0]
        for j in range(len(low)):
            there = here.copy()
            there[j] += (high - low)[j] * rng.choice([1e-3, 1e-2, 1.0])
            there = np.clip(there, low, high)
            step = abs(there[j] - here[j])
            if step > 1e-6:
                change = np.linalg.norm(linear(there) - matrix, 2) / step
                assert change <= growth[j] + 1e-13 / step
                shares[1] = max(shares[1], change / growth[j] if growth[j] else 0.0)
        assert shares[0] <= 1.0 + 1e-9
        assert not transform.resamples or matrix.min() >= 0.0
        found.append(shares)
    largest = np.max(found, axis=0)
    assert largest[0] > 0.9
    assert largest[0] > 0.8
    assert largest[1] > 0.3 or name == "brightness"  # whose speed does not grow


@pytest.mark.parametrize("seed", range(8))
def test_random_compositions_stay_within_their_bounds(seed):
    """Against images by NumPy and SciPy in float64: any stages in any order, of 3 parameters at most."""
    rng = np.random.default_rng(seed)
    names, count = [], 0
    for name in rng.permutation(CHAINED if seed % 2 else [n for n in CHAINED if TRANSFORMS[n].resamples]):
        if len(names) < 3 and count + len(TRANSFORMS[name].typical) <= 3:
            names, count = [*names, str(name)], count + len(TRANSFORMS[name].typical)
    transform = Composition(tuple(TRANSFORMS[n]() for n in names))
    colour = not {"hue", "saturation"}.isdisjoint(names)
    bound = jax.jit(transform.lipschitz_upper)

    def exact(image, theta):
        theta = list(theta)
        for name in names:
            image = EXACT[name](image, *(theta.pop(0) for _ in TRANSFORMS[name].typical))
        return image

    shares = []
    for kind in range(2):
        image = rng.integers(0, 2, (8, 7, 3 if colour else 1)).astype(np.float32)
        image = image if kind else smooth_image(image.shape, seed)
        for low, high in boxes(transform, rng, 4):
            upper = np.asarray(bound(image, low, high), np.float64)
            thetas = np.stack([low, high, *rng.uniform(low, high, (4, count))]).astype(np.float64)
            thetas = np.concatenate([thetas, np.where(np.eye(count, dtype=bool), high, low)])
            out = [exact(image.astype(np.float64), theta) for theta in thetas]
            for i, j in itertools.combinations(range(len(out)), 2):
                way = upper @ np.abs(thetas[i] - thetas[j])
                shares.append(np.linalg.norm(out[i] - out[j]) / max(way, 1e-9))
    assert 0.05 < max(shares) <= 1.0 + 1e-6


def test_a_wide_box_is_cut_where_the_way_of_earlier_stages_would_count(monkeypatch):
    transform, image = Scaling() | Rotation(), jnp.asarray(smooth_image((12, 12, 1)))
    low, high = np.float32([-0.6, -20.0]), np.float32([0.6, 20.0])
    bound = jax.jit(transform.lipschitz_upper)
    piece = jax.jit(jax.vmap(lambda a, b: transform._chain(image, a, b)[0]))
    # The worst of 32 pieces of the earlier stage's range.
    edges = np.linspace(-0.6, 0.6, 33, dtype=np.float32)  # it would take hundreds: cut no further
    lows, highs = np.tile(low, (32, 1)), np.tile(high, (32, 1))
    lows[:, 0], highs[:, 0] = edges[:-1], edges[1:]
    cut = np.asarray(bound(image, low, high))
    np.testing.assert_allclose(cut, np.max(piece(lows, highs), axis=0), rtol=1e-4)
    # Where it would not count it is one piece.
    small = low / 1000, high / 1000
    np.testing.assert_allclose(bound(image, *small), piece(*(end[None] for end in small))[0], rtol=1e-6)
    monkeypatch.setattr(composition, "_PIECES", 1)
    whole = np.asarray(jax.jit(lambda *given: transform.lipschitz_upper(*given))(image, low, high))
    assert whole[1] > 3 * cut[1]


def test_refuses_to_be_empty():
    with pytest.raises(ValueError, match="at least one stage"):
        Composition(())
