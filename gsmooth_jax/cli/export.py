"""``gsmooth export``."""

from pathlib import Path
from typing import Literal

import tyro

from gsmooth_jax.cli.console import print_plain


def export(
    run: tyro.conf.Positional[Path], /, format: Literal["tsv", "csv", "json"] = "tsv", out: Path | None = None
) -> None:
    """Write a run as a table with a line an image: every image, and every radius to its last digit.

    $ gsmooth export runs/mnist-blur-cert
    $ gsmooth export runs/mnist-blur-cert --format csv --out table.csv

    Args:
        run: run folder.
        format: tsv, the `idx label predict radius correct time` table that the field's scripts read; csv, the same and
            why images are not certified; json, all of it as numbers.
        out: file to write; standard output if left out.
    """
    from gsmooth_jax.results import export, read_run

    header, claims = read_run(run)
    text = export.FORMATS[format](claims, header)
    if out is None:
        print_plain(text)
    else:
        out.write_text(text)
