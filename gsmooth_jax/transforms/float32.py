"""What float32 arithmetic may do to a result: what the ``float32_upper`` of transforms is made of. Host.

Model: an operation errs by half the distance of the float32 numbers around its result, at most, so by ``UNIT`` of it;
sums are taken in any order. Division is rounded like any operation on CPUs; elsewhere it is right within two units in
the last place, as CUDA's ``div.full``. Elementary functions are right within the units that are named here: on CPUs
they were measured to be (``tests/transforms/test_float32.py``), for GPUs CUDA's documentation says so. Products of
roundings are covered by ``MARGIN``. (Higham 2002, sections 2.2 and 3.1; proofs: THEORY J13.)
"""

import math

import jax
import numpy as np

from gsmooth_jax.types import Computed

UNIT = 2.0**-24
"""Largest relative error of an operation."""

MARGIN = 1.01
"""What products of roundings may add to their sum, where there are fewer than 10^5 of them."""

SINE = 4 * UNIT
"""Relative error of sine and cosine: two units in the last place."""

EXPONENTIAL = 8 * UNIT
"""Of exponentials and powers: four units."""

EXPM1 = 16 * UNIT
"""Of e^x - 1: eight units."""


def division(*, constant: bool = False) -> float:
    """Relative error of a division here; one by a constant may be made a product with its rounded inverse."""
    if jax.default_backend() != "cpu":
        return 4 * UNIT
    return 2 * UNIT if constant else UNIT


def half_ulp(values: np.ndarray | float) -> np.ndarray:
    """Bounds the rounding of results whose absolute values are at most these."""
    exponent = np.floor(np.log2(np.maximum(np.abs(values), 2.0**-126)))
    return UNIT * 2.0**exponent


def constant(value: float) -> float:
    """Relative error of a constant as float32 holds it."""
    return abs(float(np.float32(value)) / value - 1.0) if value else 0.0


def product(terms: int, absolute: float, signed: float) -> float:
    """Bounds the L2 error of products of a matrix and vectors.

    A sum of ``terms`` products a_i b_i, taken in any order, has partial sums between the sums of its negative and of
    its positive terms: none exceeds (sum |a_i b_i| + |sum a_i b_i|) / 2. So with one rounding a product and a sum it is
    wrong by UNIT (sum |a_i b_i| + (terms - 1) (sum |a_i b_i| + |sum a_i b_i|) / 2) at most.

    Args:
      terms: of each sum; those that are 0 need not be counted.
      absolute: bounds the L2 norm of the results of absolute values.
      signed: bounds the L2 norm of the results.
    """
    return MARGIN * UNIT * 0.5 * ((terms + 1) * absolute + (terms - 1) * signed)


def read(image: Computed, px: np.ndarray, *, units: float) -> Computed:
    """Returns what is known of an image [H, W, C] that is read bilinearly, with zeros outside, or of a mean of some.

    Between pixels an entry changes by no more than the range of the intensities (zero among them) for each px along
    either axis, and everywhere continuously: so much does an error of the position count. What is read is a mean of
    pixels, so errors of theirs do not grow.

    Args:
      image: what is read.
      px: [H, W], by how much positions are wrong, down and right together.
      units: what interpolation costs, in UNIT of the largest intensity.
    """
    low, high = min(image.low, 0.0), max(image.high, 0.0)
    own = MARGIN * (px * (high - low) + units * UNIT * image.largest)
    error = math.sqrt(image.size) * image.entry + math.sqrt(image.shape[-1]) * float(np.linalg.norm(own))
    return image.then(low, high, image.entry + float(own.max()), error)


READ = 5.0
"""Units of four reads a pixel: ``_warp.read`` rounds the two complements of a weight, four products and three sums."""

SEPARABLE = 6.0
"""Units of reads by two matrices (``_warp.hat``), of two weights a row that are not 0: for each matrix a weight's
(the larger one's complement, or the smaller one's distance), the products' and a sum's."""


def averaged(frames: int) -> float:
    """Units of a mean of frames that are added up one after the other, or in any other order; and divided."""
    return 0.5 * (frames + 1) + division(constant=True) / UNIT
