"""A classifier behind a denoiser is one model: the two, one after the other, and known as such."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

import gsmooth_jax as gs
from gsmooth_jax import models
from gsmooth_jax.models import Denoised, HostModel, TracedModel, as_classifier, as_model
from gsmooth_jax.models.checkpoint import fingerprint
from gsmooth_jax.results import headers
from gsmooth_jax.surrogate import denoiser as denoisers
from gsmooth_jax.surrogate.denoiser import DenoisingNetwork
from gsmooth_jax.types import Domain
from tests.known import by_mean
from tests.surrogates import SHAPE

IMAGES = np.random.default_rng(0).random((5, *SHAPE), np.float32)


def halved(images):
    return 0.5 * images


def fresh(seed=0, shape=SHAPE):
    """A denoiser of this library with random weights."""
    network = DenoisingNetwork(name="flat", width=2)
    expected = jax.eval_shape(lambda key: network.init(key, shape), jax.random.key(0))
    rng = np.random.default_rng(seed)  # compiling the initialisers takes longer than the tests
    variables = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(0, 0.3, leaf.shape), jnp.float32), expected)
    return gs.models.Denoiser(variables=variables, apply=network, domain=Domain(shape))


@pytest.fixture(scope="module")
def network():
    return fresh()


class Dense(nn.Module):
    """Logits of three classes."""

    @nn.compact
    def __call__(self, images):
        return nn.Dense(3)(images.reshape(len(images), -1))


def dense(seed=0):
    kernel = np.random.default_rng(seed).normal(0, 0.1, (64, 3)).astype(np.float32)
    return Dense(), {"params": {"Dense_0": {"kernel": kernel, "bias": np.zeros(3, np.float32)}}}


def test_it_is_one_after_the_other(network):
    linen = dense()
    by_hand = linen[0].apply(linen[1], network(jnp.asarray(IMAGES)))
    found = as_classifier(Denoised(network, linen), SHAPE)
    assert (found.classes, found.domain, found.dtype) == (3, Domain(SHAPE), "float32")
    assert np.asarray(found(jnp.asarray(IMAGES))) == pytest.approx(np.asarray(by_hand), abs=1e-5)
    plain = as_classifier(Denoised(halved, by_mean), SHAPE)
    assert np.asarray(plain(jnp.asarray(IMAGES))) == pytest.approx(np.asarray(by_mean(IMAGES / 2)), abs=1e-6)
    twice = as_classifier(Denoised(halved, Denoised(halved, by_mean)), SHAPE)
    assert np.asarray(twice(jnp.asarray(IMAGES))) == pytest.approx(np.asarray(by_mean(IMAGES / 4)), abs=1e-6)
    # What is known already stays what it is: a classifier, several of them, or a regressor.
    both = models.ensemble([as_classifier(by_mean, SHAPE), as_classifier(lambda x: 3 * by_mean(x), SHAPE)])
    behind = as_model(Denoised(halved, both), SHAPE)
    assert np.asarray(behind(jnp.asarray(IMAGES))) == pytest.approx(np.asarray(both(jnp.asarray(IMAGES / 2))), abs=1e-6)
    number = as_model(Denoised(halved, lambda images: images.mean((1, 2, 3))), SHAPE)
    assert isinstance(number, models.Regressor)
    assert np.asarray(number(jnp.asarray(IMAGES))) == pytest.approx(IMAGES.mean((1, 2, 3)) / 2, abs=1e-6)


def test_a_model_of_the_host_behind_a_denoiser_of_the_device(network):
    host = HostModel(lambda x: np.stack([0.5 - x.mean((1, 2, 3)), x.mean((1, 2, 3)) - 0.5], 1), layout="NHWC")
    found = as_classifier(Denoised(network, host), SHAPE)
    by_hand = host(np.asarray(network(jnp.asarray(IMAGES))))
    assert np.asarray(jax.jit(lambda x: found(x))(jnp.asarray(IMAGES))) == pytest.approx(by_hand, abs=1e-5)
    assert models.calls_host(found)
    assert not models.differentiable(found)
    assert models.runtimes_of(found) == models.runtimes_of(as_classifier(host, SHAPE))
    assert models.differentiable(as_classifier(Denoised(network, by_mean), SHAPE))
    with open("/dev/null") as file:
        hidden = HostModel(lambda x: host(x) if file else x, layout="NHWC")
    assert "cannot be looked into" in models.unseen(as_classifier(Denoised(network, hidden), SHAPE))[0]


def test_its_fingerprint_and_its_header_are_of_both_parts(network):
    one = as_classifier(Denoised(network, dense()), SHAPE)
    again = as_classifier(Denoised(fresh(), dense()), SHAPE)
    assert fingerprint(one) == fingerprint(again)
    assert hash(one.apply) == hash(again.apply)
    others = [Denoised(fresh(1), dense()), Denoised(network, dense(1)), Denoised(halved, dense()), dense()]
    prints = {fingerprint(as_classifier(model, SHAPE)) for model in others} | {fingerprint(one)}
    assert len(prints) == 5
    quarter = as_classifier(Denoised(lambda images: 0.25 * images, dense()), SHAPE)
    third = as_classifier(Denoised(lambda images: 0.75 * images, dense()), SHAPE)
    assert fingerprint(quarter) != fingerprint(third)
    (described,) = headers.model_of(one)["architectures"]
    assert described == {
        "callable": "tests.models.test_denoised.Dense",
        "denoiser": {"name": "flat", "width": 2},
    }
    pair = models.ensemble([one, as_classifier(dense(1), SHAPE)])
    assert ["denoiser" in entry for entry in models.architectures(pair)] == [True, False]


def test_a_dtype_is_that_of_both(network):
    plain = as_classifier(Denoised(network, dense()), SHAPE)
    cast = plain.astype("bfloat16")
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(cast.variables)} == {"bfloat16"}
    named = as_classifier(Denoised(network, dense()), SHAPE, dtype="bfloat16")
    assert fingerprint(named) == fingerprint(cast) != fingerprint(plain)
    found, expected = cast(jnp.asarray(IMAGES)), plain(jnp.asarray(IMAGES))
    assert np.asarray(found) == pytest.approx(np.asarray(expected), abs=0.1)


def test_a_denoiser_that_has_changed_is_refused():
    level = np.array(0.25, np.float32)
    found = as_classifier(Denoised(lambda images: images * float(level), by_mean), SHAPE)
    found.check()
    level[...] = 0.5
    with pytest.raises(ValueError, match="has changed since it was wrapped"):
        found.check()


@pytest.mark.parametrize(
    ("denoiser", "error", "message"),
    [
        (lambda x: x[:, ::2], ValueError, r"to give images \(2, 8, 8, 1\) for such images, got \(2, 4, 8, 1\)"),
        (lambda x: x.mean(axis=(1, 2, 3)), ValueError, "to give images"),
        (lambda x: x @ np.ones((3, 3)), ValueError, "cannot be applied to images"),
        (TracedModel(halved, layout="NCHW"), ValueError, "images as they are"),
        (HostModel(lambda x: x, layout="NHWC", scale=255.0), ValueError, "images as they are"),
        ("runs/denoiser", TypeError, "got str"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_what_is_no_denoiser_of_these_images_is_refused(denoiser, error, message):
    with pytest.raises(error, match=message):
        as_classifier(Denoised(denoiser, by_mean), SHAPE)


def test_a_denoiser_of_other_images_is_refused(network):
    with pytest.raises(
        ValueError, match=r"denoiser of inputs \(6, 6, 1\) in \[0, 1\], as its classifier, got one of \(8, 8"
    ):
        as_classifier(Denoised(network, by_mean), (6, 6, 1))
    with pytest.raises(ValueError, match=r"in \[-1, 1\], as its classifier"):
        as_classifier(Denoised(network, by_mean), Domain(SHAPE, -1.0, 1.0))
    with pytest.raises(ValueError, match="Expected a classifier of inputs"):
        as_classifier(Denoised(network, as_classifier(by_mean, SHAPE)), (6, 6, 1))


def test_certified_as_any_model():
    images = np.full((2, *SHAPE), 0.9, np.float32) * np.array([1.0, 0.1], np.float32).reshape(2, 1, 1, 1)
    terms = {
        "transform": gs.transforms.Brightness(),
        "region": gs.Box([-0.1], [0.1]),
        "law": gs.Gaussian(sigma=0.2),
        "max_votes": 64,
        "execution": gs.Execution(devices=1),
    }
    claims = gs.certify(Denoised(lambda x: 1.0 - x, by_mean), images, **terms)
    assert [(c.predicted, c.clean, c.certified) for c in claims] == [(0, 0, True), (1, 1, True)]
    mixing = Denoised(lambda x: x - x.mean(axis=0, keepdims=True), by_mean)
    with pytest.raises(ValueError, match="from that image alone"):
        gs.certify(mixing, images, **terms)


def test_a_folder_gives_back_what_was_saved(tmp_path, network):
    denoisers.save(tmp_path / "d", network, {"fit": {"noise": 0.12}})
    found = gs.load_denoiser(tmp_path / "d")
    assert denoisers.fingerprint(found) == denoisers.fingerprint(network) != denoisers.fingerprint(fresh(1))
    assert (found.apply, found.domain) == (network.apply, network.domain)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), found.variables, network.variables))
    assert denoisers.fitted_noise(tmp_path / "d") == 0.12
    with pytest.raises(ValueError, match="holds a denoiser, not a classifier"):
        gs.load(tmp_path / "d")
    with pytest.raises(FileNotFoundError, match="No checkpoint"):
        gs.load_denoiser(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no denoiser; gsmooth fit-denoiser"):
        gs.load_denoiser("shipped:mnist_rotational_blur")
    denoisers.save(tmp_path / "unsaid", network)
    with pytest.raises(ValueError, match="does not say which noise"):
        denoisers.fitted_noise(tmp_path / "unsaid")
    with pytest.raises(TypeError, match="Only denoisers of this library"):
        denoisers.save(tmp_path / "no", dataclasses.replace(network, apply=halved))
    text = (tmp_path / "d" / "model.json").read_text()
    (tmp_path / "d" / "model.json").write_text(text.replace('"width": 2', '"width": 3'))
    with pytest.raises(ValueError, match="does not hold a flat"):
        gs.load_denoiser(tmp_path / "d")
    for damage in ('"width": "2"', '"width": [2]', '"wide": 2', '"width": -1'):
        (tmp_path / "d" / "model.json").write_text(text.replace('"width": 2', damage))
        with pytest.raises(ValueError, match=r"damaged|width"):
            gs.load_denoiser(tmp_path / "d")
    (tmp_path / "d" / "model.json").write_text(text.replace('"fit": {', '"fit": "none", "was": {'))
    with pytest.raises(ValueError, match="does not say which noise"):
        denoisers.fitted_noise(tmp_path / "d")
    (tmp_path / "d" / "model.json").write_text(text.replace('"flat"', '"vgg"'))
    with pytest.raises(ValueError, match="Unknown arch"):
        gs.load_denoiser(tmp_path / "d")


def test_its_network_adds_to_the_image():
    network = DenoisingNetwork(name="flat", width=2)
    variables = jax.tree.map(jnp.zeros_like, fresh().variables)
    assert np.asarray(network(variables, jnp.asarray(IMAGES))) == pytest.approx(IMAGES)
    assert DenoisingNetwork(name="unet-small").width == 24
    with pytest.raises(ValueError, match="divisible by 2"):
        fresh(shape=(7, 7, 1))
