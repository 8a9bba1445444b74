"""For how many parameters is power iteration cheaper than the Gram matrix, as GSmooth's M goes?

M at a parameter is the norm of a linear map from P parameters to the latent. The Gram matrix takes P jvps and is exact;
a step of power iteration takes one jvp and one vjp, whatever P, and approaches M from below. Times one compiled call of
each at a few parameters of one image, taking turns; an untrained surrogate with random weights decides speed as any
other would. Prints one JSON line: per shape and P the milliseconds at a parameter of the Gram matrix and of a step (the
least of all turns, since other work only adds), how many steps cost what the Gram matrix does, and after how many power
iteration is within 1 % of M, the median and the most over the parameters.

    python benchmarks/jvp_or_vjp.py [--arch unet-small] [--points 16] [--repeats 10] [--quick]
"""

import argparse
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import timing

import gsmooth_jax as gs
from gsmooth_jax.surrogate import Surrogate, jacobian
from gsmooth_jax.surrogate.networks import Networks

COUNTS = (1, 2, 4, 8, 16, 32, 64)
NEAR = 0.99
MOST = 60
SHAPES = {"mnist": (28, 28, 1), "cifar10": (32, 32, 3)}


def surrogate(name: str, shape: tuple[int, int, int], count: int) -> gs.AugmentedNoise:
    """A surrogate of so many parameters, every weight of which is random: F2 would start as the identity."""
    ends = (-1.0,) * count, (1.0,) * count
    networks = Networks(name=name, image_shape=shape, transform="anything", low=ends[0], high=ends[1])
    variables, random = jax.jit(networks.init)(jax.random.key(0)), np.random.default_rng(0)
    drawn = jax.tree.map(lambda w: w + jnp.asarray(random.normal(0, 0.02, w.shape), w.dtype), variables)
    return gs.AugmentedNoise(surrogate=Surrogate(variables=drawn, networks=networks), sigma_parameter=1.0, sigma=0.25)


@jax.jit
def grams(noise: gs.AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array) -> jax.Array:
    return jax.vmap(jacobian.gram, in_axes=(None, None, 0, None))(noise, image, points, units)


@jax.jit
def power(
    noise: gs.AugmentedNoise, image: jax.Array, points: jax.Array, units: jax.Array, v: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def one(xi: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jacobian.power_step(jacobian.linear(noise, image, xi, units), v)

    return jax.vmap(one)(points, v)


def measure(name: str, shape: tuple[int, int, int], count: int, points: int, repeats: int) -> dict[str, Any]:
    noise, random = surrogate(name, shape, count), np.random.default_rng(1)
    image, units = random.random(shape, np.float32), jnp.ones(count)
    places = jnp.asarray(random.uniform(-1, 1, (points, count)), jnp.float32)
    given = noise, jnp.asarray(image), places, units

    exact = np.sqrt(np.linalg.eigvalsh(np.asarray(grams(*given), np.float64))[:, -1])
    lengths: list[np.ndarray] = []

    def step(v: np.ndarray) -> tuple[jax.Array, jax.Array]:
        length, back = power(*given, v)
        lengths.append(np.asarray(length, np.float64))
        return length, back

    jacobian.norm_estimate(step, (points, count), steps=MOST, tolerance=0.0)
    near = np.stack(lengths) >= NEAR * exact
    needed = np.where(near.any(axis=0), near.argmax(axis=0), MOST)
    v = np.full((points, count), count**-0.5, np.float32)
    times = timing.interleaved(
        lambda: grams(*given).block_until_ready, lambda: power(*given, v)[1].block_until_ready, repeats=repeats
    )
    gram, one = times.min(axis=0) / points
    return {
        "gram_ms": round(1e3 * gram, 3),
        "step_ms": round(1e3 * one, 3),
        "steps_for_the_price_of_gram": round(float(gram / one), 1),
        "steps_to_1_percent": [int(np.median(needed)), int(needed.max())],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="unet-small")
    parser.add_argument("--points", type=int, default=16, help="parameters at which M is looked for")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="MNIST's shape, 1 and 4 parameters, two repeats")
    options = parser.parse_args()
    shapes = {"mnist": SHAPES["mnist"]} if options.quick else SHAPES
    counts, repeats = ((1, 4), 2) if options.quick else (COUNTS, options.repeats)
    result = {
        data: {count: measure(options.arch, shape, count, options.points, repeats) for count in counts}
        for data, shape in shapes.items()
    }
    print(json.dumps({"benchmark": "jvp_or_vjp", "arch": options.arch, **timing.environment(), **result}))


if __name__ == "__main__":
    main()
