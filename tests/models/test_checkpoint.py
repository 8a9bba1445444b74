import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.models import Architecture, Classifier, Normalize, as_classifier, describe, fingerprint, load, save
from gsmooth_jax.types import Domain
from tests.models.fill import random_variables

_SHAPE = (8, 8, 3)


def _classifier(width=2, seed=0):
    layer = Normalize(mode="dataset", mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3))
    architecture = Architecture(name="resnet20", classes=4, options=(("depth", 8), ("width", width)), normalize=layer)
    variables = random_variables(architecture, _SHAPE, seed)
    return Classifier(variables=variables, apply=architecture, classes=4, domain=Domain(_SHAPE))


@pytest.fixture(scope="module")
def classifier():
    return _classifier()


def test_round_trip(tmp_path, classifier):
    save(tmp_path / "a", classifier, {"data": "synthetic"})
    loaded = load(tmp_path / "a")
    assert loaded.apply == classifier.apply
    assert jax.tree.structure(loaded) == jax.tree.structure(classifier)
    assert jax.tree.all(jax.tree.map(lambda a, b: bool(jnp.array_equal(a, b)), loaded, classifier))
    assert describe(tmp_path / "a")["info"] == {"data": "synthetic"}
    assert fingerprint(tmp_path / "a") == fingerprint(loaded) == fingerprint(classifier)
    assert describe(tmp_path / "a")["fingerprint"] == fingerprint(classifier)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["model.json", "weights.npz"]


def test_a_bfloat16_classifier_computes_in_bfloat16_and_is_another_one(tmp_path, classifier):
    save(tmp_path / "a", classifier)
    half = load(tmp_path / "a", "bfloat16")
    assert half.dtype == "bfloat16"
    assert fingerprint(half) != fingerprint(classifier)
    images = jnp.asarray(np.random.default_rng(0).random((2, *_SHAPE)), jnp.float32)
    logits = jax.jit(lambda classifier, images: classifier(images))
    program = logits.lower(half, images).as_text()
    products = [line for line in program.splitlines() if "stablehlo.convolution" in line or "dot_general" in line]
    assert len(products) == 8  # depth 8: seven convolutions and a dense layer
    assert all("xbf16>" in line and "f32" not in line for line in products)
    wanted = np.asarray(logits(classifier, images))
    assert np.asarray(logits(half, images)) == pytest.approx(wanted, rel=0.2, abs=0.2)
    save(tmp_path / "b", as_classifier(classifier, _SHAPE, dtype="bfloat16"))
    assert fingerprint(load(tmp_path / "b")) == fingerprint(half)
    with pytest.raises(ValueError, match=r"Unknown dtype 'float8'\. Known: bfloat16, float32"):
        load(tmp_path / "a", "float8")


def test_fingerprint_tells_weights_and_input_layers_apart(tmp_path, classifier):
    other = Classifier(
        variables=classifier.variables,
        apply=Architecture(name="resnet20", classes=4, options=(("depth", 8), ("width", 2))),
        classes=4,
        domain=Domain(_SHAPE),
    )
    assert len({fingerprint(classifier), fingerprint(other), fingerprint(_classifier(seed=1))}) == 3


def test_weights_of_another_architecture_are_refused_by_name(tmp_path, classifier):
    save(tmp_path, classifier)
    description = json.loads((tmp_path / "model.json").read_text())
    description["architecture"]["options"]["width"] = 3
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"batch_stats/.*\(3,\), got \(2,\)"):
        load(tmp_path)
    description["architecture"] |= {"name": "convnet", "options": {}}
    description["domain"]["shape"] = [28, 28, 1]
    description["architecture"]["normalize"] = {"mode": "none", "mean": [], "std": []}
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(ValueError, match=r"convnet: expected array 'params/.*' of shape .*, got"):
        load(tmp_path)


def test_left_over_arrays_are_refused(tmp_path, classifier):
    save(tmp_path, classifier)
    with np.load(tmp_path / "weights.npz") as archive:
        weights = dict(archive)
    np.savez(tmp_path / "weights.npz", extra=np.zeros(2), **weights)
    with pytest.raises(ValueError, match="unexpected 'extra'"):
        load(tmp_path)


def test_missing_and_damaged_files(tmp_path, classifier):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")
    save(tmp_path, classifier)
    weights = (tmp_path / "weights.npz").read_bytes()
    flipped = bytearray(weights)
    flipped[len(flipped) // 2] ^= 0xFF
    for damaged in (weights[: len(weights) // 2], b"", b"text", bytes(flipped)):
        (tmp_path / "weights.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"weights.npz is damaged"):
            load(tmp_path)
    (tmp_path / "weights.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"weights.npz"):
        load(tmp_path)
    for damaged in ("{", "{}", "[]", '{"architecture": {"name": "convnet"}}'):
        (tmp_path / "model.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"model.json is damaged"):
            load(tmp_path)


def test_only_registered_architectures_are_saved(tmp_path):
    foreign = as_classifier(lambda x: x.reshape(x.shape[0], -1), _SHAPE)
    with pytest.raises(TypeError, match="registered"):
        save(tmp_path, foreign)


def test_the_domain_is_kept_and_older_checkpoints_have_images_between_0_and_1(tmp_path, classifier):
    signed = dataclasses.replace(classifier, domain=Domain(_SHAPE, -1.0, 1.0))
    save(tmp_path, signed)
    assert load(tmp_path).domain == signed.domain
    assert fingerprint(signed) != fingerprint(classifier)
    save(tmp_path, classifier)
    description = json.loads((tmp_path / "model.json").read_text())
    description["input_shape"] = description.pop("domain")["shape"]
    (tmp_path / "model.json").write_text(json.dumps(description))
    assert load(tmp_path).domain == Domain(_SHAPE, 0.0, 1.0)
    for shipped in ("mnist_brightness_contrast", "mnist_rotational_blur"):  # by versions that knew no domain
        assert fingerprint(f"shipped:{shipped}") == describe(f"shipped:{shipped}")["fingerprint"]
