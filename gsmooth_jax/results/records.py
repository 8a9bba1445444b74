"""A claim as one record of ``results.jsonl.gz``: a line of JSON, compressed by itself. Host.

A file of such members is what ``zcat`` and any gzip reader take for one stream of lines. A member that a crash cut
short is told from damage: all that there is of it can be read, and it does not end.
"""

import dataclasses
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from gsmooth_jax.claims import STATEMENTS, Ballot, Claim, Hypothesis, Status, Window
from gsmooth_jax.results import old_records

_PIECE = 4096
"""Bytes that are decompressed at once; most records are shorter."""

TABLES: dict[str, type[Hypothesis | Window | Ballot]] = {
    "hypotheses": Hypothesis,
    "windows": Window,
    "ballots": Ballot,
}
"""Fields of a claim that are tables, kept column by column -> the type of a row."""

_PLAIN = {name: kind for name, kind in get_type_hints(Claim).items() if kind in (bool, int, float, str)}
"""Fields of a claim that are one plain value -> its type."""


def to_record(claim: Claim) -> bytes:
    """Returns a claim as one compressed line; ``from_line`` gives back what it holds."""
    value = {f.name: getattr(claim, f.name) for f in dataclasses.fields(claim)}
    value["ledger"] = dict(claim.ledger)
    value["statement"] = claim.statement and {claim.statement.kind: claim.statement.to_json()}
    for name, row in TABLES.items():
        columns = list(zip(*value[name], strict=True)) or [()] * len(row._fields)
        value[name] = dict(zip(row._fields, columns, strict=True))
    line = json.dumps(value, allow_nan=False, separators=(",", ":")) + "\n"
    return gzip.compress(line.encode(), mtime=0)


def lines_of(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yields the lines of a file's whole members, each with the offset at which its member ends.

    Raises:
      ValueError: bytes that no member begins with.
    """
    view, end = memoryview(data), 0
    while end < len(data):
        inflate, line = zlib.decompressobj(wbits=31), b""
        while not inflate.eof and end < len(data):
            # A piece at a time: what is left over of one is copied, and would be the rest of the file.
            piece = view[end : end + _PIECE]
            try:
                line += inflate.decompress(piece)
            except zlib.error as error:
                raise ValueError(f"no gzip member: {error}") from error
            end += len(piece)
        if not inflate.eof:
            return
        end -= len(inflate.unused_data)
        yield line, end


def from_line(line: bytes) -> Claim:
    """Reads the line of a record, or of one that a version before 0.7 wrote.

    Raises:
      ValueError: no JSON, or none of a claim.
    """
    value = json.loads(line)
    try:
        return _claim(old_records.renewed(value) if isinstance(value, dict) and "nodes" in value else value)
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _claim(value: dict[str, Any]) -> Claim:
    required = [f.name for f in dataclasses.fields(Claim) if f.default is dataclasses.MISSING]
    if missing := [name for name in required if name not in value]:
        raise ValueError(f"it lacks {', '.join(missing)}: written by another version?")
    for name, kind in _PLAIN.items():
        if type(value.get(name, kind())) not in ((int, float) if kind is float else (kind,)):
            raise ValueError(f"its {name} is {value[name]!r}, no {kind.__name__}")
    if type(value["label"]) not in (int, float, type(None)):
        raise ValueError(f"its label is {value['label']!r}, no number")
    if type(value.get("own_seconds")) not in (int, float, type(None)):
        raise ValueError(f"its own_seconds is {value['own_seconds']!r}, no number")
    if type(value.get("clean")) not in (int, type(None)):
        raise ValueError(f"its clean is {value['clean']!r}, no int")
    if value["status"] not in get_args(Status):
        raise ValueError(f"its status is {value['status']!r}, none of {', '.join(get_args(Status))}")
    if not all(type(part) is str for part in value["assumes"]):
        raise ValueError(f"its assumes is {value['assumes']!r}, no texts")
    read: dict[str, Any] = {
        **{name: float(value[name]) for name, kind in _PLAIN.items() if kind is float},
        "selection": tuple(value["selection"]),
        "assumes": tuple(value["assumes"]),
        "ledger": tuple(value["ledger"].items()),
        "statement": _statement(value["statement"]),
    } | {name: tuple(_rows(name, value[name])) for name in TABLES if name in value}
    return Claim(**value | read)


def _statement(value: Mapping[str, Any] | None) -> Any:
    if value is None:
        return None
    ((kind, said),) = value.items()
    if kind not in STATEMENTS:
        raise ValueError(f"its statement is a {kind!r}, none of {', '.join(STATEMENTS)}")
    return STATEMENTS[kind].from_json(said)


def _rows(name: str, columns: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    row = TABLES[name]
    if columns.keys() != set(row._fields):
        raise ValueError(f"its {name} have the columns {', '.join(columns)}")
    for values in zip(*(_tuples(columns[field]) for field in row._fields), strict=True):
        yield row(*values)


def _tuples(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([_tuples(value) if type(value) is list else value for value in values])
