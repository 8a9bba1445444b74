"""``check_transform`` tells transforms that break a promise where one of its probes alone can see it."""

import dataclasses

import jax.numpy as jnp
import pytest

from gsmooth_jax.testing import check_transform
from gsmooth_jax.transforms import Pixelate, Rotation, Volume
from gsmooth_jax.types import Domain


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlowAtRest(Volume):
    """Its bound is 2 % too small on small boxes around the identity, and nowhere else."""

    def lipschitz_upper(self, image, low, high):
        at_rest = (low[0] < 0.0) & (high[0] > 0.0) & (high[0] - low[0] < 0.1)
        return jnp.where(at_rest, 0.98, 1.0) * super().lipschitz_upper(image, low, high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfPositives(Volume):
    """Its bound is of inputs that are nowhere negative: true of every image."""

    def lipschitz_upper(self, image, low, high):
        return super().lipschitz_upper(jnp.maximum(image, 0.0), low, high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfWaveforms(Volume):
    """Takes signals of one axis alone."""

    def __call__(self, image, theta):
        if image.ndim != 1:
            raise ValueError(f"Expected a waveform [T], got {image.shape=}.")
        return super().__call__(image, theta)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OfNothing(Rotation):
    """Takes neither images nor waveforms."""

    def __call__(self, image, theta):
        return super().__call__(image[0], theta)


@pytest.mark.parametrize("transform", [SlowAtRest(), OfPositives()], ids=lambda t: type(t).__name__)
def test_a_bound_that_is_too_small_somewhere_is_found(transform):
    with pytest.raises(AssertionError, match="further than the bound"):
        check_transform(transform)


def test_a_transform_may_be_of_waveforms_alone():
    check_transform(OfWaveforms())
    with pytest.raises(AssertionError, match=r"takes neither images nor waveforms: .* cannot be applied to inputs"):
        check_transform(OfNothing())


@pytest.mark.parametrize(("transform", "axes"), [(Volume(), {1, 3}), (Pixelate(), {3})])
def test_promises_are_tried_on_all_inputs_that_it_takes(transform, axes, monkeypatch):
    seen = []
    monkeypatch.setattr("gsmooth_jax.testing.transforms._check_inputs", lambda t, domain, *_: seen.append(domain))
    check_transform(transform)
    assert {len(domain.shape) for domain in seen} == axes
    assert all(isinstance(domain, Domain) for domain in seen)
