"""A console that prints text as it stands, as wide as it is, and knows when nobody reads it. Host."""

import signal
from typing import NoReturn

from rich.console import Console, ConsoleDimensions

UNREAD = 128 + signal.SIGPIPE  # what a shell reports of a program that wrote into a closed pipe

_UNBOUNDED = 100_000  # columns


class PlainConsole(Console):
    """Prints every string as it stands: paths, names and errors may hold brackets and colons, which rich would read.

    What is not shown on a terminal has no width to keep to: lines are neither wrapped nor cut. A reader who has gone,
    as after ``| head``, ends the program with ``UNREAD`` and without a word.
    """

    def __init__(self, stderr: bool = False, quiet: bool = False):
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)

    @Console.size.getter
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        size = super().size
        return size if self.is_terminal else ConsoleDimensions(_UNBOUNDED, size.height)

    def on_broken_pipe(self) -> NoReturn:
        """Is called by rich."""
        self.quiet = True
        raise SystemExit(UNREAD)
