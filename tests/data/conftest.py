import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from gsmooth_jax.data.specs import HEAD, DatasetSpec, Source, SplitSpec, content_sha256

COUNTS = {"train": 230, "test": 130}  # more than HEAD, so that head and whole differ


def split_of(images, labels):
    return SplitSpec(
        count=len(images),
        sha256=content_sha256(images, labels),
        head_sha256=content_sha256(images[:HEAD], labels[:HEAD]),
    )


def spec_of(arrays, *, name="tiny", shape, layout, has_text_id=False):
    return DatasetSpec(
        name=name,
        version="3.0.1",
        description="Random images for tests.",
        homepage="https://example.org/",
        class_names=("a", "b", "c"),
        image_shape=shape,
        splits={split: split_of(*pair) for split, pair in arrays.items()},
        sources={"files": Source(layout=layout)},
        has_text_id=has_text_id,
    )


def random_arrays(shape, seed=0):
    rng = np.random.default_rng(seed)
    return {
        split: (rng.integers(0, 256, (n, *shape), dtype=np.uint8), rng.integers(0, 3, n, dtype=np.uint8))
        for split, n in COUNTS.items()
    }


def write_idx(folder: Path, arrays, *, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = arrays[split]
        for suffix, array in (("images-idx3-ubyte", images[..., 0]), ("labels-idx1-ubyte", labels)):
            data = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
            path = folder / f"{prefix}-{suffix}{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(data) if zipped else data)


def write_cifar(folder: Path, arrays):
    folder.mkdir(parents=True, exist_ok=True)
    for split, names in (("train", [f"data_batch_{k}.bin" for k in range(1, 6)]), ("test", ["test_batch.bin"])):
        images, labels = arrays[split]
        rows = np.concatenate([labels[:, None], images.transpose(0, 3, 1, 2).reshape(len(images), -1)], axis=1)
        for name, part in zip(names, np.array_split(rows, len(names)), strict=True):
            (folder / name).write_bytes(part.tobytes())


def write_cifar100(folder: Path, arrays, coarse):
    """Writes train.bin and test.bin: records of a coarse label, a fine one, and the channels."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, (images, labels) in arrays.items():
        pixels = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        rows = np.concatenate([np.asarray(coarse, np.uint8)[labels][:, None], labels[:, None], pixels], axis=1)
        (folder / f"{split}.bin").write_bytes(rows.tobytes())


@pytest.fixture(scope="session")
def arrays():
    return random_arrays((6, 5, 1))


@pytest.fixture(scope="session")
def spec(arrays):
    return spec_of(arrays, shape=(6, 5, 1), layout="idx")


@pytest.fixture(scope="session")
def idx_files(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("idx")
    write_idx(folder, arrays)
    return folder


@pytest.fixture(scope="session")
def prepared(spec, idx_files, tmp_path_factory):
    """A data folder with the tiny data set prepared; tests must not change it."""
    from gsmooth_jax.data.preparing import prepare

    data_dir = tmp_path_factory.mktemp("data")
    prepare(spec, "files", str(data_dir), str(idx_files))
    return data_dir
