"""What do the library's own Threefry rounds earn, over JAX's with the same bits?

Draws pixel noise for a batch of votes, and counts a batch of votes of a ConvNet, both with keys of either
implementation, which give the same draws. The two take turns. Prints one JSON line: the median of how many times faster
the library's own is, for the noise alone and for whole votes.

    python benchmarks/random_bits.py [--repeats 20] [--quick]
"""

import argparse
import json

import jax
import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.estimation.votes import ClassVote, Draws, count_votes
from gsmooth_jax.models import Architecture

SHAPE, ROWS, BLOCK = (28, 28, 1), 8, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two repeats")
    options = parser.parse_args()
    architecture = Architecture(name="convnet", classes=10)
    variables = jax.jit(architecture.init, static_argnums=1)(jax.random.key(0), SHAPE)
    classifier = gs.Classifier(variables=variables, apply=architecture, classes=10, domain=gs.Domain(SHAPE))
    noise = gs.PixelNoise(sigma=0.25)
    image = np.random.default_rng(0).random(SHAPE, np.float32)
    rows = Draws(*(np.stack([a] * ROWS) for a in (image, *np.uint32([7, 0, 1]), *np.int32([0, BLOCK]))))

    def draw(key: jax.Array) -> jax.Array:
        return jax.vmap(noise, in_axes=(0, None))(jax.random.split(key, ROWS * BLOCK), image).sum(axis=(1, 2, 3))

    def votes(key: jax.Array) -> jax.Array:
        return count_votes(classifier, ClassVote(noise=noise), key, rows, votes=BLOCK, chunk=BLOCK)

    own = _threefry.key(0)
    result = {}
    for name, function in (("noise", jax.jit(draw)), ("votes", jax.jit(votes))):
        sides = [lambda key=key, f=function: f(key).block_until_ready for key in (own, _threefry.compact(own))]
        assert np.array_equal(*(np.asarray(function(key)) for key in (own, _threefry.compact(own))))
        times = timing.interleaved(*sides, repeats=2 if options.quick else options.repeats, batches=4)
        result[f"{name}_times_faster"] = round(float(np.median(times[:, 1] / times[:, 0])), 2)
    print(json.dumps({"benchmark": "random_bits", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
