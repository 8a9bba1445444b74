"""One run shared by several processes: what they write together is what one process writes, whoever dies."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gsmooth_jax import cli, models, results
from gsmooth_jax.cli import distributed
from tests import edited, tiny

ROOT = Path(__file__).parents[2]
IMAGES = 16
WAIT = 600
CPU = {
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "2",
    "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What a process alone writes."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(models, "ensemble", tiny.classifier)
        cli.main(["certify", *tiny.FEW, "--devices", "1", "--out", str(folder)])
    lines = tiny.lines(folder / results.RESULTS)
    assert len(lines) == IMAGES
    assert len({json.loads(line)["certified"] for line in edited.lines(folder / results.RESULTS)}) == 2
    return folder, lines


def start(folder, *share, die="", cluster=()):
    environment = os.environ | CPU | dict(cluster) | {"DIE": die}
    # By its module's name, so that the classifier's fingerprint is the one it has here.
    command = [sys.executable, "-c", "from tests import tiny; tiny.main()"]
    command += ["certify", *tiny.FEW, "--out", str(folder), *share]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **pipe)


def run(folder, processes, die=None):
    """Starts processes that meet at a port; ``die`` maps some to how they end."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    meet = ["--coordinator", f"localhost:{port}", "--processes", str(processes), "--process"]
    return ends([start(folder, *meet, str(p), die=(die or {}).get(p, "")) for p in range(processes)])


def run_by_slurm(folder, processes):
    """Starts processes that find each other by what Slurm tells them."""
    job = {
        "SLURM_JOB_ID": str(os.getpid()),
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": str(processes),
        "SLURM_LOCALID": "0",
    }
    numbered = [job | {"SLURM_PROCID": str(p)} for p in range(processes)]
    return ends([start(folder, "--distributed", cluster=task) for task in numbered])


def ends(started):
    """Waits for processes; returns their exit codes and what they printed."""
    try:
        printed = [process.communicate(timeout=WAIT)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    return [process.returncode for process in started], printed


def union(folder, processes):
    """The lines of all shards in the order of the data."""
    shards = [tiny.lines(folder / results.shard_name(p, processes)) for p in range(processes)]
    assert sum(map(len, shards)) == IMAGES
    return [shards[position % processes][position // processes] for position in range(IMAGES)]


def test_the_death_of_the_coordinator_costs_the_others_nothing(alone, tmp_path, capsys):
    codes, printed = run(tmp_path, 2, die={0: "SIGKILL 3"})
    assert codes == [-signal.SIGKILL, cli.DONE], printed
    assert "Process 1 of 2 has done its 8 images" in printed[1]
    cli.main(["report", str(tmp_path), "--json"])
    (summary,) = json.loads(capsys.readouterr().out)["runs"]
    assert (summary["images"], summary["images_of_run"]) == (11, IMAGES)
    cli.main(["verify", str(tmp_path)])
    said = " ".join(capsys.readouterr().out.split())
    assert "11 claims, all follow from the evidence; 5 images are still to do" in said

    again = start(tmp_path, "--processes", "2", "--process", "0")  # needs nobody else
    assert (again.communicate(timeout=WAIT), again.returncode)[1] == cli.DONE
    folder, lines = alone
    assert union(tmp_path, 2) == lines
    header, claims = results.read_run(tmp_path)
    assert header == results.read_run(folder)[0]
    assert [c.id for c in claims] == [c.id for c in results.read_run(folder)[1]]


@pytest.mark.slow
def test_four_processes_write_what_one_writes_though_two_of_them_are_interrupted(alone, tmp_path):
    codes, printed = run(tmp_path, 4, die={1: "SIGKILL 1", 2: "SIGTERM 2"})
    assert codes == [cli.DONE, -signal.SIGKILL, cli.INTERRUPTED, cli.DONE], printed
    assert "2 images are kept" in printed[2]
    assert run_by_slurm(tmp_path, 4)[0] == [cli.DONE] * 4
    assert union(tmp_path, 4) == alone[1]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--processes", "2"], "--processes and --process together"),
        (["--processes", "2", "--process", "2"], "0 <= process < processes"),
        (["--processes", "0", "--process", "0"], "0 <= process < processes"),
        (["--coordinator", "here", "--processes", "2", "--process", "0"], "HOST:PORT"),
    ],
)
def test_what_is_no_share_is_refused(args, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["certify", *tiny.FEW, "--out", str(tmp_path / "run"), *args])
    assert stop.value.code == cli.BAD_INPUT
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()


def test_no_cluster_and_absent_processes_are_named(monkeypatch):
    import jax

    def fails(error):
        def initialize(*_):
            raise error

        monkeypatch.setattr(jax.distributed, "initialize", initialize)

    fails(ValueError("coordinator_address should be defined."))
    with pytest.raises(ValueError, match="No cluster was detected"):
        distributed.join(True, None, None, None)
    fails(RuntimeError("DEADLINE_EXCEEDED"))
    with pytest.raises(ConnectionError, match="did not meet: DEADLINE_EXCEEDED"):
        distributed.join(False, "localhost:1", 2, 1)
