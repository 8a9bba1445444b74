"""The stream gives each process its share of the chosen images, in order, without TensorFlow."""

import itertools
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

from gsmooth_jax.data import embedded_images, load_split, open_source, stream
from gsmooth_jax.data.reader import TfdsSplit, dataset_folder
from gsmooth_jax.data.specs import DATASETS, MissingDataError


def ids(spec, prepared, **choice):
    return [example.id for example in stream(spec, "test", data_dir=str(prepared), **choice)]


def test_examples_are_floats_in_the_unit_range(arrays, spec, prepared):
    examples = list(stream(spec, "test", data_dir=str(prepared)))
    images, labels = arrays["test"]
    assert [example.id for example in examples] == list(range(130))
    assert [example.label for example in examples] == labels.tolist()
    stacked = np.stack([example.image for example in examples])
    assert stacked.dtype == np.float32
    np.testing.assert_array_equal(stacked, images.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"every": 20}, range(0, 130, 20)),
        ({"limit": 7}, range(7)),
        ({"every": 20, "limit": 3, "start": 5}, range(5, 65, 20)),
        ({"every": 1000}, range(1)),
    ],
)
@pytest.mark.parametrize("process_count", [1, 2, 3, 16])
def test_shares_are_disjoint_and_together_the_choice(spec, prepared, choice, wanted, process_count):
    shares = [
        ids(spec, prepared, **choice, process_index=index, process_count=process_count)
        for index in range(process_count)
    ]
    assert sorted(itertools.chain(*shares)) == list(wanted)
    for index, share in enumerate(shares):
        assert share == list(wanted)[index::process_count]


@pytest.mark.parametrize(
    ("choice", "rule"),
    [
        ({"every": 0}, "every >= 1"),
        ({"limit": 0}, "limit >= 1"),
        ({"start": -1}, "start >= 0"),
        ({"start": 130}, "start < 130"),
        ({"process_count": 0}, "process_count >= 1"),
        ({"process_index": 2, "process_count": 2}, "process_index < process_count"),
    ],
)
def test_bad_choices_are_refused_at_once(spec, prepared, choice, rule):
    with pytest.raises(ValueError, match=rule):
        stream(spec, "test", data_dir=str(prepared), **choice)


def test_missing_data_is_refused_at_once(tmp_path):
    with pytest.raises(MissingDataError, match="gsmooth data prepare mnist"):
        stream("mnist", "test", data_dir=str(tmp_path))


def test_reading_ahead_is_bounded(spec, prepared, monkeypatch):
    read = []
    original = TfdsSplit.__getitem__
    monkeypatch.setattr(TfdsSplit, "__getitem__", lambda self, i: read.append(i) or original(self, i))
    examples = stream(spec, "train", data_dir=str(prepared))
    next(examples)
    time.sleep(0.3)
    assert len(read) <= 64 + 4 < 230


def test_load_split(arrays, spec, prepared):
    images, labels = load_split(spec, "train", str(prepared))
    np.testing.assert_array_equal(images, arrays["train"][0])
    assert (images.dtype, labels.dtype) == (np.uint8, np.int32)


def test_embedded_images():
    images, labels, image_ids = embedded_images()
    assert (images.shape, images.dtype) == ((200, 28, 28, 1), np.uint8)
    assert image_ids.tolist() == list(range(0, 4000, 20))
    assert labels[:10].tolist() == [7, 9, 1, 7, 7, 6, 5, 6, 4, 1]
    assert set(labels.tolist()) == set(range(10))
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    loaded = load_split("embedded", "test")
    np.testing.assert_array_equal(loaded[0], images)
    np.testing.assert_array_equal(loaded[1], labels)


def test_embedded_stream():
    examples = list(stream("embedded", "test", every=2, limit=5, process_index=1, process_count=2))
    assert [example.id for example in examples] == [40, 120]
    np.testing.assert_array_equal(examples[0].image, embedded_images().images[2].astype(np.float32) / np.float32(255))
    assert open_source("embedded", "test").original_order
    with pytest.raises(ValueError, match=r"Unknown split 'train'\. Known: test"):
        stream("embedded", "train")


def test_no_tensorflow_is_imported(spec, idx_files, tmp_path):
    program = (
        "import pickle, sys\n"
        "from gsmooth_jax.data import load_split, prepare, stream\n"
        "spec = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "prepare(spec, 'files', sys.argv[2], sys.argv[3])\n"
        "assert len(list(stream(spec, 'test', data_dir=sys.argv[2]))) == 130\n"
        "assert len(load_split(spec, 'train', sys.argv[2])[0]) == 230\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    arguments = [pickle.dumps(spec).hex(), str(tmp_path), str(idx_files)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""  # the library itself prints nothing


@pytest.mark.skipif(not dataset_folder(DATASETS["mnist"]).is_dir(), reason="MNIST is not prepared on this machine")
def test_embedded_images_are_those_of_mnist():
    images, labels, image_ids = embedded_images()
    for index, example in enumerate(stream("mnist", "test", every=20, limit=200)):
        assert (example.id, example.label) == (image_ids[index], labels[index])
        np.testing.assert_array_equal(example.image, images[index].astype(np.float32) / np.float32(255))
