"""A prover whose device is a list of counts."""

import numpy as np

import gsmooth_jax as gs
from gsmooth_jax.methods import prover
from gsmooth_jax.methods.tests import Tests


def proved(guarantee, *counts, label=1, model=None):
    """The claim that a prover makes of a 4 x 4 image when each of its requests in turn is answered by [E] counts.

    Returns the claim and the requests that were made.
    """
    example = gs.Example(id=3, image=np.full((4, 4, 1), 0.5, np.float32), label=label)
    running = prover.prove(example, model, guarantee, Tests(guarantee))
    left, asked = list(counts), []
    try:
        requests = next(running)
        while True:
            asked += requests
            requests = running.send([np.array(left.pop(0)) for _ in requests])
    except StopIteration as end:
        assert not left, "counts that nobody asked for"
        return end.value, asked
