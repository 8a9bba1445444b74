"""A run's claims as the tables that other programs read. Host."""

from collections.abc import Sequence

from gsmooth_jax.claims import Claim, Interval


def to_tsv(claims: Sequence[Claim]) -> str:
    """Returns the ``idx label predict radius correct time`` table that the field's scripts read.

    ``label`` and ``correct`` are empty where no label is known; ``correct`` is else 1 or 0 for that image (not a
    running total). ``predict`` is -1 for an abstention, and ``low:high`` where an interval is claimed. ``radius`` is to
    the last digit what was proved: reading it back gives neither more nor less. ``time`` is what the image has taken by
    itself, as in a loop over images (of runs before 0.7, which did not record it, from first request to verdict).
    """
    return "".join(f"{line}\n" for line in ("idx\tlabel\tpredict\tradius\tcorrect\ttime", *map(_line, claims)))


def exact(number: float) -> str:
    """Returns the shortest text that is read back as this number."""
    return repr(number).removesuffix(".0")


def _line(claim: Claim) -> str:
    said = claim.statement
    predict = f"{exact(said.low)}:{exact(said.high)}" if isinstance(said, Interval) else str(claim.predicted)
    label = "" if claim.label is None else str(claim.label)
    correct = "" if claim.correct is None else str(int(claim.correct))
    seconds = claim.seconds if claim.own_seconds is None else claim.own_seconds
    return f"{claim.id}\t{label}\t{predict}\t{exact(claim.radius)}\t{correct}\t{seconds:.3f}"
