"""Processes that wait for others say for whom, hear Ctrl-C, and end in time."""

import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

from gsmooth_jax import cli
from gsmooth_jax.cli import distributed, roll_call
from tests import tiny
from tests.cli.test_distributed import ROOT, WAIT

IMPATIENT = """
import sys
from gsmooth_jax.cli import command, roll_call
roll_call.PATIENCE, roll_call._SILENT, roll_call._PERIOD = map(float, sys.argv.pop(1).split())
command()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def start(folder, port, index, count, patience):
    """A process of a run whose others may never come."""
    share = ["--coordinator", f"localhost:{port}", "--processes", str(count), "--process", str(index)]
    certify = ["certify", *tiny.FEW, "--out", str(folder / "run"), *share]
    command = [sys.executable, "-c", IMPATIENT, f"{patience} 1 0.2", *certify]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_process_whose_partner_does_not_come_ends_in_time(tmp_path):
    port = free_port()
    lonely = start(tmp_path, port, 1, 2, patience=4)
    out, err = lonely.communicate(timeout=WAIT)
    missing = f"process 1 of 2 has heard nothing from process 0 at localhost:{port}."
    said = f"Waiting, at most 4 s: {missing}\nerror: The processes did not meet within 4 s: {missing}\n"
    assert (out, err, lonely.returncode) == ("", said, cli.FAILED)
    assert not (tmp_path / "run").exists()


def test_those_who_wait_name_who_is_missing_and_hear_an_interruption(tmp_path):
    port = free_port()
    waiting = {index: start(tmp_path, port, index, 4, patience=WAIT) for index in (0, 2)}
    for index, process in waiting.items():
        missing = f"process {index} of 4 has heard nothing from processes 1, 3 at localhost:{port}.\n"
        assert any(line == f"Waiting, at most {WAIT} s: {missing}" for line in process.stderr)
    for process in waiting.values():
        process.send_signal(signal.SIGTERM)
        *_, last = process.communicate(timeout=WAIT)[1].splitlines()
        assert (last, process.returncode) == (
            "Interrupted before the processes met; nothing was started.",
            cli.INTERRUPTED,
        )
    assert not (tmp_path / "run").exists()


def test_a_number_that_another_process_waits_with_is_refused(tmp_path):
    port = free_port()
    first = start(tmp_path, port, 1, 2, patience=WAIT)
    assert "has heard nothing from process 0" in first.stderr.readline()  # it waits
    second = start(tmp_path, port, 1, 2, patience=WAIT)
    err = second.communicate(timeout=WAIT)[1]
    said = f"got two with --process 1 at localhost:{port}: one of them waits already.\n"
    assert (err, second.returncode) == (f"error: Expected processes with different --process, {said}", cli.BAD_INPUT)
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=WAIT)
    assert first.returncode == cli.INTERRUPTED
    with distributed._only(f"localhost:{port}", 1), distributed._only(f"localhost:{port}", 0):  # free again
        pass


def test_lines_tell_each_other_who_is_here():
    address = f"localhost:{free_port()}"
    lines = [roll_call._Line(address, index, 4) for index in range(4)]
    try:
        assert lines[2].missing() == [0]
        assert lines[0].missing() == [1, 2, 3]  # listens from now on
        for call in (2, 0, 2):
            lines[call].missing()
        assert lines[0].missing() == lines[2].missing() == [1, 3]
        for call in (1, 3, 0, 1, 2, 3):
            lines[call].missing()
        assert [line.missing() for line in lines] == [[], [], [], []]
        for stray in (b"no number", b"7", b"-1"):
            lines[1]._socket.send(stray)
            assert lines[0].missing() == []
    finally:
        for line in lines:
            line.close()


def test_who_has_gone_is_missing(monkeypatch):
    lines = [roll_call._Line(f"localhost:{port}", index, 2) for port in [free_port()] for index in (0, 1)]
    for call in (0, 1, 0):
        lines[call].missing()
    assert lines[0].missing() == []
    monkeypatch.setattr(roll_call, "_GONE", 0.0)
    assert lines[0].missing() == [1]
    for line in lines:
        line.close()


def test_a_meeting_leaves_nothing_behind(capsys):
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    with roll_call.roll_call(SimpleNamespace(client=None)):
        pass
    after = signal.set_wakeup_fd(before)
    assert after == before
    assert capsys.readouterr() == ("", "")
