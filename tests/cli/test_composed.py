"""Compositions with a law for each stage, on real MNIST images: certified, verified, replayed, attacked."""

import json
import re
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, results, smoothing
from gsmooth_jax.results import certify, headers
from gsmooth_jax.training.augment import Augment
from tests.cli.test_commands import UPRIGHT, gsmooth

ORDER = "gaussian_blur(border='cyclic')|contrast|brightness"
LAWS = "exponential(scale=1.0)|gaussian(sigma=0.3)|gaussian(sigma=0.3)"
SMALL = ["--region", "0", "0.3", "-0.1", "0.15", "-0.1", "0.1"]
ONE = ["--devices", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "composed"
    asked = ["certify", "--transform", ORDER, "--law", LAWS, *SMALL, *UPRIGHT, "--limit", "4", *ONE]
    assert gsmooth(*asked, "--out", folder) == cli.DONE
    return folder


def test_a_claim_end_to_end(run, capsys):
    header, claims = results.read_run(run)
    assert (header["transform"], header["law"], header["method"]) == (ORDER, LAWS, "composition")
    assert all(c.status == "proved" and c.votes < 400 for c in claims)
    assert sum(c.certified and c.correct for c in claims) >= 3
    assert headers.guarantee_of(header).method.smoothing == smoothing.parse(LAWS)
    assert gsmooth("verify", run, "--replay", "1", "--checkpoint", UPRIGHT[1]) == cli.DONE
    capsys.readouterr()
    attack = ["attack", run, "--attack", "random", "--tries", "40", "--limit", "3", *UPRIGHT, *ONE, "--json"]
    assert gsmooth(*attack) == cli.DONE
    assert json.loads(capsys.readouterr().out)["broke_claim"] == []


def test_the_same_from_python(run, tmp_path):
    again = gs.certify_run(
        UPRIGHT[1],
        "embedded",
        out=tmp_path / "run",
        transform=gs.transforms.GaussianBlur(border="cyclic") | gs.transforms.Contrast() | gs.transforms.Brightness(),
        region=gs.Box([0, -0.1, -0.1], [0.3, 0.15, 0.1]),
        law=smoothing.Product([gs.Exponential(scale=1), gs.Gaussian(sigma=0.3), gs.Gaussian(sigma=0.3)]),
        limit=4,
        execution=gs.Execution(devices=1),
    )
    assert [c.hypotheses for c in again.claims] == [c.hypotheses for c in results.read_run(run)[1]]
    assert gs.verify(again).faults == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--transform", "gamma|brightness"], "'gamma' before 'brightness' has none here."),
        (["--transform", "gaussian_blur|contrast|clip"], "stage 'clip' has none."),
        (["--transform", "gaussian_blur|translation|contrast"], "With gaussian_blur(border='cyclic') it would."),
        (["--law", "gaussian(sigma=1)"], "Expected a law for each stage of gaussian_blur|contrast|brightness"),
        (["--law", "gaussian(sigma=1)|gaussian(sigma=1)"], "Expected a law for each of the 3 stages"),
        (["--law", LAWS.replace("gaussian(sigma=0.3)", "rayleigh")], "rayleigh draws a factor"),
        (["--region", "-1", "1", "0", "1", "0", "1"], "leaves the range [0.0, inf]"),
        (["--method", "resolvable"], "resolvable takes one law, not one for each stage"),
        (["--max-votes", "8"], "max_votes=8 can never certify"),
    ],
)
def test_bad_input_is_said_before_any_work(args, message, tmp_path, capsys):
    terms = {"--transform": [ORDER], "--law": [LAWS], "--region": SMALL[1:], args[0]: args[1:]}
    if args[0] == "--transform":
        del terms["--region"]  # the published one, of as many parameters as it has
    usual = [word for option, values in terms.items() for word in (option, *values)] + UPRIGHT
    assert gsmooth("certify", *usual, "--out", tmp_path / "run") == cli.BAD_INPUT
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_the_sampled_bound_is_called_heuristic_and_says_what_is_exact(tmp_path, capsys):
    asked = ["certify", "--transform", "contrast|brightness", "--law", "gaussian(sigma=0.4)|gaussian(sigma=0.4)"]
    small = ["--region", "-0.2", "0.2", "-0.2", "0.2", "--method", "general_lipschitz", "--limit", "2"]
    assert gsmooth(*asked, *small, *UPRIGHT, *ONE, "--out", tmp_path) == cli.DONE
    assert re.search(r"Needed: p_A >= 0\.79\d+ \(0\.7\d+ exactly\), which takes", capsys.readouterr().err)
    header, claims = results.read_run(tmp_path)
    assert header["method"] == "general_lipschitz"
    assert {(c.status, c.certified) for c in claims} == {("heuristic", True)}
    assert gsmooth("verify", tmp_path) == cli.DONE


def test_what_was_trained_for_a_composition_is_certified_under_its_laws(monkeypatch):
    training = {"transform": ["gamma", ORDER], "law": ["gaussian(sigma=1)", LAWS]}
    monkeypatch.setattr("gsmooth_jax.models.describe", lambda folder: {"info": {"training": training}})
    assert smoothing.describe(certify.trained_law(Path("unread"), "gaussian_blur|contrast|brightness")) == LAWS
    with pytest.raises(ValueError, match="name the law for contrast"):
        certify.trained_law(Path("unread"), "contrast")


def test_training_reads_a_law_for_each_stage(monkeypatch):
    moves = []
    monkeypatch.setattr("gsmooth_jax.data.load_split", lambda *_: (None, None))
    monkeypatch.setattr("gsmooth_jax.training.loop.train", lambda config, *_: moves.extend(Augment.build(config).moves))
    assert gsmooth("train", "--transform", ORDER, "--law", LAWS, "--out", "unused") == cli.DONE
    ((law, name),) = [(move.law, move.transform.name) for move in moves]
    assert (smoothing.describe(law), name) == (LAWS, "gaussian_blur|contrast|brightness")
