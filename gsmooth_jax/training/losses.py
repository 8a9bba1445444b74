"""Cross entropy over augmented copies, and the consistency regulariser of Jeong and Shin (NeurIPS 2020)."""

import jax
import jax.numpy as jnp
import optax

ETA = 0.5
"""Weight of the entropy of the mean prediction, the value of the paper's experiments."""


def cross_entropy(logits: jax.Array, labels: jax.Array, smoothing: float = 0.0) -> jax.Array:
    """Mean cross entropy of M augmented copies. [M, B, K], [B] -> []. Device.

    With ``smoothing`` s the truth is taken to be 1 - s on the label and s spread evenly over all K classes (label
    smoothing, Szegedy et al., CVPR 2016).
    """
    labels = jnp.broadcast_to(labels, logits.shape[:2])
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    return (1.0 - smoothing) * loss - smoothing * jax.nn.log_softmax(logits).mean() if smoothing else loss


def divergence(logits: jax.Array) -> jax.Array:
    """Mean KL divergence of each copy's prediction from the mean prediction. [M, B, K] -> []. Device.

    Zero exactly when all copies of every image are predicted alike.
    """
    log_each = jax.nn.log_softmax(logits)
    log_mean = _log_mean(log_each)
    return (jnp.exp(log_mean) * (log_mean - log_each)).sum(axis=-1).mean()


def entropy(logits: jax.Array) -> jax.Array:
    """Mean entropy of the mean prediction, in nats. [M, B, K] -> []. Device."""
    log_mean = _log_mean(jax.nn.log_softmax(logits))
    return -(jnp.exp(log_mean) * log_mean).sum(axis=-1).mean()


def smoothed_loss(logits: jax.Array, labels: jax.Array, weight: float, smoothing: float = 0.0) -> jax.Array:
    """Cross entropy + weight * divergence + ETA * entropy; cross entropy alone when weight is 0. Device.

    Args:
      logits: [M, B, K], of M independent draws of the smoothing law for every image.
      labels: [B] int32.
      weight: lambda of Jeong and Shin (2020), equation 9.
      smoothing: of the labels, see ``cross_entropy``.

    Returns:
      [] float32.
    """
    loss = cross_entropy(logits, labels, smoothing)
    if weight > 0:
        loss = loss + weight * divergence(logits) + ETA * entropy(logits)
    return loss


def _log_mean(log_each: jax.Array) -> jax.Array:
    """Logarithm of the mean probability, [M, B, K] -> [1, B, K]; stays finite where probabilities underflow."""
    return jax.nn.logsumexp(log_each, axis=0, keepdims=True) - jnp.log(float(log_each.shape[0]))
