"""What ships with the package: 200 MNIST test images and trained networks. See README.md for origin and licence."""

import os
from pathlib import Path

from gsmooth_jax import _validate

_SCHEME = "shipped:"
_ROOT = Path(__file__).parent

_CLASSIFIERS = {name: f"{_SCHEME}mnist_{name}" for name in ("rotational_blur", "brightness_contrast")}
"""Name of a transform -> the classifier that was trained for it."""


def shipped(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a folder of the package."""
    return os.fspath(path).startswith(_SCHEME)


def folder(path: str | os.PathLike[str]) -> Path:
    """Returns the folder that a path names; ``shipped:NAME`` names one of the package, the same on every machine.

    Raises:
      ValueError: nothing of that name is shipped.
    """
    text = os.fspath(path)
    if not shipped(path):
        return Path(text)
    all_shipped = {f"{_SCHEME}{p.name}": p for p in sorted(_ROOT.iterdir()) if (p / "model.json").is_file()}
    return _validate.known(all_shipped, path=text)


def classifier_for(transform: str) -> str:
    """Returns the path of the shipped classifier for a transform, or for a composition that begins with one.

    Raises:
      ValueError: none is shipped for it.
    """
    first = transform.partition("|")[0]
    if first not in _CLASSIFIERS:
        raise ValueError(
            f"No shipped classifier was trained for {first}, only for {' and '.join(_CLASSIFIERS)}: "
            f"name one with --checkpoint or --model."
        )
    return _CLASSIFIERS[first]
