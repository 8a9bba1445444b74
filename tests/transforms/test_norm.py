"""The norm that every Lipschitz bound ends with is never below the real one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.transforms._norm import norm_upper, rounded_up


@pytest.mark.parametrize("shape", [(3, 5, 2), (28, 28, 1), (224, 224, 3)])
def test_is_never_below_the_norm_and_close(shape):
    random, upper = np.random.default_rng(0), jax.jit(norm_upper)
    below_without = 0
    for scale in 10.0 ** np.arange(-3, 4):
        for _ in range(5):
            entries = (scale * random.normal(size=shape)).astype(np.float32)
            exact = float(np.linalg.norm(entries.astype(np.float64).ravel()))
            found = float(upper(entries))
            assert exact <= found <= exact * (1 + 2e-5 + 1.1 * entries.size * 2.0**-25)
            below_without += float(np.sqrt(np.sum(entries * entries))) < exact
    assert below_without > 0  # what float32 makes of it alone is often too small


def test_bears_what_a_long_sum_loses():
    """One after the other, as a backend may take them: squares so small that a sum of 16 takes none of them."""
    entries = np.full((224, 224, 3), np.sqrt(7 * 2.0**-24), np.float32)
    entries[0, 0], entries[0, 1], entries[0, 2:6] = 2.0, 1.0, 0.5
    in_order = np.cumsum(entries * entries, dtype=np.float32)[-1]
    exact = float(np.linalg.norm(entries.astype(np.float64).ravel()))
    assert np.sqrt(in_order) * (1 + 1e-5) < exact
    allowed = jax.jit(lambda x: norm_upper(x) / jnp.sqrt(jnp.sum(x * x)))(entries)
    assert exact <= np.sqrt(in_order) * float(allowed)


def test_bears_what_float32_did_to_the_entries_themselves():
    # Entries have a few roundings behind them: each may be 4 units in the last place too small.
    entries = np.random.default_rng(1).uniform(0.5, 1.0, (2, 2, 1)).astype(np.float32)
    smaller = (entries.astype(np.float64) * (1 - 4 * 2.0**-23)).astype(np.float32)
    assert float(jax.jit(norm_upper)(smaller)) >= np.linalg.norm(entries.astype(np.float64).ravel())
    assert (np.asarray(jax.jit(rounded_up)(smaller)) >= entries).all()
