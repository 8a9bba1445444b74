import dataclasses

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from gsmooth_jax.models import Architecture, Classifier, Normalize, as_classifier, fingerprint
from gsmooth_jax.types import Domain
from tests.models.fill import random_variables

_SHAPE = (4, 4, 1)


class _Nnx(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.BatchNorm(16, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.dense = nnx.Linear(16, 3, rngs=rngs)

    def __call__(self, images):
        return self.dense(self.dropout(self.norm(images.reshape(images.shape[0], -1))))


class _Linen(nn.Module):
    @nn.compact
    def __call__(self, images):
        return nn.Dense(3)(images.reshape(images.shape[0], -1))


class _Equinox(eqx.Module):
    dense: eqx.nn.Linear
    activation: object
    scale: float = 2.0

    def __call__(self, images):
        return self.scale * self.activation(jax.vmap(self.dense)(images.reshape(images.shape[0], -1)))


def _nnx(seed):
    model = _Nnx(nnx.Rngs(seed))
    kernel, bias = np.asarray(model.dense.kernel[...]), np.asarray(model.dense.bias[...])
    # Fresh running moments: mean 0, variance 1, epsilon 1e-5; no dropout in evaluation.
    return model, lambda x: x.reshape(len(x), -1) / np.sqrt(1 + 1e-5) @ kernel + bias


def _linen(seed):
    module = _Linen()
    variables = module.init(jax.random.key(seed), jnp.zeros((1, *_SHAPE)))
    dense = jax.tree.map(np.asarray, variables["params"]["Dense_0"])
    return (module, variables), lambda x: x.reshape(len(x), -1) @ dense["kernel"] + dense["bias"]


def _equinox(seed):
    model = _Equinox(eqx.nn.Linear(16, 3, key=jax.random.key(seed)), jnp.tanh)
    weight, bias = np.asarray(model.dense.weight), np.asarray(model.dense.bias)
    return model, lambda x: 2 * np.tanh(x.reshape(len(x), -1) @ weight.T + bias)


@pytest.mark.parametrize("make", [_nnx, _linen, _equinox])
def test_modules_give_their_logits_and_new_weights_do_not_recompile(make):
    traces = []

    @jax.jit
    def logits(classifier, images):
        traces.append(None)
        return classifier(images)

    images = np.random.default_rng(0).random((5, *_SHAPE), np.float32)
    prints = set()
    for seed in (0, 1):
        model, expected = make(seed)
        classifier = as_classifier(model, _SHAPE)
        assert classifier.classes == 3
        out = logits(classifier, jnp.asarray(images))
        assert out.dtype == jnp.float32
        np.testing.assert_allclose(out, expected(images), rtol=2e-5, atol=1e-5)
        prints.add(fingerprint(classifier))
        assert fingerprint(as_classifier(make(seed)[0], _SHAPE)) in prints
    assert len(traces) == 1
    assert len(prints) == 2


def test_nnx_module_keeps_its_own_mode():
    model = _Nnx(nnx.Rngs(0))
    model.train()
    as_classifier(model, _SHAPE)(jnp.zeros((2, *_SHAPE)))
    assert not model.dropout.deterministic


def _threshold(images):
    total = images.sum(axis=(1, 2, 3))
    return jnp.stack([total - 8.0, 8.0 - total], axis=-1)


def test_plain_functions_and_classifiers():
    classifier = as_classifier(_threshold, _SHAPE)
    assert classifier.classes == 2
    assert classifier(jnp.ones((1, *_SHAPE))).tolist() == [[8.0, -8.0]]
    assert as_classifier(classifier, _SHAPE) is classifier
    assert as_classifier(jax.jit(_threshold), _SHAPE, 2).classes == 2
    assert fingerprint(classifier) == fingerprint(as_classifier(_threshold, _SHAPE))
    with pytest.raises(ValueError, match="classes"):
        as_classifier(classifier, _SHAPE, 3)
    with pytest.raises(ValueError, match=r"3 classes, got 2"):
        as_classifier(_threshold, _SHAPE, 3)


def test_dtype_is_that_of_the_images_the_network_sees():
    seen = []

    def model(images):
        seen.append(images.dtype)
        return _threshold(images)

    out = as_classifier(model, _SHAPE, dtype="bfloat16")(jnp.ones((1, *_SHAPE)))
    assert set(seen) == {jnp.dtype("bfloat16")}
    assert out.dtype == jnp.float32
    bias = jnp.zeros((1, 2), jnp.bfloat16)
    only = as_classifier(
        lambda images: jax.lax.add(images[:1, 0, :2, 0], bias).repeat(len(images), 0), _SHAPE, dtype="bfloat16"
    )
    assert only.classes == 2


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x: x.sum(axis=(1, 2, 3)), ValueError, r"logits \[B, K\]"),
        (lambda x: x.reshape(-1, 4), ValueError, r"logits \[B, K\]"),
        (lambda x: (x, x), ValueError, r"logits \[B, K\]"),
        (lambda x: x @ jnp.zeros((7, 3)), ValueError, "cannot be applied"),
        (_Linen(), TypeError, "module, variables"),
        ("model", TypeError, "callable"),
        (_Equinox(eqx.nn.Linear(16, 3, key=jax.random.key(0)), dict), ValueError, "cannot be applied"),
    ],
)
def test_what_is_no_classifier_is_refused(model, error, message):
    with pytest.raises(error, match=message):
        as_classifier(model, _SHAPE)
    with pytest.raises(ValueError, match=r"shape=\(4, 0\)"):
        as_classifier(model, (4, 0))


def test_architecture_is_an_apply():
    layer = Normalize(mode="dataset", mean=(0.5,), std=(0.5,))
    architecture = Architecture(
        name="convnet", classes=3, options=(("hidden", (8,)), ("widths", (2, 2))), normalize=layer
    )
    variables = random_variables(architecture, (16, 16, 1))
    classifier = Classifier(variables=variables, apply=architecture, classes=3, domain=Domain((16, 16, 1)))
    images = jax.random.uniform(jax.random.key(1), (2, 16, 16, 1))
    both = jax.jit(lambda c, x: (c(x), architecture.module().apply(c.variables, 2 * x - 1)))
    np.testing.assert_allclose(*both(classifier, images), rtol=1e-5, atol=1e-6)
    changed = dataclasses.replace(classifier, variables=jax.tree.map(lambda w: w + 1, variables))
    assert fingerprint(changed) != fingerprint(classifier)


def test_a_shape_alone_takes_a_classifier_of_any_range_and_a_domain_its_own():
    signed = as_classifier(lambda x: jnp.stack([x.sum(axis=1), -x.sum(axis=1)], axis=1), Domain((5,), -1.0, 1.0))
    assert signed.input_shape == (5,)
    assert as_classifier(signed, (5,)) is as_classifier(signed, Domain((5,), -1.0, 1.0)) is signed
    for other in (Domain((5,)), (6,)):
        with pytest.raises(ValueError, match=r"got one of \(5,\) in \[-1, 1\] and 2"):
            as_classifier(signed, other)
