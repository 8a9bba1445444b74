"""``cover``: the distances hold everywhere, false claims are rare, and the true region is found."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer
from gsmooth_jax.methods.cover import windows
from gsmooth_jax.methods.cover.windows import WindowTests
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness, Contrast, Gamma, Translation
from tests.known import SHAPE, by_mean, without_time

SIGMA = 0.2
NOISE = gs.PixelNoise(sigma=SIGMA)
BRIGHTNESS_TOO = gs.PixelNoise(sigma=SIGMA, brightness=0.1)
BRIGHTER = gs.Guarantee(transform=Brightness(), region=gs.Box([-0.1], [0.1]), method=gs.Cover(noise=NOISE))


def constant(number, mean):
    return gs.Example(id=number, image=np.full(SHAPE, mean, np.float32), label=int(mean > 0.5))


@pytest.fixture(scope="module")
def claims(classifier):
    return list(gs.certify_stream(classifier, [constant(i, m) for i, m in enumerate((0.1, 0.45, 0.5, 0.7))], BRIGHTER))


def test_what_holds_is_proved_and_what_does_not_is_not(claims):
    # The answer changes where the mean crosses 1/2: at -0.1 ... 0.1 the images 0.1 and 0.7 keep theirs.
    assert [c.certified for c in claims] == [True, False, False, True]
    assert [c.predicted for c in claims] == [0, 0, gs.ABSTAIN, 1]
    assert [c.radius == 0.1 for c in claims] == [c.certified for c in claims]
    # Of the second image the brightness 0.05 is the first that is too much.
    assert 0.0 < claims[1].radius < 0.05
    assert claims[2].radius == 0.0
    assert all(c.status == "proved" for c in claims)
    assert claims[0].votes < 1000
    assert verify(BRIGHTER, claims) == []


def test_no_votes_go_to_the_proof_of_a_wrong_answer(classifier):
    right, wrong = (dataclasses.replace(constant(0, 0.7), label=label) for label in (1, 0))
    (proved,), (given_up,) = (list(gs.certify_stream(classifier, [e], BRIGHTER)) for e in (right, wrong))
    assert proved.certified
    assert not given_up.certified
    assert proved.predicted == given_up.predicted == 1  # still told, at the price of one window
    assert given_up.votes < proved.votes
    assert verify(BRIGHTER, [given_up]) == []


@pytest.mark.parametrize("low", [-0.05, 0.0])
def test_two_parameters(classifier, low):
    transform, region = Contrast() | Brightness(), gs.Box([low, -0.05], [-low, 0.05])  # 0.62 is the darkest image
    both = dataclasses.replace(BRIGHTER, transform=transform, region=region)
    bright, dark = gs.certify_stream(classifier, [constant(0, 0.7), constant(1, 0.52)], both)
    assert bright.certified
    assert not dark.certified
    assert len(bright.windows) > 1
    assert verify(both, [bright, dark]) == []


def test_false_claims_are_as_rare_as_alpha_says(classifier):
    alpha, n = 0.05, 100
    loose = dataclasses.replace(BRIGHTER, alpha=alpha, region=gs.Box([-0.1], [0.0]), max_votes=4096)
    stream = (constant(i, 0.599) for i in range(n))
    false = sum(c.certified for c in gs.certify_stream(classifier, stream, loose, gs.Execution(devices=1)))
    assert false <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5


@pytest.mark.parametrize("middle", [0.55, 0.6], ids=["within", "at the end"])
@pytest.mark.parametrize(
    ("transform", "low", "high"),
    [(Brightness(), [0.0], [0.1]), (Contrast() | Brightness(), [-0.04, 0.0], [0.0, 0.1])],
    ids=["one parameter", "two"],
)
def test_a_band_between_centres_is_not_passed_over(transform, low, high, middle):
    """The worst case of the theorem of pairs: wrong answers in a band, as wide as makes them just too many."""
    # Half of the mean's noise falls inside.
    width = 1.001 * special.ndtri(0.75) * SIGMA / np.sqrt(np.prod(SHAPE))

    def banded(images):
        outside = jnp.abs(images.mean(axis=(1, 2, 3)) - middle) - width
        return jnp.stack([outside, -outside], axis=-1)

    alpha, n = 0.05, 80
    terms = {"transform": transform, "region": gs.Box(low, high), "alpha": alpha, "max_votes": 4096}
    loose, stream = dataclasses.replace(BRIGHTER, **terms), (constant(i, 0.5) for i in range(n))
    claims = list(gs.certify_stream(gs.as_classifier(banded, SHAPE), stream, loose, gs.Execution(devices=1)))
    assert any(len(w.pairs) > 1 for c in claims for w in c.windows)
    assert sum(c.certified for c in claims) <= alpha * n + 3 * (n * alpha * (1 - alpha)) ** 0.5
    assert verify(loose, claims) == []


@pytest.mark.parametrize("execution", [gs.Execution(devices=1, rows=3), gs.Execution(devices=8, rows=16, in_flight=1)])
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
    fault, *others = verify(BRIGHTER, [dataclasses.replace(claims[0], **change)])
    assert fault.startswith(f"image 0: {field}:")
    assert all(other.startswith("image 0: votes:") for other in others)


def test_a_missing_window_or_vote_is_found(claims):
    claim = claims[0]
    first, *rest = claim.windows
    missing = dataclasses.replace(claim, windows=tuple(rest))
    assert any("certified: the file says True" in f for f in verify(BRIGHTER, [missing]))
    for ballots in (claim.ballots[1:], (claim.ballots[0]._replace(successes=(0, 0, 0)), *claim.ballots[1:])):
        faults = verify(BRIGHTER, [dataclasses.replace(claim, ballots=ballots)])
        assert any("certified" in f for f in faults)
    for change in ({"event": 1}, {"level": 5e-4}, {"high": rest[-1].high}):
        other = dataclasses.replace(claim, windows=(first._replace(**change), *rest))
        assert any("windows" in f for f in verify(BRIGHTER, [other])), change


@pytest.mark.parametrize(
    "change",
    [
        {"centre_id": 1.0},
        {"centre_id": -9},
        {"bounds": (0.6,)},
        {"bounds": (1.2, 0.7, 0.8)},
        {"pairs": ((0, 1), (1, 2), (-1, 3))},
        {"low": (0,)},
        {"low": ()},
        {"low": (0.2,), "high": (0.1,)},
        {"event": 9},
        {"level": 0.5},
    ],
    ids=str,
)
def test_a_window_that_no_prover_makes_is_refused(claims, change):
    claim = claims[0]
    windows = list(claim.windows)
    windows[1] = windows[1]._replace(bounds=(0.6, 0.7, 0.8), pairs=((0, 1), (-1, 2), (-2, 3)))._replace(**change)
    (fault,) = verify(BRIGHTER, [dataclasses.replace(claim, windows=tuple(windows))])
    assert fault.startswith("image 0: windows: impossible values")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"successes": (2, 1)}, "impossible values"),
        ({"successes": (1.0, 1)}, "impossible values"),
        ({"centre_id": 1}, "listed twice"),
        ({"event": 0, "centre_id": -1}, "impossible values"),
    ],
)
def test_a_ballot_that_no_prover_makes_is_refused(claims, change, message):
    first, *rest = claims[0].ballots
    faults = verify(BRIGHTER, [dataclasses.replace(claims[0], ballots=(first._replace(**change), *rest))])
    assert any("ballots" in f and message in f for f in faults)


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
    assert len(whole.windows) > 4
    budget = whole.votes - wide.selection_votes - 1
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.1)], dataclasses.replace(wide, max_votes=budget))
    assert not claim.certified
    assert f"max_votes={budget} is too few for all parts of the region, which would take" in claim.note
    assert claim.votes <= budget + wide.selection_votes
    # A budget that cannot even be hoped to do costs no votes but those that say what the answer is.
    (hopeless,) = gs.certify_stream(classifier, [constant(0, 0.1)], dataclasses.replace(wide, max_votes=60))
    assert hopeless.predicted in (0, gs.ABSTAIN)
    assert len(hopeless.ballots) < len(whole.ballots)
    assert verify(dataclasses.replace(wide, max_votes=60), [hopeless]) == []


def test_a_path_far_beyond_the_budget_is_not_walked_to_its_end(classifier):
    wide = dataclasses.replace(BRIGHTER, region=gs.Box([-0.4], [0.4]), max_votes=16)
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.1)], wide)
    assert not claim.certified
    assert "max_votes=16 is too few: the region would take about" in claim.note
    assert claim.predicted == 0


def test_centres_are_asked_for_as_memory_allows(classifier, monkeypatch):
    wide = dataclasses.replace(BRIGHTER, region=gs.Box([-0.3], [0.3]))
    (whole,) = gs.certify_stream(classifier, [constant(0, 0.1)], wide)
    monkeypatch.setattr(windows, "_ASKED_BYTES", 0)
    monkeypatch.setattr(windows, "_ASKED", 12)
    asked, counts = WindowTests._asked, []

    def counted(self, wanted):
        goals, rows = asked(self, wanted)
        counts.append(len(rows))
        return goals, rows

    monkeypatch.setattr(WindowTests, "_asked", counted)
    (claim,) = gs.certify_stream(classifier, [constant(0, 0.1)], wide)
    assert claim.certified
    assert max(counts) <= 12 < len({b.centre_id for b in whole.ballots})
    assert claim.votes == whole.votes  # they are all unanimous
    assert verify(wide, [claim]) == []


def test_an_image_is_lost_for_few_votes_and_its_radius_told(classifier):
    """The answer changes far out: scouts find it, and what is proved near the image is told."""
    far = dataclasses.replace(
        BRIGHTER, region=gs.Box([-0.8], [0.0]), method=gs.Cover(noise=gs.PixelNoise(sigma=0.02)), max_votes=100_000
    )
    near = dataclasses.replace(far, region=gs.Box([-0.3], [0.0]))
    (lost,), (held,) = (gs.certify_stream(classifier, [constant(0, 0.9)], g) for g in (far, near))
    assert (lost.certified, held.certified) == (False, True)
    assert lost.votes < held.votes  # for a third of the way
    assert lost.predicted == 1
    assert 0.0 <= lost.radius < 0.4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transform": Translation(), "region": gs.Box([-1, -1], [1, 1])}, "enumerates the values of one parameter"),
        ({"transform": Brightness() | Gamma(), "region": gs.Box([-1, -1], [1, 1])}, "'gamma' states none behind"),
        ({"region": gs.Ball(0.1, 1)}, "takes a box of 1 parameters"),
        ({"transform": gs.transforms.ZoomBlur(), "region": gs.Box([-0.1], [0.1])}, r"with z in \[0, inf\]"),
        ({"transform": gs.transforms.Additive()}, "another number"),
        ({"transform": gs.transforms.Jpeg(), "region": gs.Box([0.0], [1.5])}, "whole numbers of quality for jpeg"),
    ],
)
def test_bad_guarantees(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(BRIGHTER, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_votes": 8}, "max_votes=8 can never certify anything"),
        ({"test": "fixed"}, "test='fixed'"),
        ({"test": "fixed_two_sided"}, "test='fixed_two_sided'"),
    ],
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
