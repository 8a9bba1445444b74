"""Whose time it was: a slow neighbour costs an image nothing."""

import types

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.engine import scheduler
from gsmooth_jax.engine.scheduler import Request, run
from gsmooth_jax.estimation.votes import Draws


class Clock:
    """A clock that moves only when told."""

    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(scheduler, "time", types.SimpleNamespace(perf_counter=clock.perf_counter))
    return clock


def prover(clock, image_id, blocks, thinking):
    """Thinks, and then asks for so many blocks, all at once; no more can be guessed."""
    clock.now += thinking
    (_,) = yield [Request(Draws(np.zeros(1), image_id, 0, 1, 0, blocks), blocks)]
    clock.now += thinking
    return image_id


def test_an_image_pays_for_its_rows_and_its_thoughts(clock):
    sizes = []

    def count(blocks):
        sizes.append(len(blocks))

        def wait():
            clock.now += 12.0
            return np.zeros((len(blocks), 2))

        return wait

    provers = [prover(clock, 0, 1, 0.0), prover(clock, 1, 3, 5.0), prover(clock, 2, 4, 0.0)]
    taken = dict(run(provers, count, rows=4, block=1, in_flight=1, timed=lambda image, s: (image, s)))
    assert sizes == [4, 4]
    # A batch takes 12 s, a quarter of it for each row.
    assert taken == {0: 3.0, 1: 9.0 + 2 * 5.0, 2: 12.0}


def test_claims_carry_it_and_it_is_less_than_the_whole(classifier, examples, guarantee):
    claims = list(gs.certify_stream(classifier, examples, guarantee, gs.Execution(devices=1, rows=4)))
    assert all(0.0 < c.own_seconds <= c.seconds + 1e-3 for c in claims)
    assert claims[0] == claims[0].__class__(**vars(claims[0]) | {"own_seconds": None})  # no part of what is claimed
