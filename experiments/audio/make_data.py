"""Speaks ten words in many voices: one second of 16-bit WAV each, 8,000 samples a second, one folder a word.

Voices of the test files are in no training file. The same files come of the same espeak-ng and SciPy.

    python make_data.py FOLDER     # FOLDER/train: 2,160 files, FOLDER/test: 100; needs espeak-ng
"""

import itertools
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from scipy import signal

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")  # the ten commands of Speech Commands
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-029")
VOICES = {
    "train": (
        *("m1", "m2", "m3", "m4", "m5", "f1", "f2", "f3", "adam", "linda", "john", "belinda", "Alex", "Alicia"),
        *("Andrea", "Andy", "Annie", "Denis", "Gene", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike"),
        *("aunty", "benjamin", "boris", "caleb", "david", "edward", "grandma", "max", "miguel", "paul"),
    ),
    "test": ("m6", "m7", "m8", "f4", "f5", "steph", "robert", "anika", "michel", "shelby"),
}
RATE, SPOKEN_AT = 8_000, 22_050  # samples a second


def spoken(word: str, voice: str, speed: int, pitch: int, file: Path) -> np.ndarray:
    """What espeak-ng says, in [-1, 1], without the silence around it."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(file), word]
    subprocess.run(command, check=True)
    with wave.open(str(file)) as found:
        assert (found.getframerate(), found.getnchannels(), found.getsampwidth()) == (SPOKEN_AT, 1, 2)
        samples = np.frombuffer(found.readframes(found.getnframes()), "<i2") / 32768
    heard = np.flatnonzero(np.abs(samples) > 0.01)
    return signal.resample_poly(samples[heard[0] : heard[-1] + 1], 160, 441)


def one_second(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A word somewhere in a second, its peak between 0.2 and 1: the loudest are cut by the upper half of +-3 dB."""
    samples = samples[:RATE]
    start = random.integers(RATE - len(samples) + 1)
    peak = 10 ** random.uniform(np.log10(0.2), 0.0)
    placed = np.zeros(RATE)
    placed[start : start + len(samples)] = samples * (peak / np.abs(samples).max())
    return np.clip(np.round(placed * 32768), -32768, 32767).astype("<i2")


def main(root: Path) -> None:
    random = np.random.default_rng(0)
    combinations = {
        "train": list(itertools.product(ACCENTS, VOICES["train"])),
        "test": list(zip(itertools.cycle(ACCENTS), VOICES["test"], strict=False)),
    }
    with tempfile.TemporaryDirectory() as scratch:
        for split, chosen in combinations.items():
            for word, (accent, voice) in itertools.product(WORDS, chosen):
                speed, pitch = int(random.integers(120, 220)), int(random.integers(30, 70))
                samples = one_second(
                    spoken(word, f"{accent}+{voice}", speed, pitch, Path(scratch) / "word.wav"), random
                )
                file = root / split / word / f"{accent}-{voice}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                with wave.open(str(file), "wb") as out:
                    out.setnchannels(1)
                    out.setsampwidth(2)
                    out.setframerate(RATE)
                    out.writeframes(samples.tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
