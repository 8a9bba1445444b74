"""A claim as one line of ``results.jsonl``. Host.

A claim of ``cover`` may have hundreds of cells: they are written as columns. Of a column that mostly follows a rule
(``_rules``: the next cell begins where this one ends) only the entries that do not are there, and numbers of few
decimals are whole steps from one to the next.
"""

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from gsmooth_jax.claims import CellEvidence, Claim, Evidence

_PLAIN = {name: kind for name, kind in get_type_hints(Claim).items() if kind in (bool, int, float, str)}
"""Fields of a claim that are one plain value -> its type."""

_Rule = Callable[[int, Sequence[Any]], Any]
"""What an entry is expected to be, from its number and the entries before it; None where nothing is."""


def to_line(claim: Claim) -> bytes:
    """Returns a claim as JSON and a newline; ``from_line`` gives it back."""
    value = {f.name: getattr(claim, f.name) for f in dataclasses.fields(claim)} | {"ledger": dict(claim.ledger)}
    cells = [n for n in claim.nodes if isinstance(n, CellEvidence)]
    if cells and len(cells) == len(claim.nodes):
        value["nodes"] = _to_columns(cells)
    else:
        value["nodes"] = [dataclasses.asdict(n) for n in claim.nodes if isinstance(n, Evidence)]
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Claim:
    """Reads what ``to_line`` wrote.

    Raises:
      ValueError: no JSON (then a ``json.JSONDecodeError`` or a ``UnicodeDecodeError``), or none of a claim.
    """
    value = json.loads(line)
    try:
        return _claim(value)
    except (TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _claim(value: dict[str, Any]) -> Claim:
    required = [f.name for f in dataclasses.fields(Claim) if f.default is dataclasses.MISSING]
    if missing := [name for name in required if name not in value]:
        raise ValueError(f"it lacks {', '.join(missing)}: written by another version?")
    for name, kind in _PLAIN.items():
        if type(value.get(name, kind())) not in ((int, float) if kind is float else (kind,)):
            raise ValueError(f"its {name} is {value[name]!r}, no {kind.__name__}")
    nodes = value["nodes"]
    nodes = _from_columns(nodes) if isinstance(nodes, dict) else [Evidence(**_with_tuples(n)) for n in nodes]
    return Claim(**(_with_tuples(value) | {"ledger": tuple(value["ledger"].items()), "nodes": tuple(nodes)}))


def _rules(columns: Mapping[str, Any]) -> dict[str, _Rule]:
    """The columns that follow a rule, in the order in which they can be read: the last looks up those before it."""

    def before(i: int, entries: Sequence[Any]) -> Any:
        return entries[i - 1] if i else None

    return {
        "node": lambda i, _: i,
        "depth": before,
        "votes": before,
        "successes": lambda i, _: columns["votes"][i],
        "shared": lambda i, entries: entries[i - 1] if i else False,
    }


def _next(low: Sequence[float], shared: Sequence[bool]) -> _Rule:
    """One parameter's upper ends: where the next cell begins, or the next but one of cells that are shared."""

    def begins(i: int, _: Sequence[Any]) -> Any:
        following = i + 1 + shared[i]
        return low[following] if following < len(low) else None

    return begins


def _to_columns(cells: Sequence[CellEvidence]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(zip(CellEvidence._fields, map(list, zip(*cells, strict=True)), strict=True))
    # Ends are turned: one column a parameter.
    low, high = (list(zip(*columns[end], strict=True)) for end in ("low", "high"))
    thin = {name: _thinned(columns[name], rule) for name, rule in _rules(columns).items()}
    ends = {
        "low": [_stepped(a) for a in low],
        "high": [_stepped(_thinned(h, _next(a, columns["shared"]))) for a, h in zip(low, high, strict=True)],
    }
    return columns | thin | ends | {"distance": _stepped(columns["distance"])}


def _from_columns(written: Mapping[str, Any]) -> list[CellEvidence]:
    low, distance = [_unstepped(a) for a in written["low"]], _unstepped(written["distance"])
    count = len(distance)
    columns: dict[str, Any] = {"distance": distance}
    for name, rule in _rules(columns).items():
        # Until 0.4 no cell was shared.
        columns[name] = _filled(written.get(name, {}) if name == "shared" else written[name], count, rule)
    next_ = [_next(a, columns["shared"]) for a in low]
    high = [_filled(_unstepped(h), count, rule) for h, rule in zip(written["high"], next_, strict=True)]
    columns |= {"low": zip(*low, strict=True), "high": zip(*high, strict=True)}
    return [CellEvidence(*cell) for cell in zip(*(columns[f] for f in CellEvidence._fields), strict=True)]


def _thinned(entries: Sequence[Any], rule: _Rule) -> Sequence[Any] | dict[int, Any]:
    """The entries that are not as expected, by number; the whole column where half of it is not."""
    unlike = {i: entry for i, entry in enumerate(entries) if entry != rule(i, entries)}
    return unlike if 2 * len(unlike) < len(entries) else entries


def _filled(written: Sequence[Any] | Mapping[str, Any], count: int, rule: _Rule) -> Sequence[Any]:
    if not isinstance(written, Mapping):
        return written
    left = dict(written)
    entries: list[Any] = []
    for i in range(count):
        entries.append(left.pop(str(i)) if str(i) in left else rule(i, entries))
    if left or None in entries:
        raise ValueError(f"its columns do not fit: {', '.join(left) or 'an entry that no rule gives is missing'}")
    return entries


_DECIMALS = 10
"""The most that a stepped column has."""


def _stepped(entries: Any) -> Any:
    """A column of floats that all have few decimals as the steps between them, in units of the last; others as is."""
    for decimals in range(_DECIMALS + 1 if isinstance(entries, Sequence) else 0):
        whole = [round(x * 10**decimals) for x in entries]
        if all(n / 10**decimals == x for n, x in zip(whole, entries, strict=True)):  # rounded once: the same float
            return {"decimals": decimals, "steps": [b - a for a, b in itertools.pairwise([0, *whole])]}
    return entries


def _unstepped(written: Any) -> Any:
    if not (isinstance(written, Mapping) and "steps" in written):
        return written
    decimals, steps = written["decimals"], written["steps"]
    if not all(type(n) is int for n in (decimals, *steps)) or not 0 <= decimals <= _DECIMALS:
        raise ValueError("its steps are not whole, or of too many decimals")
    return [n / 10**decimals for n in itertools.accumulate(steps)]


def _with_tuples(value: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
