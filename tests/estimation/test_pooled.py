"""Evidence from votes at several centres: never more than its due under the null hypothesis, and worth its votes."""

import itertools
import math

import numpy as np
import pytest

from gsmooth_jax.claims import Ballot, Window
from gsmooth_jax.estimation import pooled
from gsmooth_jax.methods.pool import Pool


@pytest.mark.parametrize("bounds", [(0.6,), (0.52, 0.8), (0.7, 0.7)])
@pytest.mark.parametrize("spread", [0.0, 0.15, 0.3])
def test_no_alternative_gains_under_the_null_hypothesis(bounds, spread):
    """The expectation of each alternative's ratio, over all outcomes of a layer, where a pair's mean is its bound."""
    chances = [min(q + sign * spread, 1.0) for q in bounds for sign in (1, -1)]
    expected = np.zeros(len(pooled._ALTERNATIVES))
    for votes in itertools.product((0, 1), repeat=len(chances)):
        probability = math.prod(p if vote else 1 - p for p, vote in zip(chances, votes, strict=True))
        won = np.array(votes).reshape(-1, 2).sum(axis=1)
        expected += probability * np.exp(pooled.Bets.against(np.array(bounds)).gains(won, 2 - won))
    assert (expected <= 1.0 + 1e-9).all()
    if spread == 0.0:
        np.testing.assert_allclose(expected, 1.0)


def test_the_prior_is_a_law():
    assert np.exp(pooled._PRIOR).sum() == pytest.approx(1.0)
    assert ((pooled._ALTERNATIVES > 0.5) & (pooled._ALTERNATIVES < 1.0)).all()
    assert pooled.log_e_values(np.zeros(2), np.zeros(2), pooled.Bets.against(np.array([0.6, 0.7]))) == pytest.approx(
        0.0
    )


@pytest.mark.parametrize("chances", [(0.55, 0.65), (0.2, 1.0), (0.6, 0.6)])
def test_windows_pass_by_mistake_as_rarely_as_their_level_says(chances):
    """Whenever one looks: 60 layers of two pairs with means of exactly their bounds, 0.6 each."""
    rng, level, count = np.random.default_rng(0), 0.05, 5000
    windows = [Window((0.0,), (1.0,), level, 1, 4 * i, (0.6, 0.6), ((0, 1), (2, 3))) for i in range(count)]
    won = rng.random((count, 4, 60)) < np.array(chances * 2)[:, None]
    ballots = [Ballot(i, 1, tuple(row)) for i, row in enumerate(won.reshape(-1, 60).astype(int).tolist())]
    pool = Pool(windows, 1)
    pool.look(*pool.table(ballots))
    passed = int(pool.passed.sum())
    assert passed <= level * count + 4 * math.sqrt(count * level * (1 - level))


def test_a_window_passes_at_the_layer_at_which_it_had_enough():
    window = Window((0.0,), (1.0,), 1e-3, 1, 5, (0.6, 0.75), ((0, 1), (-1, 2)))
    enough = [Ballot(4 + i, 1, (1,) * 6) for i in range(4)]

    def verdict(ballots, windows=(window,)):
        pool = Pool(windows, 1)
        pool.look(*pool.table(ballots))
        return pool.passed.tolist(), pool.layers.tolist()

    (yes,), (layers,) = verdict(enough)
    assert yes
    assert layers == 5  # 2 log(1 / 0.6) + 2 log(1 / 0.75) a layer, log(1000) and the prior to be paid
    # What comes later changes nothing; a vote less at any of the centres leaves one layer less.
    assert verdict([b._replace(successes=b.successes + (0,) * 30) for b in enough]) == ([True], [5])
    short = [b._replace(successes=b.successes[:4]) if b.centre_id == 7 else b for b in enough]
    assert verdict(short) == ([False], [4])
    # Votes for another event, or at other centres, are none.
    assert verdict([b._replace(event=2) for b in enough]) == ([False], [0])
    assert verdict([b._replace(centre_id=b.centre_id + 1) for b in enough]) == ([False], [0])
    assert verdict(enough, [window._replace(level=0.0)])[0] == [False]
    assert verdict([], []) == ([], [])


def test_a_centre_that_stands_alone_votes_once():
    alone = Window((0.0,), (0.0,), 1e-3, 1, 0, (0.55,), ((0, 0),))
    pool = Pool([alone], 1)
    assert pool.counts.tolist() == [[1]]
    pool.look(*pool.table([Ballot(0, 1, (1,) * 30)]))
    assert pool.passed.all()
    assert (pool.votes.tolist(), pool.layers.tolist()) == ([[13]], [13])


def test_what_a_layer_adds_is_what_the_evidence_grows_by():
    counts, bets, share = np.array([2, 2]), pooled.Bets.against(np.array([0.6, 0.75])), 0.999
    grown = pooled.growth(share, counts, bets)
    layers = 4000
    wins = np.round(share * counts * layers)
    assert pooled.log_e_values(wins, counts * layers, bets) / layers == pytest.approx(float(grown), rel=1e-3)
    assert pooled.growth(0.58, counts, bets) == 0.0  # there is no bet that would gain
