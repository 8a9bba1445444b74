"""What all commands share: the two consoles, exit codes, JSON output, the names of runs."""

import json
import sys
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
