"""What the bar of ``gsmooth certify`` shows, and that its checkpoints are found from any folder."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, models, results, surrogate
from gsmooth_jax.cli.certify import _Bar
from gsmooth_jax.cli.terms import read_region
from gsmooth_jax.models import Architecture, Classifier
from gsmooth_jax.results import headers
from gsmooth_jax.surrogate import Surrogate
from gsmooth_jax.surrogate.networks import Networks
from gsmooth_jax.training import loop
from gsmooth_jax.types import Domain
from tests.cli.test_commands import gsmooth
from tests.models.fill import random_variables
from tests.results.test_export import claim

SHAPE = (28, 28, 1)
TERMS = ["--transform", "brightness", "--region", "-0.001", "0.001", "--limit", "1", "--devices", "1"]


def test_the_bar_goes_on_counting_where_earlier_sessions_stopped():
    bar = _Bar()
    with bar.started("", images=10, done=5, certified=3):
        bar.finished(claim(5, 1.0))
        bar.finished(claim(6, 0.0, certified=False))
        bar.votes(64)
        (task,) = bar._bar.tasks
        assert (task.completed, task.total) == (7, 10)
        assert task.description.startswith("certified 4, ")


@pytest.mark.parametrize(("option", "p"), [("l1", 1), ("l2", 2), ("linf", np.inf)])
def test_a_ball_is_of_the_images_size(option, p):
    none = dict.fromkeys(("box", "l1", "l2", "linf"))
    read = {option: 0.1}
    assert read_region(gs.transforms.Additive(), lambda: SHAPE, **none | read) == gs.Ball(0.1, 784, p)
    assert read_region(gs.transforms.Translation(), pytest.fail, **none | read) == gs.Ball(0.1, 2, p)
    for other in ({"box": (-1.0, 1.0)}, {"l1" if option != "l1" else "l2": 0.1}):
        with pytest.raises(ValueError, match="one of --region, --ball, --l1 and --linf, got several"):
            read_region(gs.transforms.Brightness(), pytest.fail, **none | read | other)


@pytest.mark.parametrize(
    ("options", "ball"),
    [
        (["--linf", "0.002", "--law", "gaussian(sigma=0.25)"], {"radius": 0.002, "dim": 784, "p": "inf"}),
        (["--l1", "0.05", "--law", "laplace(scale=0.15)"], {"radius": 0.05, "dim": 784, "p": "1"}),
    ],
    ids=["linf", "l1"],
)
def test_balls_of_all_norms_go_through_every_command(options, ball, tmp_path, capsys):
    run = str(tmp_path)
    terms = ["--transform", "additive", "--checkpoint", "shipped:mnist_brightness_contrast", "--limit", "2"]
    assert gsmooth("certify", *terms, *options, "--max-votes", "200", "--devices", "1", "--out", run) == cli.DONE
    assert json.loads((tmp_path / headers.FILE).read_text())["region"] == {"ball": ball}
    assert f"additive in |xi|_{ball['p']} <= {ball['radius']:g}" in capsys.readouterr().out.replace("\n", " ")
    assert gsmooth("verify", run, "--replay", "1", "--checkpoint", terms[3]) == cli.DONE
    climb = ["--attack", "eot-pgd", "--tries", "1", "--votes", "16", "--limit", "1"]
    assert gsmooth("attack", run, "--checkpoint", terms[3], *climb) == cli.DONE
    assert gsmooth("report", run, "--html", str(tmp_path / "page.html")) == cli.DONE
    words = f"parameters of L{ball['p']} norm {ball['radius']:g} at most"
    assert words in (tmp_path / "page.html").read_text()


@pytest.fixture
def trained(tmp_path):
    """A checkpoint, and the surrogate behind which it was trained from the folder ``there``."""
    from tests.surrogates import NETWORKS  # registers tiny networks

    assert "tiny" in NETWORKS
    there = tmp_path / "there"
    networks = Networks(name="tiny", image_shape=SHAPE, transform="brightness", low=(-0.1,), high=(0.1,))
    shapes = jax.eval_shape(networks.init, jax.random.key(0))
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda leaf: np.asarray(rng.normal(0, 0.1, leaf.shape), np.float32), shapes)
    surrogate.save(there / "runs/surrogate", Surrogate(variables=variables, networks=networks))
    network = Architecture(name="convnet", classes=10, options=(("hidden", (8,)), ("widths", (2, 2))))
    classifier = Classifier(variables=random_variables(network, SHAPE), apply=network, classes=10, domain=Domain(SHAPE))
    training = {"surrogate": "runs/surrogate", "sigma_parameter": 0.05, "noise": 0.2}
    models.save(there / "runs/behind", classifier, {"training": training})
    return there


@pytest.mark.parametrize("kind", ["as it was", "moved apart", "old"])
def test_a_surrogate_is_found_from_another_folder(kind, trained, tmp_path, monkeypatch, capsys):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    checkpoint = trained / "runs/behind"
    card = json.loads((checkpoint / "model.json").read_text())
    if kind != "old":  # as training writes it
        monkeypatch.chdir(trained)
        card["info"] |= loop._beside("runs/surrogate", "runs/behind")
        assert card["info"]["surrogate"]["from_checkpoint"] == "../surrogate"
    if kind == "moved apart":
        shutil.move(trained / "runs", tmp_path / "kept")
        checkpoint = tmp_path / "kept/behind"
        (elsewhere / "runs").mkdir()
        shutil.copytree(tmp_path / "kept/behind", elsewhere / "runs/surrogate")  # something else of that name
    (checkpoint / "model.json").write_text(json.dumps(card))
    monkeypatch.chdir(elsewhere)
    assert gsmooth("certify", "--checkpoint", checkpoint, *TERMS, "--max-votes", "400", "--out", "run") == cli.DONE
    header, claims = results.read_run(Path("run"))
    assert header["law"].startswith("surrogate_noise(path='runs/surrogate', sigma_parameter=0.05, sigma=0.2, finger")
    assert len(claims) == 1
    if kind == "moved apart":
        return
    monkeypatch.chdir(tmp_path)
    assert gsmooth("verify", elsewhere / "run", "--replay", 1, "--checkpoint", checkpoint, "--devices", 1) == cli.DONE
    attack = ["--attack", "grid", "--tries", 2, "--checkpoint", checkpoint, "--devices", 1]
    assert gsmooth("attack", elsewhere / "run", *attack) == cli.DONE
    assert headers.guarantee_of(header, [checkpoint]).method.noise.load().path == "runs/surrogate"


def test_a_surrogate_that_is_gone_is_named(trained, tmp_path, monkeypatch, capsys):
    shutil.rmtree(trained / "runs/surrogate")
    monkeypatch.chdir(tmp_path)
    assert gsmooth("certify", "--checkpoint", trained / "runs/behind", *TERMS, "--out", "run") == cli.BAD_INPUT
    said = "".join(capsys.readouterr().err.split())
    assert f"Nosurrogateat'runs/surrogate':neitherherenorat'{trained}/runs/behind/runs/surrogate'orabove" in said
    assert not Path("run").exists()
