"""Expected errors, without a test framework."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def refused(text: str) -> Iterator[None]:
    """Expects a ValueError that says this.

    Raises:
      AssertionError: there is none, or it says something else.
    """
    try:
        yield
    except ValueError as error:
        if text not in str(error):
            raise AssertionError(f"expected an error that names {text!r}, got: {error}") from error
        return
    raise AssertionError(f"expected a ValueError that names {text!r}, got none")
