"""Claims through a surrogate: proved by cover, heuristic by the published certificate."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer
from gsmooth_jax.cli import catalogue
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.gsmooth import _speed, _threshold, grid, partition
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import headers
from gsmooth_jax.results.accuracy import accuracy_curve, certified_accuracy
from gsmooth_jax.results.verify import verify
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import SurrogateNoise
from gsmooth_jax.testing import check_method
from gsmooth_jax.training import TrainConfig
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.transforms import Brightness, Clip, Quantize
from gsmooth_jax.transforms import describe as describe_transform
from tests.known import without_time
from tests.surrogates import SHAPE, random_surrogate

QUICK = gs.Execution(devices=1, rows=4)
REGION = gs.Box([-0.1], [0.1])


def by_mean(images):
    mean = images.mean(axis=(1, 2, 3))
    return jnp.stack([0.5 - mean, mean - 0.5], axis=-1)


def constant(number, mean):
    return gs.Example(id=number, image=np.full(SHAPE, mean, np.float32), label=int(mean > 0.5))


@pytest.fixture(scope="module")
def spec(fitted):
    return SurrogateNoise(path=str(fitted[0]), sigma_parameter=0.05, sigma=0.1).pinned()


@pytest.fixture(scope="module")
def classifier():
    return gs.as_classifier(by_mean, SHAPE)


@pytest.fixture(scope="module")
def examples():
    return [constant(0, 0.85), constant(1, 0.5), constant(2, 0.15)]


@pytest.fixture(scope="module")
def published(spec):
    method = registry.choose("gsmooth", spec, Brightness())
    return gs.Guarantee(transform=Brightness(), region=REGION, method=method, test="fixed", max_votes=400)


@pytest.fixture(scope="module")
def heuristic(published, classifier, examples):
    return list(gs.certify_stream(classifier, examples, published, QUICK))


def test_cover_proves_the_real_transform(spec, classifier, examples):
    transform = Brightness() | Clip() | Quantize()
    method = registry.choose("auto", spec, transform)
    guarantee = gs.Guarantee(transform=transform, region=REGION, method=method)
    claims = list(gs.certify_stream(classifier, examples, guarantee, QUICK))
    assert [c.certified for c in claims] == [True, False, True]
    assert [c.predicted for c in claims[::2]] == [1, 0]
    assert {c.status for c in claims} == {"proved"}
    assert verify(guarantee, claims) == []
    # What is proved holds: the smoothed classifier keeps its answer at transformed images that the cells never saw.
    noise = spec.load()
    smooth = jax.jit(lambda n, k, y: jax.vmap(lambda u: jax.vmap(n, in_axes=(0, None))(k, u))(n.encode(y)))
    for claim, example in zip(claims[::2], examples[::2], strict=True):
        attacked = jax.vmap(transform, in_axes=(None, 0))(example.image, jnp.linspace(-0.1, 0.1, 7)[:, None])
        keys = jax.random.split(jax.random.key(1), 500)
        drawn = smooth(noise, keys, attacked)
        shares = (by_mean(drawn.reshape(-1, *SHAPE)).argmax(axis=-1) == claim.predicted).reshape(7, 500).mean(axis=1)
        assert float(shares.min()) > 0.5


def test_the_published_certificate_is_heuristic(published, heuristic):
    assert {c.status for c in heuristic} == {"heuristic"}
    assert [c.certified for c in heuristic] == [True, False, True]
    assert [c.predicted for c in heuristic[::2]] == [1, 0]
    assert [c.radius for c in heuristic[::2]] == [0.1, 0.1]
    assert verify(published, heuristic) == []
    assert [h.votes for h in heuristic[0].hypotheses] == [400] * 10
    assert "Theorem 3" in heuristic[0].note
    assert "Heuristic: 10 centres, 400 votes each" in published.method.requirement(published)


@pytest.fixture(scope="module")
def near_the_edge(published, classifier):
    """Of a wider region the cells around the image pass, and those towards its other class do not."""
    wide = dataclasses.replace(published, test="sequential", region=gs.Box([-0.2], [0.2]), max_votes=4000)
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.64)], wide, QUICK)
    return wide, claim


def test_what_the_votes_prove_of_a_smaller_region_is_the_radius(near_the_edge):
    wide, claim = near_the_edge
    assert not claim.certified
    assert claim.predicted == 1
    # One number is added to all pixels: from 0.14 on the answer is the other one. Cells are 0.04 wide.
    assert claim.radius in (pytest.approx(0.04), pytest.approx(0.08), pytest.approx(0.12))
    assert verify(wide, [claim]) == []
    assert certified_accuracy([claim], 0.0399) == 1.0
    assert certified_accuracy([claim], 0.1201) == 0.0
    sizes, shares = accuracy_curve([claim])
    assert list(shares) == [1.0, 1.0]
    assert sizes[-1] == claim.radius
    (fault,) = verify(wide, [dataclasses.replace(claim, radius=0.16)])
    assert fault.startswith("image 0: radius:")


def test_cells_are_tested_from_the_image_outward(near_the_edge):
    """Behind the first that is lost no other is asked, so that a smaller region costs no votes of a larger one."""
    wide, claim = near_the_edge
    tests = Tests(wide)
    lost = [h for h in claim.hypotheses if tests.decide(h) != "certified"]
    assert lost
    ring = min(min(abs(h.low[0]), abs(h.high[0])) for h in lost)
    assert all(min(abs(h.low[0]), abs(h.high[0])) < ring + 0.01 for h in claim.hypotheses)
    assert claim.radius == pytest.approx(ring)


def test_runs_of_older_versions_claimed_the_whole_region_alone(near_the_edge):
    wide, claim = near_the_edge
    header = headers.make(wide, model={"fingerprint": "0"}, data={})
    older = headers.guarantee_of({**header, "versions": {"gsmooth_jax": "0.8.0"}})
    assert any("radius" in fault for fault in verify(older, [claim]))
    assert verify(older, [dataclasses.replace(claim, radius=0.0)]) == []


def test_contract(published, classifier, examples):
    terms = {"test": published.test, "max_votes": published.max_votes}
    check_method(published.method, model=classifier, examples=examples, transform=Brightness(), region=REGION, **terms)


def test_its_distance_is_m_star_times_the_half_width(spec, heuristic, examples):
    noise = spec.load()
    lows, highs = partition(REGION, 10)
    points = np.concatenate([np.zeros((1, 1)), 0.5 * (lows + highs), grid(REGION)]).astype(np.float32)
    matrix = np.asarray(noise.surrogate.matrix, np.float64).reshape(1, -1)
    dense = jax.jit(jax.vmap(jax.jacfwd(lambda p: noise.encode(noise.surrogate(examples[0].image, p)[None]).ravel())))(
        jnp.asarray(points)
    )
    rest = np.linalg.norm(np.asarray(dense, np.float64)[:, :, 0] - matrix, axis=1)
    star = np.sqrt(1 / 0.05**2 + (rest / 0.1) ** 2).max()
    (threshold,) = {h.threshold for h in heuristic[0].hypotheses}
    assert special.ndtri(threshold) == pytest.approx(star * 0.01, rel=1e-4)
    assert special.ndtri(threshold) >= _speed(noise, examples[0].image, points, np.float32([0.01]))  # rounded up
    assert threshold < 0.99


@pytest.mark.parametrize("distance", [1e-6, 0.123457, 1.0, 3.5])
def test_a_threshold_is_rounded_up(distance):
    assert _threshold(distance) > special.ndtr(distance)


def test_of_two_parameters_the_corner_of_a_cell_counts():
    """A change inside a cell has up to one half width in each parameter: sqrt(2) of them together."""
    transform, half = gs.transforms.Rotation() | Brightness(), np.array([0.002, 0.0005])
    noise = gs.AugmentedNoise(
        surrogate=random_surrogate(transform=describe_transform(transform)), sigma_parameter=(2.0, 0.1), sigma=0.2
    )
    image = np.linspace(0.2, 0.8, 64, dtype=np.float32).reshape(SHAPE)
    region = gs.Box((-2 * half).tolist(), (2 * half).tolist())
    guarantee = gs.Guarantee(transform=transform, region=region, method=gs.GSmooth(noise=noise, centres=2))
    classifier = gs.as_classifier(
        lambda images: jnp.stack([0 * images.mean(axis=(1, 2, 3)) + 1, 0 * images[:, 0, 0, 0]], -1), SHAPE
    )
    (claim,) = gs.certify_stream(classifier, [gs.Example(id=0, image=image, label=0)], guarantee, QUICK)
    lows, highs = partition(region, 2)
    points = np.concatenate([np.zeros((1, 2)), 0.5 * (lows + highs), grid(region)]).astype(np.float32)
    jacobian = jax.jit(jax.vmap(jax.jacfwd(lambda p: noise.encode(noise.surrogate(image, p)[None]).ravel())))(points)
    rest = np.asarray(jacobian, np.float64) - np.asarray(noise.surrogate.matrix, np.float64).reshape(2, -1).T
    both = np.concatenate([np.tile(np.diag([1 / 2.0, 1 / 0.1]), (len(points), 1, 1)), rest / 0.2], axis=1) * half
    star = np.linalg.svd(both, compute_uv=False).max()
    assert claim.certified
    assert special.ndtri(claim.hypotheses[0].threshold) == pytest.approx(np.sqrt(2) * star, rel=1e-3)


@pytest.mark.parametrize("stages", [2, 9])
def test_of_many_parameters_m_star_is_looked_for_all_over_the_region(stages):
    """Four parameters, by the Gram matrix; and eighteen, by power iteration, at most 3 % under the exact value."""
    transform, count = gs.transforms.Contrast() | Brightness(), 2 * stages
    for _ in range(stages - 1):
        transform = transform | gs.transforms.Contrast() | Brightness()
    half = np.full(count, 0.0005)
    surrogate = random_surrogate(transform=describe_transform(transform), low=(-1.0,) * count, high=(1.0,) * count)
    noise = gs.AugmentedNoise(surrogate=surrogate, sigma_parameter=tuple(np.linspace(0.1, 0.2, count)), sigma=0.2)
    image = np.linspace(0.2, 0.8, 64, dtype=np.float32).reshape(SHAPE)
    region = gs.Box((-half).tolist(), half.tolist())
    guarantee = gs.Guarantee(transform=transform, region=region, method=gs.GSmooth(noise=noise, centres=1))
    classifier = gs.as_classifier(
        lambda images: jnp.stack([0 * images.mean(axis=(1, 2, 3)) + 1, 0 * images[:, 0, 0, 0]], -1), SHAPE
    )
    (claim,) = gs.certify_stream(classifier, [gs.Example(id=0, image=image, label=0)], guarantee, QUICK)
    points = np.concatenate([np.zeros((2, count)), grid(region)]).astype(np.float32)
    jacobian = jax.jit(jax.vmap(jax.jacfwd(lambda p: noise.encode(noise.surrogate(image, p)[None]).ravel())))(points)
    rest = np.asarray(jacobian, np.float64) - np.asarray(noise.surrogate.matrix, np.float64).reshape(count, -1).T
    scales = np.diag(1 / np.array(noise.sigma_parameter))
    both = np.concatenate([np.tile(scales, (len(points), 1, 1)), rest / 0.2], axis=1) * half
    star = np.linalg.svd(both, compute_uv=False).max()
    assert claim.certified
    found = special.ndtri(claim.hypotheses[0].threshold) / np.sqrt(count)
    assert (1 - 1e-3 if stages == 2 else 0.97) * star < found <= star * (1 + 1e-3)
    assert verify(guarantee, [claim]) == []
    with pytest.raises(ValueError, match=r"centres .* gsmooth\(centres="):
        dataclasses.replace(guarantee, method=gs.GSmooth(noise=noise))


def test_the_sequential_test_needs_fewer_votes(published, heuristic, classifier, examples):
    quick = dataclasses.replace(published, test="sequential", max_votes=4000)
    claims = list(gs.certify_stream(classifier, examples[::2], quick, QUICK))
    assert all(c.certified for c in claims)
    assert claims[0].votes < heuristic[0].votes
    assert verify(quick, claims) == []


def test_cells_out_of_reach_cost_no_votes(published, classifier, examples):
    wide = dataclasses.replace(
        published, region=gs.Box([-0.3], [0.3]), method=dataclasses.replace(published.method, centres=1)
    )
    (claim,) = gs.certify_stream(classifier, examples[:1], wide, QUICK)
    assert not claim.certified
    assert claim.predicted == 1  # the answer at the image itself
    assert [h.low for h in claim.hypotheses] == [(0.0,)]
    assert verify(wide, [claim]) == []


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("certified", {"certified": False}),
        ("radius", {"radius": 0.2}),
        ("status", {"status": "proved"}),
        ("assumes", {"assumes": ("transform somewhere.Else",)}),
        ("statement", {"statement": Answer(0)}),
        ("statement", {"statement": None}),
        ("votes", {"votes": 3}),
    ],
)
def test_a_tampered_field_is_named(published, heuristic, field, change):
    (fault,) = verify(published, [dataclasses.replace(heuristic[0], **change)])
    assert fault.startswith(f"image 0: {field}:")


def test_tampered_evidence_is_found(published, heuristic):
    first, *rest = heuristic[0].hypotheses
    for changed, message in (
        (first._replace(successes=200), "certified"),
        (first._replace(threshold=0.5), "several thresholds"),
        (first._replace(low=(-0.2,)), "none of the 11 centres"),
        (first._replace(level=5e-4), "none of the 11 centres"),
        (first._replace(votes=500), "more than 400 votes"),
        (first._replace(votes=399, successes=399), "certified"),  # a fixed test is looked at once
    ):
        faults = verify(published, [dataclasses.replace(heuristic[0], hypotheses=(changed, *rest))])
        assert any(message in f for f in faults), (message, faults)


def test_a_run_is_verified_without_the_surrogate_and_resumed_with_no_other(published, spec, heuristic):
    header = json.loads(json.dumps(headers.make(published, model={"fingerprint": "0"}, data={})))
    assert spec.fingerprint in header["law"]
    assert headers.guarantee_of(header) == published
    gone = {**header, "law": describe(dataclasses.replace(spec, path="nowhere"))}
    assert verify(headers.guarantee_of(gone), heuristic) == []
    with pytest.raises(FileNotFoundError, match="nowhere"):
        headers.guarantee_of(gone).method.vote(Brightness())
    assert {m["name"]: m["claims"] for m in catalogue.methods()}["gsmooth"] == "heuristic"
    renamed = dataclasses.replace(published.method, centres=20)
    assert registry.parse(renamed.name, renamed.law, Brightness()) == renamed


def test_claims_do_not_depend_on_how_the_machine_is_used(published, heuristic, classifier, examples):
    again = gs.certify_stream(classifier, examples[:1], published, gs.Execution(devices=2, rows=6, chunk=8))
    assert without_time(again) == without_time(heuristic[:1])


def test_a_region_beyond_the_fit_matters_to_gsmooth_alone(published, spec, classifier, examples):
    wide = dataclasses.replace(published, region=gs.Box([-0.5], [0.5]))
    assert "Warning: the region" in wide.method.requirement(wide)
    (claim,) = gs.certify_stream(classifier, examples[:1], wide)
    assert "that the surrogate was fitted on" in claim.note
    cover = dataclasses.replace(wide, method=gs.Cover(noise=spec), test="sequential", transform=Brightness() | Clip())
    assert "no claim is weaker for it" in cover.method.requirement(cover)
    turned = dataclasses.replace(cover, transform=gs.transforms.Rotation())
    assert "surrogate" not in turned.method.requirement(turned)


@pytest.mark.parametrize("method", [gs.Cover, gs.GSmooth])
def test_latents_that_are_not_finite_name_the_image(published, fitted, classifier, examples, method):
    broken = jax.tree.map(lambda leaf: leaf * 1e38, fitted[1].variables)  # overflows float32, not the bound's float64
    noise = gs.AugmentedNoise(
        surrogate=dataclasses.replace(fitted[1], variables=broken), sigma_parameter=0.1, sigma=0.1
    )
    guarantee = dataclasses.replace(published, method=method(noise=noise), test="sequential")
    with pytest.raises(ValueError, match="Image 0: its latent"):
        list(gs.certify_stream(classifier, examples[:1], guarantee))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": "fixed_two_sided"}, "one-sidedly"),
        ({"max_votes": 3}, "max_votes=3 can never certify"),
        ({"transform": gs.transforms.Contrast()}, "surrogate of contrast, got one of brightness"),
        ({"region": gs.Ball(0.1, 1)}, "gsmooth takes a box of 1 parameters"),
        (
            {"transform": gs.transforms.ZoomBlur(), "region": gs.Box([-0.1], [0.5])},
            r"region of zoom_blur with z in \[0, inf\], got \[-0.1, 0.5\]",
        ),
    ],
)
def test_bad_terms_are_refused_before_any_work(published, classifier, change, message):
    with pytest.raises(ValueError, match=message):
        gs.certify_stream(classifier, [], dataclasses.replace(published, **change))


def test_another_image_shape_is_refused_before_any_work(published):
    with pytest.raises(ValueError, match=r"classifier's images \(9, 8, 1\), got one of \(8, 8, 1\)"):
        gs.certify_stream(gs.as_classifier(by_mean, (9, 8, 1)), [], published)


def test_methods_and_laws_that_do_not_go_together(spec):
    for name, law, message in (
        ("gsmooth", gs.PixelNoise(sigma=0.1), "pixel_noise is for cover"),
        ("gsmooth", gs.Gaussian(sigma=0.1), "but surrogate_noise"),
        ("resolvable", spec, "surrogate_noise is for cover and gsmooth"),
        ("gsmooth(widths=3)", spec, "Cannot build method"),
    ):
        with pytest.raises(ValueError, match=message):
            registry.choose(name, law, Brightness())


def test_classifiers_are_trained_under_the_noise_that_votes(fitted, spec):
    config = TrainConfig(out="unused", surrogate=str(fitted[0]), sigma_parameter=0.05, noise=0.1)
    augment, noise = Augment.build(config), spec.load()
    image, key = jnp.full(SHAPE, 0.4), jax.random.key(5)
    expected = jax.jit(lambda n, k: n(jax.random.split(k)[1], n.encode(image[None])[0]))(noise, key)
    found = jax.jit(lambda a, k: a.smooth(k[None], image[None])[0])(augment, jax.random.key(5))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ValueError, match="surrogate, sigma_parameter and noise > 0 together"):
        TrainConfig(out="unused", surrogate="somewhere", sigma_parameter=0.1)
