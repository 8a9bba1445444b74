"""What runs of versions before 0.8 hold of ``cover``: cells of one smoothing centre each, or of two together. Host.

Each of a cell's centres was tested for p_A > Phi(D), D a bound on the distance of every image of the cell from the
centre (THEORY D1), or what the theorem of two centres makes of it (THEORY P1). A part that failed could be laid out
anew, up to four times, tested at alpha / 2, alpha / 4, ... (THEORY F9). Such runs are verified; none is made.
"""

import dataclasses
from typing import Any, ClassVar, NoReturn

import numpy as np
from scipy import special

from gsmooth_jax.claims import Answer, Ledger, Status
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.base import Conclusion, Evidence, Guarantee, Takes, Tests, chosen_class
from gsmooth_jax.methods.cover.method import Cover
from gsmooth_jax.methods.coverage import answered, covered, overlapping
from gsmooth_jax.regions import Box
from gsmooth_jax.types import Example, Region, Transform

_DEPTHS = 4

_PILOTS = 3
"""Points of a one-parameter region at which the classifier was asked before the cells were laid out."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cells:
    """``cover`` as it was.

    Attributes:
      cover: as it is.
    """

    cover: Cover

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "latent"
    picks: ClassVar[bool] = False
    block: ClassVar[int] = 32

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "proved"

    @property
    def name(self) -> str:
        """The name for ``--method``."""
        return self.cover.name

    @property
    def law(self) -> str:
        """The text that ``registry.parse`` reads back."""
        return self.cover.law

    @property
    def noise(self) -> Any:
        """Of the latent."""
        return self.cover.noise

    @property
    def parts(self) -> tuple[object, ...]:
        """The noise."""
        return self.cover.parts

    def check(self, transform: Transform, region: Region) -> None:
        """As of ``Cover``."""
        self.cover.check(transform, region)

    def check_model(self, model: Any) -> None:
        """As of ``Cover``."""
        self.cover.check_model(model)

    def vote(self, transform: Transform) -> ClassVote:
        """As of ``Cover``."""
        return self.cover.vote(transform)

    def check_budget(self, guarantee: Guarantee) -> None:
        """As of ``Cover``."""
        self.cover.check_budget(guarantee)

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> NoReturn:
        """Raises ValueError."""
        del example
        raise ValueError(
            "This run's cells are of a version before 0.8: replay it, or go on with it, with that version."
        )

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """No test counted the draws of pilots, and the cells of one depth share its level."""
        return (("selection", 0.0), ("pilots", 0.0), *((f"depth {d}", level(guarantee, d)) for d in range(_DEPTHS)))

    def pilots(self, guarantee: Guarantee) -> int:
        """The image itself, then evenly spaced points of one parameter, or the corners of several."""
        region = guarantee.region
        assert isinstance(region, Box)
        if len(region.low) > 1:
            return 1 + len(region.corners())
        spread = np.linspace(region.low, region.high, _PILOTS)
        return 1 + int(np.count_nonzero(spread))

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> NoReturn:
        """Raises ValueError."""
        del example, model, tests
        return self.requirement(guarantee)

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether the cells that have passed cover the region, and the image itself. Distances are as recorded."""
        region, found = guarantee.region, evidence.hypotheses
        top, faults = chosen_class(evidence.selection, guarantee)
        if any(len(h.low) != len(guarantee.transform.params) for h in found) or {h.event for h in found} - {top}:
            return Conclusion(None, False, 0.0, ("hypotheses: of another event than the selection chose, or no cells",))
        if evidence.windows or not {h.level for h in found} <= {level(guarantee, depth) for depth in range(_DEPTHS)}:
            return Conclusion(None, False, 0.0, ("hypotheses: a cell of a level to which no part of alpha goes",))
        votes = sum({h.centre_id: h.votes for h in found}.values())
        if votes > guarantee.max_votes:
            faults += (f"hypotheses: {votes} votes, the header allows {guarantee.max_votes}",)
        for one in sorted({h.level for h in found}):
            if overlapping(h for h in found if h.level == one):
                faults += (f"hypotheses: cells of level {one} overlap, so its part of alpha is spent more than once",)
        certified = covered(evidence.passed, region)
        answer = Answer(top) if answered(evidence.passed, region) else None
        return Conclusion(answer, certified, region.size if certified else 0.0, faults)


def level(guarantee: Guarantee, depth: int) -> float:
    """The level of a cell's test: alpha / 2, alpha / 4, ...; over all depths less than alpha."""
    return guarantee.alpha * 0.5 ** (depth + 1)


def threshold(distance: float) -> float:
    """What p_A had to exceed at a centre for its answer to carry that far: Phi(distance), rounded up."""
    return float(special.ndtr(distance * (1.0 + 1e-9)))
