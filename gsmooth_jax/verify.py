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


def lost(ids: Sequence[int], shards: Sequence[Sequence[Claim]]) -> list[str]:
    """Returns what is wrong with which images a run holds, one line a fault.

    Every process writes its share in order, so an image that is not there yet is behind the last one of its share; one
    that is missing before it has been lost.

    Args:
      ids: of all images of the run, in the data set's order.
      shards: the claims of each process.
    """
    faults: list[str] = []
    for index, claims in enumerate(shards):
        share, seen = ids[index :: len(shards)], {c.id for c in claims}
        strangers = sorted(seen - set(share))
        faults += [f"image {i}: listed by process {index} of {len(shards)}, whose image it is not" for i in strangers]
        reached = max((k for k, i in enumerate(share) if i in seen), default=0)
        faults += [f"image {i}: missing" for i in share[:reached] if i not in seen]
    return faults
