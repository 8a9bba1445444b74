"""``check_smoothing`` tells laws that certify too much, in one parameter or only in two."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from gsmooth_jax import pytrees
from gsmooth_jax.smoothing import Exponential, Gaussian, Laplace
from gsmooth_jax.testing import check_smoothing


def law(cls):
    return pytrees.register(dataclasses.dataclass(frozen=True, kw_only=True)(cls))


@law
class Wide(Gaussian):
    """A radius that is a fiftieth too large."""

    def radius_integral(self, p_lower, p_upper, direction=1):
        return 1.02 * super().radius_integral(p_lower, p_upper, direction)

    def certifies(self, shift, p_lower, p_upper):
        return super().certifies(np.asarray(shift) / 1.02, p_lower, p_upper)


class InTwo:
    """Certifies two parameters by ``as_one``, one as it should."""

    def certifies(self, shift, p_lower, p_upper):
        return super().certifies(self.as_one(shift) if np.shape(shift) == (2,) else shift, p_lower, p_upper)


@law
class Round(InTwo, Laplace):
    """Takes the L1 ball of the two-sided exponential law for one of L2."""

    def as_one(self, shift):
        return np.linalg.norm(shift, keepdims=True)


@law
class Blunt(InTwo, Gaussian):
    """Takes the larger parameter for both: right along the axes alone."""

    def as_one(self, shift):
        return np.abs(shift).max(keepdims=True)


@law
class Unsigned(InTwo, Exponential):
    """Forgets that a move to the left costs more than one to the right."""

    def as_one(self, shift):
        return np.abs(shift)


@law
class Timid(InTwo, Laplace):
    """Halves what it certifies of two parameters, which is sound."""

    def as_one(self, shift):
        return 2.0 * np.asarray(shift)


@law
class Mute(Laplace):
    """Refuses two parameters, and does not say so."""

    def certifies(self, shift, p_lower, p_upper):
        if np.shape(shift) == (2,):
            raise ValueError("no")
        return super().certifies(shift, p_lower, p_upper)


@pytest.mark.parametrize(
    ("wrong", "dist", "message"),
    [
        (Wide(sigma=0.7), stats.norm(scale=0.7), None),
        (Round(scale=0.8), stats.laplace(scale=0.8), r"the shift .* is certified .* and loses by"),
        (Blunt(sigma=0.7), stats.norm(scale=0.7), r"the shift .* is certified .* and loses by"),
        (Unsigned(scale=2.0), stats.expon(scale=2.0), r"the shift .* is certified .* and loses by"),
        (Mute(scale=0.8), stats.laplace(scale=0.8), "expected a refusal of two parameters, got: no"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_law_that_certifies_too_much_is_found(wrong, dist, message):
    with pytest.raises(AssertionError, match=message):
        check_smoothing(wrong, dist)


def test_a_law_may_certify_less_of_two_parameters():
    check_smoothing(Timid(scale=0.8), stats.laplace(scale=0.8))
