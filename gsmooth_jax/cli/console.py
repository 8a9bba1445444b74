"""What all commands share: the two consoles, exit codes, JSON output, the names of runs, the start of the devices."""

import contextlib
import json
import os
import select
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tyro
from rich.text import Text

from gsmooth_jax._console import UNREAD, PlainConsole

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3

Runs = tyro.conf.Positional[tuple[Path, ...]]

out_console = PlainConsole()
err_console = PlainConsole(stderr=True)


def print_error(error: BaseException | str) -> None:
    """Prints an error on standard error."""
    err_console.print(Text.assemble(("error:", "bold red"), " ", str(error)), soft_wrap=True)


@contextlib.contextmanager
def warnings_in_a_line() -> Iterator[None]:
    """Prints warnings on standard error as one line each, without the place in the code that Python would add."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        err_console.print(Text.assemble(("warning:", "bold yellow"), " ", str(message)), soft_wrap=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_json(value: dict[str, Any]) -> None:
    """Prints one JSON object, and nothing else, on standard output."""
    print_plain(json.dumps(value) + "\n")


def print_plain(text: str) -> None:
    """Prints text for other programs on standard output."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise SystemExit(UNREAD) from None


def unread() -> bool:
    """Whether standard output or standard error is a pipe that nobody reads any more."""
    pipes = select.poll()
    for number in (1, 2):
        pipes.register(number, 0)
    return any(event & select.POLLERR for _, event in pipes.poll(0))


def require_devices() -> None:
    """Starts JAX's devices, with what was compiled for them before.

    Raises:
      ValueError: there are none of those that ``JAX_PLATFORMS`` asks for.
    """
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # the latter, without a word, for CUDA that is not installed
        reason = str(error).split(" (set JAX_PLATFORMS")[0].rstrip(".") or "no device of this kind was found"
        raise ValueError(
            f"JAX cannot start with JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS')!r}: {reason}. "
            "Unset it, or install the jax of this kind of device."
        ) from error
    from gsmooth_jax.cli import compiled

    compiled.keep()


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Lets SIGTERM, which announces a preemption, interrupt like Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
