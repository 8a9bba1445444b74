"""What a run says about one input, and the hypotheses that prove it. Host."""

import dataclasses
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from gsmooth_jax.types import ABSTAIN

Status = Literal["proved", "conditional", "statistical", "heuristic"]
"""How rigorous a claim is: a theorem up to alpha; one that also rests on what it ``assumes``; one whose geometry was
itself estimated, at a stated confidence; or a published procedure that leaves a gap."""

Label = int | float | None
"""The truth about an input, where it is known: a class, or a number."""


class Hypothesis(NamedTuple):
    """Says that an event's probability at a smoothing centre is above a threshold; with the votes that test it.

    A tuple, as runs have a million. What follows when it passes is said by the method (``Method.concludes``).

    Attributes:
      low: lower corner of the part of the region that it speaks for, in parameter units; empty: the whole region.
      high: its upper corner; the part is closed. (Of a transform whose values are enumerated, the part stands for the
        values counted to it: its ends are drawn half way to its neighbours'.)
      threshold: what the event's probability has to exceed; 0 where the method takes the bound that the votes prove.
      centre_id: the smoothing centre's number, part of its draws' keys.
      level: at which it is tested, a part of alpha that the ledger names; 0 where nothing is left to chance.
      event: which of the vote's events, such as a class; ``~k`` is the contrary of event k.
      shared: this centre and the next or the last one prove together what both of their parts hold, and neither alone.
      successes: votes for the event.
      votes: votes at the centre; of a method without randomness, 1 for what it computed.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    threshold: float
    centre_id: int
    level: float
    event: int
    shared: bool = False
    successes: int = 0
    votes: int = 0


class Window(NamedTuple):
    """Says that an event's mean probability over one pair of smoothing centres, at least, is above the pair's bound.

    Tested by the votes of all its centres (``Ballot``), which other windows count as well.

    Attributes:
      low: lower corner of the part of the region that it speaks for, in parameter units.
      high: its upper corner; the part is closed.
      level: as of a ``Hypothesis``.
      event: as there.
      centre_id: what the numbers in ``pairs`` are counted from.
      bounds: [J], what is exceeded where the event's probability is above 1/2 in the whole part, if anything is.
      pairs: [J], two centres each, as differences from ``centre_id``; one centre that stands alone is named twice.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    level: float
    event: int
    centre_id: int
    bounds: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]


class Ballot(NamedTuple):
    """The votes at one smoothing centre, block by block.

    Attributes:
      centre_id: the centre's number, part of its draws' keys.
      event: which of the vote's events, such as a class; ``~k`` is the contrary of event k.
      successes: votes for the event, one number a block.
    """

    centre_id: int
    event: int
    successes: tuple[int, ...]


class Statement(Protocol):
    """What is said of the smoothed model's output."""

    kind: ClassVar[str]
    """Its name in ``STATEMENTS``, under which records hold it."""

    def agrees(self, label: Label) -> bool | None:
        """Whether it is true of the label; None where the label is no truth of this kind."""
        ...

    def to_json(self) -> Any:
        """What ``from_json`` reads back."""
        ...

    @classmethod
    def from_json(cls, value: Any) -> "Statement":
        """Reads what ``to_json`` wrote; raises ValueError or TypeError where it did not."""
        ...


@dataclasses.dataclass(frozen=True)
class Answer:
    """The smoothed classifier answers this class."""

    answer: int

    kind: ClassVar[str] = "class"

    def agrees(self, label: Label) -> bool | None:
        """Whether it is the label."""
        return label == self.answer if isinstance(label, int) else None

    def to_json(self) -> int:
        """The class."""
        return self.answer

    @classmethod
    def from_json(cls, value: Any) -> "Answer":
        """Reads a class."""
        if type(value) is not int or value < 0:
            raise ValueError(f"Expected a class, got {value!r}.")
        return cls(value)


@dataclasses.dataclass(frozen=True)
class Interval:
    """The smoothed number lies in the closed interval [low, high]; an end may be infinite."""

    low: float
    high: float

    kind: ClassVar[str] = "interval"

    def agrees(self, label: Label) -> bool | None:
        """Whether it holds the label, a number."""
        return self.low <= label <= self.high if isinstance(label, float) else None

    def to_json(self) -> list[str]:
        """Both ends as text, since JSON has no infinity."""
        return [repr(self.low), repr(self.high)]

    @classmethod
    def from_json(cls, value: Any) -> "Interval":
        """Reads two ends."""
        low, high = (float(end) for end in value)
        if not low <= high:
            raise ValueError(f"Expected low <= high, got {value!r}.")
        return cls(low, high)


@dataclasses.dataclass(frozen=True)
class AgainstRandom:
    """A parameter drawn from the region at random leaves the classifier this answer, its own at the input itself.

    But for a probability that is ``at_most`` this. Nothing is said of a parameter that somebody chooses.
    """

    answer: int
    at_most: float

    kind: ClassVar[str] = "against_random"

    def agrees(self, label: Label) -> bool | None:
        """Whether the answer is the label."""
        return label == self.answer if isinstance(label, int) else None

    def to_json(self) -> dict[str, Any]:
        """Both by name."""
        return {"answer": self.answer, "at_most": self.at_most}

    @classmethod
    def from_json(cls, value: Any) -> "AgainstRandom":
        """Reads them."""
        answer, at_most = value["answer"], value["at_most"]
        if type(answer) is not int or answer < 0 or type(at_most) not in (int, float) or not 0.0 <= at_most <= 1.0:
            raise ValueError(f"Expected a class and a probability, got {value!r}.")
        return cls(answer, float(at_most))


STATEMENTS: dict[str, type[Statement]] = {s.kind: s for s in (Answer, Interval, AgainstRandom)}
"""kind -> class, for records."""

Ledger = tuple[tuple[str, float], ...]
"""What a procedure does -> the level of the tests that it may make there; see ``Claim``."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """For every xi in the region the ``statement`` holds of the transformed input: proved if ``certified``.

    But of ``AgainstRandom``: it speaks of parameters drawn from the region at random, and of none that is chosen, and
    ``certified`` says that its probability is as small as the method was asked to show.

    Attributes:
      id: the input's index in the data set's original order.
      label: its true class or number, or None.
      statement: what the smoothed model does at the input itself; None where that could not be established.
      certified: whether it does so in the whole region of the run.
      radius: the largest size of a similar region that the same votes prove (0.0 if none); in parameter units.
      status: how rigorous what it says is. One that is not ``certified`` says nothing of the whole region: only that
        the statement holds of the input itself, and in the region of its radius.
      assumes: what the proof rests on besides this library's own theorems, one entry a part; empty for ``proved``.
      alpha: the probability, over the draws, with which the claim may be false.
      ledger: how alpha was divided before the first draw, whether or not every part came to be used; the parts add up
        to alpha at most. Draws that no test counts have the part 0, and so has what is computed without chance.
      votes: draws counted, selection included; of a method without randomness, the model's evaluations.
      seconds: from the image's first request to its verdict, other images being served meanwhile.
      own_seconds: the part that was the image's own: the host's work on it, and its share of the device's time by rows
        of batches. None in records of versions before 0.7.
      selection: counts of the events in the draws that chose what is claimed; the last are draws with outputs that are
        not finite. Empty where nothing was drawn.
      hypotheses: the evidence: those of one centre each, with their votes.
      windows: and those of several centres that share votes.
      ballots: these votes.
      clean: what the classifier itself answers, without noise; ``ABSTAIN`` where its logits are not finite. No claim
        rests on it. None of numbers, and in records of versions before 0.10.
      note: what a reader should know, or empty.
      header: digest of the header of the run that holds the claim; empty outside a run.
    """

    id: int
    label: Label
    statement: Statement | None
    certified: bool
    radius: float
    status: Status
    assumes: tuple[str, ...]
    alpha: float
    ledger: Ledger
    votes: int
    seconds: float
    selection: tuple[int, ...]
    hypotheses: tuple[Hypothesis, ...]
    note: str = ""
    header: str = ""
    own_seconds: float | None = dataclasses.field(default=None, compare=False)
    windows: tuple[Window, ...] = ()
    ballots: tuple[Ballot, ...] = ()
    clean: int | None = None

    @property
    def predicted(self) -> int:
        """The smoothed classifier's class; ``ABSTAIN`` where none is established, or where the claim is of no class."""
        return self.statement.answer if isinstance(self.statement, Answer | AgainstRandom) else ABSTAIN

    @property
    def correct(self) -> bool | None:
        """Whether the statement is true of the label (an abstention is not); None without such a label."""
        if self.label is None:
            return None
        return False if self.statement is None else self.statement.agrees(self.label)
