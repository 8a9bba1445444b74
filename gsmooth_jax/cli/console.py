"""What all commands share: the two consoles, exit codes, JSON output, the names of runs."""

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3

out_console = Console()
err_console = Console(stderr=True)

Runs = tyro.conf.Positional[tuple[Path, ...]]


class RunFailed(Exception):
    """A run that had started could not go on; what it had written stays."""


def print_json(value: dict[str, Any]) -> None:
    """Prints one JSON object, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(value) + "\n")


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
