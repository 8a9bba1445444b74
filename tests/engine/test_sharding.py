"""Weights that their owner has split over a mesh stay split, and the claims are those of whole weights."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import gsmooth_jax as gs
from gsmooth_jax.engine import device
from tests.known import SHAPE, without_time

HIDDEN = 64


@dataclasses.dataclass(frozen=True)
class Network:
    def __call__(self, variables, images):
        hidden = jnp.tanh(images.reshape(len(images), -1) @ variables["first"])
        return hidden @ variables["second"] + variables["bias"][None]


def network(place):
    """A network of random weights, each placed by its name."""
    draw = np.random.default_rng(0).normal
    weights = {"first": draw(size=(16, HIDDEN)), "second": draw(size=(HIDDEN, 2)), "bias": np.zeros(2)}
    variables = {name: place(name, w.astype(np.float32)) for name, w in weights.items()}
    return gs.Classifier(variables=variables, apply=Network(), classes=2, domain=gs.Domain(SHAPE))


def split(shape, names, kind=AxisType.Auto):
    """The network split by its hidden units over the axis ``model`` of a mesh; the bias is anywhere."""
    mesh = jax.make_mesh(shape, names, axis_types=(kind,) * len(shape))
    specs = {"first": PartitionSpec(None, "model"), "second": PartitionSpec("model")}
    return network(lambda name, w: jax.device_put(w, NamedSharding(mesh, specs[name]) if name in specs else None))


@pytest.fixture(scope="module")
def claims(guarantee, examples):
    return without_time(gs.certify_stream(network(lambda _, w: w), examples, guarantee))


@pytest.mark.parametrize(
    ("shape", "names", "kind"),
    [
        ((8,), ("model",), AxisType.Auto),
        ((2, 4), ("rows", "model"), AxisType.Auto),
        ((4, 2), ("model", "unused"), AxisType.Explicit),
    ],
)
def test_split_weights_stay_split_and_claims_stay_equal(shape, names, kind, claims, guarantee, examples, monkeypatch):
    seen = []

    def spy(weights, *args, **named):
        seen.append((weights, args, named))
        return kernel(weights, *args, **named)

    kernel = device.vote_kernel
    spy.trace = kernel.trace
    monkeypatch.setattr(device, "vote_kernel", spy)
    classifier = split(shape, names, kind)
    assert without_time(gs.certify_stream(classifier, examples, guarantee)) == claims
    weights, args, named = seen[0]
    parts = shape[names.index("model")]
    first = weights.variables["first"]
    assert {s.data.shape for s in first.addressable_shards} == {(16, HIDDEN // parts)}
    compiled = kernel.lower(weights, *args, **named).compile().as_text()
    assert f"f32[16,{HIDDEN}]" not in compiled  # no device ever sees the whole matrix
    assert f"f32[16,{HIDDEN // parts}]" in compiled


def test_ways_of_splitting_that_are_refused(guarantee, examples):
    classifier = split((8,), ("model",))
    with pytest.raises(ValueError, match="split over a mesh"):
        gs.certify_stream(classifier, examples, guarantee, gs.Execution(devices=2))
    other = split((4,), ("model",))
    mixed = dataclasses.replace(classifier, variables={**classifier.variables, "second": other.variables["second"]})
    with pytest.raises(ValueError, match="over one mesh"):
        gs.certify_stream(mixed, examples, guarantee)
