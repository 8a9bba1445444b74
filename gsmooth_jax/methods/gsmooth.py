"""GSmooth as published (Hao et al., ICML 2022): any transform, through a fitted surrogate. Heuristic. Host.

HYPOTHESES. tau(theta, x) = H(F1(theta) + F2(x)), F1 affine with matrix A1; noise theta ~ N(0, s1^2) of the parameter
and N(0, s2^2 I) of the latent. The region is divided into equal cells, as published, with the latent of the really
transformed image in its middle for a centre; at every centre p_A > Phi(M* |v|), v half a cell, is tested at the whole
alpha, since a false claim has a false cell (THEORY F3): also one about a smaller region similar to this one, so that
cells are tested from the identity outward, and the largest region whose cells have passed is the claim's radius.

FORMULA (Corollary 1; THEORY D3). The answer c at a centre holds at tau(xi, x) for |xi| < Phi^-1(p_A) / M*, where M* is
the supremum over xi of the norm of v -> (v / s1, (J v - A1 v) / s2), J the derivative of F2(tau(xi, x)) in xi. In units
of half widths |v| is at most sqrt(P).

GAPS, for which it is labelled heuristic. M* is the largest value on a grid, and no grid bounds it (THEORY D5). What
travels with M* is the surrogate's image, not the real one: Theorem 3 is to cover that; as repaired (THEORY D4) it adds
2 Lip(F2) eps / s2 to the distance, eps the surrogate's largest L2 error on the region. A claim's note says how large
that term is at least. ``cover`` needs neither, and its distances are never longer on the way that both describe (THEORY
D3).

DIFFERENCES from the public code: Gaussian noise only; the test is sequential unless asked otherwise; M* by the P x P
Gram matrix, exactly, where that costs no more than power iteration, which comes from below (THEORY E1, E2).
"""

import dataclasses
import itertools
import math
from collections.abc import Generator, Iterator
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gsmooth_jax import _validate
from gsmooth_jax.claims import Answer, Hypothesis, Ledger, Status
from gsmooth_jax.estimation import bounds
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.arguments import check_box, check_noise
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
    chosen_class,
)
from gsmooth_jax.methods.cover.method import check_surrogate
from gsmooth_jax.methods.coverage import answered, covered, holds_identity, largest
from gsmooth_jax.methods.surrogate_kernel import gram_kernel, path_kernel, step_kernel
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise, jacobian, loaded
from gsmooth_jax.transforms import describe as describe_transform
from gsmooth_jax.types import Example, Region, Transform

_CENTRES = 10
"""Cells along a parameter, the published number."""

_GRID = {1: 100, 2: 10, 3: 5}
"""Number of parameters -> points along each at which M* is looked for; the published number for one parameter. Of more
parameters ``_SPREAD`` points fill the region evenly."""

_SPREAD = 128

_MOST_PARAMETERS = 64

_MOST_CELLS = 4096

_DIGITS = 6
"""Decimals to which distances are rounded up, so that a record holds them whole."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GSmooth:
    """The method; see the module.

    Attributes:
      noise: of the parameter and the latent, inside the surrogate.
      centres: cells along each parameter.
      nested: whether smaller regions are claimed where the whole one is not; runs of versions before 0.9 did not.
    """

    noise: AugmentedNoise | SurrogateNoise
    centres: int = _CENTRES
    nested: bool = dataclasses.field(default=True, repr=False)

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "surrogate"
    picks: ClassVar[bool] = True
    block: ClassVar[int] = 8

    def __post_init__(self):
        _validate.kind(AugmentedNoise | SurrogateNoise, "the noise of a surrogate", noise=self.noise)
        check_noise(noise=self.noise)
        _validate.at_least(1, centres=self.centres)

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "heuristic"

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        return "gsmooth" if self.centres == _CENTRES else f"gsmooth(centres={self.centres})"

    @property
    def law(self) -> str:
        """The text that ``methods.parse`` reads back."""
        return describe(self.noise)

    @property
    def parts(self) -> tuple[object, ...]:
        """The noise."""
        return (self.noise,)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the region can be divided into cells, and the transform is defined on all of it."""
        count = len(transform.params)
        if any(p.per_pixel for p in transform.params) or not 1 <= count <= _MOST_PARAMETERS:
            raise ValueError(f"gsmooth takes 1 to {_MOST_PARAMETERS} parameters; {transform.name} has another number.")
        if self.centres**count > _MOST_CELLS:
            raise ValueError(
                f"gsmooth would need {self.centres}^{count} centres for {transform.name}: take fewer along each, "
                f"as in gsmooth(centres={int(_MOST_CELLS ** (1 / count) + 1e-9)})."
            )
        check_box("gsmooth", transform, region)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier of the surrogate's images."""
        check_classes("gsmooth", model)
        check_surrogate(self.noise, model)

    def vote(self, transform: Transform) -> ClassVote:
        """The classes of noisy latents, whatever the transform."""
        del transform
        return ClassVote(noise=self._loaded)

    @property
    def _loaded(self) -> AugmentedNoise:
        noise = loaded(self.noise)
        assert isinstance(noise, AugmentedNoise)
        return noise

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError for a two-sided test, or a budget that does not even test one cell."""
        g = guarantee
        if g.test == "fixed_two_sided":
            raise ValueError(f"gsmooth tests its centres one-sidedly, got test={g.test!r}.")
        fewest = (bounds.smallest_n if g.test == "fixed" else bounds.smallest_n_sequential)(0.5, g.alpha)
        if g.max_votes < fewest:
            raise ValueError(
                f"max_votes={g.max_votes} can never certify anything at alpha={g.alpha}: a centre takes at least "
                f"{fewest} votes."
            )

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take; raises ValueError as ``check_budget``, and for another transform's surrogate."""
        del example
        self.check_budget(guarantee)
        g, networks = guarantee, self._loaded.surrogate.networks
        wanted = describe_transform(g.transform)
        if networks.transform != wanted:
            raise ValueError(f"Expected a surrogate of {wanted}, got one of {networks.transform}.")
        outside = _outside(g.region, self._loaded)
        return (
            f"Heuristic: {self.centres ** len(networks.low)} centres, "
            f"{'' if g.test == 'fixed' else 'at most '}{g.max_votes:,} votes each."
        ) + (f" Warning: {outside}." if outside else "")

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the cells, which share it."""
        return (("selection", 0.0), ("cells", guarantee.alpha))

    def pilots(self, guarantee: Guarantee) -> int:
        """One: the image itself."""
        del guarantee
        return 1

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """M* on a grid, selection at the image itself, then a test at every centre."""
        del model
        g, noise = guarantee, self._loaded
        cells = _cells(g, self.centres)
        lows, highs = partition(g.region, self.centres)
        half = 0.5 * (highs[0] - lows[0])
        middles = 0.5 * (lows + highs)
        assert isinstance(g.region, Box)
        seen = np.concatenate([np.zeros((1, len(half))), middles, grid(g.region)]).astype(np.float32)
        latents, errors = path_kernel(noise, example.image, seen, transform=g.transform)
        speed = _speed(noise, example.image, seen, half.astype(np.float32))
        if not (math.isfinite(speed) and np.isfinite(latents).all()):
            raise FloatingPointError("its latents, or their derivatives, are not finite everywhere in the region.")
        # A change v inside a cell has |v_j| <= half_j: in units of half widths, its length is at most sqrt(P).
        distance = math.ceil(speed * math.sqrt(len(half)) * 10**_DIGITS) / 10**_DIGITS
        own, *latents = np.asarray(latents)[: 1 + len(middles)]
        (selection,) = yield Pilots([own])
        top = int(np.argmax(selection[:-1]))

        cells = [c._replace(threshold=_threshold(distance), event=top) for c in cells]
        centres = [*latents, own]
        tested: list[Hypothesis] = []
        full = cells[0]._replace(successes=g.max_votes, votes=g.max_votes)
        if tests.decide(full) == "certified":  # the budget would do
            for group in _outward(cells[:-1], g.region):
                if all(tests.decide(e) == "certified" for e in tested):
                    tested += yield from _voted(group, centres, g, tests)
        else:  # the answer at the image itself can still be had: alpha is whole
            tested += yield from _voted([cells[-1]._replace(threshold=_threshold(0.0))], centres, g, tests)
        return Found(tested, "; ".join(_notes(g, noise, speed, half, len(seen), float(np.max(np.asarray(errors))))))

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether every cell has passed, or how far those reach that have. M* is as recorded, the same for all."""
        g, found = guarantee, evidence.hypotheses
        top, wrong = chosen_class(evidence.selection, g)
        cells, faults = _cells(g, self.centres), list(wrong)
        for h in found:
            if h.centre_id >= len(cells) or h != cells[h.centre_id]._replace(
                threshold=h.threshold, event=top, successes=h.successes, votes=h.votes
            ):
                faults.append(f"hypotheses: {h} is none of the {len(cells)} centres")
            elif h.centre_id == len(cells) - 1 and len(found) > 1:
                faults.append("hypotheses: the image itself is tested beside the cells, so alpha is spent twice")
        if len({h.threshold for h in found}) > 1:
            faults.append("hypotheses: cells of one size have several thresholds")
        if any(h.votes > g.max_votes for h in found):
            faults.append(f"hypotheses: more than {g.max_votes} votes at a centre")
        if faults:
            return Conclusion(None, False, 0.0, tuple(faults))
        certified = covered(evidence.passed, g.region)
        answer = Answer(top) if answered(evidence.passed, g.region) else None
        assert isinstance(g.region, Box)
        reached = largest(evidence.passed, g.region) if self.nested else 0.0
        return Conclusion(answer, certified, g.region.size if certified else reached)


def _voted(
    open_cells: list[Hypothesis], centres: list[np.ndarray], g: Guarantee, tests: Tests
) -> Generator[list[Poll], list[tuple[Hypothesis, ...]], list[Hypothesis]]:
    """Votes until every cell has passed or one is lost; a cell votes around the centre of its number."""
    closed: list[Hypothesis] = []
    lost = False
    while open_cells and not lost:
        answers = yield [Poll(centres[h.centre_id], (h,), g.max_votes) for h in open_cells]
        counted = [h for (h,) in answers]
        decisions = [tests.decide(h) for h in counted]
        undecided = [d == "undecided" and h.votes < g.max_votes for h, d in zip(counted, decisions, strict=True)]
        lost = any(d != "certified" and not u for d, u in zip(decisions, undecided, strict=True))
        closed += [h for h, u in zip(counted, undecided, strict=True) if lost or not u]
        open_cells = [h for h, u in zip(counted, undecided, strict=True) if u]
    return closed


def _outward(cells: list[Hypothesis], region: Region) -> Iterator[list[Hypothesis]]:
    """Groups cells by the similar regions that meet them, the smallest first; before all, the one of the image itself.

    That one says what the smoothed classifier answers there.
    """
    assert isinstance(region, Box)

    def share(cell: Hypothesis) -> float:
        ends = zip(cell.low, cell.high, region.low, region.high, strict=True)
        return round(max(a / most if a > 0 else b / least if b < 0 else 0.0 for a, b, least, most in ends), 9)

    own = [cell for cell in cells if holds_identity(cell, region)]
    yield own
    rest = sorted((cell for cell in cells if cell not in own), key=share)
    yield from (list(group) for _, group in itertools.groupby(rest, share))


def _cells(g: Guarantee, centres: int) -> list[Hypothesis]:
    """The hypotheses that there may be, but for threshold, event and votes: the cells, then the image itself."""
    lows, highs = partition(g.region, centres)
    point = np.zeros((1, lows.shape[1]))
    ends = zip(np.concatenate([lows, point]).tolist(), np.concatenate([highs, point]).tolist(), strict=True)
    return [Hypothesis(tuple(a), tuple(b), 0.5, n, g.alpha, 0) for n, (a, b) in enumerate(ends)]


def _notes(g: Guarantee, noise: AugmentedNoise, speed: float, half: np.ndarray, seen: int, eps: float) -> list[str]:
    per_unit = f", {speed / half[0]:.4g} per {g.transform.params[0].unit}" if len(half) == 1 else ""
    outside = _outside(g.region, noise)
    return ([outside] if outside else []) + [
        f"M* >= {speed:.4g} standard deviations per half width of a cell{per_unit}, from {seen} parameters",
        f"Theorem 3's term for the surrogate's error, 2 Lip(F2) eps / sigma with eps >= {eps:.3g} there, "
        f"is left out; it could reach {2 * noise.lipschitz_upper * eps:.3g}",
    ]


def _outside(region: Region, noise: AugmentedNoise) -> str:
    """Says that a region leaves the range that the surrogate was fitted on; empty if it does not."""
    assert isinstance(region, Box)
    if region.within(noise.fitted):
        return ""
    return f"the region {region} leaves the range {noise.fitted} that the surrogate was fitted on"


def partition(region: Region, centres: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the corners [centres^P, P] and [centres^P, P] of equal cells."""
    assert isinstance(region, Box)
    edges = [np.linspace(a, b, centres + 1) for a, b in zip(region.low, region.high, strict=True)]
    lows = np.array(list(itertools.product(*(e[:-1] for e in edges))))
    highs = np.array(list(itertools.product(*(e[1:] for e in edges))))
    return lows, highs


def grid(region: Box) -> np.ndarray:
    """Returns the parameters [M, P] at which M* is looked for: of few, both ends of every axis are among them."""
    if len(region.low) not in _GRID:
        return region.spread(_SPREAD)
    axes = [np.linspace(a, b, _GRID[len(region.low)]) for a, b in zip(region.low, region.high, strict=True)]
    return np.array(list(itertools.product(*axes)))


def _speed(noise: AugmentedNoise, image: np.ndarray, points: np.ndarray, units: np.ndarray) -> float:
    """The largest M at some parameters [N, P], in units [P], of many by power iteration; NaN where it is not finite."""
    if len(units) > jacobian.FEW:
        return float(jacobian.norm_estimate(lambda v: step_kernel(noise, image, points, units, v), points.shape).max())
    grams = np.asarray(gram_kernel(noise, image, points, units), np.float64)
    return float(np.sqrt(np.linalg.eigvalsh(grams)[:, -1].max())) if np.isfinite(grams).all() else math.nan


def _threshold(distance: float) -> float:
    return float(special.ndtr(distance * (1.0 + 1e-9)))
