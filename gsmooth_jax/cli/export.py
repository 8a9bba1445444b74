"""``gsmooth export``."""

from pathlib import Path
from typing import Literal

import tyro

from gsmooth_jax.cli.console import print_plain


def export(run: tyro.conf.Positional[Path], /, format: Literal["tsv"] = "tsv", out: Path | None = None) -> None:
    """Write a run as the `idx label predict radius correct time` table that the field's scripts read.

    Args:
        run: run folder.
        format: tab-separated values.
        out: file to write; standard output if left out.
    """
    from gsmooth_jax import results

    del format  # the only one
    _, claims = results.read_run(run)
    text = results.to_tsv(claims)
    if out is None:
        print_plain(text)
    else:
        out.write_text(text)
