"""Whole networks: nothing that the program computes from a box leaves its bounds, and these are not idle."""

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.methods.interval.intervals import Interval
from gsmooth_jax.methods.interval.propagate import bounds, margins, propagate
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.models.normalize import Normalize
from tests.models.fill import random_variables

COLOUR = (16, 18, 3)


def network(name, normalize=None, **options):
    return Architecture(
        name=name, classes=5, options=tuple(sorted(options.items())), normalize=normalize or Normalize()
    )


NETWORKS = {
    "convnet": network(
        "convnet", Normalize(mode="dataset", mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)), widths=(4, 6), hidden=(8, 7)
    ),
    "convnet_bn": network("convnet_bn", widths=(4, 6), hidden=(8, 7)),
    "resnet": network("resnet20", depth=8, width=4),
    "standardised": network("convnet", Normalize(mode="image"), widths=(4, 6), hidden=(8, 7)),
    "sharpened": network("convnet", Normalize(mode="sharpen"), widths=(4, 6), hidden=(8, 7)),
}


class Transformer(nn.Module):
    """Attention, layer norm, GELU, softmax: contractions of two intervals, and most functions."""

    @nn.compact
    def __call__(self, images):
        x = nn.Conv(8, (4, 6), (4, 6))(images)
        x = x.reshape(x.shape[0], -1, 8)
        x = x + 0.1 * nn.MultiHeadDotProductAttention(num_heads=2)(nn.LayerNorm()(x))
        x = x + nn.Dense(8)(nn.gelu(nn.Dense(12)(x), approximate=False))
        x = nn.softplus(x) + nn.silu(x) + nn.elu(x) + nn.leaky_relu(x) + nn.gelu(x) + nn.hard_tanh(x)
        x = nn.avg_pool(x, (2,), (2,)) + nn.max_pool(x, (2,), (2,), "SAME")
        return nn.log_softmax(nn.Dense(5)(x.mean(axis=1)))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(size=(3, *COLOUR)).astype(np.float32)


def classifier(name):
    if name == "transformer":
        module = Transformer()
        variables = module.init(jax.random.key(0), jnp.zeros((1, *COLOUR)))
        return gs.as_classifier((module, variables), COLOUR)
    return with_weights(name)


def with_weights(name, seed=0):
    variables = random_variables(NETWORKS[name], COLOUR, seed)
    return gs.models.Classifier(variables=variables, apply=NETWORKS[name], classes=5, domain=gs.Domain(COLOUR))


@jax.jit
def bounded(model, low, high):
    return bounds(model, low, high)


@jax.jit
def margin(model, low, high, label):
    return margins(model, low, high, label)


def inside(rng, low, high, count=40):
    """Points of boxes: corners, random ones, and images of which a few entries are at an end."""
    share = rng.random((count, *low.shape))
    kind = rng.integers(0, 3, (count, *(1,) * low.ndim))
    share = np.where(kind == 0, np.round(share), np.where(kind == 1, share, np.where(share < 0.02, 1.0, 0.5)))
    return (low + share * (high - low)).astype(np.float32).clip(low, high)


@pytest.mark.parametrize("name", [*NETWORKS, "transformer"])
def test_no_image_of_a_box_leaves_its_bounds(name, images):
    rng = np.random.default_rng(1)
    model = classifier(name)
    predict = jax.jit(jax.vmap(model))
    widths = []
    for half in (0.0, 1e-6, 1e-5, 1e-3, 0.1):
        low, high = images - np.float32(half), images + np.float32(half)
        lower, upper = (np.asarray(a) for a in bounded(model, low, high))
        logits = np.asarray(predict(inside(rng, low, high)))
        assert (lower <= logits).all()
        assert (logits <= upper).all()
        widths.append(np.max(upper - lower))
    assert widths == sorted(widths)
    # What rounding alone may cost: far more than it does, but 1e-5 is worse.
    assert widths[0] < 2 * np.abs(logits).max()
    assert widths[2] > 1.2 * widths[0]


def test_a_classifier_in_bfloat16_is_bounded_as_such(images):
    rng = np.random.default_rng(2)
    model = with_weights("convnet")
    short = model.astype("bfloat16")
    low, high = images - np.float32(1e-3), images + np.float32(1e-3)
    lower, upper = (np.asarray(a) for a in bounded(short, low, high))
    logits = np.asarray(jax.jit(jax.vmap(short))(inside(rng, low, high)))
    assert np.isfinite(lower).all()
    assert (lower <= logits).all()
    assert (logits <= upper).all()
    exact = np.asarray(model(images))
    assert np.abs(logits - exact).max() > 1e-3  # the types do differ


def test_a_linear_classifier_is_bounded_exactly():
    rng = np.random.default_rng(3)
    w, b = rng.normal(size=(12, 4)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    low = rng.uniform(size=(2, 2, 2, 3)).astype(np.float32)
    high = low + rng.uniform(0, 0.3, low.shape).astype(np.float32)

    def linear(x):
        return x.reshape(len(x), -1) @ w + b[None]

    up, down = np.maximum(w, 0), np.minimum(w, 0)
    flat = [a.reshape(2, -1).astype(np.float64) for a in (low, high)]
    lower, upper = bounds(linear, low, high)
    np.testing.assert_allclose(lower, flat[0] @ up + flat[1] @ down + b, atol=1e-4)
    np.testing.assert_allclose(upper, flat[1] @ up + flat[0] @ down + b, atol=1e-4)
    for label in range(4):
        steps = w[:, label, None] - w
        least = flat[0] @ np.maximum(steps, 0) + flat[1] @ np.minimum(steps, 0) + b[label] - b
        least = np.delete(least, label, axis=1).min(axis=1)
        for given in (label, jnp.asarray(label)):
            found = np.asarray(margins(linear, low, high, given))
            assert (found <= least).all()
            np.testing.assert_allclose(found, least, atol=1e-4)


def test_margins_hold_and_gain_by_the_last_layer(images):
    rng = np.random.default_rng(4)
    model = with_weights("convnet_bn")
    gained = []
    for half in (1e-5, 1e-3):
        low, high = images - np.float32(half), images + np.float32(half)
        logits = np.asarray(jax.jit(jax.vmap(model))(inside(rng, low, high)), np.float64)
        lower, upper = (np.asarray(a, np.float64) for a in bounded(model, low, high))
        for label in range(5):
            found = np.asarray(margin(model, low, high, label))
            others = np.delete(np.arange(5), label)
            assert (found <= (logits[..., [label]] - logits[..., others]).min(axis=(0, 2))).all()
            apart = (lower[:, [label]] - upper[:, others]).min(axis=1)
            assert (found >= apart - 1e-5 * np.abs(upper).max()).all()
            gained.append((found - apart) / (upper - lower).max())
    assert np.mean(gained) > 0.05


def test_a_margin_is_the_least_over_the_other_classes_whatever_comes_last():
    def squashed(x):  # nothing linear at the end
        return jnp.tanh(x.reshape(len(x), -1)[:, :3])

    low, high = np.float32([[[[0.5, 0.1, 0.2]]]]), np.float32([[[[0.6, 0.15, 0.3]]]])
    assert margins(squashed, low, high, 0).item() == pytest.approx(np.tanh(0.5) - np.tanh(0.3), abs=1e-5)
    assert margins(squashed, low, high, 2).item() == pytest.approx(np.tanh(0.2) - np.tanh(0.6), abs=1e-5)


def test_an_unknown_logit_leaves_no_margin():
    def broken(x):
        x = x.reshape(len(x), -1)
        return jnp.stack([x[:, 0], x[:, 1], 1.0 / x[:, 2]], axis=1)

    low, high = np.float32([[[[5, 0, 1]]]]), np.float32([[[[5, 0, 2]]]])
    assert margins(broken, low, high, 0).item() == pytest.approx(4.0, abs=1e-5)
    low[..., 2] = -1.0
    for label in range(3):
        assert np.isneginf(margins(broken, low, high, label)).all()


def test_weights_may_be_traced_and_new_ones_compile_nothing():
    traces = []

    @jax.jit
    def counted(model, low, high):
        traces.append(1)
        return bounds(model, low, high)

    low = np.full((1, *COLOUR), 0.5, np.float32)
    made = [with_weights("convnet", seed) for seed in (0, 1)]
    first, second = (np.asarray(counted(model, low, low)[0]) for model in made)
    assert len(traces) == 1
    assert np.abs(first - second).max() > 0.01
    closed_over = jax.jit(lambda a, b: bounds(lambda x: made[0](x), a, b))(low, low)
    np.testing.assert_allclose(first, closed_over[0], rtol=1e-3)


def test_plain_and_equinox_models():
    model = eqx.nn.MLP(48, 3, 8, 2, key=jax.random.key(0))

    def apply(x):
        return jax.vmap(model)(x.reshape(len(x), -1))

    rng = np.random.default_rng(5)
    low = rng.uniform(size=(2, 4, 4, 3)).astype(np.float32)
    high = low + np.float32(0.05)
    lower, upper = jax.jit(lambda a, b: bounds(jax.checkpoint(apply), a, b))(low, high)
    logits = np.asarray(jax.vmap(apply)(inside(rng, low, high)))
    assert (np.asarray(lower) <= logits).all()
    assert (logits <= np.asarray(upper)).all()


def test_constants_stay_constants_only_as_long_as_they_are_exact():
    moved = propagate(lambda x: -jnp.abs(x[::-1]).reshape(2, 2).max(axis=0), jnp.arange(4.0))
    assert not isinstance(moved, Interval)
    np.testing.assert_array_equal(moved, [-3.0, -2.0])
    computed = propagate(lambda x: x / 3.0, jnp.arange(4.0))
    assert isinstance(computed, Interval)
    thirds = np.arange(4) / 3
    assert (np.asarray(computed.lower, np.float64) <= thirds).all()
    assert (thirds <= np.asarray(computed.upper, np.float64)).all()
    product = propagate(lambda x: x.reshape(2, 2) @ x.reshape(2, 2), jnp.arange(4.0))
    assert isinstance(product, Interval)
    assert (np.asarray(product.lower) < [[2, 3], [6, 11]]).all()


def test_bounds_can_be_trained():
    """The gradient of a margin is that of what it is: certified training needs no more."""
    w = jnp.asarray(np.random.default_rng(6).normal(size=(12, 3)), jnp.float32)
    low = np.full((1, 2, 2, 3), 0.3, np.float32)

    @jax.jit
    def worst(w):
        return margins(lambda x: jax.nn.relu(x.reshape(len(x), -1)) @ w, low, low + np.float32(0.1), 0).sum()

    step = jax.grad(worst)(w)
    assert np.isfinite(step).all()
    assert worst(w + 1e-3 * step) > worst(w)


def test_other_backends_and_types_are_refused(monkeypatch):
    x = np.zeros((1, 2, 2, 1), np.float32)
    with pytest.raises(ValueError, match="two float32 arrays"):
        bounds(lambda x: x, x.astype(np.float16), x)
    with pytest.raises(ValueError, match="two float32 arrays"):
        bounds(lambda x: x, x, x[:, :1])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    with pytest.raises(ValueError, match="'gpu': run with JAX_PLATFORMS=cpu"):
        bounds(lambda x: x, x, x)
