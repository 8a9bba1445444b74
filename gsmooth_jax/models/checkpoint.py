"""Checkpoints: a folder with ``model.json`` (what the network is, how it was made) and ``weights.npz``."""

import dataclasses
import hashlib
import json
import os
import pathlib
import zipfile
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import assets
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.models.classifier import Classifier, apply_name
from gsmooth_jax.models.regressor import Model, Regressor
from gsmooth_jax.types import Domain

_FORMAT = 1


def save(path: str | os.PathLike[str], classifier: Classifier, info: Mapping[str, Any] | None = None) -> None:
    """Writes a classifier of a registered architecture to a folder; each file is replaced in one step. Host.

    Args:
      path: the folder, made when missing.
      classifier: its ``apply`` is an ``Architecture``.
      info: JSON values kept under ``info``: data set, training settings, accuracies.
    """
    if not isinstance(classifier.apply, Architecture):
        raise TypeError(f"Only registered architectures can be saved, got {apply_name(classifier.apply)}.")
    description = {
        "architecture": classifier.apply.to_json(),
        "domain": dataclasses.asdict(classifier.domain),
        "dtype": classifier.dtype,
        "fingerprint": fingerprint(classifier),
        "info": dict(info or {}),
    }
    write(path, description, classifier.variables)


def write(path: str | os.PathLike[str], description: Mapping[str, Any], variables: Any) -> None:
    """Writes a folder's ``model.json`` and ``weights.npz``; each file is replaced in one step. Host."""
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    # NumPy's files know no bfloat16; float32 holds the same numbers.
    weights = {k: np.asarray(v, np.float32 if v.dtype == jnp.bfloat16 else None) for k, v in _named(variables)}
    partial = folder / f".weights.{os.getpid()}.npz"
    np.savez(partial, **weights)  # pyright: ignore[reportArgumentType]
    os.replace(partial, folder / "weights.npz")
    partial = folder / f".model.{os.getpid()}.json"
    partial.write_text(json.dumps({"format": _FORMAT, **description}, indent=2) + "\n")
    os.replace(partial, folder / "model.json")


def load(path: str | os.PathLike[str], dtype: str | None = None) -> Classifier:
    """Reads a checkpoint folder. Host.

    Args:
      path: the folder.
      dtype: in which the network computes; the checkpoint's own when None.

    Raises:
      FileNotFoundError: the folder or one of its two files is missing.
      ValueError: a file is damaged, or the weights are not those of the declared architecture.
    """
    folder = assets.folder(path)
    description = describe(folder)
    if "surrogate" in description:
        raise ValueError(f"{folder} holds a transform's surrogate, not a classifier.")
    if "denoiser" in description:
        raise ValueError(f"{folder} holds a denoiser, not a classifier: name it with --denoiser or gs.load_denoiser.")
    try:
        architecture = Architecture.from_json(description["architecture"])
        domain = domain_of(description)
        dtype = str(dtype or description["dtype"])
        expected = jax.eval_shape(lambda key: architecture.init(key, domain.shape), jax.random.key(0))
    except (KeyError, TypeError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"{folder / 'model.json'} is damaged: {error!r}.") from error
    variables = read_variables(folder, expected, architecture.name)
    read = Classifier(variables=variables, apply=architecture, classes=architecture.classes, domain=domain)
    return read if dtype == read.dtype else read.astype(dtype)


def domain_of(description: Mapping[str, Any]) -> Domain:
    """The domain of a checkpoint; those of versions before 0.7 name the shape of their images, which are in [0, 1]."""
    if "domain" not in description:
        return Domain(tuple(description["input_shape"]))
    return Domain(**{**description["domain"], "shape": tuple(description["domain"]["shape"])})


def read_variables(path: str | os.PathLike[str], expected: Any, kind: str) -> Any:
    """Returns the weights of a folder as a pytree like ``expected``. Host.

    Args:
      path: the folder.
      expected: a pytree of arrays or ``ShapeDtypeStruct``.
      kind: what the weights should be, for error messages.

    Raises:
      FileNotFoundError: there are none.
      ValueError: the file is damaged or holds other arrays.
    """
    file = assets.folder(path) / "weights.npz"
    weights = _read_weights(file)
    leaves = []
    for name, leaf in _named(expected):
        found = weights.pop(name, None)
        if found is None or found.shape != leaf.shape:
            raise ValueError(
                f"{file} does not hold a {kind}: expected array {name!r} of shape "
                f"{leaf.shape}, got {'none' if found is None else found.shape}."
            )
        leaves.append(jnp.asarray(found))
    if weights:
        raise ValueError(f"{file} does not hold a {kind}: unexpected {min(weights)!r}.")
    return jax.tree.unflatten(jax.tree.structure(expected), leaves)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the contents of a checkpoint's ``model.json``. Host."""
    file = assets.folder(path) / "model.json"
    if not file.is_file():
        raise FileNotFoundError(f"No checkpoint at {os.fspath(path)!r}: {file} does not exist.")
    try:
        description = json.loads(file.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is damaged: {error}.") from error
    if not isinstance(description, dict):
        raise ValueError(f"{file} is damaged: it is no object.")
    return description


def fingerprint(model: Model | str | os.PathLike[str]) -> str:
    """Returns a sha256 of what a model computes with: function, shapes, names and bytes of the weights. Host.

    A callable from elsewhere is identified by its name, its arrays and its traced program, the numbers that it has
    captured included; another version of JAX may trace another program. A ``HostModel`` is identified by its file's
    hash, its weights' or its code's, or by the name that it was given. What a callback of your own computes does
    not enter: see ``unseen``.
    """
    found = model if isinstance(model, Classifier | Regressor) else load(model)
    outputs = found.classes if isinstance(found, Classifier) else "a number"
    parts = (apply_name(found.apply), outputs, found.input_shape, found.dtype)
    if (ends := (found.domain.low, found.domain.high)) != (0.0, 1.0):  # without, it is as it always was
        parts += ends
    return sha256(repr(parts), found.variables)


def sha256(text: str, variables: Any) -> str:
    """Returns the hash of a text and of the names, shapes, dtypes and bytes of a pytree's arrays. Host."""
    digest = hashlib.sha256(text.encode())
    for name, leaf in _named(variables):
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):  # modules with dropout carry keys
            leaf = jax.random.key_data(leaf)
        array = np.asarray(leaf)
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _named(variables: Any) -> list[tuple[str, Any]]:
    """The leaves with their tree paths, such as ``params/Conv_0/kernel``."""
    leaves = jax.tree_util.tree_leaves_with_path(variables)
    return [(jax.tree_util.keystr(path, simple=True, separator="/"), leaf) for path, leaf in leaves]


def _read_weights(file: pathlib.Path) -> dict[str, np.ndarray]:
    if not file.is_file():
        raise FileNotFoundError(f"No checkpoint at {os.fspath(file.parent)!r}: {file} does not exist.")
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise ValueError(f"{file} is damaged: {error}.") from error
