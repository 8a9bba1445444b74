"""The compiled parts of training: one optimiser step, and counting correct answers."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from gsmooth_jax.estimation import _threefry
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.training import _run_folder, losses
from gsmooth_jax.training.augment import Augment
from gsmooth_jax.training.config import TrainConfig


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainState:
    """Everything that a training run carries from step to step."""

    params: Any
    batch_stats: Any
    opt_state: Any
    step: jax.Array  # [] int32

    @property
    def variables(self) -> dict[str, Any]:
        """The Linen variables; networks without batch norm have no ``batch_stats``."""
        return {"params": self.params, **({"batch_stats": self.batch_stats} if self.batch_stats else {})}


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

    @classmethod
    def build(cls, config: TrainConfig, steps: int) -> "Recipe":
        """Fills in the defaults of the configuration's network for a run of ``steps`` steps."""
        auto = "adam" if config.arch.startswith("convnet") else "sgd"
        optimizer = auto if config.optimizer == "auto" else config.optimizer
        rate = config.learning_rate or {"adam": 2e-3, "sgd": 0.1}[optimizer]
        return cls(
            optimizer=optimizer,
            learning_rate=rate,
            weight_decay=config.weight_decay,
            steps=steps,
            consistency=config.consistency,
            draws=config.draws,
            batch_size=config.batch_size,
        )

    def transformation(self) -> optax.GradientTransformation:
        """One cycle: a linear rise over a tenth of the run (at most 500 steps), then a cosine down to zero."""
        warmup = min(self.steps // 10 + 1, 500)
        schedule = optax.warmup_cosine_decay_schedule(0.0, self.learning_rate, warmup, max(self.steps, warmup + 1))
        decayed = functools.partial(jax.tree.map, lambda p: p.ndim > 1)
        if self.optimizer == "adam":
            # Decoupled decay is multiplied by the learning rate: 100 times larger has the strength of sgd's.
            return optax.adamw(schedule, weight_decay=100 * self.weight_decay, mask=decayed)
        return optax.chain(
            optax.add_decayed_weights(self.weight_decay, mask=decayed),
            optax.sgd(schedule, momentum=0.9, nesterov=True),
        )


def init_state(
    architecture: Architecture, recipe: Recipe, key: jax.Array, input_shape: tuple[int, int, int]
) -> TrainState:
    """Returns the state before the first step. Device. The key is consumed."""
    variables = _init_variables(key, architecture=architecture, input_shape=input_shape)
    params = variables["params"]
    return TrainState(
        params=params,
        batch_stats=variables.get("batch_stats", {}),
        opt_state=recipe.transformation().init(params),
        step=jnp.int32(0),
    )


@functools.partial(
    jax.jit,
    static_argnames=("architecture", "input_shape"),
    compiler_options={"xla_backend_optimization_level": 0},  # runs once: optimising the draws takes a second a layer
)
def _init_variables(key: jax.Array, *, architecture: Architecture, input_shape: tuple[int, int, int]) -> dict[str, Any]:
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
      augment: the random map of one image.
      key: the run's key; the step's own is derived by ``fold_in`` of the step's number.
      images: [N, H, W, C] uint8, the whole training set.
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
    clean, truth = images[chosen].astype(jnp.float32) / 255.0, labels[chosen]
    keys = jax.random.split(jax.random.fold_in(key, state.step), (recipe.draws, batch))
    inputs = jax.vmap(jax.vmap(augment), in_axes=(0, None))(keys, clean)

    def loss_of(params: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
        variables = dataclasses.replace(state, params=params).variables
        logits, updates = architecture.train_apply(variables, inputs.reshape(-1, *clean.shape[1:]))
        logits = logits.reshape(recipe.draws, batch, -1)
        return losses.smoothed_loss(logits, truth, recipe.consistency), (logits, updates.get("batch_stats", {}))

    (loss, (logits, batch_stats)), gradient = jax.value_and_grad(loss_of, has_aux=True)(state.params)
    updates, opt_state = recipe.transformation().update(gradient, state.opt_state, state.params)
    state = TrainState(
        params=optax.apply_updates(state.params, updates),
        batch_stats=batch_stats,
        opt_state=opt_state,
        step=state.step + 1,
    )
    correct = (logits[0].argmax(axis=-1) == truth).sum()
    return state, {"loss": loss * batch, "correct": correct, "images": jnp.int32(batch)}


@functools.cache
def train_step() -> Callable[..., tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the compiled step, whose arguments are those of ``_train_step``."""
    static = ("architecture", "recipe")
    return jax.jit(_train_step, static_argnames=static, donate_argnums=0, compiler_options=_run_folder.step_options())


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
      key: an image's draw depends on this key and its id alone.
      images: [N, H, W, C] uint8.
      labels: [N] int32.
      ids: [B] int32, which images; -1 marks padding.
      architecture: the network.

    Returns:
      [2] int32: clean, smoothed.
    """
    clean = images[ids].astype(jnp.float32) / 255.0
    keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(ids)
    both = jnp.stack([clean, jax.vmap(augment.smooth)(keys, clean)])
    logits = architecture(variables, both.reshape(-1, *clean.shape[1:]))
    right = logits.argmax(axis=-1).reshape(2, -1) == labels[ids][None]
    return (right & (ids >= 0)[None]).sum(axis=1, dtype=jnp.int32)
