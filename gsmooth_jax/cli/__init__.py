"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 141, as for any program of
a pipeline, when nobody reads the output any more; 1 anything else.
Imports wait until a command needs them, so that ``--help`` answers at once.
"""

import contextlib
import os
import sys

import tyro

from gsmooth_jax._console import UNREAD
from gsmooth_jax.cli import listing, runs, train
from gsmooth_jax.cli.certify import certify
from gsmooth_jax.cli.console import BAD_INPUT, FAILED, INTERRUPTED, RunFailed, print_error, terminable, unread
from gsmooth_jax.cli.console import DONE as DONE

_BAD_FILES = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    BlockingIOError,
)

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
    """The program: ``main``, but a process that was interrupted, or that nobody reads any more, leaves at once.

    Its files are closed by then. Python would take the compiler apart first, and soon after a compilation it may crash
    over that: the exit code would be that of the crash. It would also try to write once more.
    """
    try:
        main()
    except SystemExit as end:
        if end.code in (INTERRUPTED, UNREAD):
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            os._exit(end.code)
        raise


def main(args: list[str] | None = None) -> None:
    """Runs the command and turns errors into exit codes."""
    try:
        with terminable():
            app.cli(prog="gsmooth", description="Certified robustness against semantic transformations.", args=args)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (ValueError, *_BAD_FILES) as error:
        print_error(error)
        raise SystemExit(BAD_INPUT) from None
    except (RunFailed, OSError, ArithmeticError, MemoryError) as error:
        if isinstance(error, BrokenPipeError) and unread():
            raise SystemExit(UNREAD) from None
        print_error(error)
        raise SystemExit(FAILED) from None
