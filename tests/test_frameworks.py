"""Each framework's six lines in docs/frameworks.md run: from an import to a report page and a verified run."""

import re
import sys
import types
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

import gsmooth_jax as gs

PAGE = (Path(__file__).parents[1] / "docs/frameworks.md").read_text()
BLOCKS = dict(re.findall(r"^## (\w+)\n.*?^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
SHAPE, CLASSES = (8, 9, 3), 2
WEIGHT = np.array([[-1.0, 1.0]] * 216, np.float32) / 216  # the mean, against 1/2
BIAS = np.array([0.5, -0.5], np.float32)


def numpy_net(folder):
    return lambda images: images.reshape(len(images), -1) @ WEIGHT + BIAS


def torch_net(folder):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(216, CLASSES))
    net[1].weight.data, net[1].bias.data = torch.tensor(WEIGHT.T.copy()), torch.tensor(BIAS)
    return net


def onnx_net(folder):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    nodes = [
        onnx.helper.make_node("Flatten", ["images"], ["flat"]),
        onnx.helper.make_node("MatMul", ["flat", "weight"], ["product"]),
    ]
    given, found = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("images", ("N", 3, 8, 9)), ("product", ("N", CLASSES)))
    )
    kept = [onnx.numpy_helper.from_array(WEIGHT, "weight")]  # of images of mean 0: it needs no bias
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "net", [given], [found], kept),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, folder / "net.onnx")


def keras_net(folder):
    keras = pytest.importorskip("keras")
    net = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(CLASSES)])
    net.layers[-1].set_weights([WEIGHT, BIAS])
    return net


def equinox_net(folder):
    eqx = pytest.importorskip("equinox")
    dense = eqx.nn.Linear(216, CLASSES, key=jax.random.key(0))
    dense = eqx.tree_at(lambda layer: (layer.weight, layer.bias), dense, (WEIGHT.T, BIAS))
    return eqx.nn.Sequential([eqx.nn.Lambda(lambda image: image.ravel()), dense])


NETS = {"NumPy": numpy_net, "PyTorch": torch_net, "ONNX": onnx_net, "Keras": keras_net, "Equinox": equinox_net}


def test_each_framework_has_six_lines():
    assert BLOCKS.keys() == NETS.keys()
    assert all(sum(map(bool, block.splitlines())) <= 6 for block in BLOCKS.values())


@pytest.mark.parametrize("framework", NETS)
def test_six_lines_lead_to_a_report(framework, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # it writes its settings there
    for number in range(4):
        folder = tmp_path / "photos" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.full(SHAPE, 40 + 150 * (number % 2), np.uint8) + np.arange(9, dtype=np.uint8)[:, None]
        Image.fromarray(picture).save(folder / f"{number}.png")
    module = types.ModuleType("nets")
    module.net = NETS[framework](tmp_path)
    monkeypatch.setitem(sys.modules, "nets", module)
    with jax.numpy_rank_promotion("allow"):  # as it is outside of the tests; Keras adds vectors to matrices
        exec(BLOCKS[framework], {"__name__": "__main__"})
    run = gs.results.read_run(Path("runs/photos"))
    assert [claim.certified for claim in run[1]] == [True] * 4
    assert gs.verify("runs/photos").faults == []
    assert Path("photos.html").read_text().count("<img") == 4
