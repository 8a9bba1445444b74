"""What a run's claims come to: certified accuracy, over all images. Host."""

from collections.abc import Iterable, Sequence

import numpy as np

from gsmooth_jax.claims import Claim


def accuracy(claims: Sequence[Claim]) -> float | None:
    """Returns the share of ALL images that are rightly classified; None where no label is known."""
    known = [c.correct for c in claims if c.correct is not None]
    return sum(known) / len(claims) if known else None


def clean_accuracy(claims: Sequence[Claim]) -> float | None:
    """Returns the share of ALL images that the classifier itself gets right, without noise; None where not recorded."""
    known = [c.clean == c.label for c in claims if c.clean is not None and c.label is not None]
    return sum(known) / len(claims) if known else None


def certified_accuracy(claims: Iterable[Claim], radius: float | None = None) -> float:
    """Returns the share of ALL images that are certified, and rightly classified where their labels are known.

    Args:
      claims: of every image; abstentions and rejections stay in the denominator.
      radius: count images proved to this region size instead of to the run's region.

    Raises:
      ValueError: no claims.
    """
    claims = list(claims)
    if not claims:
        raise ValueError("Expected at least one claim, got none.")
    proved = [c.correct is not False and (c.certified if radius is None else c.radius >= radius) for c in claims]
    return sum(proved) / len(claims)


def accuracy_curve(claims: Sequence[Claim]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the certified accuracy as a step function of the region's size.

    Returns:
      sizes [M] increasing from 0, and accuracies [M]: accuracies[j] is the share proved for every size from
      sizes[j - 1] (exclusive) up to sizes[j] (inclusive).
    """
    radii = np.sort([c.radius for c in claims if c.correct is not False])
    sizes = np.unique(np.concatenate([[0.0], radii]))
    proved = len(radii) - np.searchsorted(radii, sizes, side="left")
    return sizes, proved / len(claims)
