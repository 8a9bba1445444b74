"""``load`` a model and ``certify`` images in memory, in one call each. For data sets and files see the command line."""

import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.base import Guarantee, Method, Test
from gsmooth_jax.methods.stream import certify_stream
from gsmooth_jax.models import Classifier, Model, as_model
from gsmooth_jax.types import Domain, Example, Region, Transform


def load(path: str | os.PathLike[str], dtype: str | None = None) -> Classifier:
    """Reads a checkpoint folder that ``gsmooth train`` wrote.

    Args:
      path: the folder.
      dtype: in which the network computes, ``float32`` or ``bfloat16``; the checkpoint's own when None.

    Raises:
      FileNotFoundError: there is none.
      ValueError: a file is damaged, or the weights are not those of the declared architecture.
    """
    from gsmooth_jax.models import checkpoint  # brings Flax

    return checkpoint.load(path, dtype)


def certify(
    model: Any,
    images: np.ndarray | jax.Array,
    labels: Sequence[int] | Sequence[float] | np.ndarray | jax.Array | None = None,
    *,
    transform: Transform,
    region: Region,
    law: registry.Law | None = None,
    method: str | Method = "auto",
    alpha: float = 1e-3,
    test: Test = "sequential",
    max_votes: int = 10_000,
    seed: int = 0,
    ids: Sequence[int] | np.ndarray | None = None,
    domain: Domain | None = None,
    execution: Execution | None = None,
) -> list[Claim]:
    """Certifies a few images, or other inputs, against every transformation of a region.

    Args:
      model: any callable images [B, H, W, C] float32 -> logits [B, K], see ``as_classifier``; or -> numbers [B], for
        ``median``.
      images: [N, H, W, C] float32 in [0, 1]; or N inputs of another ``domain``.
      labels: [N] true classes, or numbers; None where they are not known. What is proved does not depend on them, but
        ``cover`` and ``enumerate`` spend nothing on proving another class than the label.
      transform: what the adversary applies.
      region: its parameters, in the transform's units.
      law: the smoothing law of the parameter, or the noise of the pixels or of a surrogate's latent.
      method: its name (``gsmooth methods``); ``auto`` takes the one made for the transform and the law. Or the method
        itself, which brings its law.
      alpha: each claim is false with at most this probability.
      test: ``sequential`` stops when sure, ``fixed`` spends ``max_votes`` on every image.
      max_votes: most draws that test one image.
      seed: of all draws.
      ids: [N] image ids >= 0, part of every draw's key; 0, 1, ... unless given.
      domain: shape and range of an input, such as ``Domain((16000,), -1.0, 1.0)`` of waveforms; unless given the
        model's own, and of a model that has none the shape of the images and [0, 1].
      execution: how the machine is used; never changes a claim.

    Returns:
      N claims, in the order of the images.

    Raises:
      ValueError: before any work, whatever is wrong with the arguments: the message has name, value and rule.
    """
    pictures = _validate.array("[N, H, W, C]", images=images)
    truth = None if labels is None else _validate.array("[N]", labels=labels)
    count = pictures.shape[:1]
    numbers = np.arange(*count) if ids is None else _validate.array("[N]", ids=ids)
    if pictures.ndim < 2 or numbers.shape != count or (truth is not None and truth.shape != count):
        raise ValueError(
            "Expected images [N, H, W, C], or N other inputs, with N labels and N ids, "
            f"got {pictures.shape}, {None if truth is None else truth.shape}, {numbers.shape}."
        )
    found = as_model(model, domain or pictures.shape[1:])
    guarantee = Guarantee(
        transform=transform,
        region=region,
        method=registry.choose(method, law, transform),
        alpha=alpha,
        test=test,
        max_votes=max_votes,
        seed=seed,
    )
    return list(certify_stream(found, _examples(found, numbers, pictures, truth), guarantee, execution))


def _examples(model: Model, ids: np.ndarray, images: np.ndarray, labels: np.ndarray | None) -> list[Example]:
    whole = {"ids": ids} | ({"labels": labels} if labels is not None and isinstance(model, Classifier) else {})
    for name, values in whole.items():
        if len(values) and not np.issubdtype(values.dtype, np.integer):
            raise ValueError(f"Expected {name} to be integers, got dtype {values.dtype}.")
    if len(np.unique(ids)) != len(ids):
        raise ValueError("Expected ids to be distinct: the draws of an image are keyed by its id.")
    examples = []
    for number, image, label in zip(ids, images, [None] * len(ids) if labels is None else labels.tolist(), strict=True):
        _validate.word(id=int(number))
        _validate.image(image, image_id=int(number), domain=model.domain)
        if label is not None and isinstance(model, Classifier):
            _validate.label(label, image_id=int(number), classes=model.classes)
        examples.append(Example(id=int(number), image=image, label=label))
    return examples
