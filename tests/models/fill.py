"""Weights for tests: drawn by NumPy, because compiling a deep network's initialiser takes longer than the test."""

import jax
import jax.numpy as jnp
import numpy as np


def random_variables(architecture, input_shape, seed=0):
    """Kernels of He's variance, positive running moments."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda key: architecture.init(key, input_shape), jax.random.key(0))

    def fill(path, leaf):
        if leaf.ndim == 1 or "BatchNorm" in jax.tree_util.keystr(path):
            return jnp.asarray(rng.uniform(0.5, 1.5, leaf.shape), leaf.dtype)
        fan_in = np.prod(leaf.shape[-4:-1] if leaf.ndim > 2 else leaf.shape[:1])
        return jnp.asarray(rng.normal(0, np.sqrt(2 / fan_in), leaf.shape), leaf.dtype)

    return jax.tree_util.tree_map_with_path(fill, shapes)
