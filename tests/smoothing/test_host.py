"""What the laws share: a bisection that rounds down."""

import math

import pytest

from gsmooth_jax.smoothing import _host


@pytest.mark.parametrize("limit", [0.3, 1.0, 1.7e5, 1e-300])
def test_a_supremum_is_an_end_that_was_certified(limit):
    found = _host.supremum(lambda delta: delta < limit)
    assert limit * (1 - 1e-12) - 1e-30 < found < limit
    assert _host.supremum(lambda delta: True) == math.inf
    assert _host.supremum(lambda delta: False) == 0.0
