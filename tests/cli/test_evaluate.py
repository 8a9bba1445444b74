"""``gsmooth evaluate`` on shipped images."""

import json

import numpy as np
import pytest

from gsmooth_jax import cli
from gsmooth_jax.data import embedded_images
from tests.cli.test_commands import gsmooth

FEW = ["--limit", "20", "--devices", "1"]


def test_by_transforms_and_from_files(tmp_path, capsys):
    embedded = embedded_images()
    stored = np.zeros((5, int(embedded.ids[:20].max()) + 1, 28, 28, 1), np.uint8)
    stored[:, embedded.ids[:20]] = embedded.images[:20]
    np.save(tmp_path / "nothing.npy", stored.reshape(-1, 28, 28, 1))
    law = ["--transform", "brightness_contrast"]
    assert gsmooth("evaluate", *law, *FEW, "--json") == cli.DONE
    moved = json.loads(capsys.readouterr().out)
    assert moved["images"] == 20
    assert len(moved["corruptions"]["brightness_contrast"]["accuracy"]) == 6
    assert min(moved["corruptions"]["brightness_contrast"]["accuracy"]) > 0.8
    assert gsmooth("evaluate", *law, *FEW, "--corruptions", tmp_path, "--json") == cli.DONE
    (read,) = json.loads(capsys.readouterr().out)["corruptions"].values()
    assert {*read["accuracy"]} == {moved["corruptions"]["brightness_contrast"]["accuracy"][0]}
    assert gsmooth("evaluate", *law, *FEW) == cli.DONE
    shown = capsys.readouterr().out
    assert "nothing is proved. No answer: brightness_contrast" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Expected --transform, such as zoom_blur, or --corruptions"),
        (["--transform", "clip"], "Expected transforms with parameters, got clip"),
        (["--transform", "rotation", "hue", "--corruptions", "."], "one transform at most with --corruptions"),
        (["--transform", "rotation"], "No shipped classifier was trained for rotation"),
    ],
)
def test_bad_input_is_a_line(args, message, capsys):
    assert gsmooth("evaluate", *args) == cli.BAD_INPUT
    assert message in " ".join(capsys.readouterr().err.split())
