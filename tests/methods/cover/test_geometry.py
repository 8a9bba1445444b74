"""Latents of transformed images, against what real numbers give."""

import numpy as np

from gsmooth_jax import transforms
from gsmooth_jax.methods.cover.geometry import CoverDecomposition, Geometry
from gsmooth_jax.smoothing import PixelNoise


def test_a_pixel_that_falls_on_another_is_read_there_however_the_program_rounds():
    """XLA computes a coordinate in two loops: a whole number less its rounding was read a pixel away."""
    rng = np.random.default_rng(1)
    image = rng.random((28, 28, 1)).astype(np.float32)
    offsets = np.arange(28) - 13.5
    y, x = (a.ravel() for a in np.meshgrid(offsets, offsets, indexing="ij"))
    radius, angle = np.hypot(y, x)[:, None], np.arctan2(y, x)[:, None]
    with np.errstate(invalid="ignore"):  # columns that no rotation brings a pixel to
        turn = np.arccos(offsets / radius)
    degrees = np.degrees(np.concatenate([angle - turn, angle + turn]).ravel())
    chosen = rng.choice(degrees[np.abs(degrees) < 50], 512, replace=False).astype(np.float32)
    geometry = Geometry(image, CoverDecomposition.of(transforms.parse("rotation|clip")), PixelNoise(sigma=0.2))
    here, beside = (geometry.values(t[:, None])[0] for t in (chosen, np.nextafter(chosen, np.float32(99))))
    assert np.abs(here - beside).max() < 1e-4
