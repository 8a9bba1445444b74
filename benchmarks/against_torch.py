"""What does a claim cost here, and what in the published loop in PyTorch, for the same network, images and claim?

PyTorch runs ``torch_loop.py``: 100 draws choose the class, 100,000 more bound p_A (Clopper-Pearson, one-sided), and the
claim holds where the bound reaches what the same certificate needs. Here the sequential test decides at the same alpha.
Prints one JSON line. The first ``--full`` images go through both to the end, in turns (one claim there, all those of
``--images`` here): median seconds a claim, votes a claim, their ratios, and verdicts. Then both cast ``--votes`` fixed
votes on one image, in turns: median votes per second. The share of what PyTorch certifies that is certified here too is
worked out over all ``--images`` without casting PyTorch's votes: each image counts by the probability that 100,000 of
them certify it, which follows from p_A on a grid (as in ``votes_per_claim.py``). Compilation is apart in
``first_seconds``. Before any of this, logits of both networks have to agree within
1e-4 of the largest.

PyTorch has three baselines: ``plain``, as people write it; ``tuned``, batch norms folded into convolutions, channels
last, compiled; ``bfloat16``, the same in that type. Full claims are by ``--baseline``, equal numbers of votes by all.

    pip install torch
    python benchmarks/against_torch.py {mnist-brightness,mnist-blur,cifar-brightness} [--full 3] [--images 50] [--quick]

With a GPU: ``--torch-device cuda``; ``--dtype bfloat16`` for this library.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import timing
import torch_loop
import votes_per_claim
from torch_loop import torch

import gsmooth_jax as gs
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.methods import closed_form, registry

HERE = Path(__file__).parent.parent
CASES = {
    "mnist-brightness": (
        "embedded",
        "shipped:mnist_brightness_contrast",
        (gs.transforms.BrightnessContrast(), gs.Gaussian(sigma=(0.6, 0.6)), gs.Box([-0.5, -0.5], [0.5, 0.5])),
    ),
    "mnist-blur": (
        "embedded",
        HERE / "experiments/resolvable_mnist/checkpoints/gaussian_blur",
        (gs.transforms.GaussianBlur(), gs.Exponential(scale=12.0), gs.Box([0.0], [36.0])),
    ),
    "cifar-brightness": (
        "cifar10",
        HERE / "experiments/resolvable_cifar10/checkpoints/resnet20",
        (gs.transforms.BrightnessContrast(), gs.Gaussian(sigma=(0.4, 0.4)), gs.Box([-0.4, -0.4], [0.4, 0.4])),
    ),
}
SELECTION = 100
"""Draws that choose the class in the published loop."""


class Both:
    """One claim on both sides."""

    def __init__(self, options: argparse.Namespace, budget: int):
        data, checkpoint, (transform, law, region) = CASES[options.case]
        every = 1 if data == "embedded" else 20
        self.examples = list(stream(data, "test", every=every, limit=options.images))
        self.classifier = gs.load(checkpoint, options.dtype)
        method = registry.choose("auto", law, transform)
        assert isinstance(method, gs.ClosedForm)
        self.guarantee = gs.Guarantee(transform=transform, region=region, method=method, max_votes=budget)
        self.threshold = closed_form.plan(method, self.guarantee).threshold
        self.device = torch.device(options.torch_device)
        self.models = {
            name: torch_loop.BASELINES[name](torch_loop.converted(gs.load(checkpoint)).to(self.device))
            for name in dict.fromkeys([options.baseline, *(["plain"] if options.quick else torch_loop.BASELINES)])
        }
        self.draw = torch_loop.drawing(self.guarantee)
        self.batch, self.baseline = options.batch, options.baseline

    def placed(self, example: gs.Example) -> torch.Tensor:
        """An image as PyTorch takes it."""
        return torch.as_tensor(example.image, device=self.device).permute(2, 0, 1).contiguous()

    def difference(self) -> float:
        """Returns by how much the logits differ at most on one image's draws, as a share of the largest."""
        with torch.inference_mode():
            drawn = self.draw(self.placed(self.examples[0]), 64)
            theirs = self.models[self.baseline](drawn).float().cpu().numpy()
        ours = np.asarray(self.classifier(drawn.float().cpu().permute(0, 2, 3, 1).numpy()))
        return float(np.abs(ours - theirs).max() / np.abs(ours).max())

    def torch_claim(self, example: gs.Example) -> bool:
        """Whether PyTorch certifies an image."""
        n, alpha, image = self.guarantee.max_votes, self.guarantee.alpha, self.placed(example)
        model = self.models[self.baseline]
        _, lower = torch_loop.certify(model, self.draw, image, n0=SELECTION, n=n, alpha=alpha, batch=self.batch)
        return lower >= self.threshold

    def claims(self) -> list[gs.Claim]:
        """The claims of all images."""
        return list(gs.certify_stream(self.classifier, self.examples, self.guarantee))

    def fixed_claim(self, votes: int) -> None:
        """Certifies one image by so many votes."""
        fixed = dataclasses.replace(self.guarantee, test="fixed", max_votes=votes)
        list(gs.certify_stream(self.classifier, self.examples[:1], fixed))

    def torch_votes(self, baseline: str, votes: int) -> None:
        """Casts so many votes on one image in PyTorch."""
        torch_loop.count(self.models[baseline], self.draw, self.placed(self.examples[0]), votes, self.batch)

    def kept(self, claims: list[gs.Claim]) -> tuple[float, float]:
        """Returns the expected share of images that PyTorch certifies, and the share of those certified here too."""
        chance = votes_per_claim.fixed_chances(self.classifier, self.guarantee, self.guarantee.max_votes)
        theirs = [chance(example, claim) for example, claim in zip(self.examples, claims, strict=True)]
        both = [share * claim.certified for share, claim in zip(theirs, claims, strict=True)]
        return float(np.mean(theirs)), float(np.sum(both) / max(np.sum(theirs), 1e-12))


def timed(call: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    result = call(*arguments)
    return result, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("--full", type=int, default=3, help="images that PyTorch certifies to the end")
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--votes", type=int, default=4096, help="votes of one turn at equal numbers")
    parser.add_argument("--batch", type=int, default=1000, help="of the PyTorch loop")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--torch-device", default="cpu")
    parser.add_argument("--baseline", choices=list(torch_loop.BASELINES), default="plain", help="of full claims")
    parser.add_argument("--quick", action="store_true", help="8 images, one full claim of 2,000 votes, one baseline")
    options = parser.parse_args()
    budget, turns = (2_000, 3) if options.quick else (100_000, 9)
    if options.quick:
        options.full, options.images, options.votes = 1, 8, 1024

    both = Both(options, budget)
    difference = both.difference()
    if options.dtype == "float32" and options.baseline != "bfloat16" and difference > 1e-4:
        raise SystemExit(f"Expected logits that differ by at most 1e-4 of the largest, got {difference:.2g}.")
    claims, first = timed(both.claims)
    for baseline in both.models:  # compiles
        both.torch_votes(baseline, 2 * options.batch)
    turned = [(timed(both.torch_claim, e), timed(both.claims)) for e in both.examples[: options.full]]
    theirs = float(np.median([t for (_, t), _ in turned]))
    ours = float(np.median([t for _, (_, t) in turned])) / len(claims)
    votes = float(np.mean([c.votes for c in claims]))
    both.fixed_claim(options.votes)
    turn = [(both.fixed_claim, options.votes), *((both.torch_votes, name, options.votes) for name in both.models)]
    speeds = [[options.votes / timed(*call)[1] for call in turn] for _ in range(turns)]
    speed, *speeds_torch = np.median(speeds, axis=0).tolist()
    certified_torch, kept = both.kept(claims)
    result = {
        "case": options.case,
        "torch": torch.__version__,
        "dtype": options.dtype,
        "baseline": options.baseline,
        "logits_differ": float(f"{difference:.2g}"),
        "images": len(claims),
        "full_claims_torch": len(turned),
        "verdicts_torch": [certified for (certified, _), _ in turned],
        "verdicts": [c.certified for c in claims[: len(turned)]],
        "seconds_a_claim_torch": round(theirs, 3),
        "seconds_a_claim": round(ours, 4),
        "times_faster": round(theirs / ours, 1),
        "votes_a_claim_torch": SELECTION + budget,
        "votes_a_claim": round(votes, 1),
        "times_fewer_votes": round((SELECTION + budget) / votes, 1),
        "votes_per_second": round(speed),
        "votes_per_second_torch": dict(zip(both.models, map(round, speeds_torch), strict=True)),
        "times_faster_a_vote": {n: round(speed / s, 2) for n, s in zip(both.models, speeds_torch, strict=True)},
        "certified_torch_expected": round(certified_torch, 5),
        "certified": float(np.mean([c.certified for c in claims])),
        "torch_certified_kept": round(kept, 5),
        "first_seconds": round(first, 2),
    }
    print(json.dumps({"benchmark": "against_torch", **timing.environment(), **result}))


if __name__ == "__main__":
    main()
