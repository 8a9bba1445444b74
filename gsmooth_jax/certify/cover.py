"""Any transform that bounds its own speed, or takes few values: real images, clipping and rounding included.

The region is covered with smoothing centres, and every one is tested.

THEOREM (THEORY D1). Let z ~ N(0, S) with S fixed, and let the smoothed classifier answer class c with probability p_A
at a latent u. Then it answers c at every latent u' with |u' - u|_(S^-1) < Phi^-1(p_A). Nothing is assumed about how u'
came about: a transformed, clipped, rounded image is as good as any. (Cohen et al. 2019, Theorem 1, after whitening.)

So a region is proved when it is covered by cells, each with a centre u_c and a proved bound D on the distance from u_c
of every transformed image of the cell (``geometry``), and at every centre a test accepts p_A > Phi(D). Two neighbouring
centres on a path prove together what lies between them, with D from the theorem of two centres (``walk``), and reach
further so than each by itself. Cells fixed before the test's draws need no union bound: a false claim has a false cell,
or two that share one and not both of which may pass, and a test that must not pass does so with probability alpha
(Berger 1982). A cell that fails may be cut into smaller ones, tested anew at a lower level: alpha is spent over depths,
never over cells, since the parameter that makes a claim false lies in one cell, or between one pair, of each depth.
"""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from gsmooth_jax.certify.cell_tests import DEPTHS, CellTests, Pilots, decide, ledger, level, pilot_points
from gsmooth_jax.certify.cells import Decide, answered, covered, differences, overlapping, possible, remembering
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.certify.geometry import Geometry, Stages, Unbounded
from gsmooth_jax.certify.scheduler import Draws, Prover
from gsmooth_jax.claims import CellEvidence, Claim, Ledger
from gsmooth_jax.estimation import bounds, keys
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise, loaded
from gsmooth_jax.transforms import Composition
from gsmooth_jax.transforms import describe as describe_transform
from gsmooth_jax.types import ABSTAIN, Example, LatentNoise, Region, Transform

_MOST_PARAMETERS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cover:
    """The method; see the module.

    Attributes:
      noise: Gaussian noise of the latent, the same for every image.
    """

    noise: LatentNoise | SurrogateNoise

    geometric: ClassVar[bool] = True

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
          ValueError: a test other than ``sequential``, a budget that does not even test one cell, or an encoder
            without a Lipschitz bound.
        """
        if guarantee.test != "sequential":
            raise ValueError(f"cover tests its cells sequentially, got test={guarantee.test!r}.")
        fewest = bounds.smallest_n_sequential(0.5, level(guarantee, 0))
        if guarantee.max_votes < max(fewest, guarantee.block):
            raise ValueError(
                f"max_votes={guarantee.max_votes} can never certify anything at alpha={guarantee.alpha}: a cell takes "
                f"{fewest} unanimous votes, in blocks of {guarantee.block}, and every cell of the region takes as many."
            )
        whole = -(-fewest // guarantee.block) * guarantee.block
        text = (
            f"Every cell of the region is tested, with {whole} votes or more; "
            f"at most {guarantee.max_votes:,} votes an image."
        )
        noise, region = loaded(self.noise), guarantee.region
        if not noise.lipschitz_upper < math.inf:
            raise ValueError(f"cover needs a bound on the noise's Lipschitz constant, got {noise.lipschitz_upper}.")
        if isinstance(noise, AugmentedNoise) and _imitates(noise, guarantee.transform):
            assert isinstance(region, Box)
            if not region.within(noise.fitted):
                text += f" The surrogate was fitted on {noise.fitted} only: no claim is weaker for it."
        return text

    def proving(self, guarantee: Guarantee) -> Callable[[Example], Prover[Claim]]:
        """Returns ``prove`` for these terms; raises as ``requirement`` does."""
        self.requirement(guarantee)
        return functools.partial(prove, noise=loaded(self.noise), guarantee=guarantee)

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """Alpha is divided among the depths."""
        return ledger(guarantee)

    def checking(self, guarantee: Guarantee) -> Callable[[Claim], Iterator[str]]:
        """Returns what recomputes a claim from its cells' votes. Their distances are taken as they are."""
        return functools.partial(_faults, guarantee, remembering(functools.partial(decide, guarantee)))


def _imitates(noise: AugmentedNoise, transform: Transform) -> bool:
    """Whether the parameters of a transform are those of the surrogate's own, whatever else it does to the image."""
    stages = transform.stages if isinstance(transform, Composition) else (transform,)
    return [describe_transform(s) for s in stages if s.params] == [noise.surrogate.networks.transform]


def prove(example: Example, noise: LatentNoise, guarantee: Guarantee) -> Prover[Claim]:
    """The prover of one image: pilot draws choose the class and lay out the cells, then every cell is tested."""
    g, began = guarantee, time.perf_counter()
    assert isinstance(g.region, Box)
    geometry = Geometry(example.image, Stages.of(g.transform), noise)
    points = pilot_points(g.region)
    selections = yield [
        Draws(centre, example.id, node, keys.SELECT, 0, g.selection_votes, g.selection_votes)
        for node, centre in enumerate(geometry.values(points)[0])
    ]
    top = int(np.argmax(selections[0][:-1]))
    pilots = Pilots(points, np.array([(s[top] + 0.5) / (g.selection_votes + 1.0) for s in selections]))
    tests = CellTests(geometry, pilots, example.id, top, guarantee)
    # A proof that the answer is wrong everywhere would count for nothing: then the answer alone is worth votes.
    alone, jumps = top != example.label or pilots.shares.min() <= 0.5, ""
    if not alone:
        try:
            yield from tests.run(geometry.cells(np.array(g.region.low), np.array(g.region.high), pilots.target))
        except Unbounded as error:
            alone, tests.lost, jumps = not tests.evidence(), True, str(error)
    if alone:
        tests.lost = True
        yield from tests.run([geometry.point(points[0])])
    nodes = tests.evidence()
    passed = [e for e in nodes if tests.decide(e) == "certified"]
    certified = covered(passed, g.region)
    invalid = tests.invalid + int(sum(s[-1] for s in selections))
    notes = [f"{invalid} draws had NaN or infinite logits; each counts against the claim"] if invalid else []
    if jumps:
        notes.append(jumps)
    if tests.exhausted:
        notes.append(f"max_votes={g.max_votes} is too few for all cells")
    return Claim(
        id=example.id,
        label=example.label,
        predicted=top if answered(passed, g.region) else ABSTAIN,
        certified=certified,
        radius=g.region.size if certified else 0.0,
        status="proved",
        alpha=g.alpha,
        ledger=ledger(g),
        votes=g.selection_votes * len(points) + sum(e.votes for e in nodes),
        seconds=time.perf_counter() - began,
        selection=tuple(int(c) for c in selections[0]),
        nodes=nodes,
        note="; ".join(notes),
    )


def _faults(g: Guarantee, verdict: Decide, claim: Claim) -> Iterator[str]:
    assert isinstance(g.region, Box)
    cells = [e for e in claim.nodes if isinstance(e, CellEvidence)]
    if len(cells) != len(claim.nodes) or not possible(cells, len(g.region.low)):
        yield "nodes: impossible cells"
        return
    depths = {e.depth for e in cells}
    if not depths <= set(range(DEPTHS)):
        yield f"nodes: a cell of depth {max(depths)}, to which no part of alpha goes"
        return
    passed = [e for e in cells if verdict(e) == "certified"]
    certified = covered(passed, g.region)
    top = int(np.argmax(claim.selection[:-1]))
    votes = sum(e.votes for e in cells)
    derived = {
        "certified": (claim.certified, certified),
        "predicted": (claim.predicted, top if answered(passed, g.region) else ABSTAIN),
        "radius": (claim.radius, g.region.size if certified else 0.0),
        "alpha": (claim.alpha, g.alpha),
        "ledger": (claim.ledger, ledger(g)),
        "votes": (claim.votes, g.selection_votes * len(pilot_points(g.region)) + votes),
        "status": (claim.status, "proved"),
        "selection": (sum(claim.selection), g.selection_votes),
    }
    yield from differences(derived)
    if votes > g.max_votes:
        yield f"nodes: {votes} votes, the header allows {g.max_votes}"
    if len({e.node for e in cells}) != len(cells):
        yield "nodes: a smoothing centre is listed twice"
    for depth in sorted(depths):
        if overlapping(e for e in cells if e.depth == depth):
            yield f"nodes: cells of depth {depth} overlap, so its part of alpha is spent more than once"
