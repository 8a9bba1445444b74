"""A callable's state is a part of what is certified: nothing that was compiled for another state is used again."""

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.engine.kernels import vote_kernel
from gsmooth_jax.models import as_classifier, ensemble, fingerprint
from tests.known import SHAPE

IMAGES = np.full((2, *SHAPE), 0.9, np.float32)
UP = np.array([[-1.0, 1.0]], np.float32)
"""Logits of bright images: class 1 against class 0."""


def certify(model):
    """The classes of two bright images."""
    claims = gs.certify(
        model,
        IMAGES,
        [0, 1],
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.1], [0.1]),
        law=gs.Gaussian(sigma=0.1),
        max_votes=128,
        execution=gs.Execution(devices=1),
    )
    return [c.predicted for c in claims]


def brightness(images):
    return images.mean(axis=(1, 2, 3))[:, None] - 0.5


def by_closure():
    state = {"w": jnp.asarray(UP)}

    def turn():
        state["w"] = -state["w"]

    return lambda images: brightness(images) * state["w"], turn


def by_jit():
    state = {"w": jnp.asarray(UP)}

    def turn():
        state["w"] = -state["w"]

    return jax.jit(lambda images: brightness(images) * state["w"]), turn


class Module:
    """Like a network of another library: weights of NumPy, which are trained in place."""

    def __init__(self):
        self.weight = UP.copy()

    def __call__(self, images):
        return brightness(images) @ self.weight

    def __eq__(self, other):  # and so no hash
        return isinstance(other, Module)

    def turn(self):
        self.weight *= -1


def by_object():
    model = Module()
    return model, model.turn


class Switch:
    """Its state is no array at all."""

    sign = 1.0

    def __call__(self, images):
        return self.sign * brightness(images) * UP

    def turn(self):
        self.sign = -self.sign


def by_number():
    model = Switch()
    return model, model.turn


def by_method():
    model = Switch()
    return model.__call__, model.turn


class Behind(eqx.Module):
    """A pytree, one of whose functions has a state of its own."""

    weight: jax.Array
    last: object = eqx.field(static=True)

    def __call__(self, images):
        return self.last(brightness(images) * self.weight)


def by_static_field():
    sign = [1.0]

    def turn():
        sign[0] = -1.0

    return Behind(jnp.asarray(UP), lambda logits: sign[0] * logits), turn


class Linen(nn.Module):
    last: object

    @nn.compact
    def __call__(self, images):
        return self.last(brightness(images) * self.param("w", lambda _: jnp.asarray(UP)))


def by_linen():
    sign = [1.0]

    def turn():
        sign[0] = -1.0

    module = Linen(lambda logits: sign[0] * logits)
    return (module, module.init(jax.random.key(0), jnp.zeros((1, *SHAPE)))), turn


def by_callback():
    model = Module()

    def called(images):
        flat = np.asarray(images).mean(axis=(1, 2, 3), keepdims=False)[:, None] - np.float32(0.5)
        return flat * model.weight

    def apply(images):
        return jax.pure_callback(called, jax.ShapeDtypeStruct((len(images), 2), np.float32), images)

    return apply, model.turn


KINDS = [by_closure, by_jit, by_object, by_number, by_method, by_static_field, by_linen]


@pytest.mark.parametrize("kind", [*KINDS, by_callback], ids=lambda kind: kind.__name__)
def test_the_model_is_certified_as_it_is_now(kind):
    model, turn = kind()
    assert certify(model) == [1, 1]
    turn()
    assert certify(model) == [0, 0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_its_fingerprint_tells_its_states_apart(kind):
    (model, turn), (same, _) = kind(), kind()
    before = fingerprint(as_classifier(model, SHAPE))
    assert fingerprint(as_classifier(same, SHAPE)) == before
    turn()
    assert fingerprint(as_classifier(model, SHAPE)) != before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_equal_model_compiles_nothing(kind):
    certify(kind()[0])
    compiled = vote_kernel._cache_size()
    certify(kind()[0])
    assert vote_kernel._cache_size() == compiled


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_classifier_is_of_the_state_in_which_it_was_made(kind):
    model, turn = kind()
    classifier = as_classifier(model, SHAPE)
    apply = jax.jit(lambda c, images: c(images))
    before = apply(classifier, IMAGES)
    turn()
    assert (apply(classifier, IMAGES) == before).all()  # compiled then
    with pytest.raises(ValueError, match="has changed since it was wrapped"):
        apply(classifier, IMAGES[:1])
    with pytest.raises(ValueError, match="has changed since it was wrapped"):
        certify(classifier)
    with pytest.raises(ValueError, match="has changed since it was wrapped"):
        certify(ensemble([classifier, classifier]))
    assert certify(as_classifier(model, SHAPE)) == [0, 0]


def test_what_gives_another_answer_each_time_is_no_classifier():
    random = np.random.default_rng(0)

    def model(images):
        return brightness(images) * UP + random.normal(size=(1, 2)).astype(np.float32)

    with pytest.raises(ValueError, match="no fixed function of its images"):
        certify(model)


def test_arrays_of_numpy_are_copied():
    weights = {"params": {"w": UP.copy()}}
    classifier = as_classifier((Linen(jnp.tanh), weights), SHAPE)
    before = fingerprint(classifier)
    weights["params"]["w"] *= -1
    assert fingerprint(classifier) == before
    assert fingerprint(as_classifier((Linen(jnp.tanh), weights), SHAPE)) != before


def test_other_dtypes_are_traced_anew_in_ensembles_too():
    models = [by_closure()[0], by_number()[0]]
    classifier = ensemble([as_classifier(m, SHAPE) for m in models]).astype("bfloat16")
    members = [as_classifier(m, SHAPE, dtype="bfloat16") for m in models]
    images = jnp.asarray(IMAGES)
    np.testing.assert_array_equal(classifier(images), ensemble(members)(images))
    assert fingerprint(classifier) == fingerprint(ensemble(members))


def test_programs_of_inner_loops_branches_and_keys():
    """Numbers captured further inside are seen as well."""

    def model(table, key):
        def step(carry, row):
            return carry + jax.lax.cond(row.sum() > 0, lambda r: r, lambda r: -r, row)[None], None

        def apply(images):
            logits, _ = jax.lax.scan(step, brightness(images) * jnp.zeros((1, 2)), jnp.asarray(table))
            return logits + jax.random.normal(key, (1, 2))

        return as_classifier(apply, SHAPE)

    table, key = np.arange(6, dtype=np.float32).reshape(3, 2), jax.random.key(0)
    assert fingerprint(model(table, key)) == fingerprint(model(table.copy(), jax.random.key(0)))
    assert fingerprint(model(table, key)) != fingerprint(model(table + 1, key))
    assert fingerprint(model(table, key)) != fingerprint(model(table, jax.random.key(1)))


def test_rules_of_derivatives_are_no_part_of_a_program():
    """They are new objects at every trace: a network with a relu would be compiled anew each time."""

    def network():
        def apply(images):
            hidden = jax.nn.gelu(jax.nn.relu(jax.nn.softmax(brightness(images) * UP)))
            return nn.max_pool(hidden[:, :, None], (1,))[..., 0]

        return as_classifier(apply, SHAPE)

    assert network().apply == network().apply
