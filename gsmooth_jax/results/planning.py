"""What a run is going to take and reach, tried on a few of its images; and which noise suits a classifier. Host.

A trial certifies the images in earnest, and keeps nothing: what it says of others is a guess.
"""

import dataclasses
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from gsmooth_jax import _spec, smoothing
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee
from gsmooth_jax.methods.stream import certify_stream
from gsmooth_jax.models import Model
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy, clean_accuracy
from gsmooth_jax.types import Example

FACTORS = (0.5, 2.0**-0.5, 1.0, 2.0**0.5, 2.0)
"""By which a sweep multiplies the noise, least first."""

_OTHER_SEED = 0x9E3779B9
"""What a trial's seed differs by from the run's."""

_SCALES = ("sigma", "sigma_parameter", "brightness", "scale", "low", "high")
"""Fields of laws and noises that are proportional to how wide they are."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What some images have come to.

    Attributes:
      law: the smoothing law or noise, in words; empty for methods without.
      clean: share of images that the classifier itself gets right; None without labels.
      smoothed: that the smoothed classifier gets right; None without labels.
      certified: that are certified, and right where labels are known.
      reached: the median of what is proved, as a share of the region's size, 1 at most; a wrong answer proves nothing.
      votes: draws an image.
      seconds: an image's own, without compilation.
      seed: of its draws: another one than the run's.
      claims: of the images; empty where nothing could be tried.
      refused: why nothing could be, such as noise with which no number of votes proves the region; or empty.
    """

    law: str
    clean: float | None = None
    smoothed: float | None = None
    certified: float = 0.0
    reached: float = 0.0
    votes: float = 0.0
    seconds: float = 0.0
    seed: int = 0
    claims: tuple[Claim, ...] = ()
    refused: str = ""


def tried(
    classifier: Model, examples: Sequence[Example], guarantee: Guarantee, execution: Execution | None = None
) -> Trial:
    """Certifies a few images, by draws that a run with the guarantee's seed does not make.

    A law that was chosen after a look at the run's own draws would be claimed by the draws that it was chosen for.

    Args:
      classifier: see ``as_classifier``.
      examples: at least one.
      guarantee: what is claimed.
      execution: how the machine is used.

    Raises:
      ValueError: as of ``certify_stream``.
    """
    guarantee = dataclasses.replace(guarantee, seed=guarantee.seed ^ _OTHER_SEED)
    list(certify_stream(classifier, examples[:1], guarantee, execution))  # compiles
    claims = tuple(certify_stream(classifier, examples, guarantee, execution))
    size = guarantee.region.size
    reached = [0.0 if c.correct is False else min(c.radius / size, 1.0) for c in claims]
    return Trial(
        law=guarantee.method.law,
        clean=clean_accuracy(claims),
        smoothed=accuracy(claims),
        certified=certified_accuracy(claims),
        reached=float(np.median(reached)),
        votes=float(np.mean([c.votes for c in claims])),
        seconds=float(np.mean([c.own_seconds or 0.0 for c in claims])),
        seed=guarantee.seed,
        claims=claims,
    )


def sweep(
    classifier: Model,
    examples: Sequence[Example],
    guarantee: Guarantee,
    *,
    method: str = "auto",
    factors: Iterable[float] = FACTORS,
    execution: Execution | None = None,
) -> Iterator[Trial]:
    """Tries a law, or noise, that is narrower and wider by some factors.

    Args:
      classifier: see ``as_classifier``.
      examples: at least one.
      guarantee: what is claimed, with the law that is multiplied.
      method: its name.
      factors: each > 0.
      execution: how the machine is used.

    Yields:
      A trial a factor.

    Raises:
      ValueError: before any work, a method without a law, or a law that has no width to multiply.
    """
    text = guarantee.method.law
    if not text:
        raise ValueError(f"Expected a method with a law or noise to vary, got {guarantee.method.name}.")
    laws = [smoothing.describe(widened(_spec.build(text, registry.LAWS, kind="law"), factor)) for factor in factors]

    def trials() -> Iterator[Trial]:
        for law in laws:
            try:
                other = registry.parse(method, law, guarantee.transform)
                yield tried(classifier, examples, dataclasses.replace(guarantee, method=other), execution)
            except ValueError as error:
                yield Trial(law=law, refused=str(error))

    return trials()


def widened(law: Any, factor: float) -> Any:
    """Returns a law, or noise, whose draws are ``factor`` > 0 times as large.

    Raises:
      ValueError: it has no such number.
    """
    own = {f.name: getattr(law, f.name) for f in dataclasses.fields(law) if f.name in _SCALES}
    if not any(np.any(value) for value in own.values()) or getattr(law, "acts", "additive") != "additive":
        raise ValueError(f"Expected a law or noise with a width ({', '.join(_SCALES)}), got {smoothing.describe(law)}.")
    return dataclasses.replace(law, **{name: _times(value, factor) for name, value in own.items()})


def _times(value: Any, factor: float) -> Any:
    """In four digits: a law is to be read."""
    if isinstance(value, tuple):
        return tuple(_times(each, factor) for each in value)
    return float(f"{value * factor:.4g}")


def best(trials: Sequence[Trial]) -> Trial:
    """Returns the trial that certifies most, then reaches furthest, then takes the fewest votes."""
    return max(
        (t for t in trials if not t.refused), key=lambda t: (t.certified, t.reached, -t.votes), default=trials[0]
    )


def peak_bytes() -> int:
    """Returns the most memory that was in use so far: of the devices' where they say so, else this process's."""
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    of_devices = sum(s.get("peak_bytes_in_use", 0) for s in stats)
    unit = 1 if sys.platform == "darwin" else 1024
    return of_devices or unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
