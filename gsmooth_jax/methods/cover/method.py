"""Any transform that bounds its own speed, or takes few values: real images, clipping and rounding included. Host.

HYPOTHESES. z ~ N(0, S) is added to the latent, S fixed. The region is covered with closed boxes of parameters, its
parts. For each part some pairs of smoothing centres have bounds q_j: the mean of p_A over pair j is at most q_j, for
every j, if the answer is another at any transformed image of the part: a *window*. It is tested with all votes of its
centres, which other windows count as well. Where images of a part may be is known from proved bounds: values at the
ends of small boxes plus what a Lipschitz bound allows, never a largest value over samples (THEORY D7, L4, M1, P3, P4).

FORMULA. (p_A(a) + p_A(b)) / 2 <= Q(d, w, t) where the answer is another at a latent w beside the line through a and b,
2 d apart, and t from half way (THEORY L1): Neyman and Pearson's lemma for two laws against one. A window passes when a
mixture of products of likelihood ratios reaches 1 / alpha at any of its layers of votes (THEORY L2).

LEVELS. A false claim has a false window, and a test that must not pass does so with probability alpha at most: no union
bound over parts (THEORY L3). What fails may be laid out once more, in smaller parts; an eighth of alpha is for that
(THEORY F9).

DIFFERENCES from GSmooth and TSS: the real image instead of the surrogate's, so that its error does not enter (THEORY
D4); the path itself instead of M* times the parameter (THEORY D3); bounds instead of grids; alpha undivided; votes that
count for everything near them.
"""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from gsmooth_jax.claims import Answer, Ledger, Statement, Status
from gsmooth_jax.estimation import pooled
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.arguments import check_box, check_noise
from gsmooth_jax.methods.base import (
    Conclusion,
    Evidence,
    Found,
    Guarantee,
    Inquiry,
    Takes,
    Tests,
    check_classes,
    chosen_class,
)
from gsmooth_jax.methods.base import Pilots as PilotDraws
from gsmooth_jax.methods.cover import outlook
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry, TooLong, Unbounded
from gsmooth_jax.methods.cover.windows import WindowTests, level
from gsmooth_jax.methods.coverage import answered, covered, largest, overlapping
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise, loaded
from gsmooth_jax.transforms import describe as describe_transform
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import Example, LatentNoise, Region, Transform

_MOST_PARAMETERS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cover:
    """The method; see the module.

    Attributes:
      noise: Gaussian noise of the latent, the same for every image.
    """

    noise: LatentNoise | SurrogateNoise

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "latent"
    picks: ClassVar[bool] = True
    block: ClassVar[int] = 1

    def __post_init__(self):
        check_noise(noise=self.noise)

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "proved"

    @property
    def name(self) -> str:
        """The name for ``--method``."""
        return "cover"

    @property
    def law(self) -> str:
        """The text that ``registry.parse`` reads back."""
        return describe(self.noise)

    @property
    def parts(self) -> tuple[object, ...]:
        """The noise."""
        return (self.noise,)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless parts can be laid out for this transform and region."""
        check_parts(self.name, transform, region)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier, or where a surrogate is of other images."""
        check_classes("cover", model)
        check_surrogate(self.noise, model)

    def vote(self, transform: Transform) -> ClassVote:
        """The classes of noisy latents, whatever the transform."""
        del transform
        return ClassVote(noise=loaded(self.noise))

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError for a test other than ``sequential``, or a budget that does not even test one part."""
        check_part_budget(self.name, guarantee)

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take; raises as ``required``."""
        return required(self.name, loaded(self.noise), guarantee, example)

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the parts of the region, which share it."""
        return ledger(guarantee)

    def pilots(self, guarantee: Guarantee) -> int:
        """One: the image itself."""
        del guarantee
        return 1

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Draws at the image itself choose the class, then every part of the region is tested."""
        del model, tests

        def choose(selections: list[np.ndarray]) -> Choice:
            top = int(np.argmax(selections[0][:-1]))
            # A proof that the answer is wrong everywhere would count for nothing.
            return Choice((top,), worth=example.label in (None, top))

        identity = np.zeros((1, len(guarantee.transform.params)))
        return (yield from inquire(example, loaded(self.noise), guarantee, identity, choose))

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether the parts that have passed cover the region, and the image itself. Bounds are as recorded."""
        top, faults = chosen_class(evidence.selection, guarantee)
        found = conclude(evidence, guarantee, (top,), Answer)
        return found._replace(faults=faults + found.faults)


class Choice(NamedTuple):
    """What the selection draws suggest to claim.

    Attributes:
      events: whose probabilities have to be above 1/2 in the whole region.
      worth: whether a proof would count for anything; else the answer at the image itself is all that is asked.
    """

    events: tuple[int, ...]
    worth: bool = True


def inquire(
    example: Example,
    noise: LatentNoise,
    guarantee: Guarantee,
    points: np.ndarray,
    choose: Callable[[list[np.ndarray]], Choice],
) -> Inquiry:
    """Proves that events have probabilities above 1/2 at every transformed image of the region.

    Args:
      example: the image.
      noise: around latents.
      guarantee: the claim's terms; its region is a box.
      points: [M, P], parameters of the selection draws, those of the image itself first.
      choose: from the [E] counts at each point to what is claimed.
    """
    with contextlib.closing(Centres()) as centres:
        geometry = Geometry(example.image, CoverDecomposition.of(guarantee.transform), noise, centres)
        return (yield from _inquired(geometry, guarantee, points, choose))


def _inquired(
    geometry: Geometry, guarantee: Guarantee, points: np.ndarray, choose: Callable[[list[np.ndarray]], Choice]
) -> Inquiry:
    """As ``inquire``."""
    region = guarantee.region
    assert isinstance(region, Box)
    choice = choose((yield PilotDraws(list(geometry.values(points).latents))))
    if not choice.events:
        return Found((), "the selection draws suggest nothing to claim")
    notes, whole = [], None
    if choice.worth:
        try:
            whole = geometry.layout(np.array(region.low), np.array(region.high), guarantee.max_votes / guarantee.block)
        except Unbounded as error:
            notes.append(str(error))
        except TooLong as error:
            votes = math.ceil(guarantee.block * error.parts / error.share)
            notes.append(f"max_votes={guarantee.max_votes} is too few: the region would take about {votes:,} or more")
    layout = whole or geometry.point(points[0])
    rounds = [WindowTests(layout, choice.events, guarantee)]
    yield from rounds[0].run()
    if whole and not rounds[0].lost and (left := rounds[0].postponed()):
        fine = geometry.finer(left)
        rounds.append(WindowTests(fine, choice.events, guarantee, depth=1, spent=rounds[0].votes))
        yield from rounds[1].run()
    if rounds[-1].exhausted:
        notes.append(
            f"max_votes={guarantee.max_votes} is too few for all parts of the region, which would take "
            f"{rounds[-1].needed:,} or more"
        )
    windows = [window for each in rounds for window in each.windows()]
    return Found((), "; ".join(notes), windows, [ballot for each in rounds for ballot in each.ballots()])


def ledger(guarantee: Guarantee) -> Ledger:
    """How alpha is divided: between parts as laid out at first and anew: a false claim has a false one of either."""
    return (("selection", 0.0), ("parts", level(guarantee, 0)), ("parts anew", level(guarantee, 1)))


def conclude(
    evidence: Evidence, guarantee: Guarantee, events: Sequence[int], statement: Callable[..., Statement]
) -> Conclusion:
    """Says what windows prove: that events have probabilities above 1/2 in the whole region, and at the image itself.

    Args:
      evidence: of a claim.
      guarantee: its terms.
      events: those that the selection draws chose.
      statement: made of the events.
    """
    region, found = guarantee.region, evidence.windows
    if evidence.hypotheses:
        return Conclusion(None, False, 0.0, ("hypotheses: of one centre each, of which cover has none",))
    if {w.event for w in found} - {*events}:
        return Conclusion(None, False, 0.0, ("windows: of another event than the selection chose",))
    if not {w.level for w in found} <= {level(guarantee, 0), level(guarantee, 1)}:
        return Conclusion(None, False, 0.0, ("windows: one of a level to which no part of alpha goes",))
    faults: list[str] = []
    votes = guarantee.block * sum({b.centre_id: len(b.successes) for b in evidence.ballots}.values())
    if votes > guarantee.max_votes:
        faults.append(f"ballots: {votes} votes, the header allows {guarantee.max_votes}")
    if any(overlapping(w for w in found if (w.level, w.event) == each) for each in {(w.level, w.event) for w in found}):
        faults.append("windows: parts of one level overlap, so its share of alpha is spent more than once")
    passed = [[w for w in evidence.passed_windows if w.event == event] for event in events]
    certified = all(covered(windows, region) for windows in passed)
    answer = statement(*events) if all(answered(windows, region) for windows in passed) else None
    assert isinstance(region, Box)
    radius = region.size if certified else min(largest(windows, region) for windows in passed)
    return Conclusion(answer, certified, radius, tuple(faults))


def check_parts(name: str, transform: Transform, region: Region) -> None:
    """Raises ValueError unless parts can be laid out for this transform and region."""
    count = len(transform.params)
    if any(p.per_pixel for p in transform.params) or not 1 <= count <= _MOST_PARAMETERS:
        raise ValueError(f"{name} takes 1 to {_MOST_PARAMETERS} parameters; {transform.name} has another number.")
    check_box(name, transform, region)
    if CoverDecomposition.of(transform).values is not None and count > 1:
        raise ValueError(f"{name} enumerates the values of one parameter; {transform.name} has {count}.")


def check_surrogate(noise: LatentNoise | SurrogateNoise, model: Any) -> None:
    """Raises ValueError where a surrogate is of other images than the model's."""
    found = loaded(noise)
    if isinstance(found, AugmentedNoise) and found.image_shape != model.input_shape:
        raise ValueError(
            f"Expected a surrogate of the classifier's images {model.input_shape}, got one of {found.image_shape}."
        )


def check_part_budget(name: str, guarantee: Guarantee) -> None:
    """Raises ValueError for a test other than ``sequential``, or a budget that does not even test one part."""
    if guarantee.test != "sequential":
        raise ValueError(f"{name} tests the parts of a region sequentially, got test={guarantee.test!r}.")
    fewest = guarantee.block * pooled.fewest_layers(guarantee.block, level(guarantee, 0))
    if guarantee.max_votes < fewest:
        raise ValueError(
            f"max_votes={guarantee.max_votes} can never certify anything at alpha={guarantee.alpha}: a part of the "
            f"region takes {fewest} unanimous votes or more."
        )


def required(name: str, noise: LatentNoise, guarantee: Guarantee, example: Example | None = None) -> str:
    """Says what a claim will take, and of an example what that is likely to be.

    Raises as ``check_part_budget`` and ``outlook.told``, and for an encoder without a Lipschitz bound.
    """
    check_part_budget(name, guarantee)
    text = f"Every part of the region is tested, all votes near it together; at most {guarantee.max_votes:,} an image."
    if not noise.lipschitz_upper < math.inf:
        raise ValueError(f"{name} needs a bound on the noise's Lipschitz constant, got {noise.lipschitz_upper}.")
    region = guarantee.region
    if isinstance(noise, AugmentedNoise) and _imitates(noise, guarantee.transform):
        assert isinstance(region, Box)
        if not region.within(noise.fitted):
            text += f" The surrogate was fitted on {noise.fitted} only: no claim is weaker for it."
    if example is not None:
        with contextlib.closing(Centres()) as centres:
            geometry = Geometry(example.image, CoverDecomposition.of(guarantee.transform), noise, centres)
            text += " " + outlook.told(geometry, guarantee)
    return text


def _imitates(noise: AugmentedNoise, transform: Transform) -> bool:
    """Whether the parameters of a transform are those of the surrogate's own, whatever else it does to the image."""
    stages = stages_of(transform)
    return [describe_transform(s) for s in stages if s.params] == [noise.surrogate.networks.transform]
