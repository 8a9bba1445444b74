"""What is kept can be made again: every training script of ``experiments`` and every kept model reads and runs."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import pytest

from gsmooth_jax import cli
from gsmooth_jax.data.specs import DATASETS
from gsmooth_jax.training import TrainConfig
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.training.denoiser_config import DenoiserConfig
from gsmooth_jax.training.surrogate_config import FitConfig

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*ROOT.glob("experiments/**/train.sh"), *ROOT.glob("experiments/**/fit.sh")])
RUNS = [(script, ()) for script in SCRIPTS] + [(ROOT / "experiments/table1_cifar10/train.sh", ("speed_net",))]
MODELS = sorted([*ROOT.glob("experiments/**/model.json"), *ROOT.glob("gsmooth_jax/assets/*/model.json")])

_RECORDS = """#!/bin/sh
for argument; do printf '%s\\037' "$argument" >> "$CALLS"; done
echo >> "$CALLS"
"""


def name(value):
    return "-".join(value) if isinstance(value, tuple) else str(value.relative_to(ROOT))


def run(script, arguments, folder, gsmooth, **environment):
    """Runs a script with a ``gsmooth`` of ours on the path."""
    program = folder / "bin" / "gsmooth"
    program.parent.mkdir(parents=True)
    program.write_text(gsmooth)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    settings = os.environ | {"PATH": path} | environment
    done = subprocess.run(["bash", script, *arguments], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def calls_of(script, arguments, folder):
    """Returns the argument lists with which a script calls ``gsmooth``."""
    calls = folder / "calls"
    run(script, arguments, folder, _RECORDS, CALLS=str(calls))
    return [line.split("\037")[:-1] for line in calls.read_text().splitlines()]


def input_shape(data):
    """Of a data set's images; of a folder's waveforms, which are not kept: one second at 8,000 samples."""
    return (8000,) if data.startswith("folder:") else DATASETS[data].image_shape


def drawn(config):
    """The shape that a configuration's augmentation gives to a batch of its data set's images; nothing is computed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # draws that are clipped
        augment = Augment.build(config)
    shape = (config.batch_size, *input_shape(config.data))
    keys, images = jax.random.split(jax.random.key(0), shape[0]), jax.ShapeDtypeStruct(shape, np.float32)
    return jax.eval_shape(Augment.__call__, augment, keys, images).shape == shape


def test_scripts_and_models_are_found():
    assert len(SCRIPTS) >= 6
    assert len(MODELS) >= 18


@pytest.mark.parametrize(("script", "arguments"), RUNS, ids=name)
def test_every_script_asks_for_what_can_be_built(script, arguments, tmp_path, monkeypatch):
    """The command line reads it, and its augmentation is built: behind the kept surrogate where there is one."""
    asked = []
    monkeypatch.setattr("gsmooth_jax.data.load_split", lambda *_: (None, None))
    monkeypatch.setattr("gsmooth_jax.data.sample_rate", lambda *_: None)
    monkeypatch.setattr("gsmooth_jax.training.loop.train", lambda config, *_: asked.append(config))
    monkeypatch.setattr("gsmooth_jax.training.surrogate_fit.fit", lambda config, *_: asked.append(config))
    monkeypatch.chdir(script.parent)
    for call in calls_of(script, arguments, tmp_path):
        if call[0] != "data":
            cli.main(call)
    assert asked
    for config in asked:
        assert config.drawn() if isinstance(config, FitConfig) else drawn(config)


@pytest.mark.parametrize("path", MODELS, ids=name)
def test_every_kept_model_says_how_it_can_be_trained(path, monkeypatch):
    description = json.loads(path.read_text())
    info = description["info"]
    if "denoiser" in description:
        settings = {name: tuple(v) if isinstance(v, list) else v for name, v in info["fit"].items()}
        assert DenoiserConfig(out="unused", **settings).network().to_json() == description["denoiser"]
        return
    if "fit" in info:
        assert FitConfig(out="unused", **info["fit"]).drawn()
        return
    settings = info["training"] | {key: tuple(info["training"][key]) for key in ("transform", "law")}
    # Relative to the folder that train.sh runs in.
    monkeypatch.chdir(path.parents[2] if path.parents[1].name == "checkpoints" else path.parents[1])
    assert drawn(TrainConfig(out="unused", **settings))


_SMALL = f"""#!{sys.executable}
import sys
import numpy as np
from gsmooth_jax import cli, data
from gsmooth_jax.data.specs import DATASETS

def load_split(name, split, data_dir=None):
    count = dict(train=600, test=60)[split]
    rng = np.random.default_rng(count)
    if name.startswith("folder:"):
        return rng.integers(-9000, 9000, (count, 8000), np.int16), np.arange(count, dtype=np.int32) % 10
    return rng.integers(0, 256, (count, *DATASETS[name].image_shape), np.uint8), np.arange(count, dtype=np.int32) % 10

data.load_split, data.sample_rate = load_split, lambda data: 8000 if data.startswith("folder:") else None
arguments = sys.argv[1:]
if arguments[0] != "data":
    cli.main([*arguments, "--epochs", "1", *(["--validation", "60"] if "--validation" in arguments else [])])
"""


@pytest.mark.slow
@pytest.mark.parametrize(("script", "arguments"), RUNS, ids=name)
def test_every_script_passes_an_epoch(script, arguments, tmp_path):
    """As it stands, but for one epoch of made images: the real ones are prepared by the script's first line."""
    copy = tmp_path / "experiment" / script.name
    copy.parent.mkdir()
    shutil.copy(script, copy)
    done = run(copy, arguments, tmp_path, _SMALL, PYTHONPATH=str(ROOT))
    outs = [call[call.index("--out") + 1] for call in calls_of(script, arguments, tmp_path / "dry") if "--out" in call]
    assert outs
    for out in outs:
        info = json.loads((copy.parent / out / "model.json").read_text())["info"]
        assert info["result"]["epoch"] == 1
    assert done.stderr.count("they are clipped to it") == done.stderr.count("warning: Law")


def test_a_law_that_leaves_the_range_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("gsmooth_jax.data.load_split", lambda *_: (None, None))
    monkeypatch.setattr("gsmooth_jax.training.loop.train", lambda config, *_: Augment.build(config))
    law = "uniform(low=-1.0, high=2.0)"
    cli.main(["train", "--transform", "gaussian_blur", "--law", law, "--out", "unused"])
    says = f"Law '{law}' draws parameters outside the range of 'gaussian_blur': they are clipped to it."
    assert capsys.readouterr().err.splitlines() == [f"warning: {says}"]
