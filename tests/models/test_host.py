"""Networks called on the host: batches, formats, what they are known by, and what is refused."""

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import models
from gsmooth_jax.attacks import EotPgd, Grid, attack_stream
from gsmooth_jax.engine.kernels import vote_kernel
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.models import HostModel, as_classifier, as_model, ensemble, fingerprint
from tests.known import SHAPE, by_mean

UP = np.array([[-1.0, 1.0]], np.float32)


def numpy_by_mean(images):
    """``by_mean`` of NumPy: class 1 of bright images."""
    return (images.mean(axis=(1, 2, 3))[:, None] - np.float32(0.5)) * UP


class Weighted:
    """As a network whose weights are trained in place."""

    def __init__(self, weight=UP):
        self.weight = weight.copy()

    def __call__(self, images):
        return (images.mean(axis=(1, 2, 3))[:, None] - np.float32(0.5)) * self.weight


def certify(model, **changes):
    terms = {
        "transform": gs.transforms.Brightness(),
        "region": gs.Box([-0.1], [0.1]),
        "law": gs.Gaussian(sigma=0.2),
        "max_votes": 128,
        "execution": gs.Execution(devices=1),
    }
    return gs.certify(model, np.full((2, *SHAPE), 0.9, np.float32), [1, 1], **(terms | changes))


def test_it_certifies_what_the_same_network_of_jax_does():
    two = gs.Execution(devices=2)
    found, expected = (certify(m, execution=two) for m in (HostModel(numpy_by_mean, layout="NHWC"), by_mean))
    assert [(c.predicted, c.certified, c.radius, c.votes) for c in found] == [
        (c.predicted, c.certified, c.radius, c.votes) for c in expected
    ]
    assert found[0].certified


def test_batches_and_single_images():
    seen = []

    def network(images):
        seen.append(images.shape)
        return images.reshape(len(images), -1)[:, :3]

    images = np.random.default_rng(0).random((7, 2, 5, 3), np.float32)
    expected = images.transpose(0, 3, 1, 2).reshape(7, -1)[:, :3]
    np.testing.assert_array_equal(HostModel(network, layout="NCHW", batch=3)(images), expected)
    assert seen == [(3, 3, 2, 5), (3, 3, 2, 5), (1, 3, 2, 5)]
    one = HostModel(lambda image: image.ravel()[:3], layout="CHW")
    np.testing.assert_array_equal(one(images), expected)


def test_functions_may_write_into_what_they_are_given():
    def network(images):
        images -= 0.5
        return images.mean(axis=(1, 2, 3))[:, None] * UP

    images = np.full((2, *SHAPE), 0.9, np.float32)
    given = jnp.asarray(images)
    first = as_classifier(HostModel(network, layout="NHWC"), SHAPE)(given)
    np.testing.assert_allclose(first, numpy_by_mean(images), atol=1e-6)
    np.testing.assert_array_equal(given, images)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda x: x.mean(axis=(1, 2, 3)).reshape(1, -1), r"logits of 2 images, got an array of shape \(1, 2\)"),
        (lambda x: x.reshape(len(x), 2, 8), r"logits \[B, K\] with K >= 2 .*, got \(2, 2, 8\)"),
        (lambda x: {"logits": 1}, "an array of logits, got dict"),
        (lambda x: x @ np.zeros((7, 3)), "cannot be applied to images of shape"),
        (lambda x: np.zeros((len(x), 1)), r"K >= 2 for images .*, got \(2, 1\)"),
    ],
)
def test_what_gives_no_logits_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        as_classifier(HostModel(model, layout="NHWC"), SHAPE)


def test_bad_arguments():
    with pytest.raises(TypeError, match="the path of an ONNX file, a PyTorch module or a function of NumPy, got 3"):
        HostModel(3, layout="NHWC")
    with pytest.raises(ValueError, match="batch >= 1"):
        HostModel(numpy_by_mean, layout="NHWC", batch=0)
    with pytest.raises(FileNotFoundError, match=r"No ONNX file at 'nowhere.onnx'"):
        HostModel("nowhere.onnx", layout="NCHW")
    with pytest.raises(TypeError, match=r"An ONNX file runs on the host: gs.models.HostModel\('net.onnx'"):
        as_classifier("net.onnx", SHAPE)
    with pytest.raises(ValueError, match=r"JAX cannot trace it. Call a function of NumPy: gs.models.HostModel"):
        as_classifier(lambda images: np.asarray(images).mean(axis=(1, 2)), SHAPE)
    with pytest.raises(TypeError, match="says everything already"):
        as_classifier(models.TracedModel(HostModel(numpy_by_mean, layout="NHWC")), SHAPE)
    with pytest.raises(ValueError, match=r"no dtype for tests.models.test_host.numpy_by_mean: on the host it computes"):
        as_classifier(HostModel(numpy_by_mean, layout="NHWC"), SHAPE).astype("bfloat16")


def test_it_is_known_by_what_it_computes():
    def of(weight=UP, **changes):
        return as_classifier(HostModel(Weighted(weight), **({"layout": "NHWC"} | changes)), SHAPE)

    assert fingerprint(of()) == fingerprint(of())
    changes = [{"weight": 2 * UP}, {"scale": 2.0}, {"mean": (0.1,)}, {"layout": "NCHW"}, {"fingerprint": "mine"}]
    assert len({fingerprint(of(**change)) for change in ({}, *changes)}) == 1 + len(changes)
    assert fingerprint(of(fingerprint="mine")) == fingerprint(of(weight=2 * UP, fingerprint="mine"))


def test_one_that_has_changed_is_refused_and_wrapped_again_another():
    network = Weighted()
    classifier = as_classifier(HostModel(network, layout="NHWC"), SHAPE)
    assert [c.predicted for c in certify(classifier)] == [1, 1]
    network.weight *= -1
    with pytest.raises(ValueError, match="has changed since it was wrapped"):
        certify(classifier)
    assert [c.predicted for c in certify(HostModel(network, layout="NHWC"))] == [0, 0]
    # Nor is a program that calls the one used for an equal one, whose owner has not changed it.
    assert [c.predicted for c in certify(HostModel(Weighted(-UP), layout="NHWC"))] == [0, 0]
    assert [c.predicted for c in certify(HostModel(Weighted(), layout="NHWC"))] == [1, 1]


def test_the_same_function_compiles_nothing_anew():
    network = Weighted()
    certify(HostModel(network, layout="NHWC"))
    compiled = vote_kernel._cache_size()
    certify(HostModel(network, layout="NHWC"))
    assert vote_kernel._cache_size() == compiled


def test_constants_that_cannot_be_seen_need_a_name_in_run_folders(tmp_path):
    hidden = memoryview(np.float32([0.5]).tobytes())

    def network(images):
        return (images.mean(axis=(1, 2, 3))[:, None] - np.frombuffer(hidden, np.float32)) * UP

    def callback(images):
        return jax.pure_callback(numpy_by_mean, jax.ShapeDtypeStruct((len(images), 2), "f4"), images)

    terms = {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.1], [0.1]), "law": gs.Gaussian(sigma=0.2)}
    data = np.full((1, *SHAPE), 0.9, np.float32)
    for model, why in [
        (HostModel(network, layout="NHWC"), "'hidden', which .*network has captured"),
        (callback, "own"),
    ]:
        assert certify(model)[0].certified  # no folder, no fingerprint
        with pytest.raises(ValueError, match=rf"says by a fingerprint what computes.*{why}.*fingerprint='a name"):
            gs.certify_run(model, data, out=tmp_path / "run", **terms)
    assert not (tmp_path / "run").exists()
    named = HostModel(network, layout="NHWC", fingerprint="half")
    run = gs.certify_run(named, data, out=tmp_path / "run", max_votes=64, **terms)
    assert run.header["model"]["architectures"][0]["named"] == "half"
    assert run.header["model"]["runtime"][0].startswith("Python 3.")


def test_no_derivatives_and_what_to_do_without(guarantee, examples):
    assert isinstance(guarantee, Guarantee)
    classifier = as_classifier(HostModel(numpy_by_mean, layout="NHWC"), SHAPE)
    for model in (classifier, ensemble([classifier, classifier])):
        with pytest.raises(ValueError, match=r"eot-pgd climbs by derivatives, .* gives none; use grid or random"):
            attack_stream(model, [], guarantee, EotPgd())
        assert list(attack_stream(model, [], guarantee, Grid(tries=2))) == []
    assert models.differentiable(as_classifier(by_mean, SHAPE))
    assert models.runtimes_of(ensemble([classifier, classifier])) == [classifier.apply.function.model.runtime.how]


def test_one_number_an_image_is_a_regressor():
    model = as_model(HostModel(lambda images: images.mean(axis=(1, 2, 3)), layout="NHWC"), SHAPE)
    assert isinstance(model, models.Regressor)
    assert float(model(jnp.full((1, *SHAPE), 0.25))[0]) == 0.25


def test_an_error_on_the_way_is_said_in_a_line():
    calls = []

    def network(images):
        calls.append(None)
        if len(calls) > 6:
            raise ValueError("the licence server is gone")
        return numpy_by_mean(images)

    with pytest.raises(RuntimeError, match="failed when it was called on the host: ValueError: the licence server"):
        certify(HostModel(network, layout="NHWC", fingerprint="x"), max_votes=4000, region=gs.Box([-0.35], [0.35]))


LAST = """
import numpy as np, gsmooth_jax as gs
from tests.models.test_host import SHAPE, HostModel, certify, numpy_by_mean
import time
def slow(images):
    time.sleep(0.02)
    return numpy_by_mean(images)
print(certify(HostModel(slow, layout="NHWC", batch=16), execution=None)[0].certified)
"""


def test_a_process_ends_in_peace_while_guesses_are_at_work():
    run = [sys.executable, "-c", LAST]
    environment = {"PYTHONPATH": ":".join([str(Path(__file__).parents[2]), *sys.path])}
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_torch_modules_are_copied_and_evaluated():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(1, 2, 2), torch.nn.BatchNorm2d(2), torch.nn.Dropout(0.5), torch.nn.LeakyReLU(0.1)]
    network = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(18, 3))
    with pytest.raises(TypeError, match=r"A PyTorch module runs on the host: gs.models.HostModel\(module"):
        as_classifier(network, SHAPE)
    first = as_classifier(HostModel(network, layout="NCHW"), SHAPE)
    assert network.training  # the caller's is left as it is
    models.check_model(first)
    images = np.random.default_rng(0).random((2, *SHAPE), np.float32)
    network.eval()
    with torch.inference_mode():
        expected = network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    np.testing.assert_allclose(first(jnp.asarray(images)), expected, atol=1e-6)
    assert fingerprint(as_classifier(HostModel(network, layout="NCHW"), SHAPE)) == fingerprint(first)
    assert as_classifier(HostModel(network, layout="NCHW"), SHAPE).apply == first.apply
    before = {fingerprint(first)}
    with torch.no_grad():
        network[-1].bias += 1
    before.add(fingerprint(as_classifier(HostModel(network, layout="NCHW"), SHAPE)))
    network[3].negative_slope = 0.2
    before.add(fingerprint(as_classifier(HostModel(network, layout="NCHW"), SHAPE)))
    network.bfloat16()
    before.add(fingerprint(as_classifier(HostModel(network, layout="NCHW"), SHAPE)))
    assert len(before) == 4
    np.testing.assert_allclose(first(jnp.asarray(images)), expected, atol=1e-6)


def onnx_file(path, shape=("N", 1, 4, 4), kind="Flatten", external=False):
    """Writes a network of one layer, whose logits are the first three pixels; or that of an unknown operator."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    entries = 16 if "H" in shape else int(np.prod(shape[1:]))
    weight = np.eye(entries, 3, dtype=np.float32)
    flat = onnx.helper.make_node(kind, ["images"], ["flat"])
    nodes = [flat, onnx.helper.make_node("MatMul", ["flat", "weight"], ["logits"])]
    given = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, shape)
    found = onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, (shape[0], 3))
    graph = onnx.helper.make_graph(nodes, "tiny", [given], [found], [onnx.numpy_helper.from_array(weight, "weight")])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    kept = {"save_as_external_data": True, "location": "arrays.bin", "size_threshold": 0} if external else {}
    onnx.save(model, path, **kept)
    return path


@pytest.mark.parametrize("shape", [("N", 1, 4, 4), (4, 1, 4, 4), ("N", 1, "H", "W")])
def test_onnx_files_of_any_batch_and_size(shape, tmp_path):
    path = onnx_file(tmp_path / "net.onnx", shape)
    model = HostModel(path, layout="NCHW")
    images = np.random.default_rng(0).random((6, *SHAPE), np.float32)
    np.testing.assert_array_equal(model(images), images.reshape(6, -1)[:, :3])
    assert as_classifier(model, SHAPE).apply.to_json()["callable"] == "net.onnx"
    assert models.runtimes_of(as_classifier(model, SHAPE))[0].startswith("onnxruntime ")
    if shape[0] == 4:
        with pytest.raises(ValueError, match="layout NHWC or NCHW, since the file's batches are of 4, got 'CHW'"):
            HostModel(path, layout="CHW")


def test_onnx_files_are_known_by_their_bytes_and_those_beside(tmp_path):
    def known(path):
        return fingerprint(as_classifier(HostModel(str(path), layout="NCHW"), SHAPE))

    path = onnx_file(tmp_path / "net.onnx", external=True)
    before = known(path)
    assert known(path) == before
    arrays = tmp_path / "arrays.bin"
    arrays.write_bytes(arrays.read_bytes()[:-4] + np.float32(2).tobytes())
    assert known(path) != before


def test_onnx_files_that_cannot_be_run(tmp_path):
    bad = onnx_file(tmp_path / "bad.onnx", kind="NoSuchLayer")
    with pytest.raises(ValueError, match=r"onnxruntime cannot load .*bad.onnx: .*NoSuchLayer"):
        HostModel(bad, layout="NCHW")
    (tmp_path / "cut.onnx").write_bytes(bad.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"onnxruntime cannot load .*cut.onnx"):
        HostModel(tmp_path / "cut.onnx", layout="NCHW")
    other = HostModel(onnx_file(tmp_path / "other.onnx", ("N", 1, 3, 3)), layout="NCHW")
    with pytest.raises(ValueError, match=r"cannot be applied to images of shape \(2, 4, 4, 1\)"):
        as_classifier(other, SHAPE)


def test_what_is_not_installed_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").touch()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"needs onnxruntime: pip install 'gsmooth_jax\[onnx\]'"):
        HostModel(tmp_path / "net.onnx", layout="NCHW")


def test_on_accelerators_it_is_another_callback(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    classifier = as_classifier(HostModel(numpy_by_mean, layout="NHWC"), SHAPE)
    images = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    program = jax.make_jaxpr(lambda x: classifier(x))(images)
    assert "pure_callback" in str(program)
    np.testing.assert_allclose(jax.jit(lambda x: classifier(x))(images), numpy_by_mean(images), atol=1e-6)
    assert models.calls_host(classifier)
    assert models.unseen(classifier) == []
