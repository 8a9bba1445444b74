"""What attacks have left in a run's folder: ``attack-<name>.json`` each, read. Host."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def subject(header: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what an attack was against: by it a summary is known to be about a run."""
    return {
        "seed": header["seed"],
        "fingerprint": header["model"]["fingerprint"],
        "transform": header["transform"],
        "region": header["region"],
    }


def read(folder: Path, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the summaries in a run's folder that are about this run, with the outcomes of single images.

    Raises:
      ValueError: a file is damaged.
    """
    found = []
    for path in sorted(folder.glob("attack-*.json")):
        try:
            summary = json.loads(path.read_text())
            about = {name: summary[name] for name in ("seed", "fingerprint", "transform", "region")}
            if about == subject(header):
                found.append(_renewed(summary))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError) as error:
            raise ValueError(f"{path} is damaged: {error!r}. Attack the run again.") from error
    return found


def _renewed(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary as today's; older versions had one class as the target, and said that an attack ``landed``."""
    if "landed" not in summary:
        return dict(summary)
    outcomes = [
        {k: v for k, v in o.items() if k != "landed"} | {"target": [o["target"]], "changed_answer": o["landed"]}
        for o in summary.get("outcomes", ())
    ]
    rest = {k: v for k, v in summary.items() if k not in ("landed", "outcomes")}
    return rest | {"broke_claim": summary["landed"], "outcomes": outcomes}
