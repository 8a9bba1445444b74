"""What a run says about one image, with the evidence that proves it. Host."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gsmooth_jax.types import ABSTAIN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """The votes of one node (a smoothing centre) and what they had to show.

    Attributes:
      threshold: the claim holds here if the class's probability p_A is at least this.
      counts: K + 1 vote counts; the last are draws with non-finite logits, which count against the claim.
      p_lower: proved lower bound on p_A (for a sequential test: valid at the time it stopped).
      p_upper: proved upper bound on every other class's probability.
    """

    threshold: float
    counts: tuple[int, ...]
    p_lower: float
    p_upper: float


class CellEvidence(NamedTuple):
    """What proves the claim on one cell of the region, under ``cover`` or ``gsmooth``; a tuple, as runs have a million.

    Attributes:
      low: the cell's lower corner, in parameter units.
      high: its upper corner; the cell is closed.
      distance: the cell is proved if the class has a probability above Phi(distance) at the smoothing centre: an upper
        bound on how far any transformed image of the cell is from there, in standard deviations of the noise; of a
        shared cell, what ``walk.two_centres`` makes of its pairs. (Of a transform whose values are enumerated, the cell
        stands for the values counted to it: its ends are drawn half way to its neighbours'.)
      node: the smoothing centre's number, part of its draws' keys.
      depth: how often this part of the region was laid out anew before; decides the level of the test.
      successes: votes at the centre for the claimed class.
      votes: votes at the centre.
      shared: this centre and its neighbour prove together what both of their cells hold, and neither does alone.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    distance: float
    node: int
    depth: int
    successes: int = 0
    votes: int = 0
    shared: bool = False


Ledger = tuple[tuple[str, float], ...]
"""What a procedure does -> the level of the tests that it may make there; see ``Claim``."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """For every xi in the region the smoothed classifier answers ``predicted``: proved if ``certified``.

    Attributes:
      id: the image's index in the data set's original order.
      label: its true class.
      predicted: the smoothed classifier's class, ``ABSTAIN`` where it could not be established.
      certified: whether the claim is proved for the run's region.
      radius: the largest size of a similar region that the same votes prove (0.0 if none); in parameter units.
      status: ``proved``, ``statistical`` or ``heuristic``: how rigorous the geometry is.
      alpha: the probability, over the draws, with which the claim may be false.
      ledger: how alpha was divided before the first draw, whether or not every part came to be used; the parts add up
        to alpha at most. Draws that no test counts have the part 0.
      votes: draws counted, selection included.
      seconds: from the image's first request to its verdict, other images being served meanwhile.
      selection: K + 1 counts of the draws that chose the class.
      nodes: the evidence, one entry a smoothing centre.
      note: what a reader should know, or empty.
      header: digest of the header of the run that holds the claim; empty outside a run.
    """

    id: int
    label: int
    predicted: int
    certified: bool
    radius: float
    status: str
    alpha: float
    ledger: Ledger
    votes: int
    seconds: float
    selection: tuple[int, ...]
    nodes: tuple[Evidence | CellEvidence, ...]
    note: str = ""
    header: str = ""

    @property
    def correct(self) -> bool:
        """Whether the smoothed classifier names the true class (an abstention does not)."""
        return self.predicted != ABSTAIN and self.predicted == self.label


def certified_accuracy(claims: Iterable[Claim], radius: float | None = None) -> float:
    """Returns the share of ALL images that are certified, and rightly classified.

    Args:
      claims: of every image; abstentions and rejections stay in the denominator.
      radius: count images proved to this region size instead of to the run's region.

    Raises:
      ValueError: no claims.
    """
    claims = list(claims)
    if not claims:
        raise ValueError("Expected at least one claim, got none.")
    proved = [c.correct and (c.certified if radius is None else c.radius >= radius) for c in claims]
    return sum(proved) / len(claims)


def accuracy_curve(claims: Sequence[Claim]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the certified accuracy as a step function of the region's size.

    Returns:
      sizes [M] increasing from 0, and accuracies [M]: accuracies[j] is the share proved for every size from
      sizes[j - 1] (exclusive) up to sizes[j] (inclusive).
    """
    radii = np.sort([c.radius for c in claims if c.correct])
    sizes = np.unique(np.concatenate([[0.0], radii]))
    proved = len(radii) - np.searchsorted(radii, sizes, side="left")
    return sizes, proved / len(claims)
