"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 141, as for any program of
a pipeline, when nobody reads the output any more; 1 anything else.
Imports wait until a command needs them, so that ``--help`` answers at once.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

from tyro.extras import SubcommandApp

from gsmooth_jax._console import UNREAD
from gsmooth_jax.cli import attack, certify, evaluate, export, listing, plan, report, train, verify
from gsmooth_jax.cli.console import BAD_INPUT, FAILED, INTERRUPTED, print_error, terminable, unread, warnings_in_a_line
from gsmooth_jax.cli.console import DONE as DONE
from gsmooth_jax.results.certify import RunFailed

_BAD_FILES = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    BlockingIOError,
)

COMMANDS = (
    certify.certify,
    plan.plan,
    report.report,
    verify.verify,
    export.export,
    attack.attack,
    evaluate.evaluate,
    train.train,
    train.fit_surrogate,
    train.fit_denoiser,
    listing.transforms,
    listing.methods,
)
DATA_COMMANDS = (listing.prepare,)


def program(commands: Iterable[Callable[..., None]], data_commands: Iterable[Callable[..., None]]) -> SubcommandApp:
    """Returns ``gsmooth`` with these commands, and those of ``gsmooth data``."""
    app, data = SubcommandApp(), SubcommandApp()
    for function in commands:
        app.command(function)
    for function in data_commands:
        data.command(function)
    app.command(data, name="data", help="Prepare data sets.")
    return app


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
        with terminable(), warnings_in_a_line():
            app = program(COMMANDS, DATA_COMMANDS)
            app.cli(prog="gsmooth", description="Certified robustness against semantic transformations.", args=args)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (FileExistsError, NotADirectoryError) as error:
        print_error(f"Expected a folder, or a place for a new one, got {error.filename!r}: {error.strerror}.")
        raise SystemExit(BAD_INPUT) from None
    except (ValueError, *_BAD_FILES) as error:
        print_error(error)
        raise SystemExit(BAD_INPUT) from None
    except (RunFailed, OSError, ArithmeticError, MemoryError) as error:
        if isinstance(error, BrokenPipeError) and unread():
            raise SystemExit(UNREAD) from None
        print_error(error)
        raise SystemExit(FAILED) from None
