"""The training loop: epochs of compiled steps, a progress bar, a usable checkpoint after every epoch."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import assets
from gsmooth_jax.data import levels
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.models import checkpoint, normalize
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.models.classifier import Classifier
from gsmooth_jax.training import _run_folder
from gsmooth_jax.training._epochs import Epochs
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.training.config import TrainConfig
from gsmooth_jax.training.step import (
    Recipe,
    TrainState,
    batch_moments,
    count_correct,
    init_state,
    init_variables,
    train_step,
)

# Streams of the run's seed.
_INIT, _ORDER, _DRAWS, _EVAL, _MOMENTS = range(5)

_EVAL_BATCH = 500
_MOMENT_BATCHES = 10
_FITTED = 2000  # images that a network's fixed part is taken from


def train(
    config: TrainConfig,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray | None = None,
    test_labels: np.ndarray | None = None,
    *,
    progress: bool = True,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Classifier:
    """Trains a classifier under random transforms, or resumes the run that its folder holds.

    All draws are functions of (seed, step), so a resumed run ends with the weights of an uninterrupted one. After every
    epoch the folder holds a complete checkpoint (``model.json``, ``weights.npz``) and a line more in ``log.jsonl``.

    Args:
      config: the settings.
      images: [N, H, W, C] uint8; or waveforms [N, T], int16.
      labels: [N] int32, classes 0 ... K - 1.
      test_images: [M, ...], as ``images``, evaluated after every epoch; not to be given with ``config.validation``,
        which takes as many of ``images`` in their place.
      test_labels: [M] int32.
      progress: shows a bar with loss, accuracy and time left.
      on_epoch: called with every finished epoch's record.

    Returns:
      The classifier after the last epoch.

    Raises:
      ValueError: wrong shapes or names, a start of another network, or a folder that holds a run of other settings.
      FloatingPointError: the loss is no longer finite.
    """
    images, labels, *test = _split(config, images, labels, test_images, test_labels)
    _check(config, images, labels, *test)
    augment = Augment.build(config)
    input_shape = images.shape[1:]
    layer = normalize.fit(config.normalize, images)
    architecture = Architecture.parse(config.arch, classes=int(labels.max()) + 1, normalize=layer)
    start = _start(config, architecture, input_shape)
    steps = len(images) // config.batch_size
    recipe = Recipe.build(config, steps * config.epochs)
    evaluated = "validation" if config.validation else "test"
    keys = [jax.random.fold_in(_threefry.key(config.seed), stream) for stream in range(5)]

    def classifier(state: TrainState) -> Classifier:
        kept = _with_average(state, augment, keys[_MOMENTS], images, config.batch_size, architecture)
        return Classifier(
            variables=jax.tree.map(jnp.copy, kept),  # the next step donates the state's buffers
            apply=architecture,
            classes=architecture.classes,
            domain=levels.domain(images.dtype, input_shape),
        )

    on_device = [jax.device_put(np.asarray(a)) for a in (images, labels.astype(np.int32))]
    held = [jax.device_put(np.asarray(a)) for a in (test[0], test[1].astype(np.int32))]

    def fresh() -> TrainState:
        return init_state(start or _random(architecture, keys[_INIT], augment, images), recipe)

    def step(state: TrainState, order: jax.Array) -> tuple[TrainState, dict[str, jax.Array]]:
        key = keys[_DRAWS]
        return train_step()(state, augment, key, *on_device, order, architecture=architecture, recipe=recipe)

    def finish(state: TrainState, record: dict[str, Any]) -> dict[str, Any]:
        now = classifier(state)
        clean, smoothed = _evaluate(now.variables, augment, keys[_EVAL], *held, architecture=architecture)
        record |= {f"{evaluated}_clean": clean, f"{evaluated}_smoothed": smoothed}
        _save(config, now, record)
        return record

    settings = _run_folder.settings(config, images, labels)
    epochs = Epochs(config, settings, len(images), keys[_ORDER], progress, on_epoch)
    return classifier(epochs.run(fresh, step, _means, finish, _figures))


def _split(
    config: TrainConfig,
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray | None,
    test_labels: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the images to train on and those to evaluate."""
    if config.validation == 0:
        if test_images is None or test_labels is None:
            raise ValueError("Expected test images and labels, or validation > 0.")
        return images, labels, test_images, test_labels
    if test_images is not None or test_labels is not None:
        raise ValueError(f"Expected no test images beside validation={config.validation}.")
    count = len(images) - config.validation
    if count < 1:
        raise ValueError(f"Expected validation < {len(images)}, the training images, got {config.validation}.")
    return images[:count], labels[:count], images[count:], labels[count:]


def _start(config: TrainConfig, architecture: Architecture, input_shape: tuple[int, ...]) -> dict[str, Any] | None:
    """Returns the variables of the checkpoint to start from, if one is named."""
    if config.start is None:
        return None
    found = checkpoint.load(config.start)
    if _untrained(found.apply) != _untrained(architecture) or found.input_shape != input_shape:
        raise ValueError(
            f"Expected start to be a checkpoint of {architecture} for images {input_shape}, got {config.start!r}: "
            f"{found.apply} for {found.input_shape}."
        )
    return found.variables


def _untrained(architecture: Any) -> Architecture:
    """The architecture but for what changes nothing while it is trained."""
    options = tuple(option for option in architecture.options if option[0] != "mirror")
    return dataclasses.replace(architecture, options=options)


def _random(architecture: Architecture, key: jax.Array, augment: Augment, images: np.ndarray) -> dict[str, Any]:
    """Returns random weights, and what the network takes from training images as it will see them."""
    weight_key, draw_key = jax.random.split(key)
    variables = init_variables(weight_key, architecture=architecture, input_shape=images.shape[1:])
    some = levels.real(jnp.asarray(images[:_FITTED]))
    return architecture.fit(variables, augment.smooth(jax.random.split(draw_key, len(some)), some))


def _with_average(
    state: TrainState,
    augment: Augment,
    key: jax.Array,
    images: np.ndarray,
    batch_size: int,
    architecture: Architecture,
) -> dict[str, Any]:
    """Returns the variables that are evaluated and kept: the average of the weights, where there is one.

    Averaged weights are smaller than those they are averaged from, so they need moments of their own (Izmailov et al.,
    UAI 2018): of a few batches of training images.
    """
    if not state.average:
        return state.variables
    variables = dataclasses.replace(state, params=state.average).variables
    if not state.batch_stats:
        return variables
    total: Any = None
    for i in range(_MOMENT_BATCHES):
        batch = np.take(images, range(i * batch_size, (i + 1) * batch_size), axis=0, mode="wrap")
        draw = jax.random.fold_in(key, i)
        moments = batch_moments(variables, augment, draw, jnp.asarray(batch), architecture=architecture)
        total = moments if total is None else jax.tree.map(jnp.add, total, moments)
    return {**variables, "batch_stats": jax.tree.map(lambda leaf: leaf / _MOMENT_BATCHES, total)}


def _check(
    config: TrainConfig, images: np.ndarray, labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
):
    for kind, x, y in (("training", images, labels), ("test", test_images, test_labels)):
        if not levels.known(x) or y.shape != x.shape[:1] or not np.issubdtype(y.dtype, np.integer):
            raise ValueError(
                f"Expected {kind} images [N, H, W, C] uint8, or waveforms [N, T] int16, and integer labels [N], "
                f"got {x.shape} {x.dtype} and {y.shape} {y.dtype}."
            )
        if len(y) == 0 or y.min() < 0:
            raise ValueError(f"Expected at least one {kind} image and labels >= 0.")
    alike = (test_images.shape[1:], test_images.dtype) == (images.shape[1:], images.dtype)
    if not alike or test_labels.max() > labels.max():
        raise ValueError(
            f"Expected test images {images.shape[1:]} of classes 0..{labels.max()}, "
            f"got {test_images.shape[1:]} and classes up to {test_labels.max()}."
        )
    if images.ndim != 4:
        of_images = {"crop_flip": False, "flips": False, "shifts": 0, "normalize": "none"}
        for name in (name for name, none in of_images.items() if getattr(config, name) != none):
            raise ValueError(f"{name} is of images, got {name}={getattr(config, name)!r} for waveforms.")
    if len(images) < config.batch_size:
        raise ValueError(f"Expected batch_size <= {len(images)} training images, got batch_size={config.batch_size}.")


def _means(sums: dict[str, jax.Array], steps: int) -> dict[str, float]:
    """Loss and accuracy under augmentation, over the images of the epoch so far. Waits for the device."""
    del steps
    total = int(sums["images"])
    loss = float(sums["loss"]) / total
    if not np.isfinite(loss):
        raise FloatingPointError(f"The training loss is {loss}: lower the learning rate or the consistency weight.")
    return {"loss": round(loss, 5), "train_accuracy": round(int(sums["correct"]) / total, 5)}


def _evaluate(
    variables: Any,
    augment: Augment,
    key: jax.Array,
    images: jax.Array,
    labels: jax.Array,
    *,
    architecture: Architecture,
) -> tuple[float, float]:
    """The shares of right answers on clean images and under one draw of the smoothing each."""
    count = len(images)
    size = min(_EVAL_BATCH, count)
    ids = np.full(-(-count // size) * size, -1, np.int32)
    ids[:count] = np.arange(count)
    batches = [jnp.asarray(batch) for batch in ids.reshape(-1, size)]
    counts = [count_correct(variables, augment, key, images, labels, b, architecture=architecture) for b in batches]
    clean, smoothed = np.sum(jax.device_get(counts), axis=0)
    return int(clean) / count, int(smoothed) / count


def _save(config: TrainConfig, classifier: Classifier, record: dict[str, Any]) -> None:
    settings = {k: v for k, v in dataclasses.asdict(config).items() if k != "out"}
    beside = _beside(config.surrogate, config.out) if config.surrogate is not None else {}
    checkpoint.save(config.out, classifier, {"data": config.data, "training": settings, "result": record} | beside)


def _beside(surrogate: str, out: str) -> dict[str, Any]:
    """Says which surrogate it is, and where from the checkpoint, for readers in another folder."""
    path = surrogate if assets.shipped(surrogate) else os.path.relpath(surrogate, out)
    return {"surrogate": {"from_checkpoint": path, "fingerprint": checkpoint.describe(surrogate)["fingerprint"]}}


def _figures(record: dict[str, Any]) -> str:
    names = {"loss": "loss", "train_accuracy": "train", "test_clean": "test clean", "test_smoothed": "test smoothed"}
    return ", ".join(
        f"{shown} {record[name]:.3f}" if name == "loss" else f"{shown} {100 * record[name]:.2f} %"
        for name, shown in names.items()
        if name in record
    )
