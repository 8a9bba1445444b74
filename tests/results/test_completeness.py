"""What verify finds of a header that says less than it should, and what it says it cannot find."""

import dataclasses
import json
import shutil

import pytest

from gsmooth_jax import cli, results
from gsmooth_jax.results import headers, records, verify
from tests import edited, tiny
from tests.cli.test_commands import gsmooth

ONE = ["--devices", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gsmooth_jax.models.ensemble", tiny.classifier)
        assert gsmooth("certify", *tiny.FEW, *ONE, "--out", folder) == cli.DONE
    return folder


def altered(run, folder, change, kept=slice(None)):
    """The run with another header, whose digest is written into every record, and only some of its records."""
    shutil.copytree(run, folder)
    header, claims = results.read_run(run)
    change(header)
    (folder / headers.FILE).write_text(json.dumps(header))
    sealed = [dataclasses.replace(c, header=headers.digest(header)) for c in claims[kept]]
    (folder / results.RESULTS).write_bytes(b"".join(map(records.to_record, sealed)))
    return folder


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        (["every", "images"], "header: the header's data lacks every and images: inputs that were left out"),
        (["every"], "header: the header's data lacks every:"),
        (["images"], "header: the header's data lacks images:"),
    ],
)
def test_a_header_of_a_known_data_set_has_to_say_which_images(run, tmp_path, lost, says, monkeypatch, capsys):
    folder = altered(run, tmp_path / "run", lambda h: [h["data"].pop(name) for name in lost], slice(0, 16, 2))
    (fault,) = verify.check(folder).faults
    assert fault.startswith(says)
    assert gsmooth("verify", folder) == cli.FAILED
    monkeypatch.setattr("gsmooth_jax.models.ensemble", tiny.classifier)
    assert gsmooth("verify", folder, "--replay", 1, *ONE) == cli.BAD_INPUT
    assert f"its data lacks {', '.join(lost)}" in " ".join(capsys.readouterr().err.split())


def test_of_data_without_a_name_it_is_said(run, tmp_path, capsys):
    def nameless(header):
        header["data"] = {"name": "my own"}

    folder = altered(run, tmp_path / "run", nameless, slice(0, 16, 2))
    assert gsmooth("verify", folder) == cli.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "8 claims, all follow from the evidence" in said
    assert "not checked: the header's data lacks every and images: inputs that were left out of the run cannot" in said
    assert gsmooth("verify", folder, "--json") == cli.DONE
    ((unchecked,),) = json.loads(capsys.readouterr().out)["unchecked"].values()
    assert unchecked.startswith("the header's data lacks every and images")


@pytest.mark.parametrize(
    "data",
    [
        {"every": "x", "images": 16},
        {"every": 0, "images": 16},
        {"every": 1, "images": None},
        {"id_list": 3, "images": 3},
        {"id_list": ["a"], "images": 1},
    ],
)
def test_a_damaged_header_is_a_fault_and_no_crash(run, tmp_path, data):
    folder = altered(run, tmp_path / "run", lambda h: h.update(data={"name": "in memory"} | data))
    assert any(f.startswith("header: its data is damaged: ") for f in verify.check(folder).faults)


def test_what_is_left_out_is_found_where_the_header_says_what_there_is(run, tmp_path):
    folder = altered(run, tmp_path / "run", lambda h: None, slice(0, 16, 2))
    faults = verify.check(folder).faults
    assert len(faults) == 7  # what is behind the last one may still be to do
    assert all(f.endswith("missing") for f in faults)
    assert edited.lines(folder / results.RESULTS)
