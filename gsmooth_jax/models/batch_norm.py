"""Batch normalisation (Ioffe and Szegedy, ICML 2015), and its folding into the linear layer before it."""

import flax.linen as nn
import jax
import jax.numpy as jnp


class BatchNorm(nn.Module):
    """Flax's ``BatchNorm`` over the last axis: the same variables and values, its sums in an order that suits CPUs.

    XLA on CPU is slow to add up all axes but a short last one. Here images are added to images first, then pixels to
    pixels, and the gradient's sums go the same way, since scale and offset are spread over the pixels before they meet
    the batch.
    """

    use_running_average: bool
    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, ..., C] -> [B, ..., C]. Device."""
        channels = x.shape[-1]
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        running_var = self.variable("batch_stats", "var", jnp.ones, channels)
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))

        flat = x.reshape(x.shape[0], -1)
        pixels = flat.shape[1] // channels
        if self.use_running_average:
            mean, var = running_mean.value, running_var.value
        else:
            exact = flat.astype(jnp.promote_types(x.dtype, jnp.float32))
            mean, square = (v.mean(axis=0).reshape(pixels, channels).mean(axis=0) for v in (exact, exact * exact))
            var = jnp.maximum(square - mean * mean, 0.0)
            if not self.is_initializing():
                running_mean.value = self.momentum * running_mean.value + (1 - self.momentum) * mean
                running_var.value = self.momentum * running_var.value + (1 - self.momentum) * var
        factor = scale * jax.lax.rsqrt(var + self.epsilon)
        mean, factor, bias = (jnp.tile(v, (1, pixels)) for v in (mean, factor, bias))
        return ((flat - mean) * factor + bias).reshape(x.shape)


def normalised(linear: nn.Conv | nn.Dense, norm: BatchNorm, x: jax.Array) -> jax.Array:
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
