"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 1 anything else.
Imports wait until a command needs them, so that ``--help`` answers at once.
"""

import contextlib
import os
import sys

import tyro

from gsmooth_jax.cli import listing, runs, train
from gsmooth_jax.cli.certify import certify
from gsmooth_jax.cli.console import BAD_INPUT, FAILED, INTERRUPTED, RunFailed, err_console, terminable
from gsmooth_jax.cli.console import DONE as DONE

_BAD_FILES = (FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError, BlockingIOError)

app = tyro.extras.SubcommandApp()
data = tyro.extras.SubcommandApp()
data.command(listing.prepare)
for function in (
    certify,
    runs.report,
    runs.verify,
    runs.export,
    runs.attack,
    train.train,
    train.fit_surrogate,
    listing.transforms,
    listing.methods,
):
    app.command(function)
app.command(data, name="data", help="Prepare data sets.")


def command() -> None:
    """The program: ``main``, but a process that was interrupted leaves at once.

    Its files are closed by then. Python would take the compiler apart first, and soon after a compilation it may crash
    over that: the exit code would be that of the crash.
    """
    try:
        main()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):  # nobody reads it any more
                    stream.flush()
            os._exit(INTERRUPTED)
        raise


def main(args: list[str] | None = None) -> None:
    """Runs the command and turns errors into exit codes."""
    try:
        with terminable():
            app.cli(prog="gsmooth", description="Certified robustness against semantic transformations.", args=args)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (ValueError, *_BAD_FILES) as error:
        err_console.print(f"[bold red]error:[/bold red] {error}", highlight=False, soft_wrap=True)
        raise SystemExit(BAD_INPUT) from None
    except (RunFailed, OSError, ArithmeticError, MemoryError) as error:
        err_console.print(f"[bold red]error:[/bold red] {error}", highlight=False, soft_wrap=True)
        raise SystemExit(FAILED) from None
