"""What is claimed (``Guarantee``), and what proves it: a ``Method`` is a set of hypotheses about votes.

A method says what a vote is, which hypotheses have to pass, and what follows when they do. The rest is written once:
``prover`` casts the votes and makes the claim, ``verifier`` recomputes it from its record, ``tests`` decides.
"""

import dataclasses
from collections.abc import Generator, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.claims import Ballot, Hypothesis, Ledger, Statement, Status, Window
from gsmooth_jax.methods.arguments import check_method, check_transform
from gsmooth_jax.models import Classifier
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Example, Region, Transform, Vote

Test = Literal["sequential", "fixed", "fixed_two_sided"]

_FEW = 8
"""Selection draws that may be enough."""

Takes = Literal["law", "latent", "surrogate", "nothing"]
"""A law of the parameter; noise of a latent, such as the image's own pixels; of a surrogate's latent alone; or none."""


class Pilots(NamedTuple):
    """A request for draws that choose what will be claimed; no test counts them.

    Attributes:
      centres: what their noise is drawn around; ``Guarantee.selection_votes`` draws each, or ``few`` where a method
        ``picks`` an event and these are all for one.
    """

    centres: Sequence[np.ndarray]


class Poll(NamedTuple):
    """A request for more votes at one smoothing centre.

    Attributes:
      centre: what the vote is given to draw around: an input, a latent, or what describes a law of centres.
      hypotheses: all of this ``centre_id``, as they stand.
      limit: votes that the centre may come to have at most.
    """

    centre: np.ndarray
    hypotheses: tuple[Hypothesis, ...]
    limit: int


class Visit(NamedTuple):
    """A request for the next blocks of votes at one of several centres that hypotheses share.

    Attributes:
      centre: as of a ``Poll``.
      centre_id: its number.
      start: blocks that it has.
      stop: and that it is to have.
      likely: that it may come to ask for next: what would else be idle may count them now.
    """

    centre: np.ndarray
    centre_id: int
    start: int
    stop: int
    likely: int


class Found(NamedTuple):
    """What an inquiry ends with.

    Attributes:
      hypotheses: every hypothesis of one centre that was tested, as it stands.
      note: what a reader of the claim should know.
      windows: every hypothesis of several.
      ballots: the votes at their centres.
    """

    hypotheses: Sequence[Hypothesis]
    note: str = ""
    windows: Sequence[Window] = ()
    ballots: Sequence[Ballot] = ()


Inquiry = Generator[Pilots | list[Poll] | list[Visit], Any, Found]
"""Asks for ``Pilots`` and is sent the [E] counts of each centre; asks for polls, and is sent the hypotheses of each
with a block of votes more (of a fixed test: with all of them); asks for visits, and is sent the [B, E] counts of the
blocks of each. A method without randomness asks for nothing."""


class Evidence(NamedTuple):
    """What a claim rests on.

    Attributes:
      selection: counts of the events in the draws that chose what is claimed.
      hypotheses: all that were tested.
      passed: those of them that their votes have proved.
      lower: for each of all, the bound that its votes prove on the event's probability, at its level.
      windows: all hypotheses of several centres.
      passed_windows: those of them that the ballots have proved.
      ballots: their votes.
    """

    selection: tuple[int, ...]
    hypotheses: tuple[Hypothesis, ...]
    passed: tuple[Hypothesis, ...]
    lower: "Lower"
    windows: tuple[Window, ...] = ()
    passed_windows: tuple[Window, ...] = ()
    ballots: tuple[Ballot, ...] = ()


class Lower(Protocol):
    """Bounds the probability of a hypothesis's event from below, from its votes and at its level."""

    def __call__(self, hypothesis: Hypothesis, /) -> float:
        """Returns the bound."""
        ...


class Conclusion(NamedTuple):
    """What follows from evidence.

    Attributes:
      statement: what the smoothed model does at the input itself; None where that is not established.
      certified: whether it does so in the whole region.
      radius: the largest size of a similar region for which that follows.
      faults: why the hypotheses may not be used together: no prover makes such evidence, but a file may hold it.
    """

    statement: Statement | None
    certified: bool
    radius: float
    faults: tuple[str, ...] = ()


class Method(Protocol):
    """How claims are proved."""

    computes: ClassVar[bool]
    """Whether inquiries ask the device for more than votes."""

    takes: ClassVar[Takes]
    """The smoothing noise that it is given."""

    picks: ClassVar[bool]
    """Whether each selection draw is for one event, of which the method picks the most frequent."""

    block: ClassVar[int]
    """Votes between two looks at its tests, where a run says nothing else."""

    @property
    def status(self) -> Status:
        """How rigorous its claims are, when every part is this library's own."""
        ...

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        ...

    @property
    def law(self) -> str:
        """The smoothing noise, as text that rebuilds it; empty for a method without."""
        ...

    @property
    def parts(self) -> tuple[object, ...]:
        """What the proof rests on besides the method itself and the transform: noise, law, certificate."""
        ...

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the method applies to this transform and region."""
        ...

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless the method applies to this model."""
        ...

    def vote(self, transform: Transform) -> Vote | None:
        """Returns what one draw at a smoothing centre decides; None: there is no smoothing. See ``vote_of``."""
        ...

    def check_budget(self, guarantee: "Guarantee") -> None:
        """Raises ValueError when test and votes can never certify the region. Reads no file."""
        ...

    def requirement(self, guarantee: "Guarantee", example: Example | None = None) -> str:
        """Says what a claim takes; where that depends on the input, of an example.

        Raises ValueError as ``check_budget``, or where a part does not fit; MemoryError where the example's claim does
        not fit this machine.
        """
        ...

    def ledger(self, guarantee: "Guarantee") -> Ledger:
        """Says how alpha is divided among the tests of one input."""
        ...

    def pilots(self, guarantee: "Guarantee") -> int:
        """At how many centres selection draws are made."""
        ...

    def hypotheses(self, example: Example, model: Any, guarantee: "Guarantee", tests: "Tests") -> Inquiry:
        """Asks for the votes of one input's hypotheses.

        Args:
          example: the input.
          model: for methods that apply it themselves.
          guarantee: the claim's terms.
          tests: says which hypotheses have passed.
        """
        ...

    def concludes(self, evidence: Evidence, guarantee: "Guarantee") -> Conclusion:
        """Says what follows. Used by the prover and by the verifier: nothing but the evidence may enter."""
        ...


class Tests(Protocol):
    """Decides hypotheses; see ``tests.Tests``."""

    __test__: ClassVar[bool] = False  # pytest takes any imported class of this name for one of tests

    def decide(self, hypothesis: Hypothesis) -> Literal["certified", "rejected", "undecided"]:
        """What the votes of a hypothesis say so far."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Guarantee:
    """Everything besides the model and the input that a claim depends on.

    Attributes:
      transform: what the adversary applies.
      region: the adversary's parameters, in the transform's units.
      method: how it is proved, the smoothing noise included.
      alpha: a claim is false with at most this probability over the draws.
      test: ``sequential`` stops as soon as the anytime-valid test is sure; ``fixed`` spends ``max_votes`` on every
        image and looks once (Clopper-Pearson); ``fixed_two_sided`` also bounds every other class from above.
      selection_votes: draws that choose the class, at most: eight that agree are enough. Never reused.
      max_votes: most draws that one image's test may count.
      block: votes between two looks of the sequential test; 0: as the method wants, which is what it is then.
      futility: probability with which an image whose p_A lies at or above the needed value may be given up early.
        Giving up can cost a certificate and can never create a false one.
      seed: of all draws.
    """

    transform: Transform
    region: Region
    method: Method
    alpha: float = 1e-3
    test: Test = "sequential"
    selection_votes: int = 32
    max_votes: int = 10_000
    block: int = 0
    futility: float = 0.01
    seed: int = 0

    def __post_init__(self):
        check_transform(self.transform)
        _validate.kind(Box | Ball, "a gs.Box or a gs.Ball", region=self.region)
        check_method(self.method)
        if self.block == 0:
            object.__setattr__(self, "block", self.method.block)
        _validate.probability(alpha=self.alpha, futility=self.futility)
        _validate.at_least(1, selection_votes=self.selection_votes, max_votes=self.max_votes, block=self.block)
        _validate.at_most(2**31 - 1, block=self.block)
        _validate.at_most(2**31 - self.block, selection_votes=self.selection_votes, max_votes=self.max_votes)
        _validate.word(seed=self.seed)
        _validate.known(dict.fromkeys(("sequential", "fixed", "fixed_two_sided")), test=self.test)
        self.method.check(self.transform, self.region)


def vote_of(guarantee: Guarantee) -> Vote | None:
    """Returns what one draw decides: a method whose draws are over the region has a ``vote_over`` that is given it."""
    over = getattr(guarantee.method, "vote_over", None)
    return guarantee.method.vote(guarantee.transform) if over is None else over(guarantee.transform, guarantee.region)


def few(guarantee: Guarantee) -> int:
    """Selection draws that are enough where they are all for one event: whole blocks."""
    return min(-(-_FEW // guarantee.block) * guarantee.block, guarantee.selection_votes)


def chosen_class(selection: Sequence[int], guarantee: Guarantee) -> tuple[int, tuple[str, ...]]:
    """Returns the class that K + 1 selection counts choose, and what is wrong with them: each draw is for one event."""
    if len(selection) < 2:
        return 0, (f"selection: impossible counts {selection}",)
    total, top = sum(selection), int(np.argmax(selection[:-1]))
    if total == guarantee.selection_votes or total == max(selection) == few(guarantee):
        return top, ()
    return top, (f"selection: the file says {total} votes, the evidence gives {guarantee.selection_votes}",)


def check_classes(name: str, model: Any) -> None:
    """Raises ValueError unless the model is a classifier."""
    if not isinstance(model, Classifier):
        raise ValueError(f"{name} speaks of classes: expected a model with logits [B, K], got {type(model).__name__}.")
