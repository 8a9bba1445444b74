"""What the commands print: text as it stands, figures whole, one line where something is missing, and nothing once
nobody reads."""

import io
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from rich.text import Text

import gsmooth_jax
from gsmooth_jax import cli, models
from gsmooth_jax._console import UNREAD, PlainConsole
from gsmooth_jax.results import origin, report
from gsmooth_jax.results.tables import Figures
from tests import tiny
from tests.cli.test_commands import gsmooth

ODD = "mnist[rot]:bomb:[bold]"
"""What rich would read as styles and an emoji."""
GONE = "gone[/v2]:bomb:"
"""What it would read as the end of a style that never began, which is an error."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(models, "ensemble", tiny.classifier)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / ODD
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(models, "ensemble", tiny.classifier)
        assert gsmooth("certify", *tiny.FEW, "--devices", "1", "--out", folder) == cli.DONE
    return folder


def program(*args, stdout=subprocess.PIPE, **environment):
    """Starts the program itself."""
    command = [sys.executable, "-c", "from gsmooth_jax import cli; cli.command()", *map(str, args)]
    here = {"PYTHONPATH": str(Path(gsmooth_jax.__file__).parents[1]), **environment}
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=os.environ | here)


def test_names_are_no_markup(run, capsys):
    odd = ["--attack", "grid", "--tries", "4", "--limit", "1", "--devices", "1"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(origin, "check_classifier", lambda *_: None)
        assert gsmooth("attack", run, *odd) == cli.DONE
    assert gsmooth("report", run, "--out", run) == cli.DONE
    shown = capsys.readouterr().out
    assert len(re.findall(rf"│ {re.escape(ODD)} +│", shown)) == 3  # attacked, reported, and reported as attacked
    assert gsmooth("report", run, "--out", run) == cli.DONE
    assert f"picture: {run}/certified_accuracy.png" in capsys.readouterr().out
    assert gsmooth("verify", run) == cli.DONE
    assert gsmooth("certify", *tiny.FEW, "--devices", "1", "--out", run) == cli.DONE
    printed = capsys.readouterr()
    assert f"{run}: 16 claims" in printed.out
    assert f"{run} holds this run" in printed.err


@pytest.mark.parametrize(
    "args",
    [
        ["report", GONE],
        ["verify", GONE],
        ["export", GONE],
        ["attack", GONE],
        ["certify", "--transform", GONE],
        ["certify", "--data", GONE],
        ["certify", "--law", GONE],
        ["certify", "--method", GONE],
        ["certify", "--limit", GONE],
        ["certify", "--checkpoint", GONE],
        ["data", "prepare", GONE],
        ["data", "prepare", "mnist", "--data-dir", "nowhere", "--source", "files", "--files", GONE],
    ],
    ids=" ".join,
)
def test_errors_name_what_was_typed(args, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert gsmooth(*args) == cli.BAD_INPUT
    assert GONE in "".join(capsys.readouterr().err.split()).replace("│", "")


def test_every_console_is_plain():
    """So no string that the package prints is read as markup, wherever it is printed."""
    root = Path(gsmooth_jax.__file__).parent
    lines = [line.strip() for path in root.rglob("*.py") for line in path.read_text().splitlines()]
    other = re.compile(r"rich\.markup|from_markup|get_console|import rich\b|from rich import .*print|\bConsole\(")
    assert not [line for line in lines if other.search(line)]
    bars = [line for line in lines if re.search(r"\btrack\(|= Progress\(", line)]
    assert len(bars) == 5
    assert all("console=err_console" in line for line in bars), bars


class Terminal(PlainConsole):
    is_terminal = True


def figures(widest):
    rows = [(ODD * 3, "1,234,567", Text("98.7%", "bold")), ("b", widest, "1.2%")]
    return Figures("[red]title[/red]", ("run", "votes/image", "certified"), rows)


@pytest.mark.parametrize("columns", [20, 40, 80])
@pytest.mark.parametrize("widest", ["12", "1234567890123456789012345"])
def test_figures_are_whole_on_every_terminal(columns, widest):
    out = io.StringIO()
    console = Terminal()
    console.file, console.width, console.height = out, columns, 25
    console.print(figures(widest), crop=False)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "…" not in shown
    for figure in ("1,234,567", "98.7%", widest, "1.2%", "votes/image", "certified"):
        assert re.search(rf"[│┃] +{re.escape(figure)} +[│┃]", shown), shown
    names = "".join(re.findall(r"^│ (\S*)", shown, re.MULTILINE))
    assert names == ODD * 3 + "b"
    assert max(map(len, shown.splitlines())) <= max(columns, 80)
    assert "[red]title[/red]" in "".join(shown.split())


def test_a_pipe_has_no_width(run, capsys):
    long = [report.read(run)]
    summary = report.summarize(long[0], [0.01 * i for i in range(1, 30)])
    capsys.readouterr()
    cli.console.out_console.print(report.render([summary]), crop=False)
    claim, _, _, header, *_ = capsys.readouterr().out.splitlines()
    assert claim.startswith(f"{ODD}: embedded test (ids: original order), in float32; brightness_contrast in ")
    assert claim.endswith("from its first request to its verdict")
    assert header.count("at 0.") == 29


def test_a_closed_pipe_ends_a_command_quietly(run):
    commands = (["report", run], ["export", run], ["certify", "--help"])
    started = []
    for command in commands:
        reader, writer = os.pipe()
        os.close(reader)
        started.append(program(*command, stdout=writer))
        os.close(writer)
    for process in started:
        assert (process.communicate()[1], process.returncode) == ("", UNREAD)


def test_a_platform_that_is_not_here(run, tmp_path):
    there = tmp_path / "there"
    commands = (["certify", "--out", there], ["verify", run, "--replay", "1"])
    for process in [program(*command, JAX_PLATFORMS="warp") for command in commands]:
        out, err = process.communicate()
        assert (out, process.returncode, err.count("\n")) == ("", cli.BAD_INPUT, 1), err
        assert err.startswith("error: JAX cannot start with JAX_PLATFORMS='warp': Unable to initialize backend 'warp'")
    assert not there.exists()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (AssertionError(), "no device of this kind was found. Unset it"),  # CUDA, where only jax for CPUs is installed
        (RuntimeError("No GPU. (set JAX_PLATFORMS='' to choose)"), "No GPU. Unset it"),
    ],
)
def test_a_device_that_does_not_start(error, says, monkeypatch, tmp_path, capsys):
    def devices():
        raise error

    monkeypatch.setattr(jax, "devices", devices)
    assert gsmooth("certify", *tiny.FEW, "--out", tmp_path / "run") == cli.BAD_INPUT
    assert says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "args", [["certify", "--data", "mnist"], ["data", "prepare", "mnist", "--source", "files", "--files", "~/raw"]]
)
def test_a_user_without_a_home(args, monkeypatch, capsys):
    def unknown(_):
        raise KeyError

    for name in ("HOME", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert gsmooth(*args) == cli.BAD_INPUT
    assert "none is known: set HOME, or name a whole path" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["certify", "report", "export", "prepare", "data"])
def test_a_folder_inside_a_file(command, run, tmp_path, capsys):
    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "x"
    args = {
        "certify": ["certify", *tiny.FEW, "--devices", "1", "--out", inside],
        "report": ["report", run, "--out", inside],
        "export": ["export", run, "--out", inside],
        "prepare": ["data", "prepare", "mnist", "--source", "files", "--files", inside, "--data-dir", inside],
        "data": ["certify", *tiny.FEW, "--devices", "1", "--data", "mnist", "--data-dir", inside],
    }
    assert gsmooth(*args[command]) == cli.BAD_INPUT
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert str(inside) in err
    assert err.count("\n") == 1
