"""A run's claims as the tables that other programs read. Host.

Every image is in every table, and every radius to the last digit what was proved: reading it back gives neither more
nor less.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gsmooth_jax.claims import Claim, Interval
from gsmooth_jax.results import reasons


def to_tsv(claims: Sequence[Claim]) -> str:
    """Returns the ``idx label predict radius correct time`` table that the field's scripts read.

    ``label`` and ``correct`` are empty where no label is known; ``correct`` is else 1 or 0 for that image (not a
    running total). ``predict`` is -1 for an abstention, and ``low:high`` where an interval is claimed. ``time`` is what
    the image has taken by itself, as in a loop over images (of runs before 0.7, which did not record it, from first
    request to verdict).
    """
    return "".join("\t".join(line) + "\n" for line in (_COLUMNS, *map(_cells, claims)))


def to_csv(claims: Sequence[Claim], header: Mapping[str, Any]) -> str:
    """Returns the same columns, and after them ``certified clean votes reason why``, separated by commas (RFC 4180).

    ``certified`` is 1 or 0; ``clean`` what the classifier answers without noise, empty where that was not recorded;
    ``reason`` one word for why the image does not count as certified, and ``why`` the same in words, both empty where
    it does (see ``reasons.why``).
    """
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\n")
    table.writerow([*_COLUMNS, "certified", "clean", "votes", "reason", "why"])
    for claim in claims:
        reason = reasons.why(claim, header)
        clean = "" if claim.clean is None else claim.clean
        why = ("", "") if reason is None else (reason.kind, reason.text)
        table.writerow([*_cells(claim), int(claim.certified), clean, claim.votes, *why])
    return written.getvalue()


def to_json(claims: Sequence[Claim], header: Mapping[str, Any]) -> str:
    """Returns one JSON array with an object an image: the columns of ``to_csv``, as numbers, null where there is none.

    ``predict`` is null for an abstention, and two numbers as text where an interval is claimed. Besides: ``status``,
    ``assumes``, ``alpha``, ``note``; ``at``, the parameter near which the proof stopped, and ``needed``, about how many
    votes it takes at the least, both null where there is no such reason.
    """
    return json.dumps([_object(claim, header) for claim in claims], allow_nan=False, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Claim], Mapping[str, Any]], str]] = {
    "tsv": lambda claims, _: to_tsv(claims),
    "csv": to_csv,
    "json": to_json,
}
"""Name -> the table of a run's claims, given its header."""

_COLUMNS = ("idx", "label", "predict", "radius", "correct", "time")


def exact(number: float) -> str:
    """Returns the shortest text that is read back as this number."""
    return repr(number).removesuffix(".0")


def _seconds(claim: Claim) -> float:
    return claim.seconds if claim.own_seconds is None else claim.own_seconds


def _cells(claim: Claim) -> tuple[str, ...]:
    said = claim.statement
    predict = f"{exact(said.low)}:{exact(said.high)}" if isinstance(said, Interval) else str(claim.predicted)
    label = "" if claim.label is None else str(claim.label)
    correct = "" if claim.correct is None else str(int(claim.correct))
    return str(claim.id), label, predict, exact(claim.radius), correct, f"{_seconds(claim):.3f}"


def _object(claim: Claim, header: Mapping[str, Any]) -> dict[str, Any]:
    reason = reasons.why(claim, header)
    return {
        "idx": claim.id,
        "label": claim.label,
        "predict": claim.statement and claim.statement.to_json(),
        "radius": claim.radius,
        "correct": claim.correct,
        "time": _seconds(claim),
        "certified": claim.certified,
        "clean": claim.clean,
        "votes": claim.votes,
        "reason": reason and reason.kind,
        "why": reason and reason.text,
        "at": (list(reason.at) or None) if reason else None,
        "needed": reason and reason.needed,
        "status": claim.status,
        "assumes": list(claim.assumes),
        "alpha": claim.alpha,
        "note": claim.note,
    }
