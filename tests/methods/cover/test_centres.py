"""Centres come back to the bit, from memory and from a file."""

import io

import numpy as np
import pytest

from gsmooth_jax.methods.cover import centres as module
from gsmooth_jax.methods.cover.centres import Centres


@pytest.mark.parametrize("held", [0, 3 * 4 * 6, 1 << 20])
def test_latents_come_back_to_the_bit(held, monkeypatch):
    monkeypatch.setattr(module, "_HELD", held)
    latents = np.random.default_rng(0).normal(size=(20, 3, 2)).astype(np.float32)
    centres = Centres()
    for start, stop in ((0, 1), (1, 5), (5, 5), (5, 20)):
        centres.add(latents[start:stop])
        assert len(centres) == stop
        for number in reversed(range(stop)):
            assert centres[number].tobytes() == latents[number].tobytes()
    assert isinstance(centres._file, io.BytesIO) == (held == 1 << 20)
    assert centres.nbytes_each == 24
    for number in (-1, 20):
        with pytest.raises(IndexError, match="below 20"):
            centres[number]
    centres.close()


def test_what_is_returned_is_a_copy():
    centres = Centres()
    latents = np.zeros((2, 3), np.float32)
    centres.add(latents)
    first = centres[0]
    latents[:] = 1.0
    centres.add(latents)
    assert not first.any()
    assert not centres[0].any()
    assert centres[3].all()
