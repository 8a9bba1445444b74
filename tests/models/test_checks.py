"""Networks that are no functions of one image, and images with their channels first, are found out before any work."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.models import HostModel, as_classifier, as_model, check_model
from gsmooth_jax.models.checks import check_channels_last, check_independent
from tests.known import SHAPE, by_mean

TERMS = {
    "transform": gs.transforms.Brightness(),
    "region": gs.Box([-0.1], [0.1]),
    "law": gs.Gaussian(sigma=0.2),
    "max_votes": 64,
    "execution": gs.Execution(devices=1),
}


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (4, 8, 9)])
def test_channels_first_are_refused_unless_they_are_said_to_be_rows(shape):
    with pytest.raises(ValueError, match=r"which are \[C, H, W\] by their looks: images.transpose\(0, 2, 3, 1\)"):
        gs.certify(by_mean, np.zeros((2, *shape), np.float32), **TERMS)
    with pytest.raises(ValueError, match="If they have"):
        as_model(lambda images: images.mean(axis=(1, 2, 3)), shape)
    check_channels_last(gs.Domain(shape))


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (3, 8, 3), (2, 32, 32), (16000,), (8, 3, 32)])
def test_other_shapes_are_taken(shape):
    check_channels_last(shape)


def normalised(images):
    """By the batch's own moments."""
    logits = by_mean(images)
    return (logits - logits.mean(axis=0, keepdims=True)) / (logits.std(axis=0, keepdims=True) + 0.1)


def by_place(images):
    """Dropout with a fixed key: the same noise each time, another for each place in the batch."""
    return by_mean(images) + jax.random.normal(jax.random.key(0), (len(images), 2))


@pytest.mark.parametrize("model", [normalised, by_place])
def test_logits_that_depend_on_the_batch(model, tmp_path):
    images = np.full((1, *SHAPE), 0.9, np.float32)
    with pytest.raises(ValueError, match=r"to come from that image alone, got some that differ .* evaluation mode"):
        gs.certify(model, images, **TERMS)
    with pytest.raises(ValueError, match="to come from that image alone"):
        gs.certify_run(model, images, out=tmp_path / "run", **TERMS)
    assert not (tmp_path / "run").exists()


def test_noise_of_its_own():
    random = np.random.default_rng(0)
    noisy = HostModel(lambda x: x.mean(axis=(1, 2, 3))[:, None] + random.normal(size=(len(x), 2)), layout="NHWC")
    with pytest.raises(ValueError, match="for the same batch: the model draws noise of its own, such as dropout"):
        check_model(as_classifier(noisy, SHAPE))


def test_sums_in_another_order_are_no_dependence():
    rounding = iter([1.0, 1.0 + 2e-4, 1.0 - 2e-4, 1.0])
    assert check_independent(lambda images: next(rounding) * np.asarray(by_mean(images)), SHAPE, 0.0, 1.0, 1e-3)


def test_outputs_that_are_not_finite_are_warned_of():
    with pytest.warns(UserWarning, match="NaN or infinite outputs for some random inputs"):
        check_model(as_classifier(lambda images: jnp.log(by_mean(images)), SHAPE))


def test_file_levels_are_said_to_be_so():
    images = np.full((1, *SHAPE), 200, np.uint8)
    with pytest.raises(ValueError, match=r"got dtype uint8. Of file levels: images.astype\('float32'\) / 255"):
        gs.certify(by_mean, images, **TERMS)
    with pytest.raises(ValueError, match=r"got values in \[200.0, 200.0\]. Divide file levels by 255."):
        gs.certify(by_mean, images.astype(np.float32), **TERMS)
