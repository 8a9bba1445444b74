"""Attacks a run's folder: its claims, its images, its classifier; what came of it goes beside them. Host."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gsmooth_jax import models
from gsmooth_jax.attacks.stream import CONFIRM, LEVEL, Outcome
from gsmooth_jax.attacks.target import Attack
from gsmooth_jax.claims import Claim
from gsmooth_jax.data.stream import stream
from gsmooth_jax.models import Classifier
from gsmooth_jax.results.accuracy import certified_accuracy
from gsmooth_jax.results.tables import Figures
from gsmooth_jax.types import Example


def check_classifier(header: Mapping[str, Any], classifier: Classifier) -> None:
    """Raises ValueError unless the classifier is the one that the run's claims are about."""
    wanted, found = header["model"]["fingerprint"], models.fingerprint(classifier)
    if wanted != found:
        raise ValueError(
            f"The run's claims are about the classifier with fingerprint {wanted[:12]}..., this one has "
            f"{found[:12]}...: name the run's own with --checkpoint."
        )


def claimed_examples(
    header: Mapping[str, Any], claims: Sequence[Claim], data_dir: str | None = None
) -> Iterator[tuple[Example, Claim]]:
    """Yields the images of a run's claims, each with its claim, in the data's order.

    Args:
      header: the run's, which names the data.
      claims: some of the run's.
      data_dir: where data sets are prepared; the TFDS default if None.

    Raises:
      ValueError: by this call, data that cannot be opened; by the iterator, data that is not what was certified.
    """
    data = header["data"]
    examples = stream(data["name"], data["split"], every=data["every"], limit=data["images"], data_dir=data_dir)
    return _paired(examples, claims)


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


def summarize(
    header: Mapping[str, Any],
    claims: Sequence[Claim],
    outcomes: Sequence[Outcome],
    attack: Attack,
    *,
    votes: int,
    confirm: int = CONFIRM,
) -> dict[str, Any]:
    """Returns what ``attack-<name>.json`` holds: settings, shares of the attacked images, and every outcome.

    Args:
      header: the run's.
      claims: the attacked ones.
      outcomes: theirs, at least one.
      attack: with its settings.
      votes: draws of a candidate.
      confirm: draws of the strongest.
    """
    images = len(outcomes)
    return {
        "attack": {"name": attack.name, **dataclasses.asdict(attack)},
        "votes": votes,
        "confirm": confirm,
        "level": LEVEL,
        **_subject(header),
        "images": images,
        "tries": max(o.tries for o in outcomes),
        "smoothed_accuracy": sum(c.correct is True for c in claims) / images,
        "empirical_robust_accuracy": sum(o.robust for o in outcomes) / images,
        "certified_accuracy": certified_accuracy(claims),
        "broke_claim": [o.id for o in outcomes if o.broke_claim],
        "outcomes": [dataclasses.asdict(o) for o in outcomes],
    }


def render(attacked: Iterable[tuple[str, Mapping[str, Any]]]) -> Figures:
    """Returns what the terminal shows of runs' names and summaries: one line of a table each."""
    shares = ("smoothed_accuracy", "empirical_robust_accuracy", "certified_accuracy")
    columns = ("run", "attack", "tries", "images", "smoothed", "robust", "certified", "broke claim")
    rows = [
        (
            run,
            summary["attack"]["name"],
            str(summary["tries"]),
            str(summary["images"]),
            *(f"{summary[share]:.1%}" for share in shares),
            str(len(summary["broke_claim"])),
        )
        for run, summary in attacked
    ]
    return Figures("Empirical and certified robustness (every image counts)", columns, rows)


def read(folder: Path, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the summaries in a run's folder that are about this run, without the outcomes of single images.

    Raises:
      ValueError: a file is damaged.
    """
    found = []
    for path in sorted(folder.glob("attack-*.json")):
        try:
            summary = json.loads(path.read_text())
            about = {name: summary[name] for name in ("seed", "fingerprint", "transform", "region")}
            if about == _subject(header):
                shown = {k: v for k, v in summary.items() if k not in ("outcomes", "landed")}
                found.append(shown | {"broke_claim": summary["broke_claim" if "broke_claim" in summary else "landed"]})
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError) as error:
            raise ValueError(f"{path} is damaged: {error!r}. Attack the run again.") from error
    return found


def _subject(header: Mapping[str, Any]) -> dict[str, Any]:
    """What an attack was against."""
    return {
        "seed": header["seed"],
        "fingerprint": header["model"]["fingerprint"],
        "transform": header["transform"],
        "region": header["region"],
    }


def write(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Writes ``attack-<name>.json`` into the run's folder, whole or not at all; returns its path."""
    path = folder / f"attack-{summary['attack']['name']}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary, indent=1) + "\n")
    partial.replace(path)
    return path
