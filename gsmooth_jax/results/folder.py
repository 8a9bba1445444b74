"""A run is a folder: ``header.json`` says what was claimed, ``results.jsonl.gz`` holds a record an image. Host.

Records are written in the data set's order, flushed when done and never rewritten. One that a crash cut short is
dropped when the run is resumed, and its image is done again. Of many processes each writes its own shard,
``results-00003-of-00016.jsonl.gz``; the header is common to all. A file has one writer: it is locked until its owner
ends, however it ends. Versions before 0.7 wrote plain lines, ``results.jsonl``, which are read as well.
"""

import contextlib
import dataclasses
import fcntl
import gc
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import _validate
from gsmooth_jax.claims import Claim
from gsmooth_jax.results import headers, records

RESULTS = "results.jsonl.gz"

_SHARD = re.compile(r"results(?:-(\d{5})-of-(\d{5}))?\.jsonl(?:\.gz)?")


def shard_name(process_index: int = 0, process_count: int = 1) -> str:
    """Returns the name of the file that a process writes; that of a lone process is ``results.jsonl.gz``.

    Raises:
      ValueError: not 0 <= process_index < process_count.
    """
    _validate.at_least(1, process_count=process_count)
    _validate.at_least(0, process_index=process_index)
    if process_index >= process_count:
        raise ValueError(f"Expected process_index < process_count, got {process_index=}, {process_count=}.")
    return RESULTS if process_count == 1 else f"results-{process_index:05d}-of-{process_count:05d}.jsonl.gz"


def finished(folder: Path, header: Mapping[str, Any], ids: Iterable[int]) -> bool:
    """Whether the folder holds all images of this run; it may have been made on another machine, by other versions.

    Args:
      folder: of the run.
      header: what would be written now.
      ids: of the images.

    Raises:
      ValueError: a damaged file.
    """
    if not (folder / headers.FILE).is_file():
        return False
    known, claims = read_run(folder)
    same = headers.claimed(known) == headers.claimed(json.loads(json.dumps(header)))
    digest = headers.digest(known)
    return same and {c.id for c in claims if c.header == digest} == set(ids)


class RunWriter:
    """Appends claims to a run's folder. A context manager; holds the lock of its file until closed.

    Attributes:
      done: ids that its file already holds.
      certified: how many of them are certified.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any], *, process_index: int = 0, process_count: int = 1):
        """Opens a new or an interrupted run.

        Args:
          folder: made when missing.
          header: of the whole run, the same for every process.
          process_index: this process.
          process_count: how many share the run.

        Raises:
          ValueError: the folder holds a run of another claim, of another number of processes, or of a version before
            0.7; or a damaged file.
          BlockingIOError: another process is writing this file.
          OSError: the folder cannot be written.
        """
        self._path = folder / shard_name(process_index, process_count)
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted(_process_counts(folder) - {process_count})
        if others:
            raise ValueError(
                f"{folder} holds the results of {_processes(others)}, this run is of {_processes([process_count])}. "
                "Go on with as many as before, or choose another --out."
            )
        if self._path.with_suffix("").exists() and not self._path.exists():
            raise ValueError(f"{folder} holds a run that a version before 0.7 wrote. Choose another --out.")
        headers.keep(folder / headers.FILE, header)
        self._file = open(self._path, "ab")  # noqa: SIM115 (closed by __exit__)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            claims, self._end = _read_records(self._path)
            headers.check(header, claims, self._path)
            self._file.truncate(self._end)
        except BlockingIOError as error:
            self._file.close()
            raise BlockingIOError(f"Another process is writing {self._path}.") from error
        except BaseException:
            self._file.close()
            raise
        self.done = {c.id for c in claims}
        self.certified = sum(c.certified for c in claims)
        self._digest = headers.digest(header)

    def append(self, claim: Claim) -> None:
        """Writes one record and flushes it.

        Raises:
          OSError: the disk is full or gone. What was written before stays whole, and the run can be resumed.
        """
        record = records.to_record(dataclasses.replace(claim, header=self._digest))
        try:
            self._file.write(record)
            self._file.flush()
        except OSError as error:
            raise OSError(
                error.errno, f"Cannot write {self._path} ({error.strerror}); make room and run the same command again"
            ) from error
        self._end += len(record)
        self.done.add(claim.id)
        self.certified += claim.certified

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError:
            # The record that did not fit is still in the buffer; append() has told the caller.
            os.truncate(self._path, self._end)


def read_run(folder: Path) -> tuple[dict[str, Any], list[Claim]]:
    """Reads a run's header and its whole lines, those of many processes in the data set's order.

    Raises:
      ValueError: no run there, results of different numbers of processes, or a damaged file.
    """
    header, shards = read_shards(folder)
    if len(shards) == 1:
        return header, shards[0]
    return header, sorted((c for shard in shards for c in shard), key=lambda c: c.id)


def read_shards(folder: Path) -> tuple[dict[str, Any], list[list[Claim]]]:
    """Reads a run's header and the whole lines of each of its processes; of one that has not begun, none.

    Raises:
      ValueError: as for ``read_run``.
    """
    header = folder / headers.FILE
    if not header.is_file():
        raise ValueError(f"Expected a run folder with {headers.FILE}, got {str(folder)!r}.")
    counts = sorted(_process_counts(folder)) or [1]
    if len(counts) > 1:
        raise ValueError(f"{folder} mixes the results of {_processes(counts)}; one run has one number of processes.")
    names = [shard_name(index, counts[0]) for index in range(counts[0])]
    return headers.load(header), [_read_records(folder / name)[0] for name in names]


def _process_counts(folder: Path) -> set[int]:
    """Of how many processes the folder holds results: nothing before the first, several numbers if runs were mixed."""
    matches = (_SHARD.fullmatch(path.name) for path in folder.iterdir())
    shards = [(int(match[1] or 0), int(match[2] or 1)) for match in matches if match]
    if strange := [name for name in shards if name[0] >= name[1]]:
        raise ValueError(f"{folder} holds a shard {strange[0][0]} of {strange[0][1]}, and there is no such process.")
    return {count for _, count in shards}


def _processes(counts: Sequence[int]) -> str:
    return " and ".join("1 process" if n == 1 else f"{n} processes" for n in counts)


def _read_records(path: Path) -> tuple[list[Claim], int]:
    """Returns the claims of the whole records and the offset at which the last of them ends."""
    old = path.with_suffix("")
    compressed = path.exists() or not old.exists()
    found = _members(path) if compressed else _lines(old)
    claims: list[Claim] = []
    end = 0
    try:
        with _uncollected():
            for line, stop in found:
                claims.append(records.from_line(line))
                end = stop
    except ValueError as error:
        raise ValueError(
            f"{path if compressed else old}, record {len(claims) + 1}, is damaged ({error}). "
            "Without it, the command of the run does its image again."
        ) from error
    return claims, end


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Stops the search for cycles: among a million tuples, which hold none, it takes three quarters of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _members(path: Path) -> Iterator[tuple[bytes, int]]:
    return records.lines_of(path.read_bytes() if path.exists() else b"")


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yields whole lines, each with its end; one that a crash cut short has none."""
    end = 0
    for line in path.read_bytes().splitlines(keepends=True):
        end += len(line)
        if line.endswith(b"\n"):
            yield line, end
