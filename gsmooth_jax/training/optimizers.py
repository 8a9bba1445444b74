"""The optimisers of a training run, by name."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax
from optax import contrib

from gsmooth_jax import pytrees


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class FitState:
    """Everything that a fit carries from step to step."""

    params: Any
    opt_state: Any
    step: jax.Array  # [] int32


RATES = {"adam": 2e-3, "sgd": 0.1, "muon": 0.1}
"""Peak learning rates by default."""


def build(name: str, schedule: optax.Schedule, rate: float, decay: float) -> optax.GradientTransformation:
    """Returns the update rule of a run.

    Args:
      name: a key of ``RATES``.
      schedule: step -> share of the peak learning rate.
      rate: the peak.
      decay: of weight matrices, as sgd has it (added to the gradient).
    """

    def learning_rate(step: Any) -> jax.Array:
        return rate * jnp.asarray(schedule(step))

    if name == "adam":
        # Decoupled decay is multiplied by the learning rate: 100 times larger has the strength of sgd's.
        return optax.adamw(learning_rate, weight_decay=100 * decay, mask=_matrices)
    if name == "muon":
        return optax.chain(
            contrib.muon(
                learning_rate,
                beta=0.9,
                muon_weight_dimension_numbers=_convolutions,
                adam_learning_rate=lambda step: RATES["adam"] * jnp.asarray(schedule(step)),
            ),
            _keep_norms(),
        )
    return optax.chain(
        optax.add_decayed_weights(decay, mask=_matrices), optax.sgd(learning_rate, momentum=0.9, nesterov=True)
    )


def adam_cycle(rate: float, steps: int) -> optax.GradientTransformation:
    """Adam on one cycle: a linear rise to ``rate`` over a twentieth of the steps, then a cosine down to zero."""
    warmup = steps // 20 + 1
    return optax.adam(optax.warmup_cosine_decay_schedule(0.0, rate, warmup, max(steps, warmup + 1)))


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda p: p.ndim > 1, params)


def _convolutions(params: Any) -> Any:
    """Kernels [h, w, C, M] are matrices [h w C, M] to Muon (Jordan et al. 2024); Adam takes everything else."""
    spec = contrib.MuonDimensionNumbers(reduction_axis=(0, 1, 2), output_axis=3)
    return jax.tree.map(lambda p: spec if p.ndim == 4 else None, params)


def _keep_norms() -> optax.GradientTransformation:
    """Lets updates turn a convolution's kernel, but not grow it, so that the learning rate is an angle.

    Batch norm cancels the norm of a kernel before it, and a kernel that grows learns ever more slowly. Keller Jordan's
    airbench94 divides by the norm after each step as well.
    """

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        def turned(change: jax.Array, kernel: jax.Array) -> jax.Array:
            if kernel.ndim != 4:
                return change
            moved = kernel + change
            return moved * (jnp.linalg.norm(kernel) / jnp.linalg.norm(moved)) - kernel

        return jax.tree.map(turned, updates, params), state

    return optax.GradientTransformation(optax.init_empty_state, update)
