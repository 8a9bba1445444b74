"""WAV files, and folders of them: for certifying, and for training."""

import wave

import numpy as np
import pytest
from PIL import Image

from gsmooth_jax.data import folder, load_split, sample_rate, waves
from gsmooth_jax.data.pictures import Fitting, UnreadableError
from gsmooth_jax.data.specs import DataError, MissingDataError


def write(path, samples, rate=8000, channels=1, depth=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(depth)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return path


def test_samples_are_read_as_they_were_written(tmp_path):
    samples = np.array([-32768, -1, 0, 1, 32767], np.int16)
    found = waves.decode(write(tmp_path / "a.wav", samples, rate=16_000))
    np.testing.assert_array_equal(found.samples, samples)
    assert (found.samples.dtype, found.rate) == (np.int16, 16_000)


def test_files_of_another_kind_are_refused_with_what_to_do(tmp_path):
    for options, message in (
        ({"channels": 2}, "16 bits and one channel, got 16 bits and 2: ffmpeg"),
        ({"depth": 1}, "got 8 bits and 1: ffmpeg"),
        ({"depth": 3}, "got 24 bits and 1: ffmpeg"),
    ):
        with pytest.raises(ValueError, match=message):
            waves.decode(write(tmp_path / "a.wav", range(12), **options))
    with pytest.raises(ValueError, match="expected samples"):
        waves.decode(write(tmp_path / "a.wav", []))


def test_damaged_files_are_unreadable(tmp_path):
    whole = write(tmp_path / "a.wav", range(12)).read_bytes()
    for damaged in (
        b"",
        b"nothing",
        whole[:20],
        whole[:-6],
        whole.replace(b"fmt ", b"odd "),
        whole[:20] + b"\x03" + whole[21:],
    ):
        (tmp_path / "a.wav").write_bytes(damaged)
        with pytest.raises(UnreadableError):
            waves.decode(tmp_path / "a.wav")
    with pytest.raises(UnreadableError):
        waves.decode(tmp_path / "none.wav")


@pytest.fixture
def words(tmp_path):
    """Two words, by three speakers and by one."""
    for split, count in (("train", 3), ("test", 1)):
        for label, word in enumerate(("no", "yes")):
            for number in range(count):
                write(tmp_path / split / word / f"{number}.WAV", np.arange(6) + 100 * label + 10 * number)
    return tmp_path


def test_a_folder_of_words_is_a_data_set_for_training(words):
    waveforms, labels = load_split(f"folder:{words}", "train")
    assert (waveforms.shape, waveforms.dtype, labels.dtype) == ((6, 6), np.int16, np.int32)
    np.testing.assert_array_equal(waveforms[:, 0] // 100, labels)
    assert sorted(waveforms[:, 0]) == [0, 10, 20, 100, 110, 120]
    assert sample_rate(f"folder:{words}") == 8000
    assert sample_rate("mnist") is None
    assert load_split(f"folder:{words}", "test")[0].shape == (2, 6)


def test_a_folder_of_pictures_is_one_too(tmp_path):
    for split in ("train", "test"):
        for level in (20, 200):
            (tmp_path / split / str(level)).mkdir(parents=True)
            Image.fromarray(np.full((4, 5), level, np.uint8)).save(tmp_path / split / str(level) / "a.png")
    images, labels = load_split(f"folder:{tmp_path}", "test")
    assert (images.shape, images.dtype, sorted(labels)) == ((2, 4, 5, 1), np.uint8, [20, 200])
    assert sample_rate(f"folder:{tmp_path}") is None


def test_what_no_training_can_come_of(words):
    with pytest.raises(MissingDataError, match=r"folders train and test, .* no validation"):
        load_split(f"folder:{words}", "validation")
    write(words / "test" / "perhaps" / "0.wav", range(6))
    with pytest.raises(DataError, match=r"classes and the sample rate of .* no, yes and 8000, got no, perhaps, yes"):
        load_split(f"folder:{words}", "test")
    write(words / "train" / "yes" / "long.wav", range(7))
    with pytest.raises(DataError, match=r"WAV files of one length, got .*7 \(yes/long.wav\).*: ffmpeg"):
        load_split(f"folder:{words}", "train")
    write(words / "train" / "yes" / "long.wav", range(6), rate=16_000)
    with pytest.raises(DataError, match=r"(yes/long.wav: expected 8000|: expected 16000) samples a second .*: ffmpeg"):
        load_split(f"folder:{words}", "train")
    write(words / "plain" / "a.wav", range(6))
    with pytest.raises(DataError, match=r"one folder a class in .*plain, got files without labels"):
        load_split(f"folder:{words}", "plain")


def test_bad_folders(words):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(words / "train" / "no" / "a.png")
    with pytest.raises(DataError, match=r"pictures or WAV files, got both, such as"):
        folder.open_pictures(str(words / "train"))
    held = folder.open_pictures(str(words / "test"))
    with pytest.raises(DataError, match="expected no resize or crop of waveforms"):
        held.read(held.pictures[0], Fitting(crop=(2,)))
    for file in (words / "test").rglob("*.WAV"):
        write(file, range(6), channels=2)
    with pytest.raises(DataError, match=r".*0.WAV: expected 16 bits and one channel"):
        folder.open_pictures(str(words / "test"))
    for file in (words / "test").rglob("*.WAV"):
        file.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"WAV files of whole numbers in .*, got none that can be read"):
        folder.open_pictures(str(words / "test"))
