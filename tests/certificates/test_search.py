"""What bisection returns has itself been certified."""

import dataclasses

import pytest

from gsmooth_jax.certificates import search
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import Gaussian


@dataclasses.dataclass(frozen=True)
class UpToOne:
    """Certifies sizes below 1, and estimates another radius."""

    estimate: float

    def certifies(self, law, region, p_lower, p_upper):
        return region.size < 1.0

    def radius_estimate(self, law, region, p_lower, p_upper):
        return self.estimate


@pytest.mark.parametrize("estimate", [1.0, 1.005, 2.0, 1000.0])
def test_an_estimate_says_only_where_to_look(estimate):
    radius = search.radius(UpToOne(estimate), Gaussian(sigma=1), Box([-0.3], [0.3]), 0.9, 0.1)
    assert 0.98 < radius < 1.0
