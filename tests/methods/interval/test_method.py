"""``interval`` end to end: cells are cut until they are proved, and what cannot be proved is not claimed."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.methods import registry
from gsmooth_jax.results.verify import verify
from gsmooth_jax.testing import check_method
from gsmooth_jax.transforms import (
    Additive,
    Brightness,
    BrightnessContrast,
    Clip,
    GaussianBlur,
    Pixelate,
    Quantize,
    Rotation,
    Translation,
)
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param
from tests.known import by_mean, without_time

SHAPE = (6, 8, 1)


def by_corner(images):
    """Class 1 where the corner is bright."""
    corner = images[:, 0, 0, 0]
    return jnp.stack([0.5 - corner, corner - 0.5], axis=-1)


def terms(transform, region, **options):
    return gs.Guarantee(transform=transform, region=region, method=gs.IntervalBounds(), **options)


def flat(value, number=0, label=None):
    return gs.Example(id=number, image=np.full(SHAPE, value, np.float32), label=label)


def claim_of(model, example, guarantee, assumes=0):
    (claim,) = gs.certify_stream(gs.as_classifier(model, SHAPE), [example], guarantee)
    assert verify(guarantee, [claim]) == []
    assert (claim.status, claim.alpha, len(claim.assumes)) == ("conditional" if assumes else "proved", 0.0, assumes)
    assert claim.votes == len(claim.hypotheses) <= guarantee.max_votes
    return claim


@pytest.mark.parametrize("reach", [0.05, 0.1499, 0.1501, 0.3])
def test_a_half_space_is_proved_up_to_its_boundary(reach):
    claim = claim_of(by_mean, flat(0.35, label=0), terms(Brightness(), gs.Box([-0.1], [reach])))
    assert claim.certified == (reach < 0.15)
    assert claim.predicted == 0
    assert claim.radius == (max(0.1, reach) if claim.certified else 0.0)
    assert bool(claim.note) != claim.certified


@dataclasses.dataclass(frozen=True)
class Wrong(Pipe):
    """Moves nothing; but float32 may take an entry so far away."""

    wrong: float

    name = "wrong"
    params = (Param(name="t", unit="1"),)
    typical = ((-1.0, 1.0),)

    def __call__(self, image, theta):
        return image + 0.0 * theta[0]

    def entry_speeds_upper(self, image, low, high):
        return jnp.zeros((1, *image.shape))

    def float32_upper(self, image, low, high):
        return image.then(image.low, image.high, self.wrong)


@pytest.mark.parametrize(("wrong", "proved"), [(1e-4, True), (0.004, True), (0.006, False), (0.5, False)])
def test_what_float32_does_to_an_image_counts_twice(wrong, proved):
    """Ours and the adversary's: together they take this image across one half, from 0.49."""
    claim = claim_of(by_mean, flat(0.49, label=0), terms(Wrong(wrong), gs.Box([-1], [1])), assumes=1)
    assert claim.certified == proved


def test_curved_boundaries_take_smaller_cells():
    """e^k (x + b) stays below one half on the whole box, but its hull over the box with another feature does not."""

    def ratio(images):  # of two entries that change together: intervals alone do not see it
        return jnp.stack([images[:, 0, 0, 0] - images[:, 1, 0, 0], images[:, 1, 0, 0] - images[:, 0, 0, 0]], axis=-1)

    image = np.full(SHAPE, 0.3, np.float32)
    image[0, 0] = 0.4
    example = gs.Example(id=0, image=image, label=0)
    whole = terms(BrightnessContrast(), gs.Box([-0.5, -0.4], [0.5, 0.4]), max_votes=4000)
    claim = claim_of(ratio, example, whole)
    assert claim.certified
    assert len(claim.hypotheses) > 8
    for budget in (len(claim.hypotheses) - 1, 3, 1):
        few = claim_of(ratio, example, dataclasses.replace(whole, max_votes=budget))
        assert not few.certified
        assert few.note
        assert few.statement == claim.statement  # of the image itself, which was asked


@pytest.mark.parametrize(
    "transform", [Rotation() | Clip() | Quantize(), GaussianBlur(), Rotation() | Brightness()], ids=lambda t: t.name
)
def test_claims_hold_at_random_parameters_and_not_just_there(transform):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(48, 3)).astype(np.float32)
    weights -= weights.mean(axis=0)  # blind to brightness, so that answers are close

    def linear(images):
        return images.reshape(len(images), -1) @ weights

    region = {"gaussian_blur": gs.Box([0], [1.2]), "rotation|brightness": gs.Box([-6, -0.02], [6, 0.02])}.get(
        transform.name, gs.Box([-10], [10])
    )
    images = rng.uniform(size=(12, *SHAPE)).astype(np.float32)
    model = gs.as_classifier(linear, SHAPE)
    guarantee = terms(transform, region, max_votes=400)
    claims = list(gs.certify_stream(model, [gs.Example(id=i, image=x) for i, x in enumerate(images)], guarantee))
    assert verify(guarantee, claims) == []
    assert 3 <= sum(c.certified for c in claims) <= 11
    answer = jax.jit(lambda x, xi: jnp.argmax(model(jax.vmap(transform, in_axes=(None, 0))(x, xi)), axis=-1))
    tried = rng.uniform(region.low, region.high, (400, len(region.low))).astype(np.float32)
    tried = np.concatenate([tried, region.corners().astype(np.float32)])
    for claim in claims:
        answers = np.asarray(answer(images[claim.id], tried))
        assert not claim.certified or (answers == claim.predicted).all()
        for h in claim.hypotheses:
            if h.successes:
                inside = ((tried >= np.float32(h.low)) & (tried <= np.float32(h.high))).all(axis=1)
                assert (answers[inside] == claim.predicted).all()


def bright(*pixels, label=0):
    image = np.zeros(SHAPE, np.float32)
    for pixel in pixels:
        image[pixel] = 1.0
    return gs.Example(id=0, image=image, label=label)


@pytest.mark.parametrize("pixel", [(2, 0), (1, 2), (4, 4), (5, 7)])
@pytest.mark.parametrize("region", [gs.Box([-1, -1], [1, 1]), gs.Box([-2, 0], [1, 0])])
def test_values_are_proved_where_enumeration_proves_them(pixel, region):
    example = bright(pixel)
    claim = claim_of(by_corner, example, terms(Translation(), region))
    guarantee = gs.Guarantee(transform=Translation(), region=region, method=gs.Enumerate())
    (other,) = gs.certify_stream(gs.as_classifier(by_corner, SHAPE), [example], guarantee)
    assert claim.certified == other.certified
    if pixel == (4, 4):
        assert claim.votes < other.votes  # many at a time


def test_pixelation_by_its_hulls():
    claim = claim_of(by_corner, bright((5, 7)), terms(Pixelate() | Clip() | Quantize(), gs.Box([0.0], [0.5])))
    assert claim.certified
    assert claim.votes < len(Pixelate().representatives(SHAPE, np.array([0.0]), np.array([0.5])))


def test_where_the_answer_is_wrong_or_no_number_nothing_more_is_tried():
    guarantee = terms(Brightness(), gs.Box([-0.1], [0.1]))
    claim = claim_of(by_mean, flat(0.3, label=1), guarantee)
    assert (claim.certified, claim.predicted, claim.votes) == (False, 0, 1)

    def broken(images):
        return by_mean(images) / 0.0

    claim = claim_of(broken, flat(0.3, label=1), guarantee)
    assert (claim.certified, claim.statement, claim.votes) == (False, None, 0)
    tied = claim_of(by_mean, flat(0.5), guarantee)
    assert (tied.certified, tied.predicted, tied.note) == (False, 0, "bounds do not prove even the image itself")


def test_a_cell_that_is_missing_or_failed_is_found():
    guarantee = terms(Brightness() | Clip(), gs.Box([-0.3], [0.1]))
    claim = claim_of(lambda x: by_mean(x) + jnp.abs(by_mean(x)) * 0.3, flat(0.35, label=0), guarantee)
    assert claim.certified
    assert len(claim.hypotheses) > 1
    for cell in claim.hypotheses:
        rest = tuple(h for h in claim.hypotheses if h != cell)
        faults = verify(guarantee, [dataclasses.replace(claim, hypotheses=rest, votes=claim.votes - 1)])
        assert any("certified" in f for f in faults)
        failed = tuple(h._replace(successes=0) if h == cell else h for h in claim.hypotheses)
        assert any("certified" in f for f in verify(guarantee, [dataclasses.replace(claim, hypotheses=failed)]))


@pytest.mark.parametrize(
    ("transform", "region", "message"),
    [
        (Brightness() | Rotation(), gs.Box([-0.1, -1], [0.1, 1]), "'rotation' mixes"),
        (Additive(), gs.Box([-0.1], [0.1]), "parameters of the whole image"),
        (Clip(), gs.Box([-0.1], [0.1]), "or none"),
        (Translation(), gs.Ball(2.0, 2), "a box of 2 parameters"),
        (GaussianBlur(), gs.Box([-1], [1]), r"v in \[0, inf\]"),
        (Translation() | Rotation(), gs.Box([-1, -1, -1], [1, 1, 1]), "'translation' does not bound"),
    ],
)
def test_bad_terms(transform, region, message):
    with pytest.raises(ValueError, match=message):
        terms(transform, region)


def test_models_without_rules_are_refused_before_any_work():
    guarantee = terms(Brightness(), gs.Box([-0.1], [0.1]))
    sorting = gs.as_classifier(lambda images: jnp.sort(images.reshape(len(images), -1), axis=1)[:, :3], SHAPE)
    with pytest.raises(ValueError, match="primitive 'sort'"):
        gs.certify_stream(sorting, [flat(0.3)], guarantee)
    with pytest.raises(ValueError, match="speaks of classes"):
        gs.certify(
            lambda images: images.mean(axis=(1, 2, 3)),
            flat(0.3).image[None],
            transform=guarantee.transform,
            region=guarantee.region,
            method=guarantee.method,
        )


def test_contract():
    examples = [flat(0.3, 1, 0), flat(0.45, 2, 0), flat(0.9, 5, 1), flat(0.9, 6, 0)]
    region, model = gs.Box([-0.1], [0.1]), gs.as_classifier(by_mean, SHAPE)
    claims = check_method(
        gs.IntervalBounds(), model=model, examples=examples, transform=Brightness() | Clip(), region=region
    )
    assert [c.certified for c in claims] == [True, False, True, False]
    wide = [dataclasses.replace(bright(p), id=i) for i, p in enumerate([(2, 2), (1, 0)])]
    corner = gs.as_classifier(by_corner, SHAPE)
    region = gs.Box([-1, -1], [1, 1])
    claims = check_method(gs.IntervalBounds(), model=corner, examples=wide, transform=Translation(), region=region)
    assert [c.certified for c in claims] == [True, False]


def test_it_takes_no_law_and_goes_by_its_name():
    example = flat(0.3, label=0)
    by_name = gs.certify(
        by_mean, example.image[None], [0], transform=Brightness(), region=gs.Box([-0.1], [0.1]), method="interval"
    )
    by_method = gs.certify_stream(
        gs.as_classifier(by_mean, SHAPE), [example], terms(Brightness(), gs.Box([-0.1], [0.1]))
    )
    assert without_time(by_name) == without_time(by_method)
    assert registry.parse("interval", "", Brightness()) == gs.IntervalBounds()
    with pytest.raises(ValueError, match="does not take"):
        registry.choose("interval", gs.PixelNoise(sigma=0.1), Brightness())
