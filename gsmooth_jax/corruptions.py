"""How a smoothed classifier tells corrupted images: its accuracy at five severities, with abstention. Host.

After Hendrycks and Dietterich (2019), as in GSmooth's Table 4: an average over images, of which nothing is proved. What
corrupts is any transform of the catalogue, whose parameter grows with the severity, or a file of CIFAR-10-C.
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.methods.arguments import check_range
from gsmooth_jax.methods.smoothed import Smoothed
from gsmooth_jax.regions import Box
from gsmooth_jax.transforms import Clip, Quantize
from gsmooth_jax.types import ABSTAIN, Transform

SEVERITIES = 5

_BATCH = 64
"""Images that are transformed at once; the last batch is padded, so that nothing recompiles."""

_LABELS = "labels.npy"


class Score(NamedTuple):
    """What became of N images.

    Attributes:
      accuracy: share of them that is told right.
      abstained: share of which the votes do not tell the class.
    """

    accuracy: float
    abstained: float


def score(
    smoothed: Smoothed, images: np.ndarray, labels: np.ndarray, ids: np.ndarray, *, votes: int, alpha: float
) -> Score:
    """Returns the score of images [N, ...] float32 with labels [N]; see ``Smoothed.predict``."""
    found = smoothed.predict(images, votes=votes, alpha=alpha, ids=ids)
    return Score(float(np.mean(found == labels)), float(np.mean(found == ABSTAIN)))


def transformed(
    images: np.ndarray, transform: Transform, region: Box, severity: int, *, ids: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Returns images [N, H, W, C] float32 in [0, 1] as files of 8 bits hold them when they have been transformed.

    Each parameter is ``severity`` fifths of an end of the region that is not 0; which of two is drawn for each image.

    Args:
      images: [N, H, W, C] float32 in [0, 1].
      transform: with parameters.
      region: of its parameters.
      severity: 1 to 5.
      ids: [N] of the images; with the seed they determine the draws.
      seed: see there.

    Raises:
      ValueError: a severity, a region or a transform that does not fit.
    """
    if severity not in range(1, SEVERITIES + 1):
        raise ValueError(f"Expected a severity from 1 to {SEVERITIES}, got {severity=}.")
    if len(region.low) != len(transform.params):
        raise ValueError(f"Expected a box of {len(transform.params)} parameters for {transform.name}, got {region}.")
    check_range(transform, region.low, region.high)
    theta = np.stack([_parameter(transform, region, severity, (seed, int(i))) for i in ids]).astype(np.float32)
    batches = []
    for start in range(0, len(images), _BATCH):
        chosen = np.arange(start, start + _BATCH).clip(max=len(images) - 1)
        batches.append(np.asarray(_kernel(images[chosen], theta[chosen], transform=transform)))
    return np.concatenate(batches)[: len(images)]


def files(folder: Path) -> list[str]:
    """Returns the names of the corruptions whose images lie in a folder such as CIFAR-10-C's, in order.

    Raises:
      ValueError: it has none.
    """
    names = sorted(path.stem for path in folder.glob("*.npy") if path.name != _LABELS)
    if not names:
        raise ValueError(f"Expected a folder with files such as zoom_blur.npy, got {str(folder)!r}, which has none.")
    return names


def read(folder: Path, name: str, shape: tuple[int, ...], ids: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the images [N, H, W, C] float32 of a corruption, severity by severity.

    Args:
      folder: with files of five times as many images as the test set has, one severity behind the other.
      name: of the corruption.
      shape: [H, W, C] of an image.
      ids: [N] which images of the test set.
      labels: [N] theirs, held to ``labels.npy`` where the folder has it.

    Raises:
      ValueError: a file of other images.
      FileNotFoundError: there is none of that name.
    """
    path = folder / f"{name}.npy"
    stored = _array(path)
    count, rest = divmod(len(stored), SEVERITIES)
    if stored.dtype != np.uint8 or stored.shape[1:] != shape or rest:
        expected = f"[{SEVERITIES} N, {', '.join(map(str, shape))}] uint8"
        raise ValueError(f"Expected {expected} in {path}, got {list(stored.shape)} {stored.dtype}.")
    if ids.max() >= count:
        raise ValueError(f"Expected images up to {ids.max()} in {path}, got {count} of each severity.")
    if (folder / _LABELS).exists():
        known = _array(folder / _LABELS)
        if known.shape != (len(stored),) or (known[ids] != labels).any():
            raise ValueError(f"Expected {folder / _LABELS} to hold the labels of this data set, got others.")
    for severity in range(SEVERITIES):
        yield np.asarray(stored[severity * count + ids], np.float32) / np.float32(255)


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"Expected a NumPy file in {path}: {error}") from error


def _parameter(transform: Transform, region: Box, severity: int, draws: Sequence[int]) -> np.ndarray:
    """[P]: see ``transformed``."""
    ends = [[end for end in sorted({a, b}) if end] or [0.0] for a, b in zip(region.low, region.high, strict=True)]
    random = np.random.default_rng(draws)
    theta = np.array([each[random.integers(len(each))] for each in ends]) * (severity / SEVERITIES)
    return np.where([p.whole for p in transform.params], np.round(theta), theta)


@functools.partial(jax.jit, static_argnames=("transform",))
def _kernel(images: jax.Array, theta: jax.Array, *, transform: Transform) -> jax.Array:
    nothing = jnp.zeros(0, jnp.float32)
    return jax.vmap(lambda image, t: Quantize()(Clip()(transform(image, t), nothing), nothing))(images, theta)
