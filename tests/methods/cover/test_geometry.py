"""Latents of transformed images, against what real numbers give."""

import subprocess
import sys

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import transforms
from gsmooth_jax.claims import Window
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry
from gsmooth_jax.methods.coverage import covered, overlapping
from gsmooth_jax.smoothing import PixelNoise


def largest_jump():
    """The largest change of an entry between neighbouring float32 angles where a pixel falls on another's column."""
    rng = np.random.default_rng(1)
    image = rng.random((28, 28, 1)).astype(np.float32)
    offsets = np.arange(28) - 13.5
    y, x = (a.ravel() for a in np.meshgrid(offsets, offsets, indexing="ij"))
    radius, angle = np.hypot(y, x)[:, None], np.arctan2(y, x)[:, None]
    with np.errstate(invalid="ignore"):  # columns that no rotation brings a pixel to
        turn = np.arccos(offsets / radius)
    degrees = np.degrees(np.concatenate([angle - turn, angle + turn]).ravel())
    chosen = rng.choice(degrees[np.abs(degrees) < 50], 512, replace=False).astype(np.float32)
    stages = CoverDecomposition.of(transforms.parse("rotation|clip"))
    geometry = Geometry(image, stages, PixelNoise(sigma=0.2), Centres())
    here, beside = (geometry.values(t[:, None])[0] for t in (chosen, np.nextafter(chosen, np.float32(99))))
    return float(np.abs(here - beside).max())


def test_a_pixel_that_falls_on_another_is_read_there_however_the_program_rounds():
    """XLA computes a coordinate in two loops: a whole number less its rounding was read a pixel away.

    In a process of its own, with the optimisations that the tests go without.
    """
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1e-4


@pytest.mark.parametrize("kept", [slice(None), slice(1, 2), slice(2, -1)], ids=["all", "one", "some"])
def test_whole_numbers_that_are_laid_out_anew_have_one_part_each(kept):
    """The ends of parts lie half way, where a transform rounds to the next number: it is not this part's."""
    image = np.random.default_rng(0).random((16, 16, 1)).astype(np.float32)
    geometry = Geometry(image, CoverDecomposition.of(transforms.GlassBlur()), PixelNoise(sigma=0.5), Centres())
    first = geometry.layout(np.zeros(1), np.full(1, 6.0)).parts[kept]
    anew = geometry.finer(first).parts
    values = {v for p in first for v in range(7) if p.low[0] <= v <= p.high[0]}
    assert {v for p in anew for v in range(7) if p.low[0] <= v <= p.high[0]} == values
    windows = [Window(tuple(p.low), tuple(p.high), 1e-3, 0, p.centre_id, p.bounds, p.pairs) for p in anew]
    assert not overlapping(windows)
    assert covered(windows, gs.Box([0.0], [6.0])) == (kept == slice(None))


if __name__ == "__main__":
    print(largest_jump())
