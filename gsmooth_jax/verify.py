"""Recomputes every verdict of a run from the evidence in its files, without the classifier. Host."""

from collections.abc import Sequence

from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.claims import Claim


def verify(guarantee: Guarantee, claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with the claims, one line a fault naming image and field; empty if all follow.

    Args:
      guarantee: rebuilt from the run's header.
      claims: of the run's results file.
    """
    faults: list[str] = []
    seen: set[int] = set()
    for claim in claims:
        faults += [f"image {claim.id}: {fault}" for fault in guarantee.method.faults(guarantee, claim)]
        if claim.id in seen:
            faults.append(f"image {claim.id}: listed twice")
        seen.add(claim.id)
    return faults
