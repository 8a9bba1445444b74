"""Any transform that bounds its own speed, or takes few values: real images, clipping and rounding included.

The region is covered with smoothing centres, and every one is tested.

THEOREM (THEORY D1). Let z ~ N(0, S) with S fixed, and let the smoothed classifier answer class c with probability p_A
at a latent u. Then it answers c at every latent u' with |u' - u|_(S^-1) < Phi^-1(p_A). Nothing is assumed about how u'
came about: a transformed, clipped, rounded image is as good as any. (Cohen et al. 2019, Theorem 1, after whitening.)

So a region is proved when it is covered by cells, each with a centre u_c and a proved bound D on the distance from u_c
of every transformed image of the cell (``geometry``), and at every centre a test accepts p_A > Phi(D). Cells fixed
before the test's draws need no union bound: a false claim has a false cell, which passes with probability alpha (Berger
1982). A cell that fails may be cut into smaller ones, tested anew at a lower level: alpha is spent over depths, never
over cells, since the parameter that makes a claim false lies in one cell of each depth.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
from scipy import special

from gsmooth_jax.certify.cells import answered, covered, differences
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.certify.geometry import Cell, Geometry, Stages
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import CellEvidence, Claim
from gsmooth_jax.estimation import bounds, keys, sequential
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import SurrogateNoise, loaded
from gsmooth_jax.types import ABSTAIN, Example, LatentNoise, Region, Transform

DEPTHS = 4
"""How often a part of the region may be tested, each time in smaller cells."""

_REACH = 0.3
"""Distance of a cell as a share of Phi^-1(p_A): costs the fewest votes for a given path (THEORY F4)."""

_NEAREST, _FURTHEST = 0.05, 0.7
"""Limits of a cell's distance: a guess at p_A is rough, and 32 unanimous votes prove 0.7 at alpha 0.001."""

_PATIENCE = 256
"""Votes after which an undecided cell is cut instead: its p_A is close to what it would have to be."""

_WAVE = 16
"""Cells of one image that are tested at a time, the most doubtful first: a lost image should cost few votes."""

_ANSWER = 512
"""Votes that an image may take to say what the smoothed classifier answers there, once its claim is lost."""

_PILOTS = 5
"""Points of a one-parameter region at which the classifier is asked before the cells are laid out."""

_MOST_PARAMETERS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cover:
    """The method; see the module.

    Attributes:
      noise: Gaussian noise of the latent, the same for every image.
    """

    noise: LatentNoise | SurrogateNoise

    @property
    def name(self) -> str:
        """The name for ``--method``."""
        return "cover"

    @property
    def law(self) -> str:
        """The text that ``methods.parse`` reads back."""
        return describe(self.noise)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless cells can be laid out for this transform and region."""
        count = len(transform.params)
        if any(p.per_pixel for p in transform.params) or not 1 <= count <= _MOST_PARAMETERS:
            raise ValueError(f"cover takes 1 to {_MOST_PARAMETERS} parameters; {transform.name} has another number.")
        if not isinstance(region, Box) or len(region.low) != count:
            raise ValueError(f"cover takes a box of {count} parameters for {transform.name}, got {region}.")
        for p, low, high in zip(transform.params, region.low, region.high, strict=True):
            if low < p.low or high > p.high:
                raise ValueError(
                    f"Expected the region of {transform.name} with {p.name} in [{p.low:g}, {p.high:g}], got {region}."
                )
        if Stages.of(transform).values is not None and count > 1:
            raise ValueError(f"cover enumerates the values of one parameter; {transform.name} has {count}.")

    def voting_noise(self, transform: Transform) -> LatentNoise:
        """The noise of the latent, whatever the transform."""
        del transform
        return loaded(self.noise)

    def requirement(self, guarantee: Guarantee) -> str:
        """Says what a claim will take.

        Raises:
          ValueError: a test other than ``sequential``, or a budget that does not even test one cell.
        """
        if guarantee.test != "sequential":
            raise ValueError(f"cover tests its cells sequentially, got test={guarantee.test!r}.")
        fewest = bounds.smallest_n_sequential(0.5, _level(guarantee, 0))
        if guarantee.max_votes < max(fewest, guarantee.block):
            raise ValueError(
                f"max_votes={guarantee.max_votes} can never certify anything at alpha={guarantee.alpha}: a cell takes "
                f"{fewest} unanimous votes, in blocks of {guarantee.block}, and every cell of the region takes as many."
            )
        return (
            f"Every cell of the region is tested, with {guarantee.block} votes if they agree; "
            f"at most {guarantee.max_votes:,} votes an image."
        )

    def proving(self, guarantee: Guarantee) -> Callable[[Example], Prover[Claim]]:
        """Returns ``prove`` for these terms; raises as ``requirement`` does."""
        self.requirement(guarantee)
        return functools.partial(prove, noise=loaded(self.noise), guarantee=guarantee)

    def faults(self, guarantee: Guarantee, claim: Claim) -> Iterator[str]:
        """Recomputes a claim from its cells' votes. Their distances are taken as they are."""
        return _faults(guarantee, claim)


def prove(example: Example, noise: LatentNoise, guarantee: Guarantee) -> Prover[Claim]:
    """The prover of one image: pilot draws choose the class and lay out the cells, then every cell is tested."""
    g, began = guarantee, time.perf_counter()
    assert isinstance(g.region, Box)
    geometry = Geometry(example.image, Stages.of(g.transform), noise)
    points = _pilots(g.region)
    selections = yield [
        Draws(centre, example.id, node, keys.SELECT, 0, g.selection_votes, g.selection_votes)
        for node, centre in enumerate(geometry.values(points)[0])
    ]
    top = int(np.argmax(selections[0][:-1]))
    pilots = _Pilots(geometry.floor, points, np.array([(s[top] + 0.5) / (g.selection_votes + 1.0) for s in selections]))
    tests = _Tests(geometry, pilots, example.id, top, guarantee)
    if pilots.shares.min() > 0.5:
        yield from tests.run(geometry.cells(np.array(g.region.low), np.array(g.region.high), pilots.target))
    else:
        tests.lost = True
        yield from tests.run([geometry.point(points[0])])
    certified = not tests.lost
    nodes = tests.evidence()
    invalid = tests.invalid + int(sum(s[-1] for s in selections))
    notes = [f"{invalid} draws had NaN or infinite logits; each counts against the claim"] if invalid else []
    if tests.exhausted:
        notes.append(f"max_votes={g.max_votes} ran out before all cells were decided")
    return Claim(
        id=example.id,
        label=example.label,
        predicted=top if answered(nodes, g.region, functools.partial(_decide, g)) else ABSTAIN,
        certified=certified,
        radius=g.region.size if certified else 0.0,
        status="proved",
        alpha=g.alpha,
        votes=g.selection_votes * len(points) + sum(e.votes for e in nodes),
        seconds=time.perf_counter() - began,
        selection=tuple(int(c) for c in selections[0]),
        nodes=nodes,
        note="; ".join(notes),
    )


@dataclasses.dataclass(frozen=True)
class _Pilots:
    """What a few votes at points [M, P] of the region suggest; guesses, which no claim rests on."""

    floor: float  # of the distance: what no cell is too small for
    points: np.ndarray
    shares: np.ndarray  # [M], of the class's votes

    def share(self, parameters: np.ndarray) -> np.ndarray:
        """p_A [N] at parameters [N, P]: interpolated in one parameter, the least of all pilots in more."""
        if parameters.shape[1] > 1:
            return np.full(len(parameters), self.shares.min())
        order = np.argsort(self.points[:, 0])
        return np.interp(parameters[:, 0], self.points[order, 0], self.shares[order])

    def target(self, parameters: np.ndarray) -> np.ndarray:
        """The distances [N] at which cells cost the fewest votes."""
        within = _REACH * (special.ndtri(self.share(parameters)) - self.floor)
        return self.floor + np.clip(within, _NEAREST, max(_NEAREST, _FURTHEST - self.floor))


@dataclasses.dataclass(eq=False)
class _Open:
    """A cell and its test so far."""

    cell: Cell
    node: int
    depth: int
    other: bool  # than the cell that holds the image itself
    doubt: float
    successes: int = 0
    votes: int = 0

    def evidence(self) -> CellEvidence:
        return CellEvidence(
            low=tuple(self.cell.low.tolist()),
            high=tuple(self.cell.high.tolist()),
            distance=self.cell.distance,
            node=self.node,
            depth=self.depth,
            successes=self.successes,
            votes=self.votes,
        )


class _Tests:
    """The tests of one image's cells."""

    def __init__(self, geometry: Geometry, pilots: _Pilots, image_id: int, top: int, guarantee: Guarantee):
        self._geometry, self._pilots = geometry, pilots
        self._image_id, self._top, self._guarantee = image_id, top, guarantee
        self._open: list[_Open] = []
        self._closed: list[CellEvidence] = []
        self._numbered = self._votes = self.invalid = 0
        self.lost = self.exhausted = False

    def evidence(self) -> tuple[CellEvidence, ...]:
        """Every cell that got a vote, decided or not."""
        rest = [o.evidence() for o in self._open if o.votes]
        return tuple(sorted(self._closed + rest, key=lambda e: e.node))

    def run(self, cells: list[Cell]) -> Generator[list[Draws], list[np.ndarray], None]:
        """Tests cells until all have passed, or one is lost (``lost``), or the votes have run out (``exhausted``).

        Where the claim is lost, what the smoothed classifier answers at the image itself is still worth a few votes.
        """
        g = self._guarantee
        self._add(cells, depth=0)
        while self._open and not (self.lost and self._open[0].votes >= _ANSWER):
            wave = self._open[: min(_WAVE, (g.max_votes - self._votes) // g.block)]
            if not wave:
                self.lost = self.exhausted = True
                return
            requests = []
            for test in wave:
                stop = test.votes + g.block
                draws = Draws(test.cell.centre, self._image_id, test.node, keys.ESTIMATE, test.votes, stop, stop)
                requests.append(draws)
            counts = yield requests
            for test, new in zip(wave, counts, strict=True):
                self.lost |= not self._count(test, new)
            if self.lost:
                self._closed += [o.evidence() for o in self._open if o.other and o.votes]
                self._open = [o for o in self._open if not o.other]

    def _count(self, test: _Open, counts: np.ndarray) -> bool:
        """Takes a test's new votes; returns whether its part of the region can still be proved."""
        g = self._guarantee
        test.votes += g.block
        test.successes += int(counts[self._top])
        self._votes += g.block
        self.invalid += int(counts[-1])
        decision = _decide(g, test.evidence())
        smaller = self._geometry.floor + 0.5 * (test.cell.distance - self._geometry.floor)
        # Smaller cells help only where the vote is clear enough for them, and where they can be that small.
        divisible = (
            test.depth + 1 < DEPTHS
            and smaller > self._geometry.floor + 0.5 * _NEAREST
            and test.successes > special.ndtr(smaller) * test.votes
        )
        if decision == "undecided" and not (divisible and test.votes >= _PATIENCE):
            return True
        self._open.remove(test)
        self._closed.append(test.evidence())
        if decision == "certified":
            return True
        if not divisible:
            return False
        cells = self._geometry.cells(test.cell.low, test.cell.high, lambda p: np.full(len(p), smaller))
        self._add(cells, test.depth + 1)
        return True

    def _add(self, cells: list[Cell], depth: int) -> None:
        doubt = 1.0 - self._pilots.share(np.stack([0.5 * (c.low + c.high) for c in cells]))
        for cell, d in zip(cells, doubt, strict=True):
            other = not bool((cell.low <= 0.0).all() and (cell.high >= 0.0).all())
            self._open.append(_Open(cell, self._numbered, depth, other, float(d)))
            self._numbered += 1
        self._open.sort(key=lambda o: (o.other, -o.doubt))


def _pilots(region: Box) -> np.ndarray:
    """[M, P]: the identity, then evenly spaced points of one parameter, or the corners of several."""
    low, high = np.array(region.low), np.array(region.high)
    identity = np.zeros((1, len(low)))
    if len(low) > 1:
        return np.concatenate([identity, region.corners()])
    spread = np.linspace(low[0], high[0], _PILOTS)
    return np.concatenate([identity, spread[spread != 0.0][:, None]])


def _level(guarantee: Guarantee, depth: int) -> float:
    """The level of a test: alpha / 2, alpha / 4, ...; over all depths less than alpha."""
    return guarantee.alpha * 0.5 ** (depth + 1)


def _decide(guarantee: Guarantee, cell: CellEvidence) -> sequential.Decision:
    threshold = float(special.ndtr(cell.distance * (1.0 + 1e-9)))
    if threshold >= 1.0:
        return "rejected"
    test = sequential.SequentialTest(threshold, _level(guarantee, cell.depth), guarantee.futility)
    return test.decide(cell.successes, cell.votes)


def _faults(g: Guarantee, claim: Claim) -> Iterator[str]:
    assert isinstance(g.region, Box)
    cells = tuple(e for e in claim.nodes if isinstance(e, CellEvidence))
    if len(cells) != len(claim.nodes) or any(
        not (0 <= e.successes <= e.votes and e.distance > 0 and 0 <= e.depth < DEPTHS) for e in cells
    ):
        yield "nodes: impossible cells"
        return
    decide = functools.partial(_decide, g)
    whole = covered(cells, g.region, decide)
    pilots = g.selection_votes * len(_pilots(g.region))
    top = int(np.argmax(claim.selection[:-1]))
    derived = {
        "certified": (claim.certified, whole),
        "predicted": (claim.predicted, top if answered(cells, g.region, decide) else ABSTAIN),
        "radius": (claim.radius, g.region.size if whole else 0.0),
        "alpha": (claim.alpha, g.alpha),
        "votes": (claim.votes, pilots + sum(e.votes for e in cells)),
        "status": (claim.status, "proved"),
        "selection": (sum(claim.selection), g.selection_votes),
    }
    yield from differences(derived)
    if sum(e.votes for e in cells) > g.max_votes:
        yield f"nodes: {sum(e.votes for e in cells)} votes, the header allows {g.max_votes}"
    if len({e.node for e in cells}) != len(cells):
        yield "nodes: a smoothing centre is listed twice"
