"""What float32 does to every transform of the catalogue is never more than it says, and not idly less.

Roundings to levels have tests of their own: clip and quantize here, jpeg, which computes in whole numbers, with itself.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import apply
from gsmooth_jax.transforms import (
    TRANSFORMS,
    Clip,
    Composition,
    Quantize,
    Rotation,
    _cells,
    _dct,
    float32,
    parse,
    perspective,
    rotation,
    scaling,
    shear,
)
from gsmooth_jax.types import Computed, Float32Bounded, param_dim
from tests.transforms.exact import EXACT, rotated

WIDE = {
    "brightness_contrast": ((-4.0, 4.0), (-1.0, 1.0)),
    "contrast": ((-5.0, 5.0),),
    "gamma": ((-3.0, 2.0),),
    "perspective": ((-0.8, 0.8),),
    "rotation": ((-360.0, 360.0),),
    "scaling": ((-0.8, 2.0),),
    "shear": ((-20.0, 20.0),),
    "shift": ((-300.0, 300.0),) * 2,
    "volume": ((-60.0, 60.0),),
    "zoom_blur": ((0.0, 3.0),),
}
"""Beyond the typical ranges."""

COLOURS = ("hue", "saturation")
IDLE = 60.0
"""The largest error of a few hundred tries is at least the bound's share 1 / IDLE, for each transform."""

SPECTRAL = {"gaussian_blur": 0.4, "defocus_blur": 0.4, "glass_blur": 0.1, "low_pass": 0.1}
"""Of IDLE, the share that these reach. Their errors are those of long sums, random where the bound adds them up; and of
an entry it says what of all."""


def images(shape, transform):
    """Black and white noise, which changes as fast as may be; smooth; constant; and signed, unless that is no input."""
    rng = np.random.default_rng(0)
    ramp = np.broadcast_to(np.linspace(0, 1, shape[0]).reshape(-1, *(1,) * (len(shape) - 1)), shape)
    yield rng.integers(0, 2, shape)
    yield 0.5 + 0.5 * np.sin(7 * ramp + rng.uniform(size=shape) / 4)
    yield np.ones(shape)
    yield rng.uniform(0 if transform.name == "gamma" else -3, 2, shape)


def boxes(transform):
    yield transform.typical
    if transform.name in WIDE:
        yield WIDE[transform.name]


def found(transform, shape, exact, tries=6, kinds=slice(None)):
    """(largest error of an entry / bound, largest L2 error / bound) over images, boxes and parameters."""
    shares, rng = [], np.random.default_rng(1)
    for image in list(images(shape, transform))[kinds]:
        image = np.asarray(image, np.float32)
        for box in boxes(transform):
            low, high = (
                np.repeat([b[end] for b in box], param_dim(transform, shape) // max(len(box), 1)) for end in (0, 1)
            )
            bound = transform.float32_upper(Computed.of(image), low.astype(np.float64), high.astype(np.float64))
            for theta in np.float32([low, high, *rng.uniform(low, high, (tries, len(low)))]):
                wanted = exact(image.astype(np.float64), *theta.astype(np.float64))
                apart = np.asarray(apply(transform, image, theta), np.float64) - wanted
                tiny = 1e-300  # of an image that is only rearranged
                shares.append(
                    [np.abs(apart).max() / (bound.entry + tiny), np.linalg.norm(apart) / (bound.error + tiny)]
                )
                assert bound.low - 1e-9 - bound.entry <= wanted.min()
                assert wanted.max() <= bound.high + 1e-9 + bound.entry
    return np.max(shares, axis=0)


@pytest.mark.parametrize("name", [n for n in TRANSFORMS if n not in ("clip", "quantize", "jpeg")])
def test_no_error_exceeds_its_bound_and_no_bound_is_idle(name):
    transform, channels = TRANSFORMS[name](), 3 if name in COLOURS else 1
    entry, error = found(transform, (28, 28, channels), EXACT[name])
    assert entry <= 1.0
    assert error <= 1.0
    if name not in ("translation", "vignette"):  # nothing is computed
        assert error > SPECTRAL.get(name, 1.0) / IDLE
        assert name in SPECTRAL or entry > 1.0 / IDLE
    assert isinstance(transform, Float32Bounded)


@pytest.mark.parametrize("name", [n for n in EXACT if n not in ("additive", "brightness", *COLOURS)])
def test_nor_on_large_images(name):
    transform = TRANSFORMS[name]()
    entry, error = found(transform, (255, 241, 1), EXACT[name], tries=1, kinds=slice(0, 4, 3))
    assert entry <= 1.0
    assert error <= 1.0


@pytest.mark.parametrize("name", ["volume", "contrast", "brightness", "brightness_contrast"])
def test_nor_of_waveforms(name):
    entry, error = found(TRANSFORMS[name](), (16_000,), EXACT[name])
    assert entry <= 1.0
    assert 1.0 / IDLE < error <= 1.0


def test_nor_with_a_mask_or_another_centre():
    off = Rotation(convention="opencv")
    assert (found(off, (28, 28, 1), lambda x, a: rotated(x, a, 0.5)) <= 1.0).all()
    y, x = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5, indexing="ij")
    disc = (y**2 + x**2 <= 13.5**2)[:, :, None]
    assert (found(Rotation(mask=True), (28, 28, 1), lambda x, a: rotated(x, a) * disc) <= 1.0).all()


CHAINS = [
    "rotation|brightness",
    "rotation|contrast|clip",
    "scaling|brightness|contrast|clip(low=-0.5)",
    "contrast|gamma",
]


@pytest.mark.parametrize("text", [*CHAINS, "hue|saturation", "rotational_blur|contrast|brightness"])
def test_stages_hand_on_their_errors(text):
    transform = parse(text)
    assert isinstance(transform, Composition)

    def exact(image, *theta):
        theta = list(theta)
        for stage in transform.stages:
            own = [theta.pop(0) for _ in stage.params]
            image = np.clip(image, stage.low, stage.high) if isinstance(stage, Clip) else EXACT[stage.name](image, *own)
        return image

    channels = 3 if "hue" in text else 1
    entry, error = found(transform, (28, 28, channels), exact)
    assert entry <= 1.0
    # Of small entries gamma magnifies errors, if they are as large as they may be.
    assert ("gamma" in text) or 0.3 / IDLE < error <= 1.0


WRONG = Computed.of(np.ones((4, 4, 1))).then(0.0, 1.0, 1e-3, 2e-3)
"""An image of which an entry may be wrong by 1e-3, and all of them by 2e-3 in L2."""


@pytest.mark.parametrize(
    ("text", "theta", "factor"),
    [("contrast", [1.0], np.e), ("volume", [20.0], 10.0), ("brightness", [0.5], 1.0), ("clip(low=-0.5)", [], 1.0)],
)
def test_errors_grow_with_what_is_done_to_them(text, theta, factor):
    bound = parse(text).float32_upper(WRONG, np.array(theta), np.array(theta))
    assert factor * 1e-3 <= bound.entry <= 1.01 * factor * 1e-3
    assert factor * 2e-3 <= bound.error <= 1.01 * factor * 2e-3


def test_what_is_read_has_the_errors_of_its_image():
    """A mean of pixels is as wrong as they are; then what it is read at, and what interpolation costs."""
    bound = float32.read(WRONG, np.zeros((4, 4)), units=0.0)
    assert 1e-3 <= bound.entry <= 1.01e-3
    assert 4e-3 <= bound.error <= 1.01 * 4e-3  # of 16 entries that may all be wrong
    assert float32.read(WRONG, np.full((4, 4), 0.5), units=0.0).entry >= 0.5 + 1e-3
    exact = Computed.of(np.ones((4, 4, 1)))
    assert float32.read(exact, np.zeros((4, 4)), units=8.0).entry >= 8 * float32.UNIT
    assert float32.read(exact, np.full((4, 4), 0.5), units=0.0).entry >= 0.5  # beside it is black


def test_a_result_below_the_normal_numbers_may_become_zero():
    tiny = Computed.of(np.full((4, 4, 1), 1e-38))
    assert parse("contrast").float32_upper(tiny, np.zeros(1), np.zeros(1)).entry >= 1e-38


@pytest.mark.parametrize("quantize", [Quantize(), Quantize(bits=16, low=-1.0), Quantize(bits=16, low=-1.0, high=0.7)])
def test_a_rounding_goes_no_further_than_its_jump_and_its_bound(quantize):
    image = np.random.default_rng(0).uniform(quantize.low, quantize.high, 50_000).astype(np.float32)
    ties = (quantize.low + (np.arange(200) + 0.5) / quantize.density).astype(np.float32)
    image = np.concatenate([image, ties, np.nextafter(ties, 9), np.nextafter(ties, -9)])
    given = image.astype(np.float64)
    none = np.zeros(0)
    out = np.asarray(apply(quantize, image, none.astype(np.float32)), np.float64)
    blurred = Computed.of(given).then(quantize.low, quantize.high, 0.0)
    assert np.abs(out - given).max() <= quantize.jump + quantize.float32_upper(blurred, none, none).entry
    # Of an exact image all entries that may go either way are counted.
    wanted = quantize.low + np.round((given - quantize.low) * quantize.density) / quantize.density
    bound = quantize.float32_upper(Computed.of(given), none, none)
    assert np.linalg.norm(out - wanted) <= bound.error
    assert np.abs(out - wanted).max() <= bound.entry
    clear = given[np.abs(np.modf((given - quantize.low) * quantize.density)[0] - 0.5) > 0.1]
    assert quantize.float32_upper(Computed.of(clear), none, none).entry < 1e-6


def test_elementary_functions_are_as_exact_as_they_are_taken_to_be():
    rng = np.random.default_rng(0)
    spread, unit = rng.uniform(-8, 8, 400_000), rng.uniform(0, 1, 400_000)
    cases = [
        (jnp.sin, np.sin, spread, float32.SINE),
        (jnp.cos, np.cos, spread, float32.SINE),
        (jnp.exp, np.exp, spread, float32.EXPONENTIAL),
        (jnp.expm1, np.expm1, spread, float32.EXPM1),
        (lambda x: jnp.power(x, np.float32(0.3)), lambda x: x ** float(np.float32(0.3)), unit, float32.EXPONENTIAL),
        (lambda x: jnp.power(x, np.float32(2.7)), lambda x: x ** float(np.float32(2.7)), unit, float32.EXPONENTIAL),
        (lambda x: np.float32(3.0) / x, lambda x: 3.0 / x, unit + 0.01, float32.division()),
    ]
    for function, exact, values, share in cases:
        values = values.astype(np.float32)
        wanted = exact(values.astype(np.float64))
        seen = np.abs(wanted) > 1e-30
        off = np.abs(np.asarray(jax.jit(function)(values), np.float64) - wanted)[seen] / np.abs(wanted)[seen]
        assert off.max() <= share
    assert float(jnp.exp(jnp.float32(-0.0))) == 1.0


def test_half_of_the_distance_between_neighbours():
    values = np.abs(np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-20, 20).repeat(25))
    np.testing.assert_array_less(
        np.spacing(values.astype(np.float32)).astype(np.float64) / 2 * 0.99, float32.half_ulp(values)
    )
    assert float32.half_ulp(1.0) == 2.0**-24
    assert float32.half_ulp(0.0) < 1e-40


def test_a_product_of_long_sums_errs_no_further():
    rng, shares = np.random.default_rng(0), []
    same = np.full((4, 900), 0.1)  # its partial sums are rounded the same way for long stretches
    for matrix in (rng.normal(size=(64, 900)), np.cos(np.outer(range(64), range(900))), same):
        a, b = matrix.astype(np.float32), rng.uniform(0, 1, (900, 32)).astype(np.float32)
        b = np.ones_like(b) if matrix is same else b
        exact = a.astype(np.float64) @ b
        bound = float32.product(900, np.linalg.norm(np.abs(a).astype(np.float64) @ b), np.linalg.norm(exact))
        one_by_one = np.cumsum(a[:, :, None] * b[None], axis=1, dtype=np.float32)[:, -1]  # the worst of orders
        shares += [np.linalg.norm(sums - exact) / bound for sums in (one_by_one, jnp.matmul(a, b, precision="highest"))]
    assert 0.05 < max(shares) <= 1.0


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_larger_box_has_no_smaller_bound(name):
    transform, shape = TRANSFORMS[name](), (8, 7, 3 if name in COLOURS else 1)
    image, counts = Computed.of(np.random.default_rng(0).uniform(size=shape)), []
    for box in boxes(transform):
        low, high = (
            np.repeat([b[end] for b in box], param_dim(transform, shape) // max(len(box), 1)) for end in (0, 1)
        )
        whole = transform.float32_upper(image, low, high)
        for a, b in ((low, low), (high, high), (0.5 * (low + high), high)):
            part = transform.float32_upper(image, a, b)
            assert part.entry <= whole.entry * (1 + 1e-12)
            assert part.error <= whole.error * (1 + 1e-12)
            counts.append(part)
    assert counts


@pytest.mark.parametrize("degrees", [3.0, 45.0, 77.0, 200.0, 360.0])
def test_positions_are_as_wrong_as_their_model_allows(degrees):
    """Each operation wrong by all that it may be, all to the worse side; first order."""
    shape, unit = (28, 31), float32.UNIT
    y, x = np.meshgrid(*(np.arange(n) - 0.5 * (n - 1) for n in shape), indexing="ij")
    angle, turn = np.deg2rad(degrees), unit + float32.constant(np.pi / 180)
    sin, cos = np.sin(angle), np.cos(angle)
    off = [2.0 * np.spacing(np.nextafter(np.float32(abs(v)), np.float32(0))) for v in (sin, cos)]  # two units
    worst = np.zeros(shape)
    for a, b, c in itertools.product((-1, 1), repeat=3):
        off_sin, off_cos = a * turn * angle * cos + b * off[0], c * off[1] - a * turn * angle * sin
        worst = np.maximum(worst, np.abs(x * off_sin + y * off_cos) + np.abs(x * off_cos - y * off_sin))
    down, right = x * sin + y * cos, x * cos - y * sin
    worst += unit * (
        np.abs(x * sin) + np.abs(y * cos) + np.abs(x * cos) + np.abs(y * sin) + np.abs(down) + np.abs(right)
    )
    for n, position in zip(shape, (down, right), strict=True):
        worst += float32.half_ulp(np.minimum(np.abs(position + 0.5 * (n - 1)), n))
    bound = rotation.position_errors(shape, degrees)
    assert (worst <= bound * (1 + 1e-6)).all()
    assert (worst / bound).max() > 0.75


def test_positions_of_an_angle_that_is_wrong_already():
    for degrees, more in ((5.0, 1e-3), (300.0, 1e-5)):
        apart = rotation.position_errors((9, 9), degrees, more=more) - rotation.position_errors((9, 9), degrees)
        assert apart[0, 0] >= np.deg2rad(degrees) * more * 8  # down and right together, at (-4, -4) from the centre


def test_a_transform_and_its_inverse_are_as_wrong_as_what_they_are_given_is_long():
    flat = np.ones((16, 16, 1))
    rough = flat * np.where(np.add.outer(range(16), range(16)) % 2, 1, -1)[:, :, None]  # as long, all of it to change
    smooth, all_of_it = (
        _dct.changed(Computed.of(x), -1.0, 1.0, change=1.0, off=0.0, constant_off=0.0) for x in (flat, rough)
    )
    assert smooth.error >= 2 * float32.product(16, 16.0, 16.0)  # rows, then columns
    assert all_of_it.error - smooth.error >= 2 * float32.product(16, 16.0, 16.0)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (255, 241), (1000, 17)])
def test_positions_are_within_the_slack_of_c3(shape):
    """For rotation by any angle; and else where a pixel is read: between the canvas' ends, or just beyond."""
    slack = _cells.slack(*shape)
    assert rotation.position_errors(shape, 360.0, 0.5).max() < 0.1 * slack
    assert shear.position_errors(*shape, 100.0).max() < 0.1 * slack
    y, x = np.meshgrid(*(np.abs(np.arange(n) - 0.5 * (n - 1)) for n in shape), indexing="ij")
    nearest = 1.0 - 0.8 * y / (0.5 * shape[0])
    seen = (y / nearest <= 0.5 * (shape[0] + 1)) & (x / nearest <= 0.5 * (shape[1] + 1))
    assert perspective.position_errors(*shape, 0.8)[seen].max() < 0.1 * slack
    for ratio in (0.1, 0.5, 1.0, 3.0):
        sides = scaling.position_errors(shape, ratio, 1.0)
        read = [np.abs(np.arange(n) - 0.5 * (n - 1)) / ratio <= 0.5 * (n - 1) + 1.0 for n in shape]
        assert sides[np.ix_(*read)].max() < 0.1 * slack


def test_a_stage_that_does_not_say_is_named():
    class Silent:
        name, params = "silent", ()

    with pytest.raises(ValueError, match=r"'rotation\|silent': stage 'silent' states none"):
        Composition((Rotation(), Silent())).float32_upper(Computed.of(np.ones((4, 4, 1))), np.zeros(1), np.ones(1))
