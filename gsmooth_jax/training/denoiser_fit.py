"""Fits a denoiser to images under Gaussian noise, by MSE or stability (Salman et al., NeurIPS 2020); resumable."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gsmooth_jax import models
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.models import Classifier, checkpoint
from gsmooth_jax.models.denoised import Denoiser
from gsmooth_jax.surrogate import denoiser as denoisers
from gsmooth_jax.surrogate.denoiser import DenoisingNetwork
from gsmooth_jax.training import _run_folder
from gsmooth_jax.training._epochs import Epochs, mean, plain
from gsmooth_jax.training.augment import Move, moved, moves_of
from gsmooth_jax.training.denoiser_config import DenoiserConfig
from gsmooth_jax.training.optimizers import FitState, adam_cycle
from gsmooth_jax.types import Domain

# Streams of the run's seed.
_INIT, _ORDER, _DRAWS, _TEST = range(4)

_TEST_BATCH = 200
_TEST_IMAGES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A fit's fixed part: hashable, so that it is a static argument of the compiled step."""

    network: DenoisingNetwork
    noise: float
    objective: str
    learning_rate: float
    steps: int
    batch_size: int

    def transformation(self) -> optax.GradientTransformation:
        """The optimiser."""
        return adam_cycle(self.learning_rate, self.steps)


def fit(
    config: DenoiserConfig,
    images: np.ndarray,
    test_images: np.ndarray,
    *,
    progress: bool = True,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Denoiser:
    """Fits a denoiser, or resumes the fit that its folder holds.

    All draws are functions of (seed, step), so a resumed fit ends with the weights of an uninterrupted one. Every epoch
    leaves a complete denoiser in the folder and a line more in ``log.jsonl``: the loss; on test images the mean squared
    error of denoised and of noisy images; and with classifiers the shares of their answers that are kept under noise,
    behind the denoiser and without it.

    Args:
      config: the settings.
      images: [N, H, W, C] uint8.
      test_images: [M, H, W, C] uint8, of which the first 1,000 are used.
      progress: shows a bar with the loss and the time left.
      on_epoch: called with every finished epoch's record.

    Returns:
      The denoiser after the last epoch.

    Raises:
      ValueError: wrong shapes or names, a classifier without derivatives (stability), a start of another network, or a
        folder that holds a run of other settings.
      FloatingPointError: the loss is no longer finite.
    """
    for kind, given in (("training", images), ("test", test_images)):
        if given.ndim != 4 or given.dtype != np.uint8 or not len(given) or given.shape[1:] != images.shape[1:]:
            raise ValueError(f"Expected {kind} images [N, H, W, C] uint8, got {given.shape} {given.dtype}.")
    if len(images) < config.batch_size:
        raise ValueError(f"Expected batch_size <= {len(images)} training images, got batch_size={config.batch_size}.")
    steps, domain, network = len(images) // config.batch_size, Domain(images.shape[1:]), config.network()
    recipe = Recipe(
        network=network,
        noise=config.noise,
        objective=config.objective,
        learning_rate=config.learning_rate,
        steps=steps * config.epochs,
        batch_size=config.batch_size,
    )
    moves = moves_of(config.transform, config.law)
    classifiers = tuple(_classifier(text, domain, config.objective) for text in config.classifier)
    keys = [jax.random.fold_in(_threefry.key(config.seed), stream) for stream in range(4)]
    jax.eval_shape(functools.partial(network.init, image_shape=domain.shape), keys[_INIT])  # refused before the folder
    start = None if config.start is None else _start(config.start, network, domain)
    test = jnp.asarray(test_images[:_TEST_IMAGES])

    def denoiser(state: FitState) -> Denoiser:
        # A copy, since the next step donates the state's buffers.
        return Denoiser(variables=jax.tree.map(jnp.copy, state.params), apply=network, domain=domain)

    settings = _run_folder.settings(config, images)
    settings["classifiers"] = [checkpoint.fingerprint(classifier) for classifier in classifiers]
    settings["start_fingerprint"] = None if start is None else denoisers.fingerprint(start)
    on_device = jax.device_put(images)

    def fresh() -> FitState:
        params = _init(keys[_INIT], network=network, shape=domain.shape) if start is None else start.variables
        return FitState(params=params, opt_state=recipe.transformation().init(params), step=jnp.int32(0))

    def step(state: FitState, order: jax.Array) -> tuple[FitState, jax.Array]:
        return fit_step()(state, moves, classifiers, keys[_DRAWS], on_device, order, recipe=recipe)

    def finish(state: FitState, record: dict[str, Any]) -> dict[str, Any]:
        now = denoiser(state)
        record |= errors(now, moves, classifiers, keys[_TEST], test, config.noise)
        denoisers.save(config.out, now, _info(config, record))
        return record

    epochs = Epochs(config, settings, len(images), keys[_ORDER], progress, on_epoch)
    return denoiser(epochs.run(fresh, step, functools.partial(mean, "loss", 7), finish, plain))


def errors(
    denoiser: Denoiser,
    moves: Sequence[Move],
    classifiers: Sequence[Classifier],
    key: jax.Array,
    images: jax.Array,
    noise: float,
) -> dict[str, float]:
    """Compares images under noise, denoised and as they are, with those without noise.

    Args:
      denoiser: what is tested.
      moves: what the images go through first.
      classifiers: whose answers are to be kept.
      key: of all draws.
      images: [M, H, W, C] uint8.
      noise: standard deviation.

    Returns:
      Mean squared errors ``test_mse`` and ``test_mse_noisy``; with classifiers also ``kept`` and ``kept_noisy``, shares
      of answers.
    """
    sums = np.zeros(4)
    for first in range(0, len(images), _TEST_BATCH):
        batch = images[first : first + _TEST_BATCH]
        own = jax.random.fold_in(key, first)
        means = jax.device_get(_compare(denoiser, tuple(moves), tuple(classifiers), own, batch, noise))
        sums += np.asarray(means, np.float64) * len(batch)
    mse, mse_noisy, kept, kept_noisy = (sums / len(images)).tolist()
    found = {"test_mse": round(mse, 7), "test_mse_noisy": round(mse_noisy, 7)}
    return found | ({"kept": round(kept, 5), "kept_noisy": round(kept_noisy, 5)} if classifiers else {})


def _classifier(text: str, domain: Domain, objective: str) -> Classifier:
    """A classifier that was named, for images of the data."""
    found = models.load_named(text, domain) if models.elsewhere(text) else models.load(text)
    if not isinstance(found, Classifier) or found.domain != domain:
        raise ValueError(f"Expected {text} to be a classifier of inputs {domain}, as the data, got {found.domain}.")
    models.check_model(found)
    if objective == "stability" and not models.differentiable(found):
        raise ValueError(
            f"{text} is called on the host and has no derivatives: fit for other classifiers in its place (the black "
            "box of the paper), or by objective 'mse'."
        )
    return found


def _start(path: str, network: DenoisingNetwork, domain: Domain) -> Denoiser:
    found = denoisers.load(path)
    if found.apply != network or found.domain != domain:
        raise ValueError(
            f"Expected start to be a denoiser {network} of {domain}, got {path!r}: {found.apply} of {found.domain}."
        )
    return found


def _info(config: DenoiserConfig, record: dict[str, Any]) -> dict[str, Any]:
    fields = {k: v for k, v in dataclasses.asdict(config).items() if k != "out"}
    return {"data": config.data, "fit": fields, "result": record}


@functools.partial(
    jax.jit,
    static_argnames=("network", "shape"),
    compiler_options={"xla_backend_optimization_level": 0},  # runs once
)
def _init(key: jax.Array, *, network: DenoisingNetwork, shape: tuple[int, ...]) -> dict[str, Any]:
    return network.init(_threefry.compact(key), shape)


def _fit_step(
    state: FitState,
    moves: tuple[Move, ...],
    classifiers: tuple[Classifier, ...],
    key: jax.Array,
    images: jax.Array,
    order: jax.Array,
    *,
    recipe: Recipe,
) -> tuple[FitState, jax.Array]:
    """Takes one step on the batch that the order names; returns the new state and the loss.

    Args:
      state: donated.
      moves: what the images go through first.
      classifiers: whose answers are to be kept.
      key: the run's key; the step's own is derived by ``fold_in`` of the step's number.
      images: [N, H, W, C] uint8, the whole training set.
      order: [N] int32, the permutation of this epoch.
      recipe: network, noise, objective, optimiser.
    """
    batch = recipe.batch_size
    start = state.step % (order.shape[0] // batch) * batch
    chosen = images[jax.lax.dynamic_slice(order, (start,), (batch,))].astype(jnp.float32) / 255.0
    clean, noisy = _pair(moves, jax.random.fold_in(key, state.step), chosen, recipe.noise)

    def loss_of(params: Any) -> jax.Array:
        denoised = recipe.network(params, noisy)
        if recipe.objective == "mse":
            return jnp.mean((denoised - clean) ** 2)
        # Of several classifiers each has a step in turn, as in the authors' experiments.
        losses = [functools.partial(_stability, classifier) for classifier in classifiers]
        return jax.lax.switch(state.step % len(losses), losses, denoised, clean)

    loss, gradient = jax.value_and_grad(loss_of)(state.params)
    updates, opt_state = recipe.transformation().update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return FitState(params=params, opt_state=opt_state, step=state.step + 1), loss


def _pair(
    moves: tuple[Move, ...], key: jax.Array, images: jax.Array, noise: float | jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The images [B, H, W, C] after their transforms, and under noise besides. The key is consumed."""
    move_key, noise_key = jax.random.split(key)
    clean = moved(moves, jax.random.split(move_key, len(images)), images)
    return clean, clean + noise * jax.random.normal(noise_key, clean.shape)


def _stability(classifier: Classifier, denoised: jax.Array, clean: jax.Array) -> jax.Array:
    """Mean cross entropy of the answers to denoised images, the classifier's own to clean ones being the truth."""
    answers = classifier(clean).argmax(axis=-1)
    return optax.softmax_cross_entropy_with_integer_labels(classifier(denoised), answers).mean()


@functools.cache
def fit_step() -> Callable[..., tuple[FitState, jax.Array]]:
    """Returns the compiled step, whose arguments are those of ``_fit_step``."""
    return jax.jit(_fit_step, static_argnames="recipe", donate_argnums=0, compiler_options=_run_folder.step_options())


@jax.jit
def _compare(
    denoiser: Denoiser,
    moves: tuple[Move, ...],
    classifiers: tuple[Classifier, ...],
    key: jax.Array,
    images: jax.Array,
    noise: jax.Array,
) -> jax.Array:
    """[M, H, W, C] uint8 -> [4] means: squared errors of denoised and of noisy images, shares of kept answers."""
    clean, noisy = _pair(moves, key, images.astype(jnp.float32) / 255.0, noise)
    denoised = denoiser(noisy)
    errors_of = [((found - clean) ** 2).mean() for found in (denoised, noisy)]
    kept = [jnp.zeros(())] * 2
    for classifier in classifiers:
        answers = [classifier(found).argmax(axis=-1) for found in (clean, denoised, noisy)]
        same = [(found == answers[0]).mean() for found in answers[1:]]
        kept = [a + b / len(classifiers) for a, b in zip(kept, same, strict=True)]
    return jnp.stack([*errors_of, *kept])
