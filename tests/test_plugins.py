"""A transform, law, noise, certificate and method of a user's file work everywhere without a fork, and say so."""

import json
import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import _spec, cli, results, smoothing, transforms
from gsmooth_jax.methods import registry
from gsmooth_jax.results import headers
from gsmooth_jax.results.verify import verify_run
from gsmooth_jax.training import TrainConfig
from gsmooth_jax.training.augment import Augment
from tests.cli.test_commands import gsmooth
from tests.known import SHAPE, by_mean
from tests.plugins.tint import Grain, Mine, Tint, Wide

PLACE = "tests.plugins.tint"
CHECKPOINT = ("--checkpoint", "shipped:mnist_rotational_blur")
HERE = Path(__file__).parent / "plugins" / "tint.py"


def certified(**terms):
    image = np.full((1, *SHAPE), 0.9, np.float32)
    return gs.certify(by_mean, image, [1], transform=Tint(gain=0.5), region=gs.Box([-0.2], [0.2]), **terms)[0]


@pytest.mark.parametrize(
    ("terms", "assumed"),
    [
        ({"law": gs.Gaussian(sigma=0.5)}, ()),
        ({"law": Wide(width=1.0)}, (f"part {PLACE}:Wide",)),
        ({"law": gs.PixelNoise(sigma=0.2)}, ()),
        ({"law": Grain(sigma=0.2)}, (f"part {PLACE}:Grain",)),
        ({"method": gs.ClosedForm(smoothing=gs.Gaussian(sigma=0.5), certificate=Mine())}, (f"part {PLACE}:Mine",)),
    ],
    ids=str,
)
def test_what_is_not_registered_is_an_assumption(terms, assumed):
    claim = certified(**terms)
    assert claim.certified
    assert claim.status == "conditional"
    assert claim.assumes == (f"transform {PLACE}:Tint", *assumed)


@pytest.mark.parametrize("head", [f"{PLACE}:", f"{HERE}:"])
def test_texts_name_where_a_class_is(head):
    text = f"{head}Tint(gain=0.5)|clip"
    transform = transforms.parse(text)
    assert transform.stages[0].gain == 0.5
    assert transforms.parse(transforms.describe(transform)) == transform
    law = smoothing.parse(f"{head}Wide(width=1.0)")
    assert smoothing.parse(smoothing.describe(law)) == law
    method = registry.parse(f"{head}Mine", "gaussian(sigma=0.5)", transforms.parse("brightness"))
    assert registry.parse(registry.describe(method), method.law, transforms.parse("brightness")) == method


def test_an_object_that_nobody_named_says_its_module():
    assert transforms.describe(Tint()) == f"{PLACE}:Tint(gain=1.0)"
    assert transforms.parse(transforms.describe(Tint())) == Tint()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such_module:Tint", "Cannot import transform 'no_such_module:Tint': No module named"),
        (f"{PLACE}:Nothing", "it has no 'Nothing', but "),
        ("no/such/file.py:Tint", "Cannot import transform .*no/such/file.py:Tint"),
        (f"{PLACE}:Tint(strength=2.0)", "it takes gain"),
        (f"{PLACE}:", "Cannot read transform"),
        (":Tint", "Cannot read transform"),
        (f"{PLACE}:Tint(gain=open('x'))", "Cannot read transform"),
    ],
)
def test_bad_places_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        transforms.parse(text)


def test_a_module_that_is_a_file_of_the_working_folder_is_told_from_none(plugin, monkeypatch):
    monkeypatch.chdir(plugin.parent)
    with pytest.raises(ValueError, match=r"No module named 'mine'\. Of a file, name the file: mine.py:Tint."):
        transforms.parse("mine:Tint")
    assert transforms.parse("mine.py:Tint(gain=2.0)").gain == 2.0


def test_entry_points_are_found_by_name(monkeypatch):
    entry = metadata.EntryPoint(name="tint", value=f"{PLACE}:Tint", group="gsmooth_jax.transforms")
    broken = metadata.EntryPoint(name="broken", value="no_such_module:X", group="gsmooth_jax.transforms")

    def entry_points(*, group, name):
        return [e for e in (entry, broken) if (e.group, e.name) == (group, name)]

    monkeypatch.setattr(_spec.metadata, "entry_points", entry_points)
    monkeypatch.setattr(_spec, "_HEADS", {})
    assert transforms.parse("tint(gain=2.0)") == Tint(gain=2.0)
    assert transforms.describe(Tint(gain=2.0)) == "tint(gain=2.0)"
    with pytest.raises(ValueError, match="Cannot load transform 'broken' from no_such_module:X"):
        transforms.parse("broken")
    with pytest.raises(ValueError, match=r"Unknown transform 'other'\. Known: additive"):
        transforms.parse("other")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A file of the user's, outside any package."""
    path = tmp_path_factory.mktemp("user") / "mine.py"
    shutil.copy(HERE, path)
    return path


@pytest.fixture(scope="module")
def run(plugin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tint"
    terms = ["--transform", f"{plugin}:Tint(gain=0.5)|clip", "--region", "-0.02", "0.02", "--limit", "2"]
    law = ["--law", f"{plugin}:Grain(sigma=0.4)", *CHECKPOINT]
    assert gsmooth("certify", *terms, *law, "--devices", "1", "--out", folder) == cli.DONE
    return folder


def test_a_run_of_plugins_is_verified_replayed_and_attacked(run, plugin, capsys):
    header, claims = results.read_run(run)
    assert header["transform"] == f"{plugin.resolve()}:Tint(gain=0.5)|clip"
    assert set(header["plugins"]) == {f"{plugin.resolve()}:Tint", f"{plugin.resolve()}:Grain"}
    assert all(c.status == "conditional" and len(c.assumes) == 2 for c in claims)
    assert any(c.certified for c in claims)
    for command in (["verify"], ["verify", "--replay", 1, *CHECKPOINT]):
        capsys.readouterr()
        assert gsmooth(command[0], run, *command[1:], "--devices", 1, "--json") == cli.DONE
        assert json.loads(capsys.readouterr().out)["faults"] == {str(run): []}
    assert gsmooth("attack", run, "--attack", "grid", "--tries", 3, *CHECKPOINT, "--devices", 1) == cli.DONE
    assert gsmooth("report", run) == cli.DONE
    shown = " ".join(capsys.readouterr().out.split())
    assert "assuming" in shown
    assert "conditional" in shown


def test_another_version_of_a_plugin_is_noticed(run):
    header, claims = results.read_run(run)
    changed = header | {"plugins": dict.fromkeys(header["plugins"], "0" * 64)}
    again = headers.other_plugins(changed, headers.guarantee_of(changed))
    assert again == [f"plug-in {name} is another file than the run's" for name in header["plugins"]]
    assert any("is another file" in fault for fault in verify_run(changed, claims))


def test_classifiers_are_trained_under_a_plugin(plugin):
    config = TrainConfig(out="unused", transform=(f"{plugin}:Tint(gain=0.5)",), law=(f"{plugin}:Wide(width=0.4)",))
    (move,) = Augment.build(config).moves
    assert (move.transform.gain, move.law.width) == (0.5, 0.4)
