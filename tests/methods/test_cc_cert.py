"""``cc_cert``: how often a random parameter changes the answer, against classifiers of which that is known."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax import attacks
from gsmooth_jax.claims import AgainstRandom, Ballot
from gsmooth_jax.estimation import _threefry, keys
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Evidence
from gsmooth_jax.methods.cc_cert import _T, CCCert, chernoff, counted_upper
from gsmooth_jax.methods.random_parameter import DISTANCES, MARGINS, RandomParameter
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import records
from gsmooth_jax.results.verify import verify
from gsmooth_jax.testing import check_method
from gsmooth_jax.transforms import Additive, Brightness, Clip, Contrast, Gamma, GaussianBlur, Rotation, Translation
from tests.known import SHAPE

WIDE = gs.Box([-0.2], [0.2])


def constant(mean, number=0, label=0):
    return gs.Example(id=number, image=np.full(SHAPE, mean, np.float32), label=label)


def terms(method, region=WIDE, transform=None, **given):
    return gs.Guarantee(transform=transform or Brightness(), region=region, method=method, **given)


def draws(transform, region, count=4000, shape=SHAPE, **given):
    """[count, P]: parameters that the method draws."""
    noise = CCCert(**given).vote_over(transform, region).noise
    return np.asarray(jax.vmap(noise.draw, in_axes=(0, None))(jax.random.split(_threefry.key(1), count), shape))


def test_draws_are_uniform_in_the_region():
    box = gs.Box([-0.5, -2.0], [0.25, 1.0])
    xi = draws(Gamma() | Brightness(), box)
    for column, low, high in zip(xi.T, box.low, box.high, strict=True):
        assert stats.kstest(column, stats.uniform(low, high - low).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(xi.T)[0, 1]) < 0.08
    low, high = np.log([0.6, 1.4])
    factor = np.exp(draws(Contrast(), gs.Box([low], [high]), factors=True)[:, 0])
    assert stats.kstest(factor, stats.uniform(0.6, 0.8).cdf).pvalue > 1e-3
    logarithm = draws(Contrast(), gs.Box([low], [high]))[:, 0]
    assert stats.kstest(logarithm, stats.uniform(low, high - low).cdf).pvalue > 1e-3


def test_whole_parameters_and_balls_are_drawn_uniformly():
    moves = draws(Translation(), gs.Box([-1, 0], [2, 1]))
    counts = np.unique(moves, axis=0, return_counts=True)[1]
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-3
    for transform, region, dim in (
        (Brightness() | Contrast(), gs.Ball(0.3, 2), 2),
        (Additive(), gs.Ball(0.3), 16),
    ):
        xi = draws(transform, region)
        assert xi.shape[1] == dim
        assert stats.kstest((np.linalg.norm(xi, axis=1) / 0.3) ** dim, stats.uniform.cdf).pvalue > 1e-3
        assert stats.kstest((xi > 0).mean(axis=0) * 4000, stats.binom(4000, 0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("changes", [0, 3])
def test_the_bound_is_clopper_and_pearsons(classifier, changes):
    """Without a change it is 1 - alpha^(1/n), a little less than ln(1/alpha) / n."""
    n, alpha = 500, 1e-3
    g = terms(CCCert(at_most=0.05), test="fixed", max_votes=n, alpha=alpha)
    (claim,) = gs.certify_stream(classifier, [constant(0.2)], g)
    (h,) = claim.hypotheses
    assert (h.successes, h.votes, claim.votes) == (n, n, n)
    found = dataclasses.replace(claim, hypotheses=(h._replace(successes=n - changes),))
    evidence = Evidence((), found.hypotheses, (), Tests(g).lower)
    said = g.method.concludes(evidence, g).statement
    assert said.at_most == pytest.approx(stats.beta.ppf(1 - alpha, changes + 1, n - changes), rel=1e-9)
    if not changes:
        assert claim.statement == said
        assert said.at_most == pytest.approx(1 - alpha ** (1 / n), rel=1e-9)
        assert 0.99 * math.log(1 / alpha) / n < said.at_most < math.log(1 / alpha) / n
    assert (claim.predicted, claim.certified, claim.status, claim.assumes, claim.radius) == (0, True, "proved", (), 0.0)


@pytest.mark.parametrize("test", ["fixed", "sequential"])
def test_false_claims_are_as_rare_as_alpha_says(classifier, test):
    """Brightness within 0.2 changes the answer of an image of 0.32 with a probability of 0.05."""
    alpha, images = 0.1, 400
    for rare in (0.048, 0.1):
        g = terms(CCCert(at_most=rare), test=test, max_votes=2000, alpha=alpha, block=50)
        claims = list(gs.certify_stream(classifier, [constant(0.32, i) for i in range(images)], g))
        wrong = sum(c.statement.at_most < 0.05 - 1e-6 for c in claims)
        assert wrong <= alpha * images + 5 * np.sqrt(images * alpha * (1 - alpha))
        certified = sum(c.certified for c in claims)
        assert certified > 0.9 * images if rare > 0.05 else certified <= wrong
        assert verify(g, claims) == []
    # And the bound is no larger than it has to be.
    if test == "fixed":
        assert np.mean([c.statement.at_most for c in claims]) < 0.06


@pytest.fixture(scope="module")
def soft():
    """Of three classes, with probabilities that move with the mean."""

    def logits(images):
        mean = images.mean(axis=(1, 2, 3))
        return jnp.stack([2.0 - 6.0 * mean, 6.0 * mean - 2.0, jnp.zeros_like(mean)], axis=-1)

    return gs.as_classifier(logits, SHAPE)


def published(distances, margin):
    """Algorithm 1 as the paper has it, of distances [k, n] and half the margin; in logarithms: nothing overflows."""
    exponents = _T[:, None, None] * (distances - margin)[None]
    top = exponents.max(axis=-1, keepdims=True)
    means = np.log(np.exp(exponents - top).mean(axis=-1)) + top[..., 0]
    return math.exp(min(means.min(axis=0).max() - math.log(0.9), 0.0))


def test_the_estimate_is_the_published_arithmetic(soft):
    region, batches, n = gs.Box([-0.1], [0.12]), 5, 40
    g = terms(CCCert(bound="chernoff", at_most=0.5), region, test="fixed", max_votes=batches * n, block=n, seed=3)
    examples = [constant(mean, 7 + i) for i, mean in enumerate((0.05, 0.15, 0.2, 0.25, 0.6, 0.8))]
    sharp = sometimes = 0
    for example, claim in zip(examples, gs.certify_stream(soft, examples, g), strict=True):
        stream = keys.phase_key(_threefry.key(3), jnp.uint32(example.id), jnp.uint32(0), jnp.uint32(keys.ESTIMATE))
        each = jax.vmap(keys.sample_key, in_axes=(None, 0))(stream, jnp.arange(batches * n))
        noise = g.method.vote_over(g.transform, region).noise
        xi = np.asarray(jax.vmap(noise.draw, in_axes=(0, None))(each, SHAPE))[:, 0]
        p, own = (
            np.asarray(jax.nn.softmax(soft(images)))
            for images in (example.image + xi[:, None, None, None].astype(np.float32), example.image[None])
        )
        z = np.abs(p - own).max(axis=1).reshape(batches, n)
        margin = 0.5 * np.diff(np.sort(own[0])[-2:])[0]
        rounded = published(np.ceil(z * 1024) / 1024, np.floor(margin * 1024) / 1024)
        assert claim.statement.answer == own[0].argmax()
        changes = int((p.argmax(axis=1) != own[0].argmax()).sum())
        exact = stats.beta.ppf(1 - g.alpha, changes + 1, batches * n - changes)
        assert counted_upper(claim, g) == pytest.approx(exact, rel=1e-9)
        sometimes += changes > 0
        assert claim.statement.at_most == pytest.approx(max(rounded, 2.3e-308), rel=1e-9)
        assert published(z, margin) <= claim.statement.at_most
        assert claim.certified == (claim.statement.at_most < 0.5)
        sharp += 1e-300 < claim.statement.at_most < 1
        assert verify(g, [claim]) == []
        ((line, _),) = records.lines_of(records.to_record(claim))
        assert records.from_line(line) == claim
    assert sharp >= 2
    assert sometimes >= 1


def test_what_the_estimate_assumes_is_in_the_record(soft):
    g = terms(CCCert(bound="chernoff"), test="fixed", max_votes=1000, block=100)
    (claim,) = gs.certify_stream(soft, [constant(0.1)], g)
    (assumed,) = claim.assumes
    # 1 - (1 + n (1 - 0.9)^2 / v^2)^-k at v = 1.002 is 0.999.
    assert "probability 0.4988" in assumed
    assert "1.002 at most" in assumed
    assert (claim.status, claim.alpha) == ("statistical", 1e-3)
    assert any("assumes" in fault for fault in verify(g, [dataclasses.replace(claim, assumes=())]))


def seldom(share):
    """Surely class 1 in the uppermost ``share`` of the means that brightness makes of 0.2, else surely class 0."""

    def logits(images):
        far = images.mean(axis=(1, 2, 3)) > 0.4 - 0.4 * share
        return jnp.where(far[:, None], jnp.float32([-8.0, 8.0]), jnp.float32([8.0, -8.0]))

    return gs.as_classifier(logits, SHAPE)


def test_the_estimate_is_false_of_a_classifier_that_jumps():
    """A change of probability 0.002 is not seen in 1,000 draws of 13 images in 100, and then put below 1e-10."""
    share, n, images = 0.002, 1000, 300
    examples = [constant(0.2, number) for number in range(images)]
    g = terms(CCCert(bound="chernoff", at_most=1e-10), test="fixed", max_votes=n, block=100)
    claims = list(gs.certify_stream(seldom(share), examples, g))
    false = sum(c.certified for c in claims)
    expected = images * (1 - share) ** n
    assert abs(false - expected) < 5 * np.sqrt(expected)
    assert false > 20 * g.alpha * images
    assert {c.status for c in claims} == {"statistical"}
    # The same draws, counted, are right.
    counted = terms(CCCert(at_most=0.01), test="fixed", max_votes=n)
    assert min(c.statement.at_most for c in gs.certify_stream(seldom(share), examples, counted)) > share


def test_a_draw_counts_in_one_step_alone():
    distances = np.zeros((2, DISTANCES), int)
    distances[:, 0] = 10
    assert chernoff(distances, 512) < 1e-300
    distances[0, 0], distances[0, 511] = 9, 1  # one of ten a step below the margin
    least = min(0.9 * math.exp(-t * 0.5) + 0.1 * math.exp(-t / 1024) for t in _T)
    assert chernoff(distances, 512) == pytest.approx(least / 0.9, rel=1e-9)
    distances[0, 0], distances[0, 511], distances[0, 512] = 9, 0, 1  # and one at it: nothing is below its share
    assert chernoff(distances, 512) == pytest.approx(0.1 / 0.9, rel=1e-9)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        (CCCert(at_most=0.02), {"max_votes": 2000}),
        (CCCert(at_most=0.02), {"max_votes": 500, "test": "fixed"}),
        (CCCert(bound="chernoff", at_most=1e-10), {"max_votes": 200, "test": "fixed", "block": 50}),
    ],
    ids=["sequential", "fixed", "chernoff"],
)
def test_it_keeps_what_all_methods_promise(soft, method, given):
    examples = [constant(mean, 3 * i) for i, mean in enumerate((0.05, 0.12, 0.3, 0.34, 0.8))]
    region = gs.Box([-0.02], [0.02]) if method.bound == "chernoff" else WIDE
    claims = check_method(method, model=soft, examples=examples, transform=Brightness(), region=region, **given)
    assert {c.status for c in claims} == {method.status}


def test_altered_counts_are_found(soft):
    g = terms(CCCert(bound="chernoff", at_most=1e-10), gs.Box([-0.02], [0.02]), test="fixed", max_votes=200, block=50)
    (claim,) = gs.certify_stream(soft, [constant(0.05)], g)
    assert claim.certified
    margin, *others = claim.ballots
    assert margin.event < MARGINS
    short = [b._replace(successes=b.successes[:-1]) for b in claim.ballots]
    answer = others[-1]
    fewer = others[0]._replace(successes=(others[0].successes[0] - 1, *others[0].successes[1:]))
    for ballots in (
        others,
        short,
        [margin, *others, answer._replace(event=answer.event + 1)],
        [margin._replace(event=5), *others],
        [margin, margin._replace(event=5), *others],
        [margin, fewer, *others[1:]],
        [*claim.ballots, Ballot(0, MARGINS + DISTANCES, (1, 0, 0, 0))],
        [*claim.ballots, Ballot(1, 3, (50,) * 4)],
        [b._replace(centre_id=1) for b in claim.ballots],
    ):
        assert verify(g, [dataclasses.replace(claim, ballots=tuple(ballots))]), ballots


def test_logits_that_are_not_finite_count_against_the_claim():
    def sometimes(images):
        mean = images.mean(axis=(1, 2, 3))
        logits = jnp.stack([0.5 - mean, mean - 0.5], axis=-1)
        return jnp.where(mean[:, None] > 0.3, jnp.nan, 40.0 * logits)

    model = gs.as_classifier(sometimes, SHAPE)
    counted = terms(CCCert(at_most=0.2), test="fixed", max_votes=400)
    estimated = terms(CCCert(bound="chernoff", at_most=0.2), test="fixed", max_votes=400)
    for g in (counted, estimated):
        fine, touched, none = gs.certify_stream(model, [constant(0.05), constant(0.2, 1), constant(0.35, 2)], g)
        assert (fine.certified, touched.certified, none.certified) == (True, False, False)
        assert touched.statement.at_most > 0.24  # the share of draws that reach 0.3 is 0.25
        assert none.statement is None
        assert verify(g, [fine, touched, none]) == []
    # As many as counting them directly says, since the draws are the same.
    (directly,) = gs.certify_stream(model, [constant(0.2, 1)], counted)
    assert counted_upper(touched, estimated) == pytest.approx(directly.statement.at_most, rel=1e-9)


def test_a_chosen_parameter_contradicts_no_claim_and_too_many_random_ones_do(classifier):
    """Of 0.31, one draw in 40 changes the answer, and the worst parameter does."""
    g = terms(CCCert(at_most=0.1), max_votes=2000)
    example = constant(0.31)
    (claim,) = gs.certify_stream(classifier, [example], g)
    assert claim.certified
    for attack in (attacks.Grid(tries=21), attacks.Random(tries=400)):
        (outcome,) = attacks.attack_stream(classifier, [(example, claim)], g, attack)
        assert (outcome.changed_answer, outcome.random_only, outcome.broke_claim) == (True, True, False)
    forged = dataclasses.replace(claim, statement=AgainstRandom(0, 1e-3))
    (outcome,) = attacks.attack_stream(classifier, [(example, forged)], g, attacks.Random(tries=2000))
    assert outcome.broke_claim
    (outcome,) = attacks.attack_stream(classifier, [(example, forged)], g, attacks.Grid(tries=2000))
    assert not outcome.broke_claim


def test_attacks_draw_as_the_claim_does():
    """So that the number of changes among their draws has the claim's probability."""
    low, high = np.log([0.25, 4.0])
    region = gs.Box([low], [high])
    space = attacks.target.Space.of(Contrast(), region, SHAPE, factors=True)
    drawn = np.exp(space.uniform(np.random.default_rng(0), 4000)[:, 0])
    assert stats.kstest(drawn, stats.uniform(0.25, 3.75).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        (CCCert(), {"max_votes": 500, "test": "fixed"}, "expected max_votes >= 688"),
        (CCCert(at_most=1e-4), {}, "can never show a change"),
        (CCCert(at_most=1e-12), {}, "at_most >= 2"),
        (CCCert(), {"test": "fixed_two_sided"}, "sequential or fixed"),
        (CCCert(bound="chernoff"), {}, "looks once"),
        (CCCert(bound="chernoff"), {"test": "fixed", "max_votes": 150}, "multiple of block"),
    ],
)
def test_budgets_that_cannot_do(method, given, message, classifier):
    with pytest.raises(ValueError, match=message):
        list(gs.certify_stream(classifier, [constant(0.2)], terms(method, **given)))


@pytest.mark.parametrize(
    ("transform", "region", "message"),
    [
        (Translation(), gs.Ball(2.0, 2), "uniformly from"),
        (Translation(), gs.Box([-1.5, 0], [1, 0]), "whole numbers"),
        (GaussianBlur(), gs.Ball(2.0, 1), r"in \[0"),
        (Additive(), gs.Box([-1], [1]), "takes a ball"),
        (Rotation() | Clip(), gs.Box([-1, -1], [1, 1]), "box of 1 parameters"),
    ],
)
def test_regions_that_it_cannot_draw_from(transform, region, message):
    with pytest.raises(ValueError, match=message):
        terms(CCCert(), region, transform)


@pytest.mark.parametrize("given", [{"bound": "hoeffding"}, {"at_most": 0.0}, {"factors": 1}])
def test_bad_options(given):
    with pytest.raises(ValueError, match=r"Known: chernoff, counted|xpected"):
        CCCert(**given)


def test_it_takes_no_law_and_every_transform(classifier):
    text = registry.describe(CCCert(bound="chernoff", factors=True))
    assert registry.parse(text, "", Rotation() | Contrast()) == CCCert(bound="chernoff", factors=True)
    with pytest.raises(ValueError, match="does not take"):
        registry.choose("cc_cert", gs.PixelNoise(sigma=0.1), Rotation())
    claims = gs.certify(
        classifier,
        np.full((1, *SHAPE), 0.2, np.float32),
        transform=Rotation() | Contrast() | Clip(),
        region=gs.Box([-10, -0.2], [10, 0.2]),
        method=CCCert(at_most=0.05),
    )
    assert claims[0].certified
    assert isinstance(CCCert().vote_over(Rotation(), gs.Box([-1], [1])).noise, RandomParameter)
