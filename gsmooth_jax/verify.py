"""Recomputes every verdict of a run from the evidence in its files, without the classifier. Host.

Found here: a verdict, radius, alpha or ledger that does not follow from the votes; cells that do not cover the region,
or that spend a part of alpha twice; more votes than the header allows; a header that is not the one under which the
records were written. Taken as they are, and redrawn by ``replay``: the votes and distances themselves. Neither finds
who rewrites a whole run from honest draws of some other classifier: that is what the header's fingerprint is for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gsmooth_jax import results
from gsmooth_jax.certify.config import Guarantee
from gsmooth_jax.claims import Claim


def verify_run(header: Mapping[str, Any], claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with a run as ``results.read_run`` has it: its claims (``verify``) or its header.

    Raises:
      ValueError: a header that no run can have.
    """
    digest = results.digest(header)
    strangers = [c for c in claims if c.header != digest]
    faults = verify(results.guarantee_of(header), claims)
    if strangers:
        faults.insert(
            0,
            f"header: {len(strangers)} of {len(claims)} records, such as image {strangers[0].id}, were written under "
            f"another one ({strangers[0].header or 'none'}; this one is {digest})",
        )
    return faults


def verify(guarantee: Guarantee, claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with the claims, one line a fault naming image and field; empty if all follow.

    Args:
      guarantee: rebuilt from the run's header.
      claims: of the run's results file.
    """
    check = guarantee.method.checking(guarantee)
    faults: list[str] = []
    seen: set[int] = set()
    for claim in claims:
        faults += [f"image {claim.id}: {fault}" for fault in check(claim)]
        if claim.id in seen:
            faults.append(f"image {claim.id}: listed twice")
        seen.add(claim.id)
    return faults
