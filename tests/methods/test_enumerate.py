"""``enumerate``: every value is tried, and what holds at all of them is proved without chance."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.enumerate import cells
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness, Clip, Pixelate, Quantize, Rotation, Translation
from tests.known import SHAPE, without_time

WIDE = (6, 8, 1)


def by_corner(images):
    """Class 1 where the corner is bright."""
    corner = images[:, 0, 0, 0]
    return jnp.stack([0.5 - corner, corner - 0.5], axis=-1)


def bright(*pixels, number=0, label=0):
    image = np.zeros(WIDE, np.float32)
    for pixel in pixels:
        image[pixel] = 1.0
    return gs.Example(id=number, image=image, label=label)


def terms(region, transform=None):
    return gs.Guarantee(transform=transform or Translation(), region=region, method=gs.Enumerate())


@pytest.fixture(scope="module")
def corner():
    return gs.as_classifier(by_corner, WIDE)


@pytest.mark.parametrize(
    ("region", "pixel", "holds"),
    [
        (gs.Box([-1, -1], [1, 1]), (2, 0), True),
        (gs.Box([-2, -1], [1, 1]), (2, 0), False),
        (gs.Box([-1.4, -1], [1, 1]), (2, 0), True),
        (gs.Box([-1.6, -1], [1, 1]), (2, 0), False),  # -1.6 moves two pixels
        (gs.Ball(2.0, 2), (2, 2), False),  # (-1.5, -1.5) is no further than 2.13, but (-1.5, -1.32) moves (-1, -1)
        (gs.Ball(1.4, 2), (2, 2), True),
        (gs.Ball(2.0, 2), (3, 0), True),
        (gs.Ball(2.6, 2), (3, 0), False),  # -2.5 moves three pixels
    ],
)
def test_translation_is_right_for_every_parameter_of_the_region(corner, region, pixel, holds):
    """One bright pixel: the answer changes where it is moved into the corner."""
    guarantee = terms(region)
    (claim,) = gs.certify_stream(corner, [bright(pixel)], guarantee)
    tried = np.random.default_rng(0).uniform(-region.size, region.size, (4000, 2))
    if isinstance(region, gs.Box):
        tried = tried.clip(region.low, region.high)
    else:
        tried = tried[np.linalg.norm(tried, axis=1) <= region.radius]
    moves = np.floor(tried + 0.5)
    truth = not (((pixel[0] + moves[:, 0]) % 6 == 0) & ((pixel[1] + moves[:, 1]) % 8 == 0)).any()
    if pixel != (2, 2) or holds:
        assert truth == holds
    assert claim.certified == truth
    assert (claim.predicted, claim.alpha, claim.status, claim.assumes) == (0, 0.0, "proved", ())
    assert verify(guarantee, [claim]) == []


def test_a_value_that_is_missing_or_answers_otherwise_is_found(corner):
    guarantee = terms(gs.Ball(2.0, 2))
    (claim,) = gs.certify_stream(corner, [bright((4, 4))], guarantee)
    assert claim.certified
    for number in range(len(claim.hypotheses)):
        rest = claim.hypotheses[:number] + claim.hypotheses[number + 1 :]
        faults = verify(guarantee, [dataclasses.replace(claim, hypotheses=rest, votes=claim.votes - 1)])
        assert any("certified" in f or "statement" in f for f in faults)
    wrong = (claim.hypotheses[0]._replace(successes=0), *claim.hypotheses[1:])
    assert any("certified" in f for f in verify(guarantee, [dataclasses.replace(claim, hypotheses=wrong)]))
    others = (*claim.hypotheses[:-1], claim.hypotheses[-1]._replace(event=1))
    assert any("of several events" in f for f in verify(guarantee, [dataclasses.replace(claim, hypotheses=others)]))
    drawn = tuple(h._replace(level=1e-4) for h in claim.hypotheses)
    assert any("with a level" in f for f in verify(guarantee, [dataclasses.replace(claim, hypotheses=drawn)]))


def test_pixelation_asks_for_each_value_once(corner):
    guarantee = terms(gs.Box([0.0], [0.5]), Pixelate() | Clip() | Quantize())
    (claim,) = gs.certify_stream(corner, [bright((5, 7))], guarantee)
    assert claim.certified
    assert claim.votes == len(Pixelate().representatives(WIDE, np.array([0.0]), np.array([0.5])))
    assert verify(guarantee, [claim]) == []


def test_where_the_answer_is_wrong_nothing_more_is_tried(corner):
    guarantee = terms(gs.Box([-2, -2], [2, 2]))
    (claim,) = gs.certify_stream(corner, [bright((4, 4), label=1)], guarantee)
    assert (claim.certified, claim.predicted, claim.votes) == (False, 0, 1)
    assert verify(guarantee, [claim]) == []


def test_logits_that_are_not_finite_are_no_answer():
    def sometimes(images):
        return jnp.where(images[:, :1, 0, 0] > 0.5, jnp.nan, by_corner(images))

    classifier = gs.as_classifier(sometimes, WIDE)
    (claim,) = gs.certify_stream(classifier, [bright((2, 0))], terms(gs.Box([-2, 0], [0, 0])))
    assert not claim.certified


@pytest.mark.parametrize("region", [gs.Box([-3, -2.5], [1, 0.2]), gs.Ball(3.3, 2)])
def test_cells_stand_for_what_rounds_to_them(region):
    values, lows, highs = cells(Translation(), region, WIDE)
    assert len(np.unique(values, axis=0)) == len(values)
    assert ((lows <= values + 0.5) & (highs >= values - 0.5)).all()


@pytest.mark.parametrize(
    ("transform", "region", "message"),
    [
        (Rotation(), gs.Box([-1], [1]), "one stage that lists its values"),
        (Rotation() | Pixelate(), gs.Box([-1, 0], [1, 0.5]), "one stage that lists its values"),
        (Pixelate() | Brightness(), gs.Box([0, -0.1], [0.5, 0.1]), "one stage that lists its values"),
        (Pixelate(), gs.Ball(0.5, 2), "box or ball of 1 parameters"),
        (Pixelate(), gs.Box([-0.1], [0.5]), r"in \[0, 1\]"),
    ],
)
def test_bad_terms(transform, region, message):
    with pytest.raises(ValueError, match=message):
        terms(region, transform)


def test_it_takes_no_law(corner):
    example = bright((4, 4))
    by_name = gs.certify(
        by_corner,
        example.image[None],
        [0],
        transform=Translation(),
        region=gs.Box([-1, -1], [1, 1]),
        method="enumerate",
    )
    by_method = gs.certify_stream(corner, [example], terms(gs.Box([-1, -1], [1, 1])))
    assert without_time(by_name) == without_time(by_method)
    assert registry.parse("enumerate", "", Translation()) == gs.Enumerate()
    with pytest.raises(ValueError, match="does not take"):
        registry.choose("enumerate", gs.PixelNoise(sigma=0.1), Translation())
    with pytest.raises(ValueError, match="speaks of classes"):
        gs.certify(
            lambda images: images.mean(axis=(1, 2, 3)),
            np.zeros((1, *SHAPE), np.float32),
            transform=Translation(),
            region=gs.Box([-1, -1], [1, 1]),
            method="enumerate",
        )
