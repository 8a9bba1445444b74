"""Records of versions before 0.7: read, never written. Host.

There, a claim had ``predicted`` for a statement and ``nodes`` for hypotheses: the counts of one test, or cells with a
distance for a threshold and a depth for a level. Cells were columns: of one that mostly followed a rule (``_rules``:
the next cell begins where this one ends) only the entries that did not were there, and numbers of few decimals were
whole steps from one to the next.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from scipy import special

from gsmooth_jax.claims import Hypothesis
from gsmooth_jax.types import ABSTAIN

_Rule = Callable[[int, Sequence[Any]], Any]
"""What an entry is expected to be, from its number and the entries before it; None where nothing is."""


class _Cell(NamedTuple):
    low: tuple[float, ...]
    high: tuple[float, ...]
    distance: float
    node: int
    depth: int
    successes: int
    votes: int
    shared: bool


def renewed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an old record's JSON as today's.

    Raises:
      ValueError: it lacks a field, or its columns do not fit.
    """
    old = ("predicted", "nodes", "selection", "ledger", "alpha")
    if missing := [name for name in old if name not in value]:
        raise ValueError(f"it lacks {', '.join(missing)}: written by another version?")
    predicted, nodes, top = value["predicted"], value["nodes"], _top(value["selection"])
    if type(predicted) is not int:
        raise ValueError(f"its predicted is {predicted!r}, no int")
    cells = isinstance(nodes, Mapping)
    found = _of_cells(_from_columns(nodes), value, top) if cells else _of_tests(nodes, value, top)
    return {k: v for k, v in value.items() if k not in ("predicted", "nodes")} | {
        "statement": None if predicted == ABSTAIN else {"class": predicted},
        "assumes": [],
        "hypotheses": dict(zip(Hypothesis._fields, list(zip(*found, strict=True)) or [()] * 9, strict=True)),
    }


def _top(selection: Sequence[int]) -> int:
    """The class that the selection draws chose; the last are draws without an answer."""
    return max(range(len(selection) - 1), key=selection.__getitem__, default=0)


def _of_cells(cells: Sequence[_Cell], value: Mapping[str, Any], top: int) -> list[Hypothesis]:
    ledger = value["ledger"]
    return [
        Hypothesis(
            low=c.low,
            high=c.high,
            threshold=_probability(c.distance),
            centre_id=c.node,
            # Of ``cover`` each depth had a level of its own, of ``gsmooth`` all cells one.
            level=ledger["cells"] if "cells" in ledger else ledger.get(f"depth {c.depth}", -1.0),
            event=top,
            shared=c.shared,
            successes=c.successes,
            votes=c.votes,
        )
        for c in cells
    ]


def _probability(distance: Any) -> float:
    if type(distance) not in (int, float) or not distance >= 0.0:
        raise ValueError(f"a cell's distance is {distance!r}")
    return float(special.ndtr(distance * (1.0 + 1e-9)))


def _of_tests(nodes: Sequence[Mapping[str, Any]], value: Mapping[str, Any], top: int) -> list[Hypothesis]:
    """Old tests also held the bounds that follow from their counts, which are computed anew."""
    found = []
    for centre_id, node in enumerate(nodes):
        counts = node["counts"]
        own = Hypothesis((), (), node["threshold"], centre_id, value["alpha"], top, False, counts[top], sum(counts))
        if "other classes, from above" not in value["ledger"]:
            found.append(own)
            continue
        half, others = 0.5 * value["alpha"], [k for k in range(len(counts)) if k != top]
        found.append(own._replace(level=half))
        for k in others:
            against = own.votes - counts[k]
            found.append(own._replace(threshold=0.0, level=half / len(others), event=~k, successes=against))
    return found


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


def _from_columns(written: Mapping[str, Any]) -> list[_Cell]:
    low, distance = [_unstepped(a) for a in written["low"]], _unstepped(written["distance"])
    count = len(distance)
    columns: dict[str, Any] = {"distance": distance}
    for name, rule in _rules(columns).items():
        # Until 0.4 no cell was shared.
        columns[name] = _filled(written.get(name, {}) if name == "shared" else written[name], count, rule)
    next_ = [_next(a, columns["shared"]) for a in low]
    high = [_filled(_unstepped(h), count, rule) for h, rule in zip(written["high"], next_, strict=True)]
    columns |= {"low": zip(*low, strict=True), "high": zip(*high, strict=True)}
    return [_Cell(*cell) for cell in zip(*(columns[f] for f in _Cell._fields), strict=True)]


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


def _unstepped(written: Any) -> Any:
    if not (isinstance(written, Mapping) and "steps" in written):
        return written
    decimals, steps = written["decimals"], written["steps"]
    if not all(type(n) is int for n in (decimals, *steps)) or not 0 <= decimals <= _DECIMALS:
        raise ValueError("its steps are not whole, or of too many decimals")
    return [n / 10**decimals for n in itertools.accumulate(steps)]
