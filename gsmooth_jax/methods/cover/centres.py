"""The smoothing centres of one image: kept in memory while they take little, in a file without a name beyond. Host."""

import io
import math
import tempfile
from typing import BinaryIO

import numpy as np

_HELD = 8 << 20
"""Bytes of an image's centres in memory: the thousands of a small image, but a dozen of 224 x 224 pixels."""


class Centres:
    """Latents by number, float32, to the bit as they were added. The file is gone with the process, however it ends."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()  # known with the first of them
        self._count = 0
        self._file: BinaryIO = io.BytesIO()

    def __len__(self) -> int:
        return self._count

    def add(self, latents: np.ndarray) -> None:
        """Appends latents [M, ...]."""
        self._shape = latents.shape[1:]
        end = self._file.seek(self._count * self.nbytes_each)
        if end + len(latents) * self.nbytes_each > _HELD and isinstance(self._file, io.BytesIO):
            held, self._file = self._file, tempfile.TemporaryFile()  # noqa: SIM115 (``close``)
            self._file.write(held.getbuffer())
        self._file.write(np.ascontiguousarray(latents, np.float32).data)
        self._count += len(latents)

    def __getitem__(self, number: int) -> np.ndarray:
        """Returns a latent, a copy of its own."""
        if not 0 <= number < self._count:
            raise IndexError(f"Expected a number below {self._count}, got {number}.")
        self._file.seek(number * self.nbytes_each)
        return np.frombuffer(self._file.read(self.nbytes_each), np.float32).reshape(self._shape)

    def close(self) -> None:
        """Frees them."""
        self._file.close()

    @property
    def nbytes_each(self) -> int:
        """Of one latent."""
        return 4 * math.prod(self._shape)
