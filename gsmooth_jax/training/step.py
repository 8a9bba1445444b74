"""The compiled parts of training: one optimiser step, and counting correct answers."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from gsmooth_jax import _spec, pytrees
from gsmooth_jax.data import levels
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.models.batch_norm import BatchNorm
from gsmooth_jax.training import _run_folder, losses, optimizers
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.training.config import TrainConfig


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainState:
    """Everything that a training run carries from step to step."""

    params: Any
    batch_stats: Any  # {} in a network without batch norm
    frozen: Any  # what is never trained; {} where there is nothing
    average: Any  # of params over the steps; {} where none is asked for
    opt_state: Any
    step: jax.Array  # [] int32

    @property
    def variables(self) -> dict[str, Any]:
        """The Linen variables."""
        parts = {"params": self.params, "batch_stats": self.batch_stats, "frozen": self.frozen}
        return {name: part for name, part in parts.items() if part}


_OPTIMIZERS = {"convnet": "adam", "convnet_bn": "adam", "audio_net": "adam", "speed_net": "muon"}
"""What a network, whatever its options, is trained with if nothing else is said; others with sgd."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """The optimiser of a run: hashable, so that it is a static argument of the compiled step."""

    optimizer: str
    learning_rate: float
    weight_decay: float
    steps: int
    consistency: float
    draws: int
    batch_size: int
    label_smoothing: float
    averaging: float

    @classmethod
    def build(cls, config: TrainConfig, steps: int) -> "Recipe":
        """Fills in the defaults of the configuration's network for a run of ``steps`` steps."""
        optimizer = config.optimizer
        if optimizer == "auto":
            name, _ = _spec.parse(config.arch, "arch")
            optimizer = _OPTIMIZERS.get(name, "sgd")
        return cls(
            optimizer=optimizer,
            learning_rate=config.learning_rate or optimizers.RATES[optimizer],
            weight_decay=config.weight_decay,
            steps=steps,
            consistency=config.consistency,
            draws=config.draws,
            batch_size=config.batch_size,
            label_smoothing=config.label_smoothing,
            averaging=config.averaging,
        )

    def transformation(self) -> optax.GradientTransformation:
        """One cycle: a linear rise over a tenth of the run (at most 500 steps), then a cosine down to zero."""
        warmup = min(self.steps // 10 + 1, 500)
        schedule = optax.warmup_cosine_decay_schedule(0.0, 1.0, warmup, max(self.steps, warmup + 1))
        return optimizers.build(self.optimizer, schedule, self.learning_rate, self.weight_decay)


def init_state(variables: Mapping[str, Any], recipe: Recipe) -> TrainState:
    """Returns the state before the first step, from a network's variables. Device."""
    params = variables["params"]
    return TrainState(
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        frozen=variables.get("frozen", {}),
        average=jax.tree.map(jnp.copy, params) if recipe.averaging else {},  # a step donates both
        opt_state=recipe.transformation().init(params),
        step=jnp.int32(0),
    )


@functools.partial(
    jax.jit,
    static_argnames=("architecture", "input_shape"),
    compiler_options={"xla_backend_optimization_level": 0},  # runs once: optimising the draws takes a second a layer
)
def init_variables(key: jax.Array, *, architecture: Architecture, input_shape: tuple[int, ...]) -> dict[str, Any]:
    """Returns random weights for images [H, W, C]. Device. The key is consumed."""
    return architecture.init(_threefry.compact(key), input_shape)


def _train_step(
    state: TrainState,
    augment: Augment,
    key: jax.Array,
    images: jax.Array,
    labels: jax.Array,
    order: jax.Array,
    *,
    architecture: Architecture,
    recipe: Recipe,
) -> tuple[TrainState, dict[str, jax.Array]]:
    """Takes one step on the batch that the order names.

    Args:
      state: donated.
      augment: the random map of the images.
      key: the run's key; the step's own is derived by ``fold_in`` of the step's number.
      images: [N, H, W, C] uint8 or [N, T] int16, the whole training set.
      labels: [N] int32.
      order: [N] int32, the permutation of this epoch.
      architecture: the network.
      recipe: the optimiser and the loss.

    Returns:
      The new state, and sums over the batch: loss, correct answers, images.
    """
    batch = recipe.batch_size
    start = state.step % (order.shape[0] // batch) * batch
    chosen = jax.lax.dynamic_slice(order, (start,), (batch,))
    clean, truth = levels.real(images[chosen]), labels[chosen]
    keys = jax.random.split(jax.random.fold_in(key, state.step), (recipe.draws, batch))
    # All draws in one batch: those of one image go through different transforms.
    inputs = augment(keys.reshape(-1), jnp.tile(clean, (recipe.draws, *(1,) * (clean.ndim - 1))))

    def loss_of(params: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
        variables = dataclasses.replace(state, params=params).variables
        logits, updates = architecture.train_apply(variables, inputs)
        logits = logits.reshape(recipe.draws, batch, -1)
        loss = losses.smoothed_loss(logits, truth, recipe.consistency, recipe.label_smoothing)
        return loss, (logits, updates.get("batch_stats", {}))

    (loss, (logits, batch_stats)), gradient = jax.value_and_grad(loss_of, has_aux=True)(state.params)
    updates, opt_state = recipe.transformation().update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    average = averaged(state, params, recipe.averaging)
    state = dataclasses.replace(
        state, params=params, batch_stats=batch_stats, average=average, opt_state=opt_state, step=state.step + 1
    )
    correct = (logits[0].argmax(axis=-1) == truth).sum()
    return state, {"loss": loss * batch, "correct": correct, "images": jnp.int32(batch)}


def averaged(state: TrainState, params: Any, decay: float) -> Any:
    """The exponential average after one more step; over the first steps it is nearly the plain mean."""
    if not decay:
        return {}
    share = jnp.maximum(1.0 - decay, 1.0 / (state.step + 2.0))
    return jax.tree.map(lambda mean, new: mean + share * (new - mean), state.average, params)


@functools.cache
def train_step() -> Callable[..., tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the compiled step, whose arguments are those of ``_train_step``."""
    static = ("architecture", "recipe")
    return jax.jit(_train_step, static_argnames=static, donate_argnums=0, compiler_options=_run_folder.step_options())


@functools.partial(jax.jit, static_argnames=("architecture",))
def batch_moments(
    variables: dict[str, Any], augment: Augment, key: jax.Array, images: jax.Array, *, architecture: Architecture
) -> Any:
    """Returns the ``batch_stats`` of one batch of levels under augmentation. Device. The key is consumed."""
    inputs = augment(jax.random.split(key, len(images)), levels.real(images))
    # A running moment m becomes a m + (1 - a) times the batch's: from 0 it shows the batch's alone.
    start = jax.tree.map(jnp.zeros_like, variables["batch_stats"])
    _, updates = architecture.train_apply({**variables, "batch_stats": start}, inputs)
    return jax.tree.map(lambda moment: moment / (1.0 - BatchNorm.momentum), updates["batch_stats"])


@functools.partial(jax.jit, static_argnames=("architecture",))
def count_correct(
    variables: Any,
    augment: Augment,
    key: jax.Array,
    images: jax.Array,
    labels: jax.Array,
    ids: jax.Array,
    *,
    architecture: Architecture,
) -> jax.Array:
    """Counts right answers on clean images and under one draw of the smoothing each.

    Args:
      variables: the network's.
      augment: its ``smooth`` is applied; crops and flips are not.
      key: an image's draw depends on this key, its id and, of several transforms, its place in the batch alone.
      images: [N, H, W, C] uint8, or [N, T] int16.
      labels: [N] int32.
      ids: [B] int32, which images; -1 marks padding.
      architecture: the network.

    Returns:
      [2] int32: clean, smoothed.
    """
    clean = levels.real(images[ids])
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(ids)
    logits = architecture(variables, jnp.concatenate([clean, augment.smooth(keys, clean)]))
    right = logits.argmax(axis=-1).reshape(2, -1) == labels[ids][None]
    return (right & (ids >= 0)[None]).sum(axis=1, dtype=jnp.int32)
