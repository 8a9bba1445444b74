"""``gsmooth board``."""

from pathlib import Path

from gsmooth_jax.cli.console import FAILED, Runs, err_console, out_console, print_plain


def board(runs: Runs, /, out: Path | None = None, published: Path | None = None, verify: bool = True) -> None:
    """Write one page of runs in Markdown: a row each, linked to its proof, with published figures beside.

    Every verdict of every run is recomputed first, as by `gsmooth verify`; where one has a fault, there is no board.

    $ gsmooth board runs/mnist-blur-cert runs/mnist-rot-cert --out board.md
    $ gsmooth board experiments/table1_mnist/rotation --published experiments/published.toml

    Args:
        runs: run folders.
        out: file to write, such as board.md; its links lead from there to the runs; standard output if left out.
        published: TOML file of what others have published for the same claims: sections that hold lines such as
            "runs/mnist-rot-cert" = { tss = "97.4" }, per cent certified, folders as seen from the file.
        verify: whether to verify the runs; one of many images takes some seconds.
    """
    from gsmooth_jax.results import board as boards
    from gsmooth_jax.results import report
    from gsmooth_jax.results import verify as verifying
    from gsmooth_jax.version import VERSION

    if not runs:
        raise ValueError("Expected at least one run folder.")
    known = {} if published is None else boards.read_published(published)
    found = [(folder, fault) for folder in runs for fault in verifying.check(folder).faults] if verify else []
    for folder, fault in found:
        err_console.print(f"{folder}: {fault}", style="red", soft_wrap=True)
    if found:
        raise SystemExit(FAILED)
    said = f"That was done by gsmooth_jax {VERSION} when this page was made." if verify else ""
    page = boards.render((report.read(folder) for folder in runs), Path() if out is None else out.parent, known, said)
    if out is None:
        print_plain(page)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    out_console.print(f"board: {out}", soft_wrap=True)
