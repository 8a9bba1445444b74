"""The ``gsmooth`` command: thin functions over the library. ``tyro`` reads their signatures and docstrings.

Exit codes: 0 done; 2 bad input, nothing started; 3 interrupted, run the same command again; 141, as for any program of
a pipeline, when nobody reads the output any more; 1 anything else.
Imports wait until a command needs them, so that ``--help`` answers at once.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence

import tyro
from tyro.extras import SubcommandApp

from gsmooth_jax._console import UNREAD
from gsmooth_jax.cli import (
    attack,
    board,
    certify,
    evaluate,
    export,
    listing,
    options,
    plan,
    report,
    spt_error,
    train,
    verify,
)
from gsmooth_jax.cli.console import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    print_error,
    print_plain,
    terminable,
    unread,
    warnings_in_a_line,
)
from gsmooth_jax.cli.console import DONE as DONE
from gsmooth_jax.results.certify import RunFailed
from gsmooth_jax.version import VERSION

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
    board.board,
    verify.verify,
    export.export,
    attack.attack,
    evaluate.evaluate,
    train.train,
    train.fit_surrogate,
    spt_error.spt_error,
    train.fit_denoiser,
    listing.transforms,
    listing.laws,
    listing.methods,
)
DATA_COMMANDS = (listing.prepare,)

DESCRIPTION = """Prove that an image classifier keeps its answer under every transformation in a range.

Begin with "gsmooth certify", which certifies shipped images with a shipped network. "gsmooth COMMAND --help" says what
a command takes, with examples, and "gsmooth --version" which version this is."""


def run(
    args: Sequence[str] | None,
    commands: Iterable[Callable[..., None]] = COMMANDS,
    data_commands: Iterable[Callable[..., None]] = DATA_COMMANDS,
) -> None:
    """Parses what was typed and runs the command; one that was not asked for is described by its first sentence."""
    typed = sys.argv[1:] if args is None else args
    app, data = SubcommandApp(), SubcommandApp()
    for group, functions in ((app, commands), (data, data_commands)):
        for function in functions:
            asked = function.__name__.replace("_", "-") in typed
            group.command(help=None if asked else options.summary(function))(options.readable(function))
    app.command(data, name="data", help="Prepare data sets.")
    app.cli(
        prog="gsmooth",
        description=DESCRIPTION,
        args=args,
        config=(tyro.conf.DisallowNone,),
        registry=options.registry(),
    )


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
            if (sys.argv[1:] if args is None else args) == ["--version"]:
                print_plain(f"gsmooth_jax {VERSION}\n")
            else:
                run(args)
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
