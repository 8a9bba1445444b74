"""What the text of ``--model`` means: an ONNX file, an object of a Python file or module, or a checkpoint's folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gsmooth_jax import _spec, assets
from gsmooth_jax.models.classifier import Classifier
from gsmooth_jax.models.denoised import Denoised
from gsmooth_jax.models.host import HostModel
from gsmooth_jax.models.input_format import InputFormat, TracedModel
from gsmooth_jax.models.regressor import Model, as_model
from gsmooth_jax.types import Domain


def load_named(
    text: str | os.PathLike[str], domain: Domain, form: Mapping[str, Any] | None = None, dtype: str | None = None
) -> Model:
    """Returns the model that a text names, for inputs of a domain; see ``named_model``.

    Raises:
      ValueError: whatever is wrong with it.
    """
    try:
        found = as_model(named_model(text, form), domain)
    except (TypeError, ImportError) as error:
        raise ValueError(str(error)) from error
    if dtype is None or dtype == found.dtype:
        return found
    if not isinstance(found, Classifier):
        raise ValueError(f"Expected no dtype for a model of numbers, got {dtype=}.")
    return found.astype(dtype)


def elsewhere(text: str | os.PathLike[str]) -> bool:
    """Whether a text names a model from elsewhere, and no checkpoint's folder."""
    named = os.fspath(text)
    place, colon, attribute = named.rpartition(":")
    module = place.endswith(".py") or all(part.isidentifier() for part in place.split("."))
    return named.endswith(".onnx") or (bool(colon) and module and attribute.isidentifier() and not assets.shipped(text))


def named_model(text: str | os.PathLike[str], form: Mapping[str, Any] | None = None) -> Any:
    """Returns what a text names, for ``as_classifier``; a checkpoint's folder as a path.

    An object of a file is code: who names one runs it.

    Args:
      text: ``net.onnx``, ``nets.py:net``, ``package.nets:net``, or a folder.
      form: how it takes its images: what ``InputFormat`` takes; None where the object says so itself, or takes batches
        [B, H, W, C] as they are.

    Raises:
      ValueError: nothing of that name; or the form is not known, or said twice.
    """
    place = os.fspath(text)
    if place.endswith(".onnx"):
        if form is None:
            raise ValueError(f"Expected the layout of {place}'s images, NCHW or NHWC, got none (--layout).")
        return HostModel(Path(place), **form)
    if not elsewhere(text):
        if form is not None:
            raise ValueError(
                f"Expected no layout, scale, mean or std for a checkpoint, which knows them, got {place!r}."
            )
        return Path(text)
    found = _spec.imported(place, "model")
    if isinstance(found, HostModel | TracedModel):
        if form is not None and InputFormat(**form) != found.format:
            raise ValueError(
                f"Expected no layout, scale, mean or std for {place}, which says {found.format}, got {form}."
            )
        return found
    if isinstance(found, Denoised) and form is not None:
        raise ValueError(
            f"Expected no layout, scale, mean or std for {place}, a Denoised: its classifier says how it takes images, "
            f"as in gs.models.TracedModel(network, layout='NCHW'), got {form}."
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(found, torch.nn.Module):
        if form is None:
            raise ValueError(
                f"Expected the layout of {place}'s images, NCHW of most PyTorch modules, got none (--layout)."
            )
        return HostModel(found, **form)
    return found if form is None else TracedModel(found, **form)
