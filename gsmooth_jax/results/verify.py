"""Recomputes every verdict of a run from the evidence in its files, without the classifier. Host.

Found here: a class, verdict, radius, alpha or ledger that does not follow from the votes; cells that do not cover the
region, or spend a part of alpha twice; more votes than the header allows; and a header that is not the one under which
the records were written, whichever field was altered. The digest that shows it is no seal: who alters a header can
write a new digest into every record. Then what the votes depend on (seed, classifier, transform, law, data) is found
by ``replay`` alone, and so are votes that were never cast, a label, and what the geometry found: distances, and which
centres prove only together with another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gsmooth_jax.claims import Claim
from gsmooth_jax.methods import verifier
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import headers


def verify_run(header: Mapping[str, Any], claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with a run, as ``results.read_run`` gives it: with its header, and with its claims."""
    digest, faults = headers.digest(header), []
    strangers = [c for c in claims if c.header != digest]
    if strangers:
        faults.append(
            f"header: {len(strangers)} of {len(claims)} records, such as image {strangers[0].id}, were written under "
            f"another one ({strangers[0].header or 'none'}; this one is {digest})"
        )
    try:
        guarantee = headers.guarantee_of(header)
        guarantee.method.check_budget(guarantee)
    except (ValueError, TypeError, OverflowError) as error:
        return [*faults, f"header: {error}"]
    faults += [f"header: {other}" for other in headers.other_plugins(header, guarantee)]
    return faults + verify(guarantee, claims)


def verify(guarantee: Guarantee, claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with the claims, one line a fault naming image and field; empty if all follow.

    Args:
      guarantee: rebuilt from the run's header.
      claims: of the run's results file.
    """
    tests = Tests(guarantee)
    faults: list[str] = []
    seen: set[int] = set()
    for claim in claims:
        try:
            found = list(verifier.faults(claim, guarantee, tests))
        except (
            TypeError,
            ValueError,
            OverflowError,
        ) as error:  # a count that is no number
            found = [f"impossible values: {error}"]
        faults += [f"image {claim.id}: {fault}" for fault in found]
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
