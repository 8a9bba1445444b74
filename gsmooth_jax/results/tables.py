"""Tables for the terminal whose figures stay whole. Host."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_NAME = 12  # columns that a name has at least, if it is so long


def percent(share: float | None) -> str:
    """A share as a table shows it; a dash where there is none."""
    return "-" if share is None else f"{share:.1%}"


class Figures(Table):
    """A table whose first column names its rows; the others hold figures, which are never cut nor broken.

    Where the terminal is too narrow, the names fold; where that is not enough, the table is wider than the terminal.
    Print it with ``crop=False``. All text stands as it is: none of it is read as rich's markup.
    """

    def __init__(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]):
        """Takes the title, the columns' headings, and each row's cells, one a column."""
        super().__init__(title=Text(title, "table.title"))
        cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        self._least = 1
        for position, heading in enumerate(columns):
            whole = position > 0
            self.add_column(Text(heading), justify="right" if whole else "left", no_wrap=whole, overflow="fold")
            widest = max(cell_len(text) for text in (heading, *(row[position].plain for row in cells)))
            self._least += (widest if whole else min(widest, _NAME)) + 3  # two of padding, one of border
        for row in cells:
            self.add_row(*row)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Is called by rich."""
        yield from super().__rich_console__(console, options.update(width=max(options.max_width, self._least)))
