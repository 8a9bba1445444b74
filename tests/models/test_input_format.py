"""Networks say how they take their images, and get them so."""

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.models import InputFormat, TracedModel, as_classifier, fingerprint
from tests.models.test_classifier import _SHAPE, _Linen

IMAGES = np.random.default_rng(0).random((3, 6, 5, 2), np.float32)


@pytest.mark.parametrize("library", [np, jnp])
def test_scale_then_mean_and_deviation_then_axes(library):
    form = InputFormat(layout="NCHW", scale=255.0, mean=(1.0, 2.0), std=(4.0, 5.0))
    expected = ((255.0 * IMAGES - [1.0, 2.0]) / [4.0, 5.0]).transpose(0, 3, 1, 2)
    found = form(library.asarray(IMAGES))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert InputFormat(**form.to_json()) == form
    one = InputFormat(mean=127.0, std=(128.0,))  # one number for all channels
    np.testing.assert_allclose(one(IMAGES), (IMAGES - 127) / 128, rtol=1e-6)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"layout": "CNHW"}, "Unknown layout 'CNHW'. Known: CHW, HWC, NCHW, NHWC"),
        ({"scale": 0.0}, "scale > 0 and finite, got scale=0.0"),
        ({"mean": (float("nan"),)}, "finite numbers mean"),
        ({"std": (1.0, 0.0)}, r"std > 0, got std=\(1.0, 0.0\)"),
    ],
)
def test_bad_forms(form, message):
    with pytest.raises(ValueError, match=message):
        InputFormat(**form)


def test_forms_that_do_not_fit_the_images():
    with pytest.raises(ValueError, match="one mean for each of 2 channels, or one for all"):
        InputFormat(mean=(1.0, 2.0, 3.0))(IMAGES)
    with pytest.raises(ValueError, match=r"images \[N, H, W, C\] for layout 'NCHW', got shape \(3, 7\)"):
        InputFormat(layout="NCHW")(np.zeros((3, 7), np.float32))


class PerImage(eqx.Module):
    """A network of Equinox: one image [C, H, W] at a time."""

    conv: eqx.nn.Conv2d
    dense: eqx.nn.Linear

    def __init__(self, key):
        first, second = jax.random.split(key)
        self.conv = eqx.nn.Conv2d(1, 2, 3, key=first)
        self.dense = eqx.nn.Linear(8, 3, key=second)

    def __call__(self, image):
        return self.dense(jax.nn.relu(self.conv(image)).reshape(-1))


def test_a_network_of_one_image_with_channels_first():
    network = PerImage(jax.random.key(0))
    with pytest.raises(ValueError, match=r"If it takes them in another form.*TracedModel\(model, layout='NCHW'\)"):
        as_classifier(network, _SHAPE)
    classifier = as_classifier(TracedModel(network, layout="CHW", scale=2.0, mean=(0.5,)), _SHAPE)
    images = np.random.default_rng(1).random((2, *_SHAPE), np.float32)
    expected = [network(2.0 * image.transpose(2, 0, 1) - 0.5) for image in images]
    np.testing.assert_allclose(classifier(jnp.asarray(images)), expected, rtol=1e-5, atol=1e-6)
    assert classifier.apply.to_json()["inputs"] == {"layout": "CHW", "scale": 2.0, "mean": [0.5], "std": []}
    other = as_classifier(TracedModel(network, layout="CHW", scale=1.0, mean=(0.5,)), _SHAPE)
    assert fingerprint(other) != fingerprint(classifier)


class HuggingFace:
    """What Flax models of Hugging Face are like: weights beside a module, and outputs with ``logits``."""

    class Output:
        def __init__(self, logits):
            self.logits = logits

    def __init__(self, seed):
        self.module = _Linen()
        self.params = self.module.init(jax.random.key(seed), jnp.zeros((1, *_SHAPE)))

    def __call__(self, pixel_values, params=None, train=False):
        assert not train
        images = pixel_values.transpose(0, 2, 3, 1)
        return self.Output(self.module.apply(self.params if params is None else params, images))


def test_weights_of_hugging_face_are_traced_and_logits_found():
    one, other = (as_classifier(TracedModel(HuggingFace(seed), layout="NCHW"), _SHAPE) for seed in (0, 1))
    assert one.apply == other.apply  # so new weights compile nothing
    assert fingerprint(one) != fingerprint(other)
    images = jnp.asarray(np.random.default_rng(2).random((2, *_SHAPE), np.float32))
    model = HuggingFace(0)
    np.testing.assert_allclose(one(images), model.module.apply(model.params, images), rtol=1e-6)
    assert isinstance(model.module, nn.Module)


def test_keras_runs_on_jax_in_evaluation_mode(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # it writes its settings there
    keras = pytest.importorskip("keras")
    assert keras.config.backend() == "jax"
    layers = [keras.layers.Flatten(), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input(_SHAPE), *layers, keras.layers.Dense(3)])
    images = np.random.default_rng(3).random((2, *_SHAPE), np.float32)
    with jax.numpy_rank_promotion("allow"):
        classifier = as_classifier(model, _SHAPE)
        found, expected = classifier(jnp.asarray(images)), model(images, training=False)
        before = fingerprint(classifier)
        model.layers[-1].set_weights([w + 1 for w in model.layers[-1].get_weights()])
        assert fingerprint(as_classifier(model, _SHAPE)) != before
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="a Keras model that is built"):
        as_classifier(keras.Sequential([keras.layers.Dense(3)]), _SHAPE)
