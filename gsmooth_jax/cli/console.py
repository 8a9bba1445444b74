"""What all commands share: the two consoles, exit codes, JSON output, the names of runs, the start of the devices."""

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import tyro
from rich.console import Console, ConsoleDimensions
from rich.text import Text

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3
UNREAD = 128 + signal.SIGPIPE  # what a shell reports of a program that wrote into a closed pipe

Runs = tyro.conf.Positional[tuple[Path, ...]]

_UNBOUNDED = 100_000  # columns


class _Console(Console):
    """Prints every string as it stands: paths, names and errors may hold brackets and colons, which rich would read.

    What is not shown on a terminal has no width to keep to: lines are neither wrapped nor cut. A reader who has gone,
    as after ``| head``, ends the program without a word.
    """

    def __init__(self, stderr: bool = False):
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        size = super().size
        return size if self.is_terminal else ConsoleDimensions(_UNBOUNDED, size.height)

    def on_broken_pipe(self) -> NoReturn:
        """Is called by rich."""
        self.quiet = True
        raise SystemExit(UNREAD)


out_console = _Console()
err_console = _Console(stderr=True)


class RunFailed(Exception):
    """A run that had started could not go on; what it had written stays."""


def print_error(error: BaseException | str) -> None:
    """Prints an error on standard error."""
    err_console.print(Text.assemble(("error:", "bold red"), " ", str(error)), soft_wrap=True)


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


def require_devices() -> None:
    """Starts JAX's devices.

    Raises:
      ValueError: there are none of those that ``JAX_PLATFORMS`` asks for.
    """
    import jax

    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # the latter, without a word, for CUDA that is not installed
        reason = str(error).split(" (set JAX_PLATFORMS")[0] or "no device of this kind was found"
        raise ValueError(
            f"JAX cannot start with JAX_PLATFORMS={jax.config.jax_platforms!r}: {reason}. "
            "Unset it, or install the jax of this kind of device."
        ) from error


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
