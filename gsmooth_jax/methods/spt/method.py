"""Rotation, shift and volume of files: a classifier smoothed twice bears what interpolation and rounding do. Host.

The method receives a file y = Q T_g x, whatever g of the region made it. F(u) is the class that f(u + e) has most
often, e ~ N(0, inner^2 I); the smoothed class of y is the one that F(P T_b y) has most often, b ~ N(0, sigma^2) and P a
linear filter.

HYPOTHESES (THEORY S1). For an outer draw z ~ N(0, sigma^2) let E(z) bound |P T_(z-g) Q T_g x - P T_z x| for every g of
the region, and let R(z) hold if F is c on the ball of radius E(z) around P T_z x; so it is if f(u + e) is c with
probability above Phi(E(z) / inner) at its centre. Each outer draw is a node: a smoothing centre of its own, with one
hypothesis. It is *counted* if its test, at the level alpha, passes.

FORMULA. y keeps c for |g| < sigma Phi^-1(P(R)). An outer draw without R is counted with probability alpha at most, so
P(R) >= (P(counted) - alpha) / (1 - alpha), whatever the number of draws (THEORY S3). Outer draws are independent, and
the number of those counted is tested at the level of the whole claim.

WHERE E COMES FROM. ``image``: bounds of this image, over cells or exactly (THEORY S4 to S6): proved.
``data``: one number that training images exceed with probability rho at most (``gsmooth spt-error``), charged after the
shift, |g| < sigma [Phi^-1(P(R)) - Phi^-1(1/2 + rho)] (THEORY S2): statistical, as it says nothing of a given image.
``random``: the largest error of a few uniform g: heuristic. ``none``: no error and no inner noise, F is f: heuristic.

DIFFERENCES from Fischer, Baader, Vechev (NeurIPS 2020): E is the adversary's worst, not that of random ones, and may be
each image's own; rho is charged after the shift, and the inner level is subtracted once, not once for every draw;
inner and outer tests are sequential unless asked otherwise.
"""

import dataclasses
import functools
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gsmooth_jax import _validate, smoothing
from gsmooth_jax.claims import Answer, Hypothesis, Ledger, Status
from gsmooth_jax.estimation import bounds, sequential
from gsmooth_jax.estimation.votes import ClassVote, MajorityVote
from gsmooth_jax.methods.base import (
    Conclusion,
    Evidence,
    Found,
    Guarantee,
    Inquiry,
    Pilots,
    Poll,
    Takes,
    Tests,
    check_classes,
)
from gsmooth_jax.methods.spt import errors
from gsmooth_jax.methods.spt.draws import BATCH, PILOTS, Draws, Error, Node
from gsmooth_jax.methods.spt.error_file import ErrorFile
from gsmooth_jax.methods.spt.kernels import OuterNoise
from gsmooth_jax.methods.spt.stages import Adversary, Filter, parse_filter
from gsmooth_jax.smoothing import Gaussian, PixelNoise
from gsmooth_jax.smoothing.noise import NoNoise
from gsmooth_jax.types import Example, Noise, Region, Transform

_STATUS: Mapping[str, Status] = {
    "image": "proved",
    "data": "statistical",
    "random": "heuristic",
    "none": "heuristic",
}
_NOTES: Mapping[Error, str] = {
    "image": "",
    "data": "",
    "random": "random attackers only",
    "none": "interpolation is taken for exact",
}

_MAJORITY = 200
"""Inner votes that an attack takes for the inner classifier's answer."""

_FILE_SHARE = 0.1
"""Of alpha, for the bound on how often an error file's number is exceeded."""

_GUARD = 1e-9
"""Thresholds and radii are rounded outward by this share."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spt:
    """The method; see the module.

    Attributes:
      noise: the law of the outer draws: normal, the same along every parameter.
      inner: standard deviation of the inner noise; 0 only where ``error`` is ``none``.
      prepare: text of the filter P, such as ``vignette|low_pass(radius=4)``; empty: none.
      error: where E comes from.
      outer: outer draws, at most; each may take its share of ``max_votes``.
      file: of ``data``, what ``gsmooth spt-error`` made.
      fingerprint: of the file; it is read only where this is empty, and so are the next three.
      limit: its E.
      exceeded: draws of it that exceed that.
      draws: all of its draws.
      source: what was read, which says for whom; None where the text said it all, as a header's does.
    """

    noise: Gaussian
    inner: float = 0.0
    prepare: str = ""
    error: Error = "image"
    outer: int = 200
    file: str = ""
    fingerprint: str = ""
    limit: float = 0.0
    exceeded: int = 0
    draws: int = 0
    source: ErrorFile | None = dataclasses.field(default=None, compare=False, repr=False)

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "law"
    picks: ClassVar[bool] = False
    block: ClassVar[int] = 8
    statuses: ClassVar[tuple[Status, ...]] = tuple(dict.fromkeys(_STATUS.values()))

    def __post_init__(self):
        _validate.known(_STATUS, error=self.error)
        if not isinstance(self.noise, Gaussian) or isinstance(self.noise.sigma, tuple):
            raise ValueError(f"spt takes one law for all parameters, as gaussian(sigma=30), got noise={self.noise!r}.")
        if self.error == "none" and self.inner != 0.0:
            raise ValueError(f"Expected inner=0 with error='none', got inner={self.inner!r}.")
        if self.error != "none":
            _validate.positive(inner=self.inner)
        _validate.at_least(1, outer=self.outer)
        _ = self.filter
        if (self.error == "data") != bool(self.file):
            raise ValueError(f"Expected a file with error='data', and only there; got {self.error=}, {self.file=}.")
        if self.file and not self.fingerprint:
            found, fingerprint = ErrorFile.read(self.file)
            figures = {name: getattr(found, name) for name in ("limit", "exceeded", "draws")}
            for name, value in {"fingerprint": fingerprint, "source": found, **figures}.items():
                object.__setattr__(self, name, value)
        if self.file and not 0 <= self.exceeded <= self.draws:
            raise ValueError(f"Expected exceeded <= draws, got {self.exceeded=}, {self.draws=}.")

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return _STATUS[self.error]

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        given = [(f, getattr(self, f.name)) for f in dataclasses.fields(self) if f.name not in ("noise", "source")]
        written = [f"{f.name}={v!r}" for f, v in given if f.name == "error" or v != f.default]
        return f"spt({', '.join(written)})"

    @property
    def law(self) -> str:
        """The text that ``registry.parse`` reads back."""
        return smoothing.describe(self.noise)

    @property
    def parts(self) -> tuple[object, ...]:
        """The law and the stages of the filter."""
        return (self.noise, *self.filter.stages)

    @functools.cached_property
    def filter(self) -> Filter:
        """P."""
        return parse_filter(self.prepare)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless E can be had for this transform and region."""
        adversary = Adversary.of(transform)
        errors.check_region(adversary, region)
        if self.error == "image":
            errors.check_bounded(adversary)
        if self.source is not None:
            self.source.check(transform, region, self.law, self.prepare)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier."""
        check_classes("spt", model)

    def vote(self, transform: Transform) -> ClassVote:
        """The classes of inner draws, around what is seen of the image at an outer draw."""
        del transform
        return ClassVote(noise=self._inner)

    def smoothed_vote(self, transform: Transform) -> ClassVote | MajorityVote:
        """What one draw of the smoothed classifier decides, around a file: the majority of inner votes."""
        outer = OuterNoise(law=self.noise, moving=Adversary.of(transform).moving, prepare=self.filter)
        if self.error == "none":
            return ClassVote(noise=outer)
        return MajorityVote(noise=outer, inner=self._inner, votes=_MAJORITY)

    @property
    def _sigma(self) -> float:
        assert isinstance(self.noise.sigma, float)
        return self.noise.sigma

    @property
    def _inner(self) -> Noise:
        return NoNoise() if self.error == "none" else PixelNoise(sigma=self.inner)

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError where inner or outer draws are too few, or E beyond what inner votes can reach."""
        g, most = guarantee, self._most(guarantee)
        if g.test == "fixed_two_sided":
            raise ValueError("spt tests sequentially or by fixed numbers of votes, got test='fixed_two_sided'.")
        if most < 1:
            raise ValueError(f"Expected max_votes >= outer={self.outer}, one for each draw, got {g.max_votes}.")
        # A fixed number is tested for whatever radius it proves; a sequential test is of the whole region.
        wanted = g.region.size if g.test == "sequential" else 0.0
        if self._most_radius(g) <= wanted:
            raise ValueError(
                f"outer={self.outer} draws can never certify {g.region if wanted else 'anything'} under {self.law} at "
                f"alpha={g.alpha}: all counted, they reach {self._most_radius(g):.4g}."
            )
        if self.error != "none" and self.limit >= self._reach(g):
            raise ValueError(
                f"{most} inner votes, max_votes={g.max_votes} for outer={self.outer} draws, never show that noise "
                f"inner={self.inner} bears an error of {self.limit:g}: they reach {self._reach(g):.3g} at most."
            )

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take; of an example how large its errors are. Raises as ``check_budget``."""
        self.check_budget(guarantee)
        g, reached = guarantee, min(self._most_radius(guarantee), guarantee.region.size)
        text = f"At most {self.outer} outer draws are made, which reach a radius of {reached:.4g} if all are counted"
        if self.error == "none":
            return f"{text}; the classifier is asked once at each."
        text += (
            f"; each is tested by {self._most(g)} inner votes at most, which reach an error of {self._reach(g):.3g}."
        )
        if example is None:
            return text
        found = [node.error for node in self._draws(example, g).nodes(0, BATCH)]
        return f"{text} This image's errors: {np.median(found):.3g} in the middle, {max(found):.3g} at most."

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """The inner tests' level is subtracted from what the outer test proves, and no part of alpha."""
        file = (("error file", _FILE_SHARE * guarantee.alpha),) if self.error == "data" else ()
        return (("selection", 0.0), ("outer", self._outer_level(guarantee)), *file)

    def pilots(self, guarantee: Guarantee) -> int:
        """Outer draws that choose the class."""
        del guarantee
        return PILOTS

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Outer draws choose the class; then others are tested, until they show that enough of all are counted."""
        del model
        g, draws = guarantee, self._draws(example, guarantee)
        selections = yield Pilots(draws.centres())
        top = int(np.bincount([int(np.argmax(c[:-1])) for c in selections]).argmax())
        # A proof that the answer is wrong everywhere would count for nothing.
        wanted = g.region.size if example.label in (None, top) else 0.0
        found: list[Hypothesis] = []
        counted = lost = 0
        while len(found) < self.outer:
            nodes = draws.nodes(len(found), self.outer - len(found))
            tested = yield from self._tested(nodes, top, g, tests)
            for node, h in zip(nodes, tested, strict=True):
                found.append(h)
                lost += node.error >= self._reach(g)
                if g.test != "sequential":
                    continue
                counted += self.counts(h, tests.decide(h) == "certified")
                if tests.decide(self._outer(counted, len(found), top, wanted, g)) != "undecided":
                    return Found(found, self._note(lost, len(found)))
        return Found(found, self._note(lost, len(found)))

    def _draws(self, example: Example, g: Guarantee) -> Draws:
        return Draws(
            example=example,
            adversary=Adversary.of(g.transform),
            region=g.region,
            seed=g.seed,
            law=self.noise,
            prepare=self.filter,
            error=self.error,
            inner=self.inner,
            limit=self.limit,
        )

    def _tested(
        self, nodes: Sequence[Node], top: int, g: Guarantee, tests: Tests
    ) -> Generator[list[Poll], Any, list[Hypothesis]]:
        """The hypotheses of some nodes, with the votes that decide them; none where no votes could."""
        made = [Hypothesis(n.at, n.at, self._bears(n.error), n.number, self._inner_level(g), top) for n in nodes]
        most, reach = self._most(g), self._reach(g)

        def is_open(node: Node, h: Hypothesis) -> bool:
            return h.votes < most and node.error < reach and (h.votes == 0 or tests.decide(h) == "undecided")

        while asked := [i for i, (n, h) in enumerate(zip(nodes, made, strict=True)) if is_open(n, h)]:
            replies = yield [Poll(nodes[i].centre, (made[i],), most) for i in asked]
            for i, (h,) in zip(asked, replies, strict=True):
                made[i] = h
        return made

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says what the outer draws that are counted prove. Their parameters and errors are as recorded."""
        g, found = guarantee, evidence.hypotheses
        if faults := tuple(self._faults(evidence, g)):
            return Conclusion(None, False, 0.0, faults)
        passed = evidence.passed if g.test == "sequential" else [h for h in found if evidence.lower(h) > h.threshold]
        counted = sum(self.counts(h, h in passed) for h in found)
        outer = self._outer(counted, len(found), found[0].event, g.region.size, g)
        lower = evidence.lower(outer)
        certified, radius = lower >= outer.threshold, self._radius(lower, g)
        answer = Answer(outer.event) if radius > 0.0 else None
        return Conclusion(answer, certified, g.region.size if certified else min(radius, g.region.size))

    def needed(self, guarantee: Guarantee, size: float) -> float:
        """The share of outer draws to be counted, for a claim about parameters up to a size; rounded up."""
        rho, level = self._rho(guarantee), self._inner_level(guarantee)
        if rho >= 0.5:
            return 1.0
        sure = special.ndtr(size / self._sigma + special.ndtri(0.5 + rho))  # P(R), at least
        return min(float(level + (1.0 - level) * sure) * (1.0 + _GUARD), 1.0)

    def _radius(self, counted_lower: float, g: Guarantee) -> float:
        """The size of the largest region of which a bound on the share of counted draws speaks; rounded down."""
        rho, level = self._rho(g), self._inner_level(g)
        sure = (counted_lower - level) / (1.0 - level)
        if sure <= 0.5 + rho:
            return 0.0
        return float(self._sigma * (special.ndtri(sure) - special.ndtri(0.5 + rho))) * (1.0 - _GUARD)

    def _most_radius(self, g: Guarantee) -> float:
        """The radius that is proved if all outer draws are counted."""
        return self._radius(_unanimous(self.outer, self._outer_level(g), g.test == "sequential"), g)

    def _rho(self, g: Guarantee) -> float:
        """Bounds how often an error exceeds that of a file."""
        if self.error != "data":
            return 0.0
        return float(bounds.proportion_upper(self.exceeded, self.draws, _FILE_SHARE * g.alpha))

    def _outer_level(self, g: Guarantee) -> float:
        return (1.0 - _FILE_SHARE) * g.alpha if self.error == "data" else g.alpha

    def _inner_level(self, g: Guarantee) -> float:
        """Of the test of one outer draw; 0 where F is not smoothed, and its one vote says what it is."""
        return 0.0 if self.error == "none" else g.alpha

    def _outer(self, counted: int, draws: int, top: int, size: float, g: Guarantee) -> Hypothesis:
        """Says that outer draws are counted with the probability that a claim of this size needs."""
        return Hypothesis((), (), self.needed(g, size), 0, self._outer_level(g), top, False, counted, draws)

    def _most(self, g: Guarantee) -> int:
        """Inner votes of an outer draw, at most."""
        return 1 if self.error == "none" else g.max_votes // self.outer

    def _reach(self, g: Guarantee) -> float:
        """Errors below this one are borne if all inner votes are for one class."""
        if self.error == "none":
            return math.inf
        lower = _unanimous(self._most(g), self._inner_level(g), g.test == "sequential")
        return self.inner * float(special.ndtri(lower)) if lower > 0.5 else 0.0

    def _bears(self, error: float) -> float:
        """What the probability of c has to exceed for F to be c on a ball of so large a radius; rounded up."""
        return 0.0 if self.error == "none" else float(special.ndtr(error / self.inner * (1.0 + _GUARD)))

    def counts(self, h: Hypothesis, passed: bool) -> bool:
        """Whether an outer draw is counted, whose test has passed or not. Where F is not smoothed, its vote says it."""
        return 0 < h.votes == h.successes if self.error == "none" else passed

    def _note(self, lost: int, draws: int) -> str:
        notes = [_NOTES[self.error]] if _NOTES[self.error] else []
        if lost:
            notes.append(f"the errors of {lost} of {draws} outer draws are more than the inner votes can reach")
        return "; ".join(notes)

    def _faults(self, evidence: Evidence, g: Guarantee) -> Iterator[str]:
        """Why hypotheses are not those of outer draws, one after the other from the first."""
        found, most = evidence.hypotheses, self._most(g)
        if evidence.windows or [h.centre_id for h in found] != list(range(len(found))) or not found:
            yield "hypotheses: expected one for each outer draw, none left out"
        elif len({h.event for h in found}) > 1 or found[0].event < 0:
            yield "hypotheses: of another event than one class"
        elif any(h.level != self._inner_level(g) for h in found):
            yield f"hypotheses: tested at another level than {self._inner_level(g)}"
        elif any(not h.low or h.low != h.high for h in found):
            yield "hypotheses: an outer draw has one parameter"
        elif any(h.threshold < self._bears(self.limit) or (self.error == "none" and h.threshold) for h in found):
            yield f"hypotheses: a threshold that no error of {self.limit:g} or more has"
        if len(found) > self.outer or (g.test == "fixed" and len(found) != self.outer):
            yield f"hypotheses: of {len(found)} outer draws, the method has {self.outer}"
        if any(h.votes > most or (g.test == "fixed" and h.votes not in (0, most)) for h in found):
            yield f"hypotheses: an outer draw without the {most} inner votes that it may have"


@functools.lru_cache(maxsize=16)
def _unanimous(votes: int, level: float, sequentially: bool) -> float:
    """The bound on a probability where all votes are for the event."""
    if sequentially:
        return float(sequential.lower_confidence(votes, votes, level))
    return bounds.largest_p_lower(votes, level)
