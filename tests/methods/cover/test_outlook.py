"""What is said of a claim before the work is near to what it takes."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.methods.cover import outlook
from gsmooth_jax.transforms import Brightness, Clip, Pixelate
from tests.known import SHAPE

IMAGE = gs.Example(id=0, image=np.full(SHAPE, 0.05, np.float32), label=0)


def terms(transform, low, high, **changes):
    method = gs.Cover(noise=gs.PixelNoise(sigma=0.2))
    return gs.Guarantee(transform=transform, region=gs.Box(low, high), method=method, **changes)


def test_of_a_path_whose_length_is_known(classifier):
    guarantee = terms(Brightness(), [-0.2], [0.2])
    text = guarantee.method.requirement(guarantee, IMAGE)
    length, images, centres, votes = (
        int(re.search(rf"([\d,]+) {what}", text)[1].replace(",", ""))
        for what in ("standard deviations", "transformed images", "smoothing", "votes if they agree")
    )
    assert length == round(0.4 / 0.2 * np.sqrt(np.prod(SHAPE)))
    assert images >= length / 0.12
    assert centres == pytest.approx(2 * (length + 4.5), abs=2)
    (claim,) = gs.certify_stream(classifier, [IMAGE], guarantee)
    assert claim.certified
    assert claim.votes == pytest.approx(votes, rel=0.4)


def test_of_values():
    values = terms(Pixelate(), [0.0], [0.5])
    assert "standard deviations" not in values.method.requirement(values, IMAGE)
    assert "transformed images" in values.method.requirement(values, IMAGE)
    assert "The first image" not in values.method.requirement(values)


def test_an_image_that_jumps_is_said_to(monkeypatch):
    monkeypatch.setattr(Brightness, "lipschitz_upper", lambda *given: jnp.full(1, jnp.inf))
    jumps = terms(Brightness() | Clip(high=0.5), [-0.2], [0.2])  # of which nothing is compiled yet
    assert "The first image cannot be certified: it jumps under" in jumps.method.requirement(jumps, IMAGE)


def test_a_path_that_has_no_room_is_refused_with_the_numbers(monkeypatch):
    guarantee = terms(Brightness(), [-0.2], [0.2])
    monkeypatch.setattr(outlook, "_free", lambda: 1e3)
    with pytest.raises(MemoryError, match=r"takes about .* GiB at a time, and 0\.0 GiB are free"):
        guarantee.method.requirement(guarantee, IMAGE)


def test_memory_is_free_as_the_system_says(monkeypatch):
    monkeypatch.setattr(outlook.Path, "read_text", lambda path: "MemTotal: 9 kB\nMemAvailable:    5 kB\n")
    assert outlook._free() == 5 * 1024
    monkeypatch.setattr(outlook.Path, "read_text", lambda path: "MemTotal: 9 kB\n")
    assert outlook._free() == np.inf
