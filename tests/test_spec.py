"""Text specifications and regions: what is written is read back, and nonsense is refused with its name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gsmooth_jax as gs
from gsmooth_jax import smoothing, transforms

finite = st.floats(-50, 50).map(lambda v: round(v, 3))
positive = st.floats(0.001, 100).map(lambda v: round(v, 3))


@given(sigma=st.one_of(positive, st.lists(positive, min_size=2, max_size=4).map(tuple)))
def test_laws_are_read_back(sigma):
    law = gs.Gaussian(sigma=sigma)
    assert smoothing.parse(smoothing.describe(law)) == law


@pytest.mark.parametrize("name", sorted(transforms.TRANSFORMS))
def test_transforms_are_read_back(name):
    transform = transforms.TRANSFORMS[name]() | transforms.Quantize(bits=6)
    assert transforms.parse(transforms.describe(transform)) == transform


@given(text=st.text(max_size=40))
def test_any_other_text_is_a_value_error(text):
    for parse in (smoothing.parse, transforms.parse):
        with contextlib.suppress(ValueError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussian(sigma=print('x'))", "expected name or name"),
        ("gaussian(0.5)", "expected name or name"),
        ("gaussian(sigma=0.5, **{})", "expected name or name"),
        ("gaussian(width=1.0)", "it takes sigma"),
        ("gaussian(sigma='wide')", "sigma"),
        ("gaussian(sigma=float('nan'))", "expected name or name"),
        ("gaussian(sigma=0.0)", "sigma"),
        ("normal(sigma=1.0)", "Unknown law 'normal'. Known: exponential,"),
    ],
)
def test_bad_laws_say_what_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        smoothing.parse(text)


@given(low=st.lists(finite, min_size=1, max_size=3), high=st.lists(finite, min_size=1, max_size=3))
def test_boxes_hold_the_identity_or_are_refused(low, high):
    sound = len(low) == len(high) and all(a <= 0 <= b for a, b in zip(low, high, strict=False)) and any(low + high)
    if not sound:
        with pytest.raises(ValueError, match="Expected"):
            gs.Box(low, high)
        return
    box = gs.Box(low, high)
    assert box.scaled(2 * box.size).size == pytest.approx(2 * box.size)
    assert abs(box.corners()).max() == box.size


@pytest.mark.parametrize("radius", [0.0, -1.0, float("inf"), float("nan")])
def test_balls_have_a_positive_radius(radius):
    with pytest.raises(ValueError, match="radius > 0 and finite"):
        gs.Ball(radius)
