"""Words in WAV files from training to the replay of a run: certified against their volume, clipped and of 16 bits."""

import dataclasses
import wave

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import models, transforms
from gsmooth_jax.data import load_split
from gsmooth_jax.data.specs import DataError
from gsmooth_jax.results import sources
from gsmooth_jax.training import TrainConfig, loop

RATE, SAMPLES = 2000, 400
LAST = 32767 / 32768
SAVED = transforms.parse(f"volume|clip(low=-1.0, high={LAST})|quantize(bits=16, low=-1.0, high={LAST})")
TERMS = {
    "region": gs.Box([-3.0], [3.0]),
    "max_votes": 2000,
    "execution": gs.Execution(devices=1),
}
WAYS = {"cover": (SAVED, gs.PixelNoise(sigma=0.1)), "resolvable": (transforms.Volume(), gs.Gaussian(sigma=4.0))}


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Tones of 200 and of 600 Hz, in a folder for each; the loudest are clipped within 3 dB."""
    root, rng = tmp_path_factory.mktemp("words"), np.random.default_rng(0)
    for split, count in (("train", 32), ("test", 3)):
        for word, pitch in (("high", 600), ("low", 200)):
            for number in range(count):
                phase, loudness = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
                tone = loudness * np.sin(2 * np.pi * pitch / RATE * np.arange(SAMPLES) + phase)
                write(root / split / word / f"{number}.wav", np.round(32768 * tone))
    return root


@pytest.fixture(scope="module")
def classifier(words, tmp_path_factory):
    config = TrainConfig(
        out=str(tmp_path_factory.mktemp("checkpoint")),
        data=f"folder:{words}",
        arch=f"audio_net(rate={RATE}, widths=(4, 4, 8))",
        transform=("volume",),
        law=("uniform(low=-3, high=3)",),
        noise=0.1,
        epochs=10,
        batch_size=16,
        learning_rate=0.02,
    )
    loop.train(config, *load_split(config.data, "train"), *load_split(config.data, "test"), progress=False)
    flipped = dataclasses.replace(config, flips=True, out=config.out + "-flipped")
    with pytest.raises(ValueError, match="flips is of images, got flips=True for waveforms"):
        loop.train(flipped, *load_split(config.data, "train"), *load_split(config.data, "test"), progress=False)
    return models.load(config.out)


@pytest.mark.parametrize("way", WAYS)
def test_words_are_certified_verified_and_replayed(words, classifier, way, tmp_path):
    assert classifier.domain == gs.Domain((SAMPLES,), -1.0, LAST)
    transform, law = WAYS[way]
    run = gs.certify_run(classifier, f"folder:{words / 'test'}", out=tmp_path, transform=transform, law=law, **TERMS)
    assert [c.certified and c.correct for c in run.claims] == [True] * 6
    assert {c.status for c in run.claims} == {"proved"}
    part = run.header["data"]
    assert (part["sample_rate"], part["class_names"]) == (RATE, ["high", "low"])
    assert gs.verify(run, replay=2, model=classifier).faults == []
    again = sources.of_header(part)
    assert again.domain == classifier.domain
    (first, *_) = again.share(0, 1)
    np.testing.assert_array_equal(first.image * 32768, np.round(first.image * 32768))


def test_files_that_have_changed_are_not_taken_for_the_runs(words, classifier, tmp_path):
    for number in range(2):
        write(tmp_path / "data" / "high" / f"{number}.wav", np.full(SAMPLES, 100 * number))
    data = f"folder:{tmp_path / 'data'}"
    transform, law = WAYS["resolvable"]
    run = gs.certify_run(classifier, data, out=tmp_path / "run", transform=transform, law=law, **TERMS)
    write(tmp_path / "data" / "high" / "1.wav", np.full(SAMPLES, 101))
    with pytest.raises(ValueError, match="lacks images of the run, or holds others, by the checksum in its header"):
        sources.of_header(run.header["data"])


def test_bad_input(words, classifier, tmp_path):
    transform, law = WAYS["cover"]
    terms = {"out": tmp_path / "run", "transform": transform, "law": law, **TERMS}
    write(tmp_path / "fast" / "high" / "0.wav", np.zeros(SAMPLES), rate=4000)
    with pytest.raises(
        ValueError, match=r"takes waveforms of 2000 samples a second, got 4000: resample them, or train"
    ):
        gs.certify_run(classifier, f"folder:{tmp_path / 'fast'}", **terms)
    write(tmp_path / "fast" / "high" / "1.wav", np.zeros(SAMPLES))
    with pytest.raises(DataError, match=r"samples a second as others have, got .*: ffmpeg"):
        gs.certify_run(classifier, f"folder:{tmp_path / 'fast'}", **terms)
    write(tmp_path / "long" / "high" / "0.wav", np.zeros(SAMPLES + 1))
    with pytest.raises(ValueError, match=r"inputs \(401,\) in \[-1, 0.999969\] .*, got one of \(400,\) in \[-1"):
        gs.certify_run(classifier, f"folder:{tmp_path / 'long'}", **terms)
    # The clip is a part of the claim: a narrower one would cut the files as they are.
    narrow = transforms.parse("volume|clip|quantize(bits=16)")
    with pytest.raises(ValueError, match=r"cuts inputs .*: name their range, clip\(low=-1.0, high=0.999969482421875\)"):
        gs.certify_run(classifier, f"folder:{words / 'test'}", **terms | {"transform": narrow})
    # The closed form is of real-valued waveforms; what takes a file is said.
    with pytest.raises(
        ValueError, match=r"volume\|clip\|quantize has group 'none'. Methods for it: cc_cert, cover, interval, spt"
    ):
        gs.certify_run(
            classifier, f"folder:{words / 'test'}", **terms | {"law": gs.Gaussian(sigma=4.0), "method": "resolvable"}
        )
