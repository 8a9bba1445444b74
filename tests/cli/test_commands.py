"""The command end to end on real MNIST images: what it prints, what it writes, and how it exits."""

import dataclasses
import io
import json
import re
from pathlib import Path
from unittest import mock

import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

import gsmooth_jax as gs
from gsmooth_jax import cli, results
from gsmooth_jax.results import headers, report
from gsmooth_jax.transforms import Hue, Saturation
from gsmooth_jax.version import VERSION
from tests import edited
from tests.tiny import lines

FEW = ["--transform", "brightness_contrast", "--limit", "24", "--devices", "1"]


UPRIGHT = ["--checkpoint", "shipped:mnist_brightness_contrast"]
"""A classifier that was not trained for what it is certified against; good enough for two degrees."""


CIFAR = str(Path(__file__).parents[2] / "experiments/table1_cifar10/checkpoint")


def gsmooth(*args):
    """Runs the command; returns its exit code."""
    try:
        cli.main([str(a) for a in args])
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "demo"
    assert gsmooth("certify", *FEW, "--out", folder) == cli.DONE
    return folder


def test_the_demo_certifies_real_images_through_the_shipped_surrogate(tmp_path, capsys):
    assert gsmooth("certify", "--limit", "4", "--devices", "1", "--out", tmp_path) == cli.DONE
    header, claims = results.read_run(tmp_path)
    assert header["transform"] == "rotational_blur|clip|quantize(bits=8)"
    assert header["law"].startswith("surrogate_noise(path='shipped:mnist_rotational_blur_surrogate'")
    assert all(c.certified and c.correct and c.status == "proved" and c.radius == 10.0 for c in claims)
    assert gsmooth("verify", tmp_path) == cli.DONE
    assert gsmooth("attack", tmp_path, "--attack", "grid", "--tries", 5, "--limit", 2, "--devices", "1") == cli.DONE
    assert not (tmp_path / "certified_accuracy.png").exists()  # nobody asked for one


def test_closed_forms_certify_real_images(run):
    header, claims = results.read_run(run)
    assert [c.id for c in claims] == list(range(0, 480, 20))
    assert sum(c.certified and c.correct for c in claims) >= 22
    assert all(c.status == "proved" and c.votes < 2000 for c in claims)
    assert header["transform"] == "brightness_contrast"
    assert header["model"]["fingerprint"]
    assert header["device"] == jax.devices()[0].device_kind
    assert "seconds" not in header


def test_the_header_names_the_precision_that_was_certified(run, tmp_path):
    few = ["--transform", "brightness_contrast", "--limit", "3", "--devices", "1"]
    assert gsmooth("certify", *few, "--dtype", "bfloat16", "--out", tmp_path) == cli.DONE
    header, claims = results.read_run(tmp_path)
    whole, _ = results.read_run(run)
    assert (header["model"]["dtype"], whole["model"]["dtype"]) == ("bfloat16", "float32")
    assert header["model"]["fingerprint"] != whole["model"]["fingerprint"]
    assert sum(c.certified for c in claims) >= 2
    assert gsmooth("attack", tmp_path, "--attack", "grid", "--tries", 4, "--limit", 1, "--devices", "1") == cli.DONE
    assert gsmooth("certify", *few, "--out", tmp_path) == cli.BAD_INPUT


@pytest.fixture(scope="module")
def cover_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "cover"
    turned = ["--transform", "rotation|clip|quantize(bits=8)", "--region", "-2", "2", "--law", "pixel_noise(sigma=0.2)"]
    assert gsmooth("certify", "--limit", "3", "--devices", "1", *turned, *UPRIGHT, "--out", folder) == cli.DONE
    assert sum(c.certified for c in results.read_run(folder)[1]) >= 2
    return folder


@pytest.mark.parametrize(
    ("claims", "checkpoint", "attack", "tries", "limit"),
    [
        ("run", [], "grid", 4, 6),
        ("run", [], "random", 12, 6),
        ("cover_run", UPRIGHT, "grid", 16, 3),
        ("cover_run", UPRIGHT, "eot-pgd", 2, 3),
    ],
)
def test_no_attack_lands_inside_a_proved_claim(claims, checkpoint, attack, tries, limit, request, capsys):
    """The smoothed classifier, attacked through the real transform: its corners, draws of the region, and uphill."""
    folder = request.getfixturevalue(claims)
    capsys.readouterr()
    few = ["--tries", tries, "--limit", limit, "--devices", "1", "--json"]
    assert gsmooth("attack", folder, "--attack", attack, *checkpoint, *few) == cli.DONE
    summary = json.loads(capsys.readouterr().out)
    assert summary["broke_claim"] == []
    assert summary["empirical_robust_accuracy"] >= summary["certified_accuracy"] >= 0.6


def test_running_again_changes_nothing(run, capsys):
    before = (run / results.RESULTS).read_bytes()
    assert gsmooth("certify", *FEW, "--out", run) == cli.DONE
    assert (run / results.RESULTS).read_bytes() == before


def test_an_interrupted_run_goes_on_and_ends_the_same(run, tmp_path, monkeypatch, capsys):
    append = results.RunWriter.append

    def interrupted(self, claim):
        append(self, claim)
        if len(self.done) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(results.RunWriter, "append", interrupted)
        assert gsmooth("certify", *FEW, "--out", tmp_path) == cli.INTERRUPTED
    assert "5 images are kept; run the same command to go on" in " ".join(capsys.readouterr().err.split())
    assert gsmooth("certify", *FEW, "--out", tmp_path, "--rows", 4) == cli.DONE
    assert lines(tmp_path / results.RESULTS) == lines(run / results.RESULTS)


def test_an_interrupted_process_leaves_without_taking_the_compiler_apart(monkeypatch):
    left = []
    monkeypatch.setattr("os._exit", left.append)
    for code in (cli.INTERRUPTED, cli.BAD_INPUT):
        monkeypatch.setattr(cli, "main", mock.Mock(side_effect=SystemExit(code)))
        with pytest.raises(SystemExit) as stop:
            cli.command()
        assert stop.value.code == code
    assert left == [cli.INTERRUPTED]


@pytest.mark.parametrize("devices", [2, 8])
def test_the_number_of_devices_changes_no_byte(devices, run, tmp_path):
    assert gsmooth("certify", *FEW[:-1], devices, "--out", tmp_path) == cli.DONE
    assert lines(tmp_path / results.RESULTS) == lines(run / results.RESULTS)


def test_report_prints_json_and_draws(run, tmp_path, capsys):
    assert gsmooth("report", run, "--out", tmp_path, "--radii", "0.25", "0.9", "--json") == cli.DONE
    (summary,) = json.loads(capsys.readouterr().out)["runs"]
    assert summary["images"] == 24
    assert summary["status"] == "proved"
    at = summary["certified_accuracy_at"]
    assert at["0.25"] >= summary["certified_accuracy"] >= at["0.9"]
    with Image.open(tmp_path / "certified_accuracy.png") as picture:
        assert min(picture.size) > 300
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_proved_and_other_claims_share_no_table(run):
    proved = report.summarize(report.read(run))
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report.render([proved | {"status": "heuristic"}, proved]))
    text = console.export_text()
    assert text.index("Certified accuracy, proved") < text.index("Certified accuracy, heuristic")


@pytest.mark.parametrize(("status", "says"), [("proved", "proved"), ("heuristic", "certified")])
def test_a_picture_says_proved_only_where_all_is(run, status, says, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(Figure, "suptitle", lambda _, text, **__: titles.append(text))
    read = report.read(run)
    other = dataclasses.replace(read, claims=[dataclasses.replace(c, status=status) for c in read.claims])
    report.draw_curves([read, other], tmp_path / "curve.png")
    assert titles == [f"Share of images {says} for every transformation up to this size"]


def test_several_runs_share_a_table(run, capsys):
    assert gsmooth("report", run, run) == cli.DONE
    assert capsys.readouterr().out.count("brightness_contrast") >= 2


def test_verify_accepts_the_run_and_finds_a_tampered_count(run, tmp_path, capsys):
    assert gsmooth("verify", run) == cli.DONE
    (tmp_path / headers.FILE).write_bytes((run / headers.FILE).read_bytes())
    edited.write(tmp_path / results.RESULTS, edited.lines(run / results.RESULTS))
    assert gsmooth("verify", tmp_path) == cli.DONE

    def fewer(record):
        for column in ("successes", "votes"):
            record["hypotheses"][column][0] -= 5

    edited.edit(tmp_path / results.RESULTS, fewer)
    capsys.readouterr()
    assert gsmooth("verify", tmp_path, "--json") == cli.FAILED
    faults = json.loads(capsys.readouterr().out)["faults"][str(tmp_path)]
    assert any(f.startswith("image 0: votes") for f in faults)


def test_verify_names_a_lost_image_and_one_listed_twice(run, tmp_path, capsys):
    (tmp_path / headers.FILE).write_bytes((run / headers.FILE).read_bytes())
    kept = edited.lines(run / results.RESULTS)
    edited.write(tmp_path / results.RESULTS, [*kept[:3], *kept[4:8], kept[7]])
    assert gsmooth("verify", tmp_path, "--json") == cli.FAILED
    faults = json.loads(capsys.readouterr().out)["faults"][str(tmp_path)]
    assert sorted(faults) == ["image 140: listed twice", "image 60: missing"]
    assert gsmooth("report", tmp_path, "--out", tmp_path) == cli.DONE
    assert "8 of 24" in capsys.readouterr().out


def test_export(run, capsys):
    assert gsmooth("export", run) == cli.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "idx\tlabel\tpredict\tradius\tcorrect\ttime"
    assert len(lines) == 25


@pytest.mark.parametrize("format", ["csv", "json"])
def test_export_in_another_format(run, format, tmp_path, capsys):
    assert gsmooth("export", run, "--format", format) == cli.DONE
    text = capsys.readouterr().out
    header, claims = results.read_run(run)
    assert text == results.export.FORMATS[format](claims, header)
    assert gsmooth("export", run, "--format", format, "--out", tmp_path / "table") == cli.DONE
    assert (tmp_path / "table").read_text() == text


def test_the_last_lines_say_why_images_are_not_certified(run, capsys):
    capsys.readouterr()
    assert gsmooth("report", run) == cli.DONE
    text = capsys.readouterr().out
    summary = report.summarize(report.read(run))
    assert summary["not_certified"]
    assert text.endswith(report.explained([summary]).plain + "\n")
    assert "clean" in text
    assert gsmooth("report", run, "--json") == cli.DONE
    (shown,) = json.loads(capsys.readouterr().out)["runs"]
    assert shown["not_certified"] == summary["not_certified"]
    assert shown["clean_accuracy"] == summary["clean_accuracy"]


def test_a_report_writes_a_page(run, tmp_path, capsys):
    assert gsmooth("report", run, run, "--html", tmp_path / "page.html") == cli.DONE
    assert capsys.readouterr().out.splitlines()[-1] == f"page: {tmp_path / 'page.html'}"
    text = (tmp_path / "page.html").read_text()
    assert text.count("<tbody data-id=") == 24
    assert text.count("<img ") == 24
    assert gsmooth("report", run, "--html", tmp_path / "page.html", "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["page"] == str(tmp_path / "page.html")
    assert gsmooth("report", run, "--html", tmp_path) == cli.BAD_INPUT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["page.html"]


def test_a_plan_says_what_a_run_takes_and_keeps_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    few = ["--transform", "brightness_contrast", "--limit", 40, "--images", 4, "--devices", 1]
    assert gsmooth("plan", *few) == cli.DONE
    text = capsys.readouterr().out
    assert "4 images tried" in text
    assert "The run's 40 images: about " in text
    assert gsmooth("plan", *few, "--sweep", "--json") == cli.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["tried"], found["run"]["images"], len(found["trials"])) == (4, 40, 5)
    assert found["run"]["votes"] == round(40 * found["trials"][0]["votes"])
    assert found["suggested_law"] in [t["law"] for t in found["trials"]]
    assert list(tmp_path.iterdir()) == []
    assert gsmooth("plan", *few[:-4], "--images", 0) == cli.BAD_INPUT
    assert gsmooth("plan", *few, "--region", -9, 9, -9, 9) == cli.BAD_INPUT


def test_catalogues(capsys):
    assert gsmooth("methods", "--json") == cli.DONE
    assert {m["name"] for m in json.loads(capsys.readouterr().out)["methods"]} >= {"resolvable", "additive"}
    assert gsmooth("laws", "--json") == cli.DONE
    laws = {row["name"]: row for row in json.loads(capsys.readouterr().out)["laws"]}
    assert laws["exponential"]["range"] == ">= 0"
    assert laws["gaussian"]["parameters"][0].startswith("sigma: the standard deviation, in parameter units")
    assert laws["pixel_noise"]["draws"] == "the image's noise"
    assert gsmooth("transforms", "--json") == cli.DONE
    transforms = {row["name"]: row for row in json.loads(capsys.readouterr().out)["transforms"]}
    assert transforms["rotation"]["does"] == "Rotation about the centre."
    assert transforms["gaussian_blur"]["parameters"] == ["v (px^2) >= 0"]
    assert "defect" not in transforms["rotation"]


def test_the_version(capsys):
    assert gsmooth("--version") == cli.DONE
    assert capsys.readouterr().out == f"gsmooth_jax {VERSION}\n"


def test_help_of_all_commands_is_a_sentence_each_and_of_one_has_examples(capsys):
    assert gsmooth("--help") == cli.DONE
    listed = capsys.readouterr().out
    assert "$ gsmooth" not in listed
    assert all(name in listed for name in ("board", "laws", "fit-surrogate", "--version"))
    assert gsmooth("fit-surrogate", "--help") == cli.DONE
    assert "$ gsmooth fit-surrogate --transform rotational_blur" in capsys.readouterr().out


def test_a_board_of_runs(run, cover_run, tmp_path, capsys):
    (tmp_path / "published.toml").write_text(f'[mnist]\n"{run}" = {{ row = "both", images = 24, tss = "97.6" }}\n')
    published = ["--published", tmp_path / "published.toml"]
    assert gsmooth("board", run, cover_run, *published, "--out", tmp_path / "pages" / "board.md") == cli.DONE
    page = (tmp_path / "pages" / "board.md").read_text()
    assert capsys.readouterr().out == f"board: {tmp_path / 'pages' / 'board.md'}\n"
    proved = page.split("## Proved")[1]
    assert "| tss 97.6 |" in proved
    name, above, heads = (proved.splitlines()[i] for i in (4, 6, 8))
    assert name == "### embedded"
    assert above == "All rows: network ConvNet, standardises; alpha 0.001."
    assert "published" in heads.split(" | ")
    assert "alpha" not in heads.split(" | ")
    assert "| `rotation\\|clip\\|quantize` | [-2, 2] deg | **" in proved
    links = re.findall(r"\]\((.*?)\)", page)
    assert len(links) == 4
    assert all((tmp_path / "pages" / link).is_file() for link in links)
    assert gsmooth("board", run, "--no-verify") == cli.DONE
    assert "That was done by" not in capsys.readouterr().out
    assert "That was done by gsmooth_jax" in page
    assert gsmooth("board") == cli.BAD_INPUT
    (tmp_path / "published.toml").write_text("mnist = 3")
    assert gsmooth("board", run, *published) == cli.BAD_INPUT


def test_a_run_with_a_fault_is_on_no_board(run, tmp_path, capsys):
    (tmp_path / headers.FILE).write_bytes((run / headers.FILE).read_bytes())
    kept = edited.lines(run / results.RESULTS)
    edited.write(tmp_path / results.RESULTS, kept[:-1])
    assert gsmooth("board", tmp_path, "--out", tmp_path / "board.md") == cli.DONE  # unfinished, not false
    edited.write(tmp_path / results.RESULTS, [*kept, kept[0]])
    assert gsmooth("board", tmp_path, "--out", tmp_path / "faulty.md") == cli.FAILED
    assert "image 0: listed twice" in capsys.readouterr().err
    assert not (tmp_path / "faulty.md").exists()


def test_laws_of_colours_are_measured_on_colours(capsys, monkeypatch):
    """Grey images stay as they are, and would show no rounding."""
    monkeypatch.setattr("gsmooth_jax.cli.catalogue.TRANSFORMS", {"hue": Hue, "saturation": Saturation})
    assert gsmooth("transforms", "--defects", "--json") == cli.DONE
    assert all(0.0 < r["defect"] < 1e-5 for r in json.loads(capsys.readouterr().out)["transforms"])


@pytest.mark.slow
def test_the_transform_catalogue_measures_every_law(capsys):
    assert gsmooth("transforms", "--defects", "--json") == cli.DONE
    rows = json.loads(capsys.readouterr().out)["transforms"]
    assert len(rows) >= 18
    assert all(r["defect"] < 2e-3 for r in rows if r["law"] != "none")
    assert any(r["defect"] > 0.1 for r in rows if r["law"] == "none" and r["defect"] is not None)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--transform", "rotate"], "Unknown transform 'rotate'. Known: additive, brightness,"),
        (["--law", "gauss(sigma=1)"], "Unknown law 'gauss'"),
        (["--law", "gaussian(sigma=-1.0)"], "sigma"),
        (["--law", "gaussian(sigma=__import__('os'))"], "expected name or name(key=literal"),
        (["--method", "magic"], "Unknown method 'magic'. Known: additive, brightness_contrast"),
        (["--transform", "rotation"], "No shipped classifier was trained for rotation, only for rotational_blur and"),
        (["--checkpoint", "shipped:resnet"], "Unknown path 'shipped:resnet'. Known: shipped:mnist_brightness_contrast"),
        (["--transform", "rotation", "--law", "gaussian(sigma=5.0)", *UPRIGHT], "no exact composition law"),
        (["--transform", "gaussian_blur", *UPRIGHT], "--law"),
        (["--alpha", "0"], "0 < alpha < 1"),
        (["--max-votes", "8"], "max_votes=8 can never certify"),
        (["--region", "-0.5", "0.5", "1"], "for each of the 1 parameters, got 3 numbers"),
        (["--region", "0.1", "0.5"], "holds the identity"),
        (
            ["--transform", "gaussian_blur", "--law", "exponential(scale=9.0)", "--region", "-1", "4", *UPRIGHT],
            "leaves the range [0.0, inf]",
        ),
        (  # train clips the draws of such a law
            ["--transform", "gaussian_blur", "--law", "gaussian(sigma=3.0)", "--region", "0", "4", *UPRIGHT],
            "gaussian noise in [-inf, inf] leaves the range [0.0, inf]",
        ),
        (["--data", "mnist", "--data-dir", "no-such-folder"], "gsmooth data prepare mnist"),
        (["--data", "imagenet"], "Unknown data 'imagenet'. Known: cifar10, cifar100, embedded,"),
        (["--transform", "quantize", *UPRIGHT], "quantize has no parameter"),
        (["--seed", str(2**70)], "seed < 2^32"),
        (
            ["--transform", "rotation", "--checkpoint", CIFAR],
            "takes images (32, 32, 3) in [0, 1] of 10 classes",
        ),
        (["--split", "train"], "Unknown split 'train'. Known: test"),
        (["--checkpoint", "no-such-model"], "No checkpoint at"),
        (["--every", "0"], "every >= 1"),
        (["--devices", "99"], "devices <= 8"),
    ],
)
def test_bad_input_exits_with_2_and_starts_nothing(args, message, tmp_path, capsys):
    assert gsmooth("certify", *args, "--out", tmp_path / "run") == cli.BAD_INPUT
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_a_folder_of_another_claim_is_refused(run, capsys):
    assert gsmooth("certify", *FEW, "--out", run, "--alpha", "0.01") == cli.BAD_INPUT
    assert "another claim (alpha" in " ".join(capsys.readouterr().err.split())


def test_reports_of_nothing(tmp_path, capsys):
    assert gsmooth("report", tmp_path) == cli.BAD_INPUT
    assert "Expected a run folder" in " ".join(capsys.readouterr().err.split())
    assert gsmooth("verify", tmp_path) == cli.BAD_INPUT


def test_votes_between_two_looks_are_the_methods_or_those_asked_for(tmp_path):
    votes = {}
    for block in (0, 16):
        out = tmp_path / str(block)
        asked = "certify", "--transform", "brightness_contrast", "--limit", "2", "--devices", "1", "--block", str(block)
        assert gsmooth(*asked, "--out", out) == cli.DONE
        header, claims = results.read_run(out)
        assert header["block"] == (block or gs.ClosedForm.block)
        votes[block] = {h.votes for c in claims for h in c.hypotheses}
    assert all(v % gs.ClosedForm.block == 0 for v in votes[0])
    assert all(v % 16 == 0 for v in votes[16])
