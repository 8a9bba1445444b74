import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.models import Architecture, Classifier, Normalize, load, save
from gsmooth_jax.models.speed_net import whitening
from gsmooth_jax.types import Domain
from tests.models.fill import random_variables

_TINY = Architecture(name="speed_net", classes=3, options=(("widths", (4, 6)),))


def _images(count, side=8, channels=3):
    """Correlated pixels and channels: steps of a random walk along a row."""
    steps = np.random.default_rng(0).normal(size=(count, side, side, channels))
    return (steps.cumsum(axis=2) + steps.sum(axis=3, keepdims=True)).astype(np.float32)


def _responses(kernel, images):
    """The kernel's outputs [N h w, M] on all 2 x 2 patches."""
    rows = [[np.einsum("nabc,abcm->nm", images[:, i : i + 2, j : j + 2], kernel) for j in range(7)] for i in range(7)]
    return np.concatenate([out for row in rows for out in row])


def test_whitened_patches_are_uncorrelated_and_of_unit_variance():
    images = _images(400)
    kernel = whitening(images)
    assert kernel.shape == (2, 2, 3, 24)
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])
    out = _responses(kernel[..., :12], images)
    np.testing.assert_allclose(out.T @ out / len(out), np.eye(12), atol=5e-3)  # eps beside eigenvalues above 0.1


def test_a_direction_that_the_patches_lack_is_not_blown_up():
    flat = np.ones((10, 4, 4, 1), np.float32)
    assert np.abs(whitening(flat)).max() <= 5e-4**-0.5


def test_fit_sees_the_images_as_the_network_does_and_changes_the_kernel_alone():
    layer = Normalize(mode="dataset", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    architecture = Architecture(name="speed_net", classes=3, options=_TINY.options, normalize=layer)
    variables = random_variables(architecture, (8, 8, 3))
    images = jnp.asarray(_images(20))
    fitted = architecture.fit(variables, images)
    np.testing.assert_allclose(fitted["frozen"]["whitening"], whitening(np.asarray(layer(images))), rtol=1e-5)
    assert fitted["params"] is variables["params"]
    assert Architecture(name="resnet20", classes=3).fit({"params": 1}, images) == {"params": 1}


def test_the_mirror_image_has_the_same_answer_when_both_are_asked():
    both = Architecture.parse("speed_net(mirror=True, widths=(4, 6))", classes=3, normalize=Normalize())
    variables, images = random_variables(_TINY, (8, 8, 3)), jnp.asarray(_images(4))
    asked, mirrored = both(variables, images), both(variables, images[:, :, ::-1])
    np.testing.assert_allclose(asked, mirrored, atol=1e-5)
    np.testing.assert_allclose(
        asked, 0.5 * (_TINY(variables, images) + _TINY(variables, images[:, :, ::-1])), atol=1e-5
    )
    trained, _ = both.train_apply(variables, images)
    np.testing.assert_array_equal(trained, _TINY.train_apply(variables, images)[0])
    assert Architecture.from_json(both.to_json()) == both
    assert dict(both.options) == {"mirror": True, "widths": (4, 6)}


def test_the_kernel_is_stored_with_the_weights(tmp_path):
    variables = _TINY.fit(random_variables(_TINY, (8, 8, 3)), jnp.asarray(_images(20)))
    made = Classifier(variables=variables, apply=_TINY, classes=3, domain=Domain((8, 8, 3)))
    save(tmp_path, made)
    read = load(tmp_path)
    np.testing.assert_array_equal(read.variables["frozen"]["whitening"], variables["frozen"]["whitening"])
    images, logits = jnp.asarray(_images(4)), jax.jit(Classifier.__call__)
    np.testing.assert_array_equal(logits(read, images), logits(made, images))


def test_training_and_evaluation_agree_where_their_moments_do():
    """The folding of batch norms, and pooling before them, change nothing."""
    images = jnp.asarray(_images(16))
    variables = _TINY.fit(random_variables(_TINY, (8, 8, 3)), images)
    logits, updates = jax.jit(_TINY.train_apply)(variables, images)
    # The running moments move a tenth of the way to the batch's.
    batch = jax.tree.map(lambda new, old: 10 * new - 9 * old, updates["batch_stats"], variables["batch_stats"])
    evaluated = jax.jit(_TINY)({**variables, "batch_stats": batch}, images)
    np.testing.assert_allclose(evaluated, logits, rtol=1e-3, atol=1e-3)


def test_images_that_the_blocks_would_use_up_are_refused():
    with pytest.raises(ValueError, match="at least 5 x 5"):
        _TINY.init(jax.random.key(0), (4, 8, 3))
