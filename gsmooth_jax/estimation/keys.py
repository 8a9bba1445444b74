"""The key tree: run seed -> image id -> centre id -> phase -> sample index.

A draw depends on these five numbers and on nothing else: not on its place in a batch, the batch's size, the device or
the order of the images. So results can be replayed, and draws of different phases are independent. Device.
"""

from typing import Final

import jax

SELECT: Final = 0
"""Draws that choose the class (and, for pilots, a rough p_A). Never reused by a test."""

ESTIMATE: Final = 1
"""Draws that the statistical test counts."""

PROPOSE: Final = 2
"""Random numbers with which an attack looks for parameters."""

ATTACK: Final = 3
"""Draws that find an attack's strongest parameter."""

ATTACK_CONFIRM: Final = 4
"""Draws that decide what the strongest parameter does. Never reused by the search for it."""

PREDICT: Final = 5
"""Draws that say what a smoothed classifier answers. Never counted by a claim's test."""

OUTER: Final = 6
"""Parameters around each of which a smoothed classifier is smoothed once more; their own votes are of other phases."""

OUTER_SELECT: Final = 7
"""Parameters whose votes choose the class."""

ATTACKERS: Final = 8
"""Random adversaries whose largest error is taken for that of all."""


def phase_key(run_key: jax.Array, image_id: jax.Array, centre_id: jax.Array, phase: jax.Array) -> jax.Array:
    """Returns the key under which one smoothing centre of one image draws its samples of one phase."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(run_key, image_id), centre_id), phase)


def sample_key(stream_key: jax.Array, index: jax.Array) -> jax.Array:
    """Returns the key of one draw of a stream made by ``phase_key``."""
    return jax.random.fold_in(stream_key, index)
