"""A run, read. Host."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from gsmooth_jax import _spec
from gsmooth_jax.claims import Claim, Status
from gsmooth_jax.methods.registry import METHODS
from gsmooth_jax.results import folder as folders
from gsmooth_jax.results import headers
from gsmooth_jax.results.reasons import Reason, why
from gsmooth_jax.types import Region

STATUSES: Sequence[str] = get_args(Status)
"""How rigorous a claim is, from the most to the least."""

RANDOM_ONLY = "random attackers only"
"""Said of claims that speak of parameters that are drawn at random."""


def called(status: str, random_only: bool) -> str:
    """What claims are called, by how rigorous they are and whom they speak of."""
    return f"{status}, {RANDOM_ONLY}" if random_only else status


@dataclasses.dataclass(frozen=True)
class Run:
    """One run folder, read.

    Attributes:
      name: of the folder.
      header: everything that changes a claim.
      claims: of all inputs that are done, in the data's order.
      folder: where it was read.
    """

    name: str
    header: dict[str, Any]
    claims: list[Claim]
    folder: Path = Path()

    @property
    def region(self) -> Region:
        """The region that was claimed."""
        return headers.region_of(self.header)

    @functools.cached_property
    def reasons(self) -> list[Reason | None]:
        """Why each claim does not count as certified; None where it does."""
        return [why(claim, self.header) for claim in self.claims]

    @functools.cached_property
    def random_only(self) -> bool:
        """Whether its claims speak of parameters that are drawn at random, and of none that is chosen."""
        return getattr(METHODS.get(_spec.head(self.header["method"])), "random_only", False)

    @property
    def kind(self) -> str:
        """What its claims are called: runs of one kind never share a table or a curve's panel with those of another."""
        return called(self.status, self.random_only)

    @property
    def status(self) -> str:
        """The label of the claims: the weakest of any image."""
        return max((c.status for c in self.claims), key=STATUSES.index)


def read(folder: Path) -> Run:
    """Reads a run folder.

    Raises:
      ValueError: no run there, one without a finished image, or a damaged one.
    """
    header, claims = folders.read_run(folder)
    if not claims:
        raise ValueError(f"The run {folder} has no finished image yet.")
    headers.check(header, claims, folder)
    return Run(folder.name, header, claims, folder)
