"""Any transform with a fitted surrogate: the published certificate, its gaps named.

COROLLARY 1 of GSmooth (Hao et al., ICML 2022). Let tau(theta, x) = H(F1(theta) + F2(x)) with F1 affine, smoothed by
Gaussian noise of theta and of the latent. If the smoothed classifier answers class c at x with probability p_A, then it
answers c at tau(xi, x) for every |xi| < Phi^-1(p_A) / M*, where M* is the supremum over xi of the norm that
``surrogate.jacobian`` describes.

The published protocol divides the region into cells, votes at the real transformed image in the middle of each, and
takes for M* the largest value on a grid. Two steps are missing to a proof: the largest value on a grid is no supremum,
and what travels with M* is the surrogate's image, not the real one. Theorem 3 is to cover the second; as repaired
(THEORY D4) it adds 2 Lip(F2) eps / sigma to the distance, with eps the largest L2 error of the surrogate on the region.
A claim's note says how large that term is at least. ``cover`` needs neither, and its distances are never longer on the
way that both describe (THEORY D3).
"""

import dataclasses
import functools
import itertools
import math
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gsmooth_jax import _validate
from gsmooth_jax.certify.cells import Decide, answered, covered, differences, holds_identity, possible, remembering
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.certify.kernels import surrogate_kernel
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import CellEvidence, Claim, Ledger
from gsmooth_jax.estimation import bounds, keys, sequential
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise, loaded
from gsmooth_jax.transforms import describe as describe_transform
from gsmooth_jax.types import ABSTAIN, Example, Region, Transform

_CENTRES = 10
"""Cells along a parameter, the published number."""

_GRID = {1: 100, 2: 10, 3: 5}
"""Number of parameters -> points along each at which M* is looked for; the published number for one parameter."""

_DIGITS = 6
"""Decimals to which distances are rounded up, so that a record holds them whole."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GSmooth:
    """The method; see the module.

    Attributes:
      noise: of the parameter and the latent, inside the surrogate.
      centres: cells along each parameter.
    """

    noise: AugmentedNoise | SurrogateNoise
    centres: int = _CENTRES

    status: ClassVar[str] = "heuristic"
    geometric: ClassVar[bool] = True

    def __post_init__(self):
        _validate.at_least(1, centres=self.centres)

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        return "gsmooth" if self.centres == _CENTRES else f"gsmooth(centres={self.centres})"

    @property
    def law(self) -> str:
        """The text that ``methods.parse`` reads back."""
        return describe(self.noise)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the region can be divided into cells."""
        count = len(transform.params)
        if any(p.per_pixel for p in transform.params) or count not in _GRID:
            raise ValueError(f"gsmooth takes 1 to {max(_GRID)} parameters; {transform.name} has another number.")
        if not isinstance(region, Box) or len(region.low) != count:
            raise ValueError(f"gsmooth takes a box of {count} parameters for {transform.name}, got {region}.")

    def voting_noise(self, transform: Transform) -> AugmentedNoise:
        """The noise of the latent, whatever the transform."""
        del transform
        noise = loaded(self.noise)
        assert isinstance(noise, AugmentedNoise)
        return noise

    def requirement(self, guarantee: Guarantee) -> str:
        """Says what a claim will take.

        Raises:
          ValueError: a two-sided test, a budget that does not even test one cell, a surrogate of another transform.
        """
        g, networks = guarantee, self.voting_noise(guarantee.transform).surrogate.networks
        if g.test == "fixed_two_sided":
            raise ValueError(f"gsmooth tests its centres one-sidedly, got test={g.test!r}.")
        fewest = (bounds.smallest_n if g.test == "fixed" else bounds.smallest_n_sequential)(0.5, g.alpha)
        if g.max_votes < fewest:
            raise ValueError(
                f"max_votes={g.max_votes} can never certify anything at alpha={g.alpha}: a centre takes at least "
                f"{fewest} votes."
            )
        wanted = describe_transform(g.transform)
        if networks.transform != wanted:
            raise ValueError(f"Expected a surrogate of {wanted}, got one of {networks.transform}.")
        outside = _outside(g.region, self.voting_noise(g.transform))
        return (
            f"Heuristic: {self.centres ** len(networks.low)} centres, "
            f"{'' if g.test == 'fixed' else 'at most '}{g.max_votes:,} votes each."
        ) + (f" Warning: {outside}." if outside else "")

    def proving(self, guarantee: Guarantee) -> Callable[[Example], Prover[Claim]]:
        """Returns ``prove`` for these terms; raises as ``requirement`` does."""
        self.requirement(guarantee)
        noise = self.voting_noise(guarantee.transform)
        return functools.partial(prove, noise=noise, centres=self.centres, guarantee=guarantee)

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the cells, which share it."""
        return _ledger(guarantee)

    def checking(self, guarantee: Guarantee) -> Callable[[Claim], Iterator[str]]:
        """Returns what recomputes a claim from its centres' votes. M* is taken as it is, but for all cells alike."""
        lows, highs = partition(guarantee.region, self.centres)
        ends = [(tuple(a), tuple(b)) for a, b in zip(lows.tolist(), highs.tolist(), strict=True)]
        return functools.partial(_faults, guarantee, remembering(functools.partial(_decide, guarantee)), ends)


def prove(example: Example, noise: AugmentedNoise, centres: int, guarantee: Guarantee) -> Prover[Claim]:
    """The prover of one image: M* on a grid, selection at the image itself, then a test at every centre."""
    g, began = guarantee, time.perf_counter()
    assert isinstance(g.region, Box)
    lows, highs = partition(g.region, centres)
    half = 0.5 * (highs[0] - lows[0])
    middles = 0.5 * (lows + highs)
    seen = np.concatenate([np.zeros((1, len(half))), middles, grid(g.region)])
    grams, latents, errors = surrogate_kernel(
        noise, example.image, seen.astype(np.float32), half.astype(np.float32), transform=g.transform
    )
    if not (np.isfinite(grams).all() and np.isfinite(latents).all()):
        raise FloatingPointError("its latents, or their derivatives, are not finite everywhere in the region.")
    speed = float(np.sqrt(np.linalg.eigvalsh(np.asarray(grams, np.float64))[:, -1].max()))
    # A change v inside a cell has |v_j| <= half_j: in units of half widths, its length is at most sqrt(P).
    distance = math.ceil(speed * math.sqrt(len(half)) * 10**_DIGITS) / 10**_DIGITS
    latents = np.asarray(latents)[: 1 + len(middles)]
    (selection,) = yield [Draws(latents[0], example.id, 0, keys.SELECT, 0, g.selection_votes, g.selection_votes)]
    top = int(np.argmax(selection[:-1]))

    cells = [
        CellEvidence(low=tuple(a.tolist()), high=tuple(b.tolist()), distance=distance, node=n, depth=0)
        for n, (a, b) in enumerate(zip(lows, highs, strict=True))
    ]
    votes = _Votes(g, example.id, top)
    if _within_reach(g, distance):
        # The image's own cell first: it says what the smoothed classifier answers there.
        own = [e for e in cells if holds_identity(e, g.region)]
        for group in (own, [e for e in cells if e not in own]):
            if not votes.lost:
                yield from votes.test(group, latents[1:])
    else:  # the answer at the image itself can still be had: alpha is whole
        point = (0.0,) * len(half)
        here = CellEvidence(low=point, high=point, distance=0.0, node=len(cells), depth=0)
        yield from votes.test([here], np.concatenate([latents[1:], latents[:1]]))
    nodes = tuple(sorted(votes.nodes, key=lambda e: e.node))
    passed = [e for e in nodes if _decide(g, e) == "certified"]
    certified = covered(passed, g.region)
    eps = float(np.max(np.asarray(errors)))
    per_unit = f", {speed / half[0]:.4g} per {g.transform.params[0].unit}" if len(half) == 1 else ""
    outside = _outside(g.region, noise)
    notes = ([outside] if outside else []) + [
        f"M* >= {speed:.4g} standard deviations per half width of a cell{per_unit}, from {len(seen)} parameters",
        f"Theorem 3's term for the surrogate's error, 2 Lip(F2) eps / sigma with eps >= {eps:.3g} there, "
        f"is left out; it could reach {2 * noise.lipschitz_upper * eps:.3g}",
    ]
    invalid = votes.invalid + int(selection[-1])
    if invalid:
        notes.append(f"{invalid} draws had NaN or infinite logits; each counts against the claim")
    return Claim(
        id=example.id,
        label=example.label,
        predicted=top if answered(passed, g.region) else ABSTAIN,
        certified=certified,
        radius=g.region.size if certified else 0.0,
        status=GSmooth.status,
        alpha=g.alpha,
        ledger=_ledger(g),
        votes=g.selection_votes + sum(e.votes for e in nodes),
        seconds=time.perf_counter() - began,
        selection=tuple(int(c) for c in selection),
        nodes=nodes,
        note="; ".join(notes),
    )


class _Votes:
    """The tests of one image's cells."""

    def __init__(self, guarantee: Guarantee, image_id: int, top: int):
        self._guarantee, self._image_id, self._top = guarantee, image_id, top
        self.nodes: list[CellEvidence] = []
        self.invalid = 0
        self.lost = False

    def test(self, cells: list[CellEvidence], latents: np.ndarray) -> Generator[list[Draws], list[np.ndarray], None]:
        """Votes until every cell has passed or one is lost; cell e votes around ``latents[e.node]``."""
        g = self._guarantee
        step = g.max_votes if g.test == "fixed" else g.block
        open_cells, self.lost = cells, False
        while open_cells and not self.lost:
            requests = []
            for e in open_cells:
                stop = min(e.votes + step, g.max_votes)
                draws = Draws(latents[e.node], self._image_id, e.node, keys.ESTIMATE, e.votes, stop, g.max_votes)
                requests.append(draws)
            counts = yield requests
            self.invalid += sum(int(c[-1]) for c in counts)
            counted = [
                e._replace(successes=e.successes + int(c[self._top]), votes=e.votes + int(c.sum()))
                for e, c in zip(open_cells, counts, strict=True)
            ]
            decisions = [_decide(g, e) for e in counted]
            undecided = [d == "undecided" and e.votes < g.max_votes for e, d in zip(counted, decisions, strict=True)]
            self.lost = any(d != "certified" and not u for d, u in zip(decisions, undecided, strict=True))
            self.nodes += [e for e, u in zip(counted, undecided, strict=True) if self.lost or not u]
            open_cells = [e for e, u in zip(counted, undecided, strict=True) if u]


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
    """Returns the parameters [M, P] at which M* is looked for, both ends of every axis included."""
    axes = [np.linspace(a, b, _GRID[len(region.low)]) for a, b in zip(region.low, region.high, strict=True)]
    return np.array(list(itertools.product(*axes)))


def _threshold(distance: float) -> float:
    return float(special.ndtr(distance * (1.0 + 1e-9)))


def _within_reach(g: Guarantee, distance: float) -> bool:
    """Whether the budget would do for a cell whose every vote is for the class."""
    full = CellEvidence(low=(), high=(), distance=distance, node=0, depth=0, successes=g.max_votes, votes=g.max_votes)
    return _decide(g, full) == "certified"


def _decide(g: Guarantee, cell: CellEvidence) -> sequential.Decision:
    threshold = _threshold(cell.distance)
    if threshold >= 1.0:
        return "rejected"
    if g.test == "fixed":  # looked at once: with another number of votes there is no verdict
        lower = bounds.proportion_lower(cell.successes, max(cell.votes, 1), g.alpha)
        return "certified" if cell.votes == g.max_votes and lower > threshold else "rejected"
    return sequential.SequentialTest(threshold, g.alpha, g.futility).decide(cell.successes, cell.votes)


def _ledger(g: Guarantee) -> Ledger:
    return (("selection", 0.0), ("cells", g.alpha))


def _faults(g: Guarantee, verdict: Decide, ends: list[tuple[Any, Any]], claim: Claim) -> Iterator[str]:
    assert isinstance(g.region, Box)
    cells = [e for e in claim.nodes if isinstance(e, CellEvidence)]
    if len(cells) != len(claim.nodes) or not possible(cells, len(g.region.low)):
        yield "nodes: impossible cells"
        return
    point = (0.0,) * len(g.region.low)  # the image itself, numbered after all cells
    for e in cells:
        if not 0 <= e.node <= len(ends) or (e.low, e.high) != [*ends, (point, point)][e.node]:
            yield f"nodes: {e.low} to {e.high} is not cell {e.node} of {len(ends)}"
        elif e.node == len(ends) and len(cells) > 1:
            yield "nodes: the image itself is tested beside the cells, so alpha is spent twice"
    if len({e.distance for e in cells}) > 1:
        yield "nodes: cells of one size have several distances"
    if len({e.node for e in cells}) != len(cells):
        yield "nodes: a smoothing centre is listed twice"
    if any(e.votes > g.max_votes for e in cells):
        yield f"nodes: more than {g.max_votes} votes at a centre"
    passed = [e for e in cells if verdict(e) == "certified"]
    certified = covered(passed, g.region)
    top = int(np.argmax(claim.selection[:-1]))
    derived = {
        "certified": (claim.certified, certified),
        "predicted": (claim.predicted, top if answered(passed, g.region) else ABSTAIN),
        "radius": (claim.radius, g.region.size if certified else 0.0),
        "alpha": (claim.alpha, g.alpha),
        "ledger": (claim.ledger, _ledger(g)),
        "votes": (claim.votes, g.selection_votes + sum(e.votes for e in cells)),
        "status": (claim.status, GSmooth.status),
        "selection": (sum(claim.selection), g.selection_votes),
    }
    yield from differences(derived)
