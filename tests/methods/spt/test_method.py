"""``spt``: a classifier smoothed twice, against half-spaces whose smoothed answers are known; what it refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax import transforms
from gsmooth_jax.claims import Hypothesis
from gsmooth_jax.estimation import bounds
from gsmooth_jax.methods import prover, registry
from gsmooth_jax.methods.base import smoothed_vote
from gsmooth_jax.methods.spt import Spt, draws
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results.verify import verify
from gsmooth_jax.testing.methods import check_method
from gsmooth_jax.testing.transforms import apply
from tests.methods.spt.images import digits

ROTATION = transforms.parse("rotation|clip|quantize")
SIGMA = 10.0
LAW = gs.Gaussian(sigma=SIGMA)
METHOD = Spt(noise=LAW, inner=0.2, prepare="vignette|low_pass(radius=3)", outer=60)
REGION = gs.Box([-4.0], [4.0])
TERMS = gs.Guarantee(transform=ROTATION, region=REGION, method=METHOD, alpha=0.05, max_votes=60 * 96, selection_votes=8)
IMAGE = digits(1)[0]


def seen(image, angle):
    return METHOD.filter(apply(ROTATION.stages[0], image, jnp.array([angle])))


def half_space(angles=(-45.0, 45.0)):
    """Class 1 where an image is nearer to what is seen of IMAGE as it is than to what is at two other angles."""
    middle = seen(IMAGE, 0.0)
    way = middle - 0.5 * (seen(IMAGE, angles[0]) + seen(IMAGE, angles[1]))
    offset = jnp.vdot(way, 0.5 * middle + 0.25 * (seen(IMAGE, angles[0]) + seen(IMAGE, angles[1])))

    def model(images):
        value = jnp.einsum("bhwc,hwc->b", images, way) - offset
        return 20.0 * jnp.stack([-value, value], axis=-1)

    return gs.as_classifier(model, IMAGE.shape)


def true_share(model, g):
    """P_b(F(P T_b Q T_g x) = 1): the inner classifier of a half-space is the half-space itself."""
    file = apply(ROTATION, IMAGE, jnp.array([g]))
    b = SIGMA * special.ndtri((np.arange(400) + 0.5) / 400)
    answers = model(jax.vmap(lambda a: seen(file, a))(b.astype(np.float32))).argmax(axis=-1)
    return float(answers.mean())


def test_no_radius_is_above_the_true_one_and_some_are_near_it():
    model = half_space()
    region = gs.Box([-20.0], [20.0])
    angles = np.arange(0.0, 41.0, 2.0)
    lost = [g for g in angles if min(true_share(model, g), true_share(model, -g)) <= 0.5]
    terms = dataclasses.replace(TERMS, region=region, method=dataclasses.replace(METHOD, outer=100), test="fixed")
    terms = dataclasses.replace(terms, max_votes=100 * 128)
    (claim,) = gs.certify_stream(model, [gs.Example(id=0, image=IMAGE, label=1)], terms)
    assert verify(terms, [claim]) == []
    assert claim.predicted == 1
    assert not claim.certified
    assert 0.3 * min(lost) < claim.radius < min(lost)


@pytest.mark.parametrize(
    "spt", [METHOD, dataclasses.replace(METHOD, error="random"), Spt(noise=LAW, error="none", outer=60)]
)
def test_contract(spt):
    wrong = np.flipud(IMAGE).copy()
    examples = [gs.Example(id=i, image=x, label=1) for i, x in enumerate((IMAGE, np.zeros_like(IMAGE), wrong))]
    terms = {"alpha": 0.05, "max_votes": 60 * 96, "selection_votes": 8}
    claims = check_method(spt, model=half_space(), examples=examples, transform=ROTATION, region=REGION, **terms)
    assert claims[0].certified
    assert claims[0].status == spt.status
    assert {"image": "", "random": "random attackers only"}.get(spt.error, "interpolation") in claims[0].note


def test_a_claim_does_not_stand_on_fewer_draws_than_were_made():
    (claim,) = gs.certify_stream(half_space(), [gs.Example(id=0, image=IMAGE, label=1)], TERMS)
    assert claim.certified
    found = claim.hypotheses
    altered = {
        "none left out": found[1:],
        "of another event": (found[0]._replace(event=0), *found[1:]),
        "another level": (found[0]._replace(level=0.01), *found[1:]),
        "one parameter": (found[0]._replace(high=(found[0].high[0] + 1.0,)), *found[1:]),
        "no error of 0": (found[0]._replace(threshold=0.4), *found[1:]),
        "inner votes": (found[0]._replace(votes=97, successes=97), *found[1:]),
    }
    for message, hypotheses in altered.items():
        faults = verify(TERMS, [dataclasses.replace(claim, hypotheses=hypotheses)])
        assert any(message in fault for fault in faults), (message, faults)


def test_draws_of_their_own_choose_the_class():
    method_draws = METHOD._draws(gs.Example(id=3, image=IMAGE), TERMS)
    nodes = method_draws.nodes(0, 60)
    assert [n.number for n in nodes] == list(range(32))
    chosen = method_draws.centres()
    assert not any((c == n.centre).all() for c in chosen for n in nodes)
    z = np.array([n.at[0] for n in nodes])
    assert abs(z.std() - SIGMA) < 0.5 * SIGMA
    np.testing.assert_allclose(nodes[5].centre, seen(IMAGE, nodes[5].at[0]), atol=1e-5)


@pytest.mark.parametrize("test", ["sequential", "fixed"])
def test_false_claims_are_rare_in_the_worst_case(monkeypatch, test):
    # P(R) is what the claim needs, and no more; without R an inner test may only just not pass.
    alpha, inner, outer, runs = 0.1, 40, 40, 2000
    spt = Spt(noise=LAW, inner=0.3, outer=outer)
    terms = gs.Guarantee(
        transform=ROTATION,
        region=REGION,
        method=spt,
        alpha=alpha,
        max_votes=outer * inner,
        selection_votes=1,
        test=test,
    )
    rng, sure, bears = np.random.default_rng(0), special.ndtr(REGION.size / SIGMA), spt._bears(0.1)
    monkeypatch.setattr(draws.Draws, "centres", lambda self: [None] * 16)

    def nodes(self, start, count):
        del self
        holds = rng.uniform(size=min(count, 32)) < sure
        return [draws.Node(start + i, (0.0,), 0.1, 1.0 if r else bears) for i, r in enumerate(holds)]

    monkeypatch.setattr(draws.Draws, "nodes", nodes)
    tests, certified = Tests(terms), 0
    for _ in range(runs):
        inquiry, reply = spt.hypotheses(gs.Example(id=0, image=IMAGE, label=1), None, terms, tests), None
        while True:
            try:
                asked = inquiry.send(reply)
            except StopIteration as end:
                found = end.value.hypotheses
                break
            if not isinstance(asked, list):
                reply = [np.array([0, 1, 0])] * 16
                continue
            reply = []
            for poll in asked:
                (h,) = poll.hypotheses
                more = min(terms.block if test == "sequential" else inner, poll.limit - h.votes)
                won = int(rng.binomial(more, float(poll.centre)))
                reply.append((h._replace(votes=h.votes + more, successes=h.successes + won),))
        conclusion = spt.concludes(prover.evidence((0, 1, 0), tuple(found), tests), terms)
        assert not conclusion.faults
        certified += conclusion.certified
    assert certified / runs <= alpha + 5 * np.sqrt(alpha * (1 - alpha) / runs)
    assert certified > 0  # the simulation is near the truth


def test_published_arithmetic_and_what_is_gained_on_it():
    # Fischer et al., section 6: sigma = 10, rho and the inner level together .0079 + .003, alpha .001.
    spt, alpha = Spt(noise=gs.Gaussian(sigma=10.0), error="none"), 0.001
    for votes, degrees in ((50, 10.81), (300, 18.29)):
        p_lower = float(bounds.proportion_lower(votes, votes, alpha))
        published = 10.0 * special.ndtri(p_lower - 0.0079 - 0.003)
        assert published == pytest.approx(degrees, abs=0.005)
        terms = gs.Guarantee(transform=ROTATION, region=gs.Box([-10], [10]), method=spt, alpha=alpha)
        assert spt._radius(p_lower, terms) == pytest.approx(10.0 * special.ndtri(p_lower), rel=1e-6)
        better = 10.0 * (special.ndtri((p_lower - 0.003) / 0.997) - special.ndtri(0.5079))
        assert better > published


def test_the_share_needed_and_the_radius_are_inverse():
    data = Spt(noise=LAW, inner=0.3, error="data", file="f", fingerprint="0", limit=0.2, exceeded=13, draws=1000)
    for spt in (METHOD, data, Spt(noise=LAW, error="none")):
        for size in (0.0, 3.0, 6.0):
            needed = spt.needed(TERMS, size)
            assert spt._radius(needed, TERMS) == pytest.approx(size, abs=1e-6)
    rho = float(bounds.proportion_upper(13, 1000, 0.1 * TERMS.alpha))
    sure = special.ndtr(REGION.size / SIGMA + special.ndtri(0.5 + rho))
    assert data.needed(TERMS, REGION.size) == pytest.approx(0.05 + 0.95 * sure, rel=1e-6)
    assert data.ledger(TERMS) == (
        ("selection", 0.0),
        ("outer", pytest.approx(0.045)),
        ("error file", pytest.approx(0.005)),
    )


def test_an_attack_asks_the_inner_majority():
    vote, model = smoothed_vote(TERMS), half_space()
    keys = jax.random.split(jax.random.key(0), (1, 200))
    events = np.asarray(jax.jit(lambda k: vote(model, k, jnp.asarray(IMAGE)[None]))(keys))
    assert events.shape == (1, 200, 3)
    assert (events.sum(axis=-1) == 1).all()
    assert events[0, :, 1].mean() == pytest.approx(true_share(model, 0.0), abs=0.1)
    plain = Spt(noise=LAW, error="none").smoothed_vote(ROTATION)
    assert not hasattr(plain, "inner")


def test_texts_are_read_back():
    for text in ("spt(inner=0.3, prepare='vignette|low_pass(radius=4)', error='image')", "spt(error='none', outer=50)"):
        found = registry.parse(text, "gaussian(sigma=30)", ROTATION)
        assert registry.describe(found) == text.replace("sigma=30)", "sigma=30.0)")
        assert found.law == "gaussian(sigma=30.0)"
    assert [f.status for f in (METHOD, Spt(noise=LAW, inner=1, error="random"))] == ["proved", "heuristic"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inner": 0.0}, "inner > 0"),
        ({"error": "images"}, "Known: data, image, none, random"),
        ({"error": "none"}, "inner=0"),
        ({"error": "data"}, "Expected a file"),
        ({"file": "errors.json"}, "Expected a file"),
        ({"prepare": "gamma"}, "linear filters"),
        ({"prepare": "low_pas"}, "low_pass"),
        ({"outer": 0}, "outer"),
        ({"noise": gs.Gaussian(sigma=(1.0, 2.0))}, "one law"),
        ({"noise": gs.Uniform(low=-1, high=1)}, "one law"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(METHOD, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": dataclasses.replace(METHOD, outer=5)}, "outer=5 draws can never certify"),
        ({"region": gs.Box([-90], [90])}, "can never certify"),
        ({"max_votes": 59}, "one for each draw"),
        ({"max_votes": 61}, "never show that noise"),
        ({"test": "fixed_two_sided"}, "fixed_two_sided"),
        ({"test": "fixed", "method": dataclasses.replace(METHOD, outer=4)}, "can never certify anything"),
        (
            {
                "method": dataclasses.replace(
                    METHOD, error="data", file="f", fingerprint="0", limit=0.9, exceeded=0, draws=1000
                )
            },
            "bears an error of 0.9",
        ),
    ],
)
def test_budgets_that_can_never_do_are_refused_before_any_work(change, message):
    terms = dataclasses.replace(TERMS, **change)
    with pytest.raises(ValueError, match=message):
        terms.method.check_budget(terms)


def test_transforms_without_a_bound_or_with_a_law_are_refused():
    for text, region, message in (
        ("rotation(interpolation='nearest')", REGION, "states no bound"),
        ("translation", gs.Ball(2, 2), "resolvable"),
        ("brightness", gs.Box([-0.1], [0.1]), "resolvable"),
        ("rotation", gs.Ball(2, 1), "interval"),
    ):
        with pytest.raises(ValueError, match=message):
            gs.Guarantee(transform=transforms.parse(text), region=region, method=METHOD)
    gs.Guarantee(
        transform=transforms.Rotation(interpolation="nearest"),
        region=REGION,
        method=dataclasses.replace(METHOD, error="random"),
    )


def test_errors_out_of_reach_are_said(monkeypatch):
    few = dataclasses.replace(TERMS, max_votes=60 * 8)
    assert "which reach an error of" in METHOD.requirement(TERMS)
    assert "This image's errors" in METHOD.requirement(TERMS, gs.Example(id=0, image=IMAGE))
    monkeypatch.setattr(draws.Draws, "_errors", lambda self, numbers, z: np.full(len(z), 5.0))
    (claim,) = gs.certify_stream(half_space(), [gs.Example(id=0, image=IMAGE, label=1)], few)
    assert "more than the inner votes can reach" in claim.note
    assert claim.statement is None
    assert all(isinstance(h, Hypothesis) and h.votes == 0 for h in claim.hypotheses)
