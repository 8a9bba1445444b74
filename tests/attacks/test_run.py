"""``gsmooth attack`` on real MNIST images: what it prints and writes, and how it exits."""

import json
import shutil
from pathlib import Path

import pytest

from gsmooth_jax import cli, results
from gsmooth_jax.attacks import files as attacked
from gsmooth_jax.results import headers
from tests import edited
from tests.cli.test_commands import gsmooth

KEPT = Path(__file__).parents[2] / "experiments/resolvable_mnist/gaussian_blur"

ONE = ["--devices", "1"]  # as in the other tests of the command: compiled once


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "demo"
    few = ["--transform", "brightness_contrast", "--limit", "3"]
    assert gsmooth("certify", *few, *ONE, "--out", folder) == cli.DONE
    return folder


def forged(run, folder, change):
    """A copy of the run whose header says something else."""
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("attack-*"))
    header = json.loads((folder / headers.FILE).read_text())
    change(header)
    (folder / headers.FILE).write_text(json.dumps(header))
    return folder


def test_nothing_lands_in_a_sound_run(run, capsys):
    assert gsmooth("attack", run, "--attack", "grid", "--tries", "4", "--limit", "2", *ONE, "--json") == cli.DONE
    summary = json.loads(capsys.readouterr().out)
    written = json.loads((run / "attack-grid.json").read_text())
    assert {k: summary[k] for k in written if k != "outcomes"} == {k: v for k, v in written.items() if k != "outcomes"}
    assert summary["attack"] == {"name": "grid", "tries": 4}
    assert (summary["images"], summary["tries"], summary["broke_claim"]) == (2, 5, [])
    assert 1.0 == summary["smoothed_accuracy"] >= summary["empirical_robust_accuracy"] >= summary["certified_accuracy"]
    assert [o["id"] for o in written["outcomes"]] == [0, 20]
    assert all(abs(v) <= 0.5 for o in written["outcomes"] for v in o["worst"])
    assert gsmooth("report", run, "--json") == cli.DONE
    (shown,) = json.loads(capsys.readouterr().out)["attacks"]
    assert (shown["run"], shown["attack"]["name"], shown["broke_claim"]) == ("demo", "grid", [])
    assert gsmooth("report", run) == cli.DONE
    assert "Empirical and certified robustness" in capsys.readouterr().out


def test_a_false_claim_fails_the_command(run, tmp_path, capsys):
    false = forged(run, tmp_path / "false", lambda h: None)

    def another_class(record):
        record["statement"] = {"class": 3}

    edited.edit(false / results.RESULTS, another_class)
    assert gsmooth("attack", false, "--attack", "grid", "--tries", "4", "--limit", "2", *ONE) == cli.FAILED
    shown = capsys.readouterr().out.split()
    assert "broke" in shown
    assert "claim" in shown
    found = json.loads((false / "attack-grid.json").read_text())
    assert found["broke_claim"] == [0]
    assert [o["target"] for o in found["outcomes"]] == [[3], [9]]
    assert found["empirical_robust_accuracy"] == 0.5


def test_bad_input_exits_with_2_and_writes_nothing(run, tmp_path, capsys):
    other = forged(run, tmp_path / "other", lambda h: h["model"].update(fingerprint="0123456789abcdef"))
    moved = forged(run, tmp_path / "moved", lambda h: h["data"].update(images=2))
    empty = forged(run, tmp_path / "empty", lambda h: None)
    (empty / results.RESULTS).write_bytes(b"")
    for args, message in (
        ([other], "fingerprint 0123456789ab..., this one has"),
        ([moved, "--attack", "random", "--tries", "1", *ONE], "The data holds no image 40"),
        ([empty], "no finished image"),
        ([run, "--checkpoint", "no-such-model"], "No checkpoint at"),
        ([run, "--attack", "fgsm"], "fgsm"),
        ([run, "--tries", "0"], "tries >= 1"),
        ([run, "--limit", "0"], "limit >= 1"),
        ([tmp_path], "Expected a run folder"),
    ):
        assert gsmooth("attack", *args) == cli.BAD_INPUT, args
        assert message in " ".join(capsys.readouterr().err.split())
    assert not [f for folder in (other, moved, empty) for f in folder.glob("attack-*")]


def test_data_that_has_changed_is_refused(run):
    header, claims = results.read_run(run)
    header["data"]["every"] = 2
    with pytest.raises(ValueError, match="no image 20"):
        list(attacked.claimed_examples(header, claims))


def test_what_older_versions_wrote_is_read(run, tmp_path):
    """They called it ``landed``: three outcomes that version 0.6 wrote of a run that is still kept."""
    header = results.read_run(run)[0]
    old = json.loads((Path(__file__).parent / "version_0_6.json").read_text())
    assert "landed" in old
    known = results.read_run(KEPT)[0]
    (tmp_path / "attack-random.json").write_text(json.dumps(old))
    (shown,) = attacked.read(tmp_path, known)
    assert shown["broke_claim"] == old["landed"]
    assert not shown.keys() & {"landed", "outcomes"}
    shutil.copytree(run, tmp_path / "new")
    (tmp_path / "new/attack-random.json").write_text(json.dumps(old))
    assert [s["attack"]["name"] for s in attacked.read(tmp_path / "new", header)] in ([], ["grid"])  # of another run
