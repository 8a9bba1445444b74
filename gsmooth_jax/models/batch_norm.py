"""Batch normalisation behind a linear layer: two layers in training, one in evaluation."""

import flax.linen as nn
import jax
import jax.numpy as jnp


def normalised(linear: nn.Conv | nn.Dense, norm: nn.BatchNorm, x: jax.Array) -> jax.Array:
    """Returns ``norm(linear(x))``, computed as one layer where the moments are the running ones. Device.

    Then normalising is y -> a y + b with fixed a and b, and a goes into the kernel: one pass over all activations less.

    Args:
      linear: without bias.
      norm: follows it; ``use_running_average`` says which moments it takes.
      x: [B, ..., C].
    """
    if not norm.use_running_average or linear.is_initializing():
        return norm(linear(x))
    params, moments = norm.variables["params"], norm.variables["batch_stats"]
    a = params["scale"] * jax.lax.rsqrt(moments["var"] + norm.epsilon)
    b = params["bias"] - a * moments["mean"]
    kernel = linear.variables["params"]["kernel"]
    folded = {"kernel": kernel * jnp.broadcast_to(a, kernel.shape), "bias": b}
    return jnp.asarray(linear.clone(parent=None, use_bias=True).apply({"params": folded}, x))
