"""Max pooling that is fast on a CPU both ways."""

import jax
import jax.numpy as jnp


@jax.custom_jvp
def max_pool(x: jax.Array) -> jax.Array:
    """2 x 2 maxima, stride 2; an odd last row or column is left out. [B, H, W, C] -> [B, H // 2, W // 2, C]. Device."""
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


@max_pool.defjvp
def _max_pool_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Takes the tangent of the (first) largest entry.

    XLA's own derivative of a windowed maximum is ten times as slow on a CPU, and that of ``max`` over a reshaped axis
    divides by the number of entries equal to the maximum: none is, where the compiler has rounded the two differently.
    """
    (x,), (dx,) = primals, tangents
    batch, height, width, channels = x.shape
    blocks = (batch, height // 2, 2, width // 2, 2, channels)
    x, dx = (a[:, : height // 2 * 2, : width // 2 * 2].reshape(blocks) for a in (x, dx))
    for axis in (4, 2):
        left, right = (jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in (0, 1))
        d_left, d_right = (jax.lax.index_in_dim(dx, i, axis, keepdims=False) for i in (0, 1))
        x, dx = jnp.maximum(left, right), jnp.where(left >= right, d_left, d_right)
    return max_pool(primals[0]), dx
