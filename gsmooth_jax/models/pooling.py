"""Max pooling that is fast on a CPU both ways."""

import jax
import jax.numpy as jnp


@jax.custom_jvp
def max_pool(x: jax.Array) -> jax.Array:
    """2 x 2 maxima, stride 2; an odd last row or column is left out. [B, H, W, C] -> [B, H // 2, W // 2, C]. Device."""
    top_left, top_right, left, right = _corners(x)
    return jnp.maximum(jnp.maximum(top_left, top_right), jnp.maximum(left, right))


@max_pool.defjvp
def _max_pool_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Takes the tangent of the (first) largest entry.

    XLA's own derivative of a windowed maximum is ten times as slow on a CPU, and that of ``max`` over a reshaped axis
    divides by the number of entries equal to the maximum: none is, where the compiler has rounded the two differently.
    """
    (x,), (dx,) = primals, tangents
    batch, height, width, channels = x.shape
    top_left, top_right, left, right = _corners(x)
    in_top = jnp.maximum(top_left, top_right) >= jnp.maximum(left, right)
    place = jnp.where(in_top, jnp.where(top_left >= top_right, 0, 1), jnp.where(left >= right, 2, 3)).astype(jnp.int8)
    # As one elementwise pass over the blocks: their derivative, which writes every entry, is one as well.
    blocks = dx[:, : height // 2 * 2, : width // 2 * 2].reshape(batch, height // 2, 2, width // 2, 2, channels)
    chosen = place[:, :, None, :, None, :] == jnp.arange(4, dtype=jnp.int8).reshape(1, 1, 2, 1, 2, 1)
    return max_pool(x), jnp.where(chosen, blocks, 0.0).sum(axis=(2, 4))


def _corners(x: jax.Array) -> list[jax.Array]:
    """The four entries of every block, each [B, H // 2, W // 2, C]: of its upper row, then of its lower."""
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    return [x[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]


def global_max_pool(x: jax.Array) -> jax.Array:
    """The largest entry of each channel, with the derivative of the first such. [B, H, W, C] -> [B, C]. Device."""
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    # As above: no comparison with the maximum, which XLA may have rounded differently.
    first = jax.nn.one_hot(flat.argmax(axis=1), flat.shape[1], axis=1, dtype=x.dtype)
    return (flat * jax.lax.stop_gradient(first)).sum(axis=1)
