"""Whatever stops ``gsmooth certify``, the same command goes on, and the file ends as if nothing had happened."""

import contextlib
import errno
import itertools
import os
import resource
import signal

import jax
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, models, results
from gsmooth_jax.data import embedded
from gsmooth_jax.results import sources
from tests import tiny

calls = itertools.repeat(None)
"""What the classifier's next calls do."""


def trip(images):
    fault = next(calls)
    if fault is not None:
        raise fault
    return np.zeros((len(images), 1), np.float32)


def fragile(images):
    nothing = jax.ShapeDtypeStruct((len(images), 1), np.float32)
    return tiny.by_stripes(images) + jax.pure_callback(trip, nothing, images)


@pytest.fixture(autouse=True)
def classifier(monkeypatch):
    monkeypatch.setattr(models, "ensemble", lambda _: gs.as_classifier(fragile, (28, 28, 1)))
    monkeypatch.setattr(models, "unseen", lambda _: ())  # what its callback does is of the tests


def certify(folder):
    """Runs the command; returns its exit code."""
    try:
        cli.main(["certify", *tiny.FEW, "--devices", "1", "--out", str(folder)])
    except SystemExit as stop:
        return stop.code
    return cli.DONE


undisturbed_lines: list[str] = []


@pytest.fixture
def undisturbed(classifier, tmp_path_factory):
    if not undisturbed_lines:
        folder = tmp_path_factory.mktemp("undisturbed")
        assert certify(folder) == cli.DONE
        undisturbed_lines.extend(tiny.lines(folder / results.RESULTS))
    return undisturbed_lines


@contextlib.contextmanager
def signalled(number):
    with pytest.MonkeyPatch.context() as patched:
        append = results.RunWriter.append

        def last(self, claim):
            append(self, claim)
            if len(self.done) == 5:
                os.kill(os.getpid(), number)

        patched.setattr(results.RunWriter, "append", last)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def full_disk():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def failing_classifier():
    global calls
    calls = itertools.chain([None] * 40, [RuntimeError("out of luck")], itertools.repeat(None))
    yield


@contextlib.contextmanager
def data_that_end_early():
    with pytest.MonkeyPatch.context() as patched:
        whole = sources.stream
        patched.setattr(sources, "stream", lambda *args, **named: itertools.islice(whole(*args, **named), 7))
        yield


@contextlib.contextmanager
def data_that_cannot_be_read():
    def damaged(self, index):
        if index == 7:
            raise OSError(errno.EIO, "Input/output error")
        return read(self, index)

    with pytest.MonkeyPatch.context() as patched:
        read = embedded.EmbeddedSplit.__getitem__
        patched.setattr(embedded.EmbeddedSplit, "__getitem__", damaged)
        yield


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (lambda: signalled(signal.SIGTERM), cli.INTERRUPTED, "Interrupted. 5 images are kept"),
        (lambda: signalled(signal.SIGINT), cli.INTERRUPTED, "Interrupted. 5 images are kept"),
        (full_disk, cli.FAILED, "make room and run the same command again"),
        (failing_classifier, cli.FAILED, "out of luck"),
        (data_that_end_early, cli.FAILED, "The data ended early: 16 images were announced. 7 images are kept"),
        (data_that_cannot_be_read, cli.FAILED, "Input/output error"),
    ],
    ids=["SIGTERM", "SIGINT", "full disk", "classifier", "short data", "unreadable data"],
)
def test_the_same_command_goes_on(fault, code, message, undisturbed, tmp_path, capsys):
    before = signal.getsignal(signal.SIGTERM)
    with fault():
        assert certify(tmp_path) == code
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "run the same command to go on" in said
    kept = tiny.lines(tmp_path / results.RESULTS)
    assert kept == undisturbed[: len(kept)]
    assert len(kept) < len(undisturbed)
    assert certify(tmp_path) == cli.DONE
    assert tiny.lines(tmp_path / results.RESULTS) == undisturbed
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("cut", [1, 300, 3000])
def test_a_torn_file_is_made_whole(cut, undisturbed, tmp_path):
    assert certify(tmp_path) == cli.DONE
    file = tmp_path / results.RESULTS
    os.truncate(file, file.stat().st_size - cut)
    assert certify(tmp_path) == cli.DONE
    assert tiny.lines(file) == undisturbed


@contextlib.contextmanager
def without_privileges():
    """Root may write anywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    tmp_path.chmod(0o555)
    init = results.RunWriter.__init__

    def unprivileged(*args, **named):
        with without_privileges():
            init(*args, **named)

    monkeypatch.setattr(results.RunWriter, "__init__", unprivileged)
    assert certify(tmp_path / "run") == cli.BAD_INPUT
    assert "Permission denied" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_a_file_in_the_folders_place_is_named(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert certify(place) == cli.BAD_INPUT
    assert f"Expected a folder, or a place for a new one, got '{place}': " in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
