"""``cc_cert`` from the command line: whoever reads its runs is told that they speak of random attackers only."""

import json

import pytest

from gsmooth_jax import cli, results
from gsmooth_jax.results import page, report
from tests.cli.test_commands import UPRIGHT, gsmooth

ONE = ["--devices", "1"]
FEW = ["--transform", "rotation|clip|quantize", "--region", "-15", "15", *UPRIGHT, "--limit", "4", *ONE]
METHODS = {
    "counted": ["--method", "cc_cert(at_most=0.05)"],
    "chernoff": ["--method", "cc_cert(bound='chernoff')", "--test", "fixed", "--max-votes", "200", "--block", "50"],
}


@pytest.fixture(scope="module", params=METHODS)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    assert gsmooth("certify", *METHODS[request.param], *FEW, "--out", folder) == cli.DONE
    return folder


def test_a_run_is_verified_replayed_and_attacked(run, capsys):
    _, claims = results.read_run(run)
    assert sum(c.certified for c in claims) >= 2
    assert all(c.radius == 0.0 for c in claims)
    assert gsmooth("verify", run, "--replay", "2", "--checkpoint", UPRIGHT[1]) == cli.DONE
    attack = ["attack", run, "--attack", "random", "--tries", "30", "--votes", "1", "--limit", "2", *UPRIGHT, *ONE]
    capsys.readouterr()
    assert gsmooth(*attack) == cli.DONE
    assert "random attackers only" in " ".join(capsys.readouterr().out.split())
    assert gsmooth(*attack, "--json") == cli.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["broke_claim"], found["random_only"]) == ([], True)


def test_reports_and_pages_say_whom_it_speaks_of(run, tmp_path, capsys):
    capsys.readouterr()
    assert gsmooth("report", run, "--out", tmp_path) == cli.DONE
    shown = " ".join(capsys.readouterr().out.split())
    status = results.read_run(run)[1][0].status
    assert f"Certified accuracy, {status}, random attackers only" in shown
    assert (tmp_path / "certified_accuracy.png").stat().st_size > 1000
    read = report.read(run)
    page.write([read], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "of a parameter that somebody chooses it says nothing" in text
    assert "after a random" in text
    assert "random attackers only" in text
    assert "for every transformation" not in text
    assumed = "Assumed: that 50 draws" in text
    assert assumed == (status == "statistical")


def test_they_share_no_table_with_other_claims(run):
    own = report.summarize(report.read(run))
    other = own | {"random_only": False}
    tables = report.render([own, other]).renderables
    assert [str(t.title) for t in tables[-2:]] == [
        f"Certified accuracy, {own['status']} (every image counts)",
        f"Certified accuracy, {own['status']}, random attackers only (every image counts)",
    ]
