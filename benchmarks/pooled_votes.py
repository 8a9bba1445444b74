"""Votes of ``cover`` by pooled votes beside those of a kept run: the same network, images, region, noise and alpha.

The kept run may be of a version before 0.8, whose votes served one centre each. Prints one JSON line: images, certified
then and now, the median votes of what both certify, their ratio, mean votes, seconds an image, bytes of a record, and
which images were lost and won.

    python benchmarks/pooled_votes.py RUN CHECKPOINT [--limit 20] [--max-votes N] [--quick]
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.methods.cover.cells import Cells
from gsmooth_jax.results import headers
from gsmooth_jax.results.records import to_record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--max-votes", type=int)
    parser.add_argument("--quick", action="store_true", help="the first 4 images")
    options = parser.parse_args()

    header, kept = results.read_run(options.run)
    limit = 4 if options.quick else options.limit
    kept = kept[:limit]
    before = headers.guarantee_of(header, [options.run])
    method = before.method.cover if isinstance(before.method, Cells) else before.method
    guarantee = dataclasses.replace(
        before, method=method, block=method.block, max_votes=options.max_votes or before.max_votes
    )
    data, model = header["data"], gs.load(options.checkpoint)
    images = stream(data["name"], data["split"], every=data.get("every") or 1, limit=limit)
    wanted = {c.id for c in kept}
    examples = [e for e in images if e.id in wanted]
    assert len(examples) == len(kept)

    list(gs.certify_stream(model, examples[:1], guarantee))  # compiles
    began = time.perf_counter()
    claims = list(gs.certify_stream(model, examples, guarantee))
    seconds = time.perf_counter() - began
    both = [(a.votes, b.votes) for a, b in zip(kept, claims, strict=True) if a.certified and b.certified]
    old, new = (float(np.median([pair[i] for pair in both])) if both else None for i in (0, 1))
    pairs = list(zip(kept, claims, strict=True))
    print(
        json.dumps(
            {
                "benchmark": "pooled_votes",
                "run": options.run.name,
                "images": len(claims),
                "certified": [sum(c.certified and bool(c.correct) for c in some) for some in (kept, claims)],
                "median votes of both": [old, new],
                "ratio": round(new / old, 3) if old and new else None,
                "mean votes": [round(float(np.mean([c.votes for c in some])), 1) for some in (kept, claims)],
                "lost": [b.id for a, b in pairs if a.certified and not b.certified],
                "won": [b.id for a, b in pairs if b.certified and not a.certified],
                "seconds an image": round(seconds / len(claims), 3),
                "own seconds": round(float(np.mean([c.own_seconds or 0.0 for c in claims])), 3),
                "bytes a record": round(float(np.mean([len(to_record(c)) for c in claims]))),
            }
        )
    )


if __name__ == "__main__":
    main()
