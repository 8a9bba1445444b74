"""Recomputes every verdict of a run from the evidence in its files, without the classifier. Host.

What is found, and by what; ``replay`` certifies a few images again, and so finds a fault of an image only where it
comes to that image.

Found here:
  a class, verdict, radius, alpha or ledger that does not follow from the votes; cells that do not cover the region, or
  spend a part of alpha twice; more votes than the header allows;
  an image that is missing, listed twice, or not one of the run's, by the number of images, step or ids in the header
  (where the header says none of these, that is said);
  a header that is not the one under which the records were written, whichever field was altered. The digest that shows
  it is no seal: who alters a header can write a new digest into every record.
Found by ``replay`` alone:
  what the votes depend on: seed (where votes are divided), classifier, transform, law, the images themselves; votes
  that were never cast; a label; the classifier's answer without noise; what was computed about an image: thresholds,
  and which centres prove only together with another.
Found by neither:
  a header and records that were altered together so that they describe another run that was made as honestly: fewer
  images, from the end of the list; a seed, or a radius, that was chosen among several after a look at their results
  (alpha is the chance of each run alone); the times; and, where inputs had no name, what they were.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax.claims import Claim
from gsmooth_jax.methods import verifier
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import headers, recorded
from gsmooth_jax.results.folder import read_shards

_NAMED = 1000
"""Missing images of a process that are named; of more, the number is."""


@dataclasses.dataclass(frozen=True)
class Verification:
    """What came of verifying a run.

    Attributes:
      claims: how many there are.
      faults: what is wrong, one line a fault.
      unchecked: what could not be checked, and why.
      left: how many inputs are still to do.
      replayed: ids of those that were certified again.
      elsewhere: in what the machine and packages of the run differ from those of the replay; empty if in nothing.
    """

    claims: int
    faults: list[str]
    unchecked: list[str]
    left: int
    replayed: list[int] = dataclasses.field(default_factory=list)
    elsewhere: str = ""


def check(folder: Path) -> Verification:
    """Verifies a run's folder.

    Raises:
      ValueError: no run there, or a damaged file.
    """
    header, shards = read_shards(folder)
    claims = [claim for shard in shards for claim in shard]
    faults, unchecked, left = verify_run(header, claims), [], 0
    expected = recorded.expected(header["data"])
    if expected.ids is not None:
        faults += lost(expected.ids, shards)
        left = max(0, len(expected.ids) - len(claims))
    elif expected.damaged:
        faults.append(f"header: {expected.lacking}")
    else:
        unchecked.append(expected.lacking)
    return Verification(len(claims), faults, unchecked, left)


def verify_run(header: Mapping[str, Any], claims: Sequence[Claim]) -> list[str]:
    """Returns what is wrong with a run, as ``results.read_run`` gives it: with its header, and with its claims."""
    digest, faults = headers.digest(header), []
    digests = headers.digests(header)
    strangers = [c for c in claims if c.header not in digests]
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
        # Of a range, which a damaged header may make long, nothing is listed.
        places = share if isinstance(share, range) else {i: k for k, i in enumerate(share)}
        strangers = sorted(i for i in seen if i not in places)
        faults += [f"image {i}: listed by process {index} of {len(shards)}, whose image it is not" for i in strangers]
        found = seen.difference(strangers)
        reached = max((share.index(i) if isinstance(share, range) else places[i] for i in found), default=0)
        missing = (i for i in share[:reached] if i not in seen)
        faults += [f"image {i}: missing" for i in itertools.islice(missing, _NAMED)]
        if found and (more := reached + 1 - len(found) - _NAMED) > 0:
            faults.append(f"process {index} of {len(shards)}: {more:,} images more are missing")
    return faults
