"""What attacks have left in a run's folder: ``attack-<name>.json`` each, read. Host."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gsmooth_jax.results.misfit import Fields, brief, misfit

_SUBJECT: Fields = {"seed": int, "fingerprint": str, "transform": str, "region": dict}
_SUMMARY: Fields = {
    "attack": dict,
    "attack.name": str,
    "images": int,
    "tries": int,
    "smoothed_accuracy": float,
    "empirical_robust_accuracy": float,
    "certified_accuracy": float,
    "broke_claim": list,
}
_OUTCOME: Fields = {
    "id": int,
    "certified": bool,
    "tries": int,
    "target": list,
    "counts": list,
    "worst": (list, type(None)),
    "flipped": bool,
    "changed_answer": bool,
}


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
            problem = misfit(summary, _SUBJECT)
            if not problem and all(summary[name] == value for name, value in subject(header).items()):
                summary = _renewed(summary)
                problem = _damage(summary)
                found.append(summary)
        except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
            problem = repr(error)
        if problem:
            raise ValueError(f"{path} is damaged: {problem}. Attack the run again.")
    return found


def _damage(summary: dict[str, Any]) -> str:
    """What no summary has; empty where nothing is found."""
    if problem := misfit(summary, _SUMMARY):
        return problem
    if problem := misfit({"outcomes": [], **summary}, {"outcomes": list}):
        return problem
    for outcome in summary.get("outcomes", ()):
        if problem := misfit(outcome, _OUTCOME):
            return f"of an outcome, {problem}"
        events, counts = outcome["target"], outcome["counts"]
        if not all(type(n) is int and n >= 0 for n in (*events, *counts)) or max(events, default=0) >= len(counts) > 0:
            return f"of an outcome, its target is none of its counts: {brief(outcome)}"
        if not all(type(x) is float for x in outcome["worst"] or ()):
            return f"of an outcome, its worst is no parameter: {brief(outcome)}"
    return ""


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
