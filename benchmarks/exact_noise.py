"""What does exact noise cost, over float32 noise, for the draw alone and for a whole vote?

Draws pixel noise for a batch of votes, and counts a batch of votes of a network with random weights; both kinds of
noise take turns. Prints one JSON line: nanoseconds an entry of either (the least of all repeats, the fairer figure on a
busy machine), and for each network the median of how much longer a vote takes with exact noise, as a share of a vote.

    python benchmarks/exact_noise.py [--networks convnet resnet20] [--repeats 20] [--quick]
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

ROWS, BLOCK = 8, 32
NOISES = gs.PixelNoise(sigma=0.25), gs.PixelNoise(sigma=0.25, exact=True)


def turns(function, repeats: int, *operands) -> np.ndarray:
    """Seconds a batch [repeats, 2] of a function of noise, a key and more, for either kind of noise."""
    compiled, key, noises = jax.jit(function), _threefry.key(0), jax.device_put(NOISES)
    sides = [lambda noise=noise: compiled(noise, key, *operands).block_until_ready for noise in noises]
    for side in sides:
        side()()
    return timing.interleaved(*sides, repeats=repeats, batches=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["convnet", "resnet20"])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two repeats, one network")
    options = parser.parse_args()
    repeats = 2 if options.quick else options.repeats
    result = {}
    for name in options.networks[:1] if options.quick else options.networks:
        shape = (28, 28, 1) if name.startswith("convnet") else (32, 32, 3)
        image = np.random.default_rng(0).random(shape, np.float32)

        def draw(noise, key, image):
            keys = jax.random.split(key, ROWS * BLOCK)
            return jax.vmap(noise, in_axes=(0, None))(keys, image)

        entries = ROWS * BLOCK * image.size
        alone = turns(draw, repeats, image).min(axis=0) * 1e9 / entries
        architecture = Architecture(name=name, classes=10)
        variables = jax.jit(architecture.init, static_argnums=1)(jax.random.key(0), shape)
        classifier = gs.Classifier(variables=variables, apply=architecture, classes=10, domain=gs.Domain(shape))
        rows = Draws(*(np.stack([a] * ROWS) for a in (image, *np.uint32([7, 0, 1]), *np.int32([0, BLOCK]))))

        def votes(noise, key, classifier, rows):
            return count_votes(classifier, ClassVote(noise=noise), key, rows, votes=BLOCK, chunk=BLOCK)

        times = turns(votes, repeats, classifier, rows)
        result[name] = {
            "float32_ns_an_entry": round(float(alone[0]), 2),
            "exact_ns_an_entry": round(float(alone[1]), 2),
            "us_a_vote": round(float(times[:, 0].min()) * 1e6 / (ROWS * BLOCK), 1),
            "slower_by": round(float(np.median(times[:, 1] / times[:, 0])) - 1.0, 4),
        }
    print(json.dumps({"benchmark": "exact_noise", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
