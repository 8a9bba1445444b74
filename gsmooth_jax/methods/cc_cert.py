"""Any transform, at random: how often does a parameter drawn from the region change the classifier's own answer?

Claims speak of random attackers only: xi is drawn uniformly from the region, and of a parameter that somebody chooses
nothing is said. Two bounds on P(f(T(x, xi)) is not f(x)):

COUNTED (``proved``). HYPOTHESIS: P(f(T(x, xi)) = c) > 1 - at_most, c the classifier's answer at x itself. n fixed draws
without a change prove a probability of 1 - alpha^(1/n) < ln(1/alpha) / n, and k changes the exact Clopper-Pearson bound
(THEORY F1); the sequential test may stop before (THEORY F2). Nothing is assumed of the classifier.

CHERNOFF (``statistical``; Pautov et al. 2022, CC-Cert, Algorithm 1). With p the softmax probabilities, let
Z = max_k |p_k(x) - p_k(T(x, xi))| and d half of the distance between the two largest p_k(x). The answer can change only
where Z >= d, and P(Z >= d) <= E e^(tZ) / e^(td) for every t > 0. FORMULA: of k batches of n draws each, the largest
least value over t of the batch's mean in place of E, divided by 0.9. That is an upper bound only if some batch's means
are not below 0.9 E e^(tZ); for one t that fails with probability (1 + 0.01 n / v^2)^-k at most, v the coefficient of
variation of e^(tZ) (Cantelli), which nobody knows, and which grows with t: the claim's ``assumes`` says what would
have to be true. Where no draw has come to d, the largest t makes of any margin a number as small as is asked for
(THEORY I5 has a classifier of which the estimate is false).

Differences from the paper: Z is rounded up and d down to 1/1024, so that a record holds counts; sums are of logarithms,
which do not overflow; records also hold how many draws changed the answer, so that what counting them proves can be put
beside the estimate. Host, but for the draws.
"""

import dataclasses
import math
import sys
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from gsmooth_jax import _validate
from gsmooth_jax.claims import AgainstRandom, Ballot, Claim, Hypothesis, Ledger, Status
from gsmooth_jax.engine.kernels import answer_kernel
from gsmooth_jax.estimation import bounds
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.arguments import check_box, check_range
from gsmooth_jax.methods.base import (
    Conclusion,
    Evidence,
    Found,
    Guarantee,
    Inquiry,
    Poll,
    Takes,
    Tests,
    Visit,
    check_classes,
)
from gsmooth_jax.methods.random_parameter import CHANGED, DISTANCES, MARGINS, STEPS, DistanceVote, RandomParameter
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.types import Example, Region, Transform, Vote

_SHARE = 0.9
"""Of its expectation that the largest mean is taken to reach (delta, in the paper)."""

_T = np.linspace(1e-4, 1e4, 500)
"""As the released code has it."""

_LEAST = 2.0**-29
"""Fewer than 2^31 votes can be counted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CCCert:
    """The method; see the module.

    Attributes:
      bound: ``counted``, proved; or ``chernoff``, the published estimate, statistical.
      at_most: the probability of a change that is to be shown, at most.
      factors: draws parameters that are logarithms of factors, such as contrast, so that the factor is uniform, as
        published; else the parameter is.
    """

    bound: Literal["counted", "chernoff"] = "counted"
    at_most: float = 0.01
    factors: bool = False

    computes: ClassVar[bool] = False
    takes: ClassVar[Takes] = "nothing"
    picks: ClassVar[bool] = False
    block: ClassVar[int] = 100
    random_only: ClassVar[bool] = True
    statuses: ClassVar[tuple[Status, ...]] = ("proved", "statistical")

    def __post_init__(self):
        _validate.known(dict.fromkeys(("counted", "chernoff")), bound=self.bound)
        _validate.probability(at_most=self.at_most)
        if not isinstance(self.factors, bool):
            raise ValueError(f"Expected factors=True or factors=False, got factors={self.factors!r}.")

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "proved" if self.bound == "counted" else "statistical"

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        return f"cc_cert(bound={self.bound!r}, at_most={self.at_most!r}, factors={self.factors!r})"

    @property
    def law(self) -> str:
        """None: the classifier is not smoothed."""
        return ""

    @property
    def parts(self) -> tuple[object, ...]:
        """None."""
        return ()

    def assumes(self, guarantee: Guarantee) -> tuple[str, ...]:
        """What the estimate rests on, such that it fails with probability alpha at most."""
        if self.bound == "counted":
            return ()
        n, batches = guarantee.block, guarantee.max_votes // guarantee.block
        sure = 1.0 - guarantee.alpha ** (1.0 / batches)
        return (
            f"that {n} draws have means of e^(tZ) which are all at least {_SHARE} of their expectations, with "
            f"probability {sure:.4g} (for one t: a coefficient of variation of {_variation(guarantee):.4g} at most)",
        )

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless a parameter can be drawn uniformly from the region."""
        params = transform.params
        if isinstance(region, Ball) and params:
            wide = all(p.per_pixel for p in params)
            fits = wide or (region.dim == len(params) and not any(p.per_pixel for p in params))
            if region.p == 2.0 and fits and not any(p.whole for p in params):
                check_range(transform, [-region.radius] * len(params), [region.radius] * len(params))
                return
            raise ValueError(f"cc_cert cannot draw the parameters of {transform.name} uniformly from {region}.")
        if any(p.per_pixel for p in params):
            raise ValueError(f"cc_cert takes a ball for {transform.name}, got {region}.")
        check_box("cc_cert", transform, region)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier."""
        check_classes("cc_cert", model)

    def vote(self, transform: Transform) -> Vote | None:
        """None: at a given parameter the classifier itself is what is spoken of."""
        del transform
        return None

    def vote_over(self, transform: Transform, region: Region) -> Vote:
        """What one draw from the region decides."""
        ball = isinstance(region, Ball)
        low, high = (region.low, region.high) if isinstance(region, Box) else ((-region.size,), (region.size,))
        ends = {"low": np.asarray(low, np.float32), "high": np.asarray(high, np.float32)}
        noise = RandomParameter(transform=transform, ball=ball, factors=self.factors, **ends)
        return ClassVote(noise=noise) if self.bound == "counted" else DistanceVote(noise=noise)

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError for a test that does not fit the bound, or too few draws for it."""
        self._fewest(guarantee)

    def _fewest(self, g: Guarantee) -> int:
        """Draws that do if none changes the answer; of the estimate, whole batches."""
        if self.bound == "chernoff":
            if g.test != "fixed" or g.max_votes % g.block:
                raise ValueError(
                    "cc_cert's estimate looks once, at whole batches: expected test='fixed', and for max_votes a "
                    f"multiple of block, got test={g.test!r}, max_votes={g.max_votes}, block={g.block}."
                )
            return g.max_votes
        if g.test == "fixed_two_sided":
            raise ValueError(f"cc_cert bounds one probability: expected test sequential or fixed, got {g.test!r}.")
        if self.at_most < _LEAST:
            raise ValueError(f"cc_cert cannot count so many draws: expected at_most >= 2^-29, got {self.at_most!r}.")
        count = bounds.smallest_n_sequential if g.test == "sequential" else bounds.smallest_n
        fewest = count(self._threshold, g.alpha)
        if fewest > g.max_votes:
            raise ValueError(
                f"max_votes={g.max_votes} can never show a change to have a probability of {self.at_most!r} at most at "
                f"alpha={g.alpha}: expected max_votes >= {fewest}, or a larger at_most."
            )
        return fewest

    @property
    def _threshold(self) -> float:
        """What the probability of the answer has to exceed; rounded up."""
        return float(np.nextafter(1.0 - self.at_most, 1.0))

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim takes; raises ValueError as ``check_budget``."""
        del example
        fewest = self._fewest(guarantee)
        says = "It speaks of parameters drawn at random from the region, and of none that is chosen."
        if self.bound == "chernoff":
            return f"{fewest:,} draws an image, in batches of {guarantee.block}. {says}"
        return (
            f"Needed: a change with a probability of {self.at_most:g} at most, which takes {fewest:,} draws if none "
            f"changes the answer; at most {guarantee.max_votes:,} an image. {says}"
        )

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the one bound."""
        return (("changes" if self.bound == "counted" else "estimate, if what it assumes is true", guarantee.alpha),)

    def pilots(self, guarantee: Guarantee) -> int:
        """None: what is claimed is what the classifier answers at the input itself."""
        del guarantee
        return 0

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Counts draws with the input's own answer; or where d and each draw's Z lie."""
        g = guarantee
        if self.bound == "chernoff":
            batches = g.max_votes // g.block
            (counts,) = yield [Visit(example.image, 0, 0, batches, batches)]
            kept = np.flatnonzero(counts[:, :-1].any(axis=0)).tolist()
            return Found((), ballots=[Ballot(0, event, tuple(counts[:, event].tolist())) for event in kept])
        answer = int(answer_kernel(model, example.image))
        if answer == model.classes:
            return Found((), note="its logits at the input itself are not finite")
        asked = (self._asked(g, answer),)
        while asked[0].votes < g.max_votes:
            (asked,) = yield [Poll(example.image, asked, g.max_votes)]
            if g.test == "sequential" and tests.decide(asked[0]) != "undecided":
                break
        return Found(asked)

    def _asked(self, g: Guarantee, answer: int) -> Hypothesis:
        return Hypothesis((), (), self._threshold, 0, g.alpha, answer)

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says how probable a change is at most. The input's own answer is as recorded."""
        found = self._counted(evidence, guarantee) if self.bound == "counted" else _estimated(evidence, guarantee)
        if isinstance(found, str):
            return Conclusion(None, False, 0.0, (found,))
        if found is None:
            return Conclusion(None, False, 0.0)
        # Of a counted one the test says it: an estimate by the same votes may be rounded elsewhere.
        certified = bool(evidence.passed) if self.bound == "counted" else found.at_most < self.at_most
        # No radius: what is rare in the region may not be in a part of it.
        return Conclusion(found, certified, 0.0)

    def _counted(self, evidence: Evidence, g: Guarantee) -> AgainstRandom | str | None:
        """What is claimed; or what is wrong; None where the classifier has no answer."""
        if not evidence.hypotheses:
            return None
        h, *others = evidence.hypotheses
        if others or h._replace(successes=0, votes=0) != self._asked(g, h.event):
            return "hypotheses: expected one, about the input's own answer"
        if h.event < 0 or not 0 < h.votes <= g.max_votes or (g.test == "fixed" and h.votes != g.max_votes):
            return f"hypotheses: the header does not allow {h.votes} votes for event {h.event}"
        return AgainstRandom(h.event, 1.0 - evidence.lower(h))


def _estimated(evidence: Evidence, g: Guarantee) -> AgainstRandom | str | None:
    """What the counts of the batches are taken to say; or what is wrong; None where the classifier has no answer."""
    batches, counts = g.max_votes // g.block, {b.event: b.successes for b in evidence.ballots}
    if not counts:
        return None
    if (
        evidence.hypotheses
        or evidence.windows
        or any((b.centre_id, len(b.successes)) != (0, batches) for b in evidence.ballots)
    ):
        return f"ballots: expected {batches} blocks of draws at the input, and nothing else"
    finite = np.zeros(batches, np.int64)
    distances = np.zeros((batches, DISTANCES), np.int64)
    for event, successes in counts.items():
        if MARGINS <= event < MARGINS + DISTANCES:
            distances[:, event - MARGINS] = successes
            finite += successes
    margins = [e for e in counts if 0 <= e < MARGINS]
    answers = [e for e in counts if e > CHANGED]
    same = [counts[e] == tuple(finite.tolist()) for e in margins + answers]
    if len(margins) != 1 or len(answers) != 1 or not all(same) or finite.max() > g.block:
        return "ballots: of draws about one input, all but those without finite logits have its margin and its answer"
    if (np.array(counts.get(CHANGED, (0,) * batches)) > distances[:, margins[0] :].sum(axis=1)).any():
        return "ballots: an answer changes only where Z is d at least"
    distances[:, -1] += g.block - finite  # a draw without finite logits is as far away as can be
    return AgainstRandom(answers[0] - CHANGED - 1, chernoff(distances, margins[0]))


def counted_upper(claim: Claim, guarantee: Guarantee) -> float:
    """Bounds, at alpha, how probable a change is by the draws of an estimate: what counting them proves (THEORY I5)."""
    counts = {b.event: sum(b.successes) for b in claim.ballots}
    finite = sum(count for event, count in counts.items() if MARGINS <= event < CHANGED)
    against = counts.get(CHANGED, 0) + guarantee.max_votes - finite
    return float(bounds.proportion_upper(against, guarantee.max_votes, guarantee.alpha))


def chernoff(distances: np.ndarray, margin: int) -> float:
    """Returns the published estimate of P(Z >= d); at most 1, and more than 0.

    Args:
      distances: [batches, 1025] how many draws of a batch have each Z, in steps of 1/1024.
      margin: d, in the same steps.
    """
    least = []
    for batch in distances:
        seen = np.flatnonzero(batch)
        ahead, weights = (seen - margin) / STEPS, np.log(batch[seen] / batch.sum())
        least.append(special.logsumexp(_T[:, None] * ahead + weights, axis=1).min())
    largest = float(np.max(least)) - math.log(_SHARE)
    return max(math.exp(min(largest, 0.0)), sys.float_info.min)


def _variation(g: Guarantee) -> float:
    """The coefficient of variation of e^(tZ) up to which all batches' means are too small with probability alpha."""
    return math.sqrt(g.block * (1.0 - _SHARE) ** 2 / (g.alpha ** (-g.block / g.max_votes) - 1.0))
