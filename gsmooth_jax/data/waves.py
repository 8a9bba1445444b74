"""WAV files: 16-bit samples of one channel, read by the standard library. Host."""

import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gsmooth_jax.data.pictures import UnreadableError

SUFFIX = ".wav"
ADVICE = "ffmpeg -i in.wav -ac 1 -ar 16000 -c:a pcm_s16le -af apad -t 1 out.wav makes one second of it at 16,000 Hz"


class Wave(NamedTuple):
    """What a file holds: samples int16 [T], so many a second."""

    samples: np.ndarray
    rate: int


def decode(file: Path) -> Wave:
    """Returns a file's waveform.

    Raises:
      UnreadableError: it cannot be read.
      ValueError: it is of another depth or of several channels, or holds no samples.
    """
    try:
        with wave.open(str(file), "rb") as found:
            channels, depth = found.getnchannels(), 8 * found.getsampwidth()
            rate, count = found.getframerate(), found.getnframes()
            held = found.readframes(count)
    except (wave.Error, EOFError, OSError) as error:
        raise UnreadableError(f"it is no WAV file of whole numbers: {error or 'it ends early'}") from error
    if (channels, depth) != (1, 16):
        raise ValueError(f"expected 16 bits and one channel, got {depth} bits and {channels}: {ADVICE}.")
    if not count:
        raise ValueError("expected samples, got none.")
    if len(held) != 2 * count:
        raise UnreadableError(f"it ends after {len(held) // 2} of {count} samples")
    return Wave(np.frombuffer(held, "<i2").astype(np.int16), rate)
