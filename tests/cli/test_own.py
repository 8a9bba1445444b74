"""A network and pictures of one's own through the command line: certified, resumed, verified, replayed, attacked."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gsmooth_jax import cli, models, results
from gsmooth_jax.models import HostModel
from gsmooth_jax.models.named import elsewhere, named_model
from tests.cli.test_commands import gsmooth

CODE = """
import numpy as np

from gsmooth_jax.models import HostModel

WEIGHT = np.array([[-1.0, 1.0]], np.float32)


def by_mean(images):
    return (images.mean(axis=(1, 2, 3))[:, None] - np.float32(0.5)) * WEIGHT


def of_one(image):
    return (image.mean() - 0.5) * WEIGHT[0]


def asked(images):
    return np.asarray(images).mean(axis=(1, 2, 3))[:, None] * WEIGHT


def noisy(images):
    return by_mean(images) + np.random.normal(size=(len(images), 2))


host = HostModel(by_mean, layout="NHWC")
dropping = HostModel(noisy, layout="NHWC", fingerprint="noisy")
number = 3
"""
TERMS = (
    "--transform",
    "brightness",
    "--region",
    "-0.1",
    "0.1",
    "--law",
    "gaussian(sigma=0.2)",
    "--max-votes",
    64,
    "--devices",
    1,
)


PICTURES = ("--data", "folder:pictures")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a network and twelve pictures of two classes, of several sizes."""
    (tmp_path / "nets.py").write_text(CODE)
    for number in range(12):
        folder = tmp_path / "pictures" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        level = np.full((6 + number, 8, 3), 25 + 205 * (number % 2), np.uint8)
        Image.fromarray(level).save(folder / f"{number}.{('png', 'jpg', 'webp')[number % 3]}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_a_folder_of_pictures_to_a_verified_run(here, capsys):
    certify = ["certify", "--data", "folder:pictures", "--resize", 6, 8, "--model", "nets.py:host", *TERMS]
    assert gsmooth(*certify, "--limit", 5) == cli.DONE
    assert gsmooth(*certify) == cli.DONE
    header, claims = results.read_run(Path("runs/pictures-brightness"))
    assert len(claims) == 12
    assert all(c.certified and c.correct for c in claims)
    assert header["model"]["architectures"] == [
        {
            "callable": "nets.by_mean",
            "by": "host callback",
            "inputs": {"layout": "NHWC", "scale": 1.0, "mean": [], "std": []},
        }
    ]
    assert header["data"]["resize"] == [6, 8]
    (here / "pictures").rename(here / "elsewhere")
    moved = ["--data", "folder:elsewhere", "--model", "nets.py:host", "--devices", 1]
    capsys.readouterr()
    assert gsmooth("verify", "runs/pictures-brightness", "--replay", 2, *moved, "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["faults"] == {"runs/pictures-brightness": []}
    attack = ["attack", "runs/pictures-brightness", "--limit", 2, "--tries", 2, *moved]
    assert gsmooth(*attack, "--attack", "grid") == cli.DONE
    assert gsmooth(*attack) == cli.BAD_INPUT
    assert "climbs by derivatives" in " ".join(capsys.readouterr().err.split())
    assert gsmooth("verify", "runs/pictures-brightness", "--replay", 1, "--model", "nets.py:host") == cli.BAD_INPUT
    assert gsmooth("verify", "runs/pictures-brightness") == cli.DONE


def test_a_torch_network_from_a_file(here):
    pytest.importorskip("torch")
    (here / "torch_nets.py").write_text(
        "import torch\n"
        "class Bright(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.weight = torch.nn.Parameter(torch.tensor([[-1.0, 1.0]]))\n"
        "    def forward(self, images):\n"
        "        assert images.shape[1] == 3\n"
        "        return images.mean(dim=(1, 2, 3))[:, None] * self.weight\n"
        "net = Bright()\n"
    )
    certify = ["certify", "--data", "folder:pictures", "--resize", 6, 8, "--model", "torch_nets.py:net", *TERMS]
    assert gsmooth(*certify, "--limit", 3, "--out", "run") == cli.BAD_INPUT  # its layout is to be said
    stated = ["--layout", "NCHW", "--mean", 0.5, "--limit", 3]
    assert gsmooth(*certify, *stated, "--out", "run") == cli.DONE
    header, claims = results.read_run(Path("run"))
    assert all(c.correct for c in claims)
    assert header["model"]["runtime"][0].startswith("PyTorch ")
    assert gsmooth("verify", "run", "--replay", 1, "--model", "torch_nets.py:net", "--devices", 1) == cli.DONE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "nets.py:host", "--checkpoint", "runs/x"], "--checkpoint or --model, got both: runs/x and nets"),
        (["--model", "nets.py:asked"], "JAX cannot trace it. Call a function of NumPy: gs.models.HostModel"),
        (["--model", "nets.py:none"], "Cannot import model .*nets.py:none'.*it has no 'none'"),
        (["--model", "nowhere.py:net"], "Cannot import model .*nowhere.py:net"),
        (["--model", "nets.py:number"], "Expected a callable images -> logits .*, got int"),
        (["--model", "nets.py:HostModel"], "got the class gsmooth_jax.models.host.HostModel: make one of it"),
        (["--model", "nets.py:host", "--layout", "NCHW"], "no layout, scale, mean or std for nets.py:host, which says"),
        (["--model", "nets.py:dropping"], "the model draws noise of its own"),
        (["--model", "net.onnx"], r"Expected the layout of net.onnx's images, NCHW or NHWC, got none \(--layout\)"),
        (["--model", "net.onnx", "--layout", "NCHW"], "No ONNX file at 'net.onnx'"),
        (["--model", "runs/none"], "No checkpoint at 'runs/none'"),
        (["--model", "runs/none", "--layout", "NCHW"], "Expected no layout, .* for a checkpoint, which knows them"),
        (["--layout", "NCHW"], "Expected --model with --layout, got none with layout='NCHW'"),
        (["--model", "nets.py:host", "--scale", "255"], "Expected --layout with --scale, --mean and --std, got none"),
        (["--model", "nets.py:host", "--dtype", "bfloat16"], "no dtype for nets.by_mean: on the host it computes in"),
        (["--model", "nets.py:host", "--data", "folder:nowhere"], "Expected a folder of pictures or a CSV file"),
        (["--model", "nets.py:host", "--data", "none.npz"], "Expected a file of arrays .*, found none"),
        (["--model", "nets.py:host", *PICTURES, "--crop", "90"], "pictures of at least 90 x 90 pixels, got"),
        (["--model", "nets.py:host", *PICTURES], "pictures of one size, got .*--resize, --crop"),
    ],
)
def test_bad_input_is_said_in_a_line(options, message, here, capsys):
    data = [] if "--data" in options else [*PICTURES, "--resize", 6, 8]
    words = ["certify", *data, *options, *TERMS, "--out", "run"]
    assert gsmooth(*words) == cli.BAD_INPUT
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(message, said), said
    assert "Traceback" not in said
    assert not Path("run").exists()


def test_a_law_has_to_be_named(here, capsys):
    words = ["certify", "--data", "folder:pictures", "--model", "nets.py:host", "--transform", "brightness"]
    assert gsmooth(*words) == cli.BAD_INPUT
    assert 'Expected --law with --model, such as "pixel_noise(sigma=0.25)"' in " ".join(capsys.readouterr().err.split())


def test_what_names_a_model_from_elsewhere(here):
    for text in ("net.onnx", "a/net.onnx", "nets.py:host", "/a/b.py:net", "package.module:net"):
        assert elsewhere(text)
    for text in ("runs/x", "shipped:mnist_rotational_blur", "C:/runs", "runs/a:b/c", "nets.py"):
        assert not elsewhere(text)
    assert isinstance(named_model("nets.py:host"), HostModel)
    assert named_model("runs/x") == Path("runs/x")
    assert isinstance(named_model("nets.py:of_one", {"layout": "CHW"}), models.TracedModel)
