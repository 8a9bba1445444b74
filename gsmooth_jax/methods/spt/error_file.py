"""A file that says how often, over training images and outer draws, the error exceeds a number (THEORY S2). Host.

``gsmooth spt-error`` makes one. Each of its draws has an image of its own, so they are independent where the images
are, and say something about any image of their law: not about a given one.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_jax import _validate, smoothing, transforms
from gsmooth_jax.estimation import _threefry, keys
from gsmooth_jax.methods.spt import errors, kernels
from gsmooth_jax.methods.spt.stages import Adversary, parse_filter
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.smoothing import Gaussian
from gsmooth_jax.types import Example, Region, Transform

_DIGITS = 16
"""Of a fingerprint, in texts."""

_SLACK = 0.1
"""Of the number that is to be exceeded, which a bound may come to exceed for want of cells."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorFile:
    """What a file holds.

    Attributes:
      transform: text of the adversary's.
      region: of the adversary.
      law: text of the outer draws'.
      prepare: text of the filter.
      data: name of the data set of the images.
      seed: of the draws.
      attackers: random ones for each draw; 0: the worst of all.
      limit: E, which is exceeded or not.
      exceeded: in how many draws.
      draws: of an outer parameter and an image each.
    """

    transform: str
    region: Box | Ball
    law: str
    prepare: str
    data: str
    seed: int
    attackers: int
    limit: float
    exceeded: int
    draws: int

    def write(self, path: Path) -> None:
        """Writes it, whole or not at all."""
        value = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        kind = "box" if isinstance(self.region, Box) else "ball"
        value["region"] = {kind: dataclasses.asdict(self.region)}
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(json.dumps(value, indent=1) + "\n")
        partial.replace(path)

    @classmethod
    def read(cls, path: str) -> tuple["ErrorFile", str]:
        """Returns what a file holds, and its fingerprint.

        Raises:
          FileNotFoundError: there is none.
          ValueError: it is damaged, or another kind of file.
        """
        data = Path(path).read_bytes()
        try:
            value = json.loads(data)
            ((kind, region),) = value.pop("region").items()
            found = cls(region={"box": Box, "ball": Ball}[kind](**region), **value)
            for name in ("seed", "attackers", "exceeded", "draws"):
                _validate.at_least(0, **{name: value[name]})
            _validate.positive(limit=found.limit)
            if found.exceeded > found.draws:
                raise ValueError(f"exceeded={found.exceeded} of draws={found.draws}")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} is no file of gsmooth spt-error, or damaged: {error!r}.") from error
        return found, hashlib.sha256(data).hexdigest()[:_DIGITS]

    def check(self, transform: Transform, region: Region, law: str, prepare: str) -> None:
        """Raises ValueError unless it speaks of this adversary, in all of the region, under this law and filter."""
        wanted = {"transform": transforms.describe(transform), "law": law, "prepare": prepare}
        for name, value in wanted.items():
            if getattr(self, name) != value:
                raise ValueError(f"The error file is of another {name}: {getattr(self, name)!r}, expected {value!r}.")
        own, inside = self.region, type(self.region) is type(region)
        if isinstance(region, Box) and isinstance(own, Box):
            inside = region.within(own)
        if not inside or region.size > own.size:
            raise ValueError(f"The error file speaks of adversaries in {own}, the region is {region}.")
        if self.attackers:
            raise ValueError(f"The error file tried {self.attackers} random adversaries a draw: no bound for others.")


def measure(
    examples: Iterable[Example],
    *,
    transform: Transform,
    region: Region,
    law: Gaussian,
    prepare: str,
    data: str,
    limit: float,
    attackers: int = 0,
    seed: int = 0,
) -> ErrorFile:
    """Draws an outer parameter for each of some images, and counts how often the error exceeds a number.

    Args:
      examples: images, each for one draw, in an order that says nothing about them.
      transform: Q T.
      region: of the adversary.
      law: of the outer draws.
      prepare: text of the filter.
      data: what the images are.
      limit: the number E.
      attackers: 0: bounds the error of every adversary of the region, the outer draw b given; else the largest of so
        many random ones'.
      seed: of all draws.

    Raises:
      ValueError: a transform, region or filter that spt does not take; worst adversaries without a bound; no image.
    """
    _validate.positive(limit=limit)
    _validate.at_least(0, attackers=attackers)
    _validate.word(seed=seed)
    adversary, chosen = Adversary.of(transform), parse_filter(prepare)
    errors.check_region(adversary, region)
    assert isinstance(region, Box | Ball)
    if not attackers:
        errors.check_bounded(adversary)
    found = [_error(e, adversary, chosen, region, law, limit, attackers, seed) for e in examples]
    _validate.at_least(1, draws=len(found))
    return ErrorFile(
        transform=transforms.describe(transform),
        region=region,
        law=smoothing.describe(law),
        prepare=prepare,
        data=data,
        seed=seed,
        attackers=attackers,
        limit=limit,
        exceeded=sum(not error <= limit for error in found),
        draws=len(found),
    )


def _error(
    example: Example,
    adversary: Adversary,
    prepare: Any,
    region: Region,
    law: Gaussian,
    limit: float,
    attackers: int,
    seed: int,
) -> float:
    run_key, image_id, number = _threefry.key(seed), np.uint32(example.id), np.zeros(1, np.uint32)
    parts = {"moving": adversary.moving, "prepare": prepare}
    b, _ = kernels.outer_kernel(law, run_key, example.image, image_id, number, np.uint32(keys.OUTER), **parts)
    at = np.asarray(b)
    if attackers:
        random = {"given": "b", "count": attackers, "seed": seed}
        return float(errors.random_errors(example, at, number, adversary, prepare, region, **random)[0])
    worst = {"given": "b", "slack": _SLACK * limit}
    return float(errors.errors_upper(example.image, at, adversary, prepare, region, **worst)[0])
