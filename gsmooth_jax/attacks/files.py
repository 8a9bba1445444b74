"""What an attack needs of a run's folder, and the file that it leaves there. Host."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax.claims import Claim
from gsmooth_jax.results import attack_files, sources
from gsmooth_jax.types import Example


def claimed_examples(
    header: Mapping[str, Any],
    claims: Sequence[Claim],
    data_dir: str | None = None,
    data: str | None = None,
    beside: Sequence[Path] = (),
) -> Iterator[tuple[Example, Claim]]:
    """Yields the images of a run's claims, each with its claim, in the data's order.

    Args:
      header: the run's, which names the data.
      claims: some of the run's.
      data_dir: where data sets are prepared; the TFDS default if None.
      data: where they are now, of pictures and arrays; where the header says if None.
      beside: folders near which they may be found.

    Raises:
      ValueError: by this call, data that cannot be opened; by the iterator, data that is not what was certified.
    """
    return _paired(sources.of_header(header["data"], data, data_dir, beside).share(0, 1), claims)


def _paired(examples: Iterator[Example], claims: Sequence[Claim]) -> Iterator[tuple[Example, Claim]]:
    missing = {c.id: c for c in claims}
    while missing:
        example = next(examples, None)
        if example is None:
            raise ValueError(f"The data holds no image {min(missing)}, of which the run has a claim.")
        claim = missing.pop(example.id, None)
        if claim is None:
            continue
        if claim.label != example.label:
            raise ValueError(f"Image {claim.id} has label {example.label}, the run's claim says {claim.label}.")
        yield example, claim


def read(folder: Path, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the summaries in a run's folder that are about this run, without the outcomes of single images.

    Raises:
      ValueError: a file is damaged.
    """
    return [{k: v for k, v in found.items() if k != "outcomes"} for found in attack_files.read(folder, header)]


def write(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Writes ``attack-<name>.json`` into the run's folder, whole or not at all; returns its path."""
    path = folder / f"attack-{summary['attack']['name']}.json"
    partial = path.with_suffix(".partial")
    # An outcome a line: indented to the last count, the attack of 500 images would have fifteen thousand.
    head = json.dumps({k: v for k, v in summary.items() if k != "outcomes"}, indent=1).removesuffix("\n}")
    outcomes = ",\n".join(f"  {json.dumps(outcome)}" for outcome in summary["outcomes"])
    partial.write_text(f'{head},\n "outcomes": [\n{outcomes}\n ]\n}}\n')
    partial.replace(path)
    return path
