"""How many votes does a claim cost, and does the sequential test prove what 100,000 fixed votes would?

Reads a finished run of the sequential test. For each of its images the true p_A of the class is computed without
sampling, on a midpoint grid of the law's quantiles (1,024 points; 16 x 16 for two parameters). From p_A follows the
exact probability that the fixed test with N votes (one look, Clopper-Pearson) certifies. Prints one JSON line: mean
votes of both tests, their ratio, the share of images certified by each, and the share on which they differ.

    python benchmarks/votes_per_claim.py RUN CHECKPOINT [CHECKPOINT ...] [--fixed-votes 100000] [--quick]
"""

import argparse
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.estimation import bounds
from gsmooth_jax.methods import closed_form
from gsmooth_jax.models import ensemble
from gsmooth_jax.results import headers

SIDES = {1: 1024, 2: 16}  # points along each parameter


def quantiles(law: object, dim: int) -> np.ndarray:
    """The midpoint grid [M, P] of independent parameters."""
    levels = (np.arange(SIDES[dim]) + 0.5) / SIDES[dim]
    match law:
        case gs.Gaussian():
            sigma = law.sigma if isinstance(law.sigma, tuple) else (law.sigma,) * dim
            axes = [stats.norm.ppf(levels, scale=s) for s in sigma]
        case gs.Exponential():
            axes = [stats.expon.ppf(levels, scale=law.scale)] * dim
        case _:
            raise ValueError(f"Expected a gaussian or an exponential law, got {law}.")
    return np.array(list(itertools.product(*axes)), np.float32)


def fixed_chances(model: gs.Classifier, guarantee: gs.Guarantee, votes: int) -> Callable[[gs.Example, gs.Claim], float]:
    """Returns what gives an image's probability that one look at so many votes certifies the claim's class."""
    method, transform = guarantee.method, guarantee.transform
    assert isinstance(method, gs.ClosedForm)
    grid = jnp.asarray(quantiles(method.smoothing, len(transform.params)))
    batches = grid.reshape(-1, 128, grid.shape[1])
    threshold = closed_form.plan(method, guarantee).threshold
    enough = bounds.proportion_lower(np.arange(votes + 1), votes, guarantee.alpha) >= threshold
    critical = int(np.count_nonzero(~enough))

    @jax.jit
    def answers(model: gs.Classifier, image: jax.Array) -> jax.Array:
        moved = jax.vmap(transform, in_axes=(None, 0))
        return jax.lax.map(lambda theta: jnp.argmax(model(moved(image, theta)), axis=-1), batches).ravel()

    def chance(example: gs.Example, claim: gs.Claim) -> float:
        p_a = float(np.mean(np.asarray(answers(model, example.image)) == top_of(claim)))
        return float(stats.binom.sf(critical - 1, votes, p_a))

    return chance


def top_of(claim: gs.Claim) -> int:
    """The class that a claim is about."""
    return int(np.argmax(claim.selection[:-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path, nargs="+")
    parser.add_argument("--fixed-votes", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="the first 20 images")
    options = parser.parse_args()

    header, claims = results.read_run(options.run)
    claims = claims[:20] if options.quick else claims
    guarantee = headers.guarantee_of(header)
    method = guarantee.method
    assert isinstance(method, gs.ClosedForm)
    model = ensemble([gs.load(folder) for folder in options.checkpoint])
    chance = fixed_chances(model, guarantee, options.fixed_votes)
    data = header["data"]
    images = {e.id: e for e in stream(data["name"], data["split"], every=data["every"], limit=len(claims))}
    sequential, fixed = [], []
    for claim in claims:
        right = top_of(claim) == claim.label
        sequential.append(claim.certified and right)
        fixed.append(right * chance(images[claim.id], claim))
    votes = np.mean([c.votes for c in claims])
    print(
        json.dumps(
            {
                "benchmark": "votes_per_claim",
                "run": options.run.name,
                "images": len(claims),
                "threshold": round(closed_form.plan(method, guarantee).threshold, 6),
                "votes_sequential": round(float(votes), 1),
                "votes_fixed": options.fixed_votes + guarantee.selection_votes,
                "times_fewer": round((options.fixed_votes + guarantee.selection_votes) / float(votes), 1),
                "certified_sequential": float(np.mean(sequential)),
                "certified_fixed_expected": round(float(np.mean(fixed)), 5),
                "differ": round(float(np.mean(np.abs(np.array(sequential, float) - np.array(fixed)))), 5),
            }
        )
    )


if __name__ == "__main__":
    main()
