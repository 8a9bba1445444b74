"""A long run's figures, step by step, for any writer of metrics: those of CLU, or an object of three lines. Host."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from gsmooth_jax.claims import Claim


class MetricWriter(Protocol):
    """Takes figures, as CLU's ``MetricWriter`` does."""

    def write_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Figures at a step; steps never fall."""
        ...


@dataclasses.dataclass(kw_only=True)
class Metrics:
    """A ``Progress`` that writes figures after every ``every``-th input; its step is the number of inputs done.

    ``certified``: share of the inputs done, earlier sessions' included. Of this session: ``votes`` an input,
    ``votes_per_second``, ``images_per_second``. The last inputs, and those before an interruption, are written too.

    >>> class Lines:
    ...     def write_scalars(self, step, scalars):
    ...         print(step, sorted(scalars))
    >>> metrics = Metrics(writer=Lines(), every=2)
    >>> with metrics.started("", images=4, done=3, certified=3):
    ...     metrics.votes(100)
    >>> import gsmooth_jax as gs
    >>> gs.certify_run(..., progress=metrics)  # doctest: +SKIP

    Attributes:
      writer: takes the figures.
      every: inputs between two steps.
    """

    writer: MetricWriter
    every: int = 10
    _done: int = 0
    _certified: int = 0
    _votes: int = 0
    _images: int = 0
    _written: int = 0
    _since: float = 0.0

    def __post_init__(self):
        if self.every < 1:
            raise ValueError(f"Expected every >= 1, got {self.every}.")
        if not callable(getattr(self.writer, "write_scalars", None)):
            raise TypeError(f"Expected a writer with write_scalars(step, scalars), got {self.writer!r}.")

    @contextlib.contextmanager
    def started(self, requirement: str, *, images: int | None, done: int, certified: int) -> Iterator[None]:
        """See ``Progress``."""
        del requirement, images
        self._done, self._certified, self._written, self._since = done, certified, done, time.perf_counter()
        self._votes = self._images = 0
        try:
            yield
        finally:
            self._write()

    def votes(self, count: int) -> None:
        """See ``Progress``."""
        self._votes += count

    def finished(self, claim: Claim) -> None:
        """See ``Progress``."""
        self._done, self._images = self._done + 1, self._images + 1
        self._certified += claim.certified
        if self._done % self.every == 0:
            self._write()

    def interrupted(self, kept: int) -> None:
        """See ``Progress``."""

    def _write(self) -> None:
        if self._done == self._written:
            return
        seconds = max(time.perf_counter() - self._since, 1e-9)
        self._written = self._done
        self.writer.write_scalars(
            self._done,
            {
                "certified": self._certified / self._done,
                "votes": self._votes / self._images,
                "votes_per_second": self._votes / seconds,
                "images_per_second": self._images / seconds,
            },
        )
