"""What attacks on a run's claims come to: shares of images, and a table of them. Host."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gsmooth_jax.attacks.stream import CONFIRM, LEVEL, Outcome
from gsmooth_jax.attacks.target import Attack
from gsmooth_jax.claims import Claim
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy
from gsmooth_jax.results.attack_files import subject
from gsmooth_jax.results.run import RANDOM_ONLY
from gsmooth_jax.results.tables import Figures, percent


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
        **subject(header),
        "images": images,
        "random_only": any(o.random_only for o in outcomes),
        "tries": max(o.tries for o in outcomes),
        "smoothed_accuracy": accuracy(claims),
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
            f"{run} (claims: {RANDOM_ONLY})" if summary.get("random_only") else run,
            summary["attack"]["name"],
            str(summary["tries"]),
            str(summary["images"]),
            *(percent(summary[share]) for share in shares),
            str(len(summary["broke_claim"])),
        )
        for run, summary in attacked
    ]
    return Figures("Empirical and certified robustness (every image counts)", columns, rows)
