"""What the smoothed classifier answers: against known probabilities, SciPy's test, and the claims that are about it."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax.methods.smoothed import _answer
from gsmooth_jax.transforms import Brightness, Quantize, Rotation
from tests.known import SHAPE, by_mean

NOISE = gs.PixelNoise(sigma=0.2)  # of the mean of 16 pixels: 0.05


def constants(*means):
    return np.stack([np.full(SHAPE, mean, np.float32) for mean in means])


def test_it_answers_what_is_most_probable():
    means = np.array([0.05, 0.3, 0.48, 0.52, 0.7, 0.95])
    for smoothed in (gs.Smoothed(by_mean, NOISE), gs.Smoothed(by_mean, gs.Gaussian(sigma=0.05), Brightness())):
        assert smoothed.predict(constants(*means), votes=4000).tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    "smoothed", [gs.Smoothed(by_mean, NOISE), gs.Smoothed(by_mean, gs.Uniform(low=-0.2, high=0.2), Brightness())]
)
def test_where_two_classes_are_equally_probable_it_answers_as_rarely_as_alpha_says(smoothed):
    n, alpha = 400, 0.05
    answers = smoothed.predict(constants(*[0.5] * n), votes=99, alpha=alpha)
    wrong = (answers != gs.ABSTAIN).sum()
    assert wrong <= alpha * n + 5 * (n * alpha * (1 - alpha)) ** 0.5
    assert wrong > 0  # at 99 votes the test's level is 0.043, so it is not merely cautious


def test_it_answers_as_often_as_the_binomial_law_says():
    n, votes, alpha = 300, 200, 1e-3
    p = stats.norm.cdf(0.5)  # the mean is half a standard deviation from the boundary
    answers = gs.Smoothed(by_mean, NOISE).predict(constants(*[0.525] * n), votes=votes, alpha=alpha)
    enough = next(k for k in range(votes + 1) if 2 * k > votes and stats.binomtest(k, votes).pvalue <= alpha)
    power = stats.binom.sf(enough - 1, votes, p)
    assert set(answers.tolist()) <= {1, gs.ABSTAIN}
    assert abs((answers == 1).mean() - power) < 4 * (power * (1 - power) / n) ** 0.5


def test_the_test_is_the_binomial_one():
    for top in range(60):
        for second in range(top + 1):
            for alpha in (0.05, 1e-3):
                sure = top + second > 0 and top > second and stats.binomtest(top, top + second).pvalue <= alpha
                assert _answer(np.array([second, 0, top, 0]), alpha) == (2 if sure else gs.ABSTAIN)


def test_draws_without_an_answer_are_no_class():
    assert _answer(np.array([10, 0, 90]), 0.05) == gs.ABSTAIN
    assert _answer(np.array([55, 0, 45]), 0.05) == gs.ABSTAIN
    assert _answer(np.array([90, 0, 10]), 0.05) == 0

    def broken(images):
        return jnp.full((len(images), 2), jnp.nan)

    assert gs.Smoothed(broken, NOISE).predict(constants(0.2)).tolist() == [gs.ABSTAIN]


def test_it_is_what_claims_are_about():
    images = constants(0.1, 0.3, 0.62, 0.9)
    for law in (NOISE, gs.Gaussian(sigma=0.2)):
        claims = gs.certify(by_mean, images, transform=Brightness(), region=gs.Box([-0.05], [0.05]), law=law)
        answers = gs.Smoothed(by_mean, law, Brightness()).predict(images)
        assert [c.predicted for c in claims] == answers.tolist() == [0, 0, 1, 1]


def test_what_a_transform_does_without_its_parameters_is_done_before_the_noise():
    """In two levels 0.45 is 0, and 0.55 is 1: far from the boundary. As they are, both are too near it."""
    images, tiny = constants(0.45, 0.55), gs.PixelNoise(sigma=0.4)
    few = {"votes": 30, "alpha": 1e-6}
    assert gs.Smoothed(by_mean, tiny).predict(images, **few).tolist() == [gs.ABSTAIN] * 2
    assert gs.Smoothed(by_mean, tiny, Rotation() | Quantize(bits=1)).predict(images, **few).tolist() == [0, 1]


def test_an_answer_depends_on_seed_and_id_alone():
    images = constants(*np.linspace(0.46, 0.54, 24))
    smoothed = gs.Smoothed(by_mean, NOISE)
    answers = smoothed.predict(images, votes=130)
    one = gs.Smoothed(by_mean, NOISE, execution=gs.Execution(devices=1, rows=2)).predict(images, votes=130)
    half = smoothed.predict(images[::2], votes=130, ids=range(0, 24, 2))
    assert answers.tolist() == one.tolist()
    assert answers[::2].tolist() == half.tolist()
    others = [gs.Smoothed(by_mean, NOISE, seed=s).predict(images, votes=130).tolist() for s in (1, 2, 3)]
    assert any(other != answers.tolist() for other in others)


def test_a_vote_is_none_that_a_claim_has_counted():
    from gsmooth_jax.estimation import keys

    phases = [value for name, value in vars(keys).items() if name.isupper()]
    assert len(set(phases)) == len(phases) == 6


def test_another_sigma_compiles_nothing():
    from gsmooth_jax.engine.kernels import vote_kernel

    classifier = gs.as_classifier(by_mean, SHAPE)
    gs.Smoothed(classifier, NOISE).predict(constants(0.2), votes=64)
    before = vote_kernel._cache_size()
    gs.Smoothed(classifier, gs.PixelNoise(sigma=0.3)).predict(constants(0.2, 0.3), votes=640)
    assert vote_kernel._cache_size() == before


def test_no_images():
    assert gs.Smoothed(by_mean, NOISE).predict(np.zeros((0, *SHAPE), np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gs.Smoothed(by_mean, gs.Gaussian(sigma=0.2)), "Expected a transform, of which the law draws"),
        (lambda: gs.Smoothed(by_mean, gs.Gaussian(sigma=0.2), Rotation()), "no exact composition law|rotation"),
        (lambda: gs.Smoothed(by_mean, NOISE, seed=-1), "seed"),
        (lambda: gs.Smoothed(by_mean, NOISE).predict(constants(0.2), votes=0), "votes"),
        (lambda: gs.Smoothed(by_mean, NOISE).predict(constants(0.2), alpha=1.0), "alpha"),
        (lambda: gs.Smoothed(by_mean, NOISE).predict(constants(0.2), ids=[1, 2]), "Expected 1 integer ids"),
        (lambda: gs.Smoothed(by_mean, NOISE).predict(constants(2.0)), r"\[0, 1\]"),
        (lambda: gs.Smoothed(by_mean, NOISE).predict(constants(0.2).astype(np.float64)), "float32"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_noise_or_law():
    with pytest.raises((TypeError, ValueError), match="law"):
        gs.Smoothed(by_mean, 0.25)
