"""What the numbers of files stand for: levels of pictures, uint8, and samples of waveforms, int16."""

from typing import TypeVar

import jax
import numpy as np

from gsmooth_jax.types import Domain

A = TypeVar("A", np.ndarray, jax.Array)

_ONE = {"uint8": 255, "int16": 32768}
"""Which level, if there is one, stands for 1: 16-bit PCM ends just below it."""


def known(levels: np.ndarray) -> bool:
    """Whether an array is one of levels: of pictures [N, H, W, C], or of waveforms [N, T]."""
    return levels.dtype.name in _ONE and levels.ndim == (4 if levels.dtype == np.uint8 else 2)


def real(levels: A) -> A:
    """[...] uint8 or int16 -> float32: pictures in [0, 1], waveforms in [-1, 32767 / 32768]. Host or device."""
    return levels.astype(np.float32) / np.float32(_ONE[levels.dtype.name])


def domain(dtype: np.dtype, shape: tuple[int, ...]) -> Domain:
    """Returns the domain of inputs of a shape that were of this dtype: of all but waveforms, entries are in [0, 1]."""
    return Domain(shape, -1.0, 32767 / 32768) if dtype == np.int16 and len(shape) == 1 else Domain(shape)
