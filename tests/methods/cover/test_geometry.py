"""Latents of transformed images, against what real numbers give."""

import subprocess
import sys

import numpy as np

from gsmooth_jax import transforms
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry
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


if __name__ == "__main__":
    print(largest_jump())
