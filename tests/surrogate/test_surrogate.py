import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import models
from gsmooth_jax.surrogate import fingerprint, load, save
from gsmooth_jax.surrogate.networks import Networks
from tests.surrogates import SHAPE, random_surrogate


def test_a_surrogate_is_its_three_parts(surrogate, image):
    theta = jnp.asarray([3.0, -0.1])
    latent = surrogate.encode(image[None])[0] + surrogate.shift(theta)
    whole = jax.jit(lambda s: s(image, theta))(surrogate)
    np.testing.assert_allclose(whole, jax.jit(lambda s, z: s.decode(z))(surrogate, latent[None])[0], atol=1e-5)
    assert whole.shape == SHAPE


def test_f1_is_affine_in_parameter_units(surrogate):
    base, theta = surrogate.shift(jnp.zeros(2)), jnp.asarray([3.0, -0.1])
    moved = jnp.tensordot(theta, surrogate.matrix, axes=1)
    np.testing.assert_allclose(surrogate.shift(theta) - base, moved, atol=1e-6)
    # Weights are per range: a unit of the second parameter is 40 times the first's.
    kernel = surrogate.variables["shift"]["kernel"]
    np.testing.assert_allclose(surrogate.matrix, kernel / jnp.asarray([8.0, 0.2]).reshape(2, 1, 1, 1), rtol=1e-6)


@pytest.mark.parametrize("name", ["unet-small", "unet", "res-unet", "edsr", "tiny"])
def test_every_network_maps_latents_to_images(name):
    side = 16
    networks = Networks(name=name, image_shape=(side, side, 3), transform="rotation", low=(-5.0,), high=(5.0,), width=8)
    shapes = jax.eval_shape(networks.init, jax.random.key(0))
    images = jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32)
    assert jax.eval_shape(networks.encode, shapes, images).shape == images.shape
    assert jax.eval_shape(networks.decode, shapes, images).shape == images.shape
    norms = [n for n in shapes["decoder"] if "GroupNorm" in n]
    assert norms
    assert not [n for n in shapes["encoder"] if "Norm" in n]
    assert Networks.from_json(json.loads(json.dumps(networks.to_json()))) == networks


def test_f2_starts_as_the_identity_and_can_be_it(image):
    networks = random_surrogate().networks
    fresh = {"encoder": {**random_surrogate().variables["encoder"]}}
    fresh["encoder"]["conv_1"] = jax.tree.map(jnp.zeros_like, fresh["encoder"]["conv_1"])
    np.testing.assert_array_equal(networks.encode(fresh, image[None])[0], image)
    plain = Networks(name="unet-small", image_shape=SHAPE, transform="rotation", low=(-5.0,), high=(5.0,), encoder=())
    np.testing.assert_array_equal(plain.encode({"encoder": {}}, image[None])[0], image)


def test_round_trip(tmp_path, surrogate):
    save(tmp_path, surrogate, {"data": "synthetic"})
    loaded = load(tmp_path)
    assert loaded.networks == surrogate.networks
    assert jax.tree.all(jax.tree.map(lambda a, b: bool(jnp.array_equal(a, b)), loaded.variables, surrogate.variables))
    assert fingerprint(loaded) == fingerprint(surrogate) == models.describe(tmp_path)["fingerprint"]
    assert fingerprint(random_surrogate(seed=1)) != fingerprint(surrogate)
    assert fingerprint(random_surrogate(high=(9.0, 0.2))) != fingerprint(surrogate)
    with pytest.raises(ValueError, match="surrogate, not a classifier"):
        models.load(tmp_path)


def test_other_folders_are_refused(tmp_path, surrogate):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ValueError, match="no surrogate"):
        load(tmp_path)
    save(tmp_path, surrogate)
    description = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(description | {"surrogate": {"depth": 3}}))
    with pytest.raises(ValueError, match=r"model.json is damaged"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "vgg"}, "Known: edsr, .*unet-small"),
        ({"low": ()}, "as many"),
        ({"width": -1}, "width"),
    ],
)
def test_bad_networks(change, message):
    fields = {"name": "unet", "image_shape": SHAPE, "transform": "rotation", "low": (-1.0,), "high": (1.0,)}
    with pytest.raises(ValueError, match=message):
        Networks(**(fields | change))


def test_images_of_another_size_are_refused(surrogate):
    with pytest.raises(ValueError, match=r"shape \(8, 8, 1\), as the surrogate, got \(9, 8, 1\)"):
        surrogate.encode(jnp.zeros((1, 9, 8, 1)))
    odd = Networks(name="unet-small", image_shape=(9, 9, 1), transform="rotation", low=(-1.0,), high=(1.0,))
    with pytest.raises(ValueError, match="divisible by 2, got 9 x 9"):
        jax.eval_shape(odd.init, jax.random.key(0))
