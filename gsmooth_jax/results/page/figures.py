"""The figures of runs, how their images came out, and what attacks have found. Host."""

from collections.abc import Mapping, Sequence
from typing import Any

from gsmooth_jax.results.page import curves
from gsmooth_jax.results.page._html import table, tag, text
from gsmooth_jax.results.reasons import Kind
from gsmooth_jax.results.run import Run
from gsmooth_jax.results.tables import percent

NAMES: Mapping[Kind, str] = {
    "wrong": "wrong answer",
    "abstained": "no answer",
    "changes": "answer changes",
    "margin": "small majority",
    "votes": "out of votes",
    "bounds": "not provable",
}
"""How an image came out that is not certified."""


def accuracies(summaries: Sequence[dict[str, Any]]) -> str:
    """The table of accuracies."""
    clean = any(s["clean_accuracy"] is not None for s in summaries)
    radii = list(dict.fromkeys(r for s in summaries for r in s["certified_accuracy_at"]))
    headings = [
        "run", "images", *(["without noise"] if clean else []), "smoothed", "certified", "95% limits",
        *(f"at {r}" for r in radii), "votes / image", "seconds / image",
    ]  # fmt: skip
    rows = []
    for s in summaries:
        low, high = curves.limits(s["certified_accuracy"], s["images"])
        seconds = s["seconds_mean"] if s["own_seconds_mean"] is None else s["own_seconds_mean"]
        images = (
            f"{s['images']:,}" if s["images"] == s["images_of_run"] else f"{s['images']:,} of {s['images_of_run']:,}"
        )
        rows.append(
            [
                s["run"],
                images,
                *([percent(s["clean_accuracy"])] if clean else []),
                percent(s["accuracy"]),
                f"{s['certified_accuracy']:.1%}",
                f"{low:.1%} – {high:.1%}",
                *(f"{s['certified_accuracy_at'].get(r, 0.0):.1%}" for r in radii),
                f"{s['votes_mean']:,.0f}",
                f"{seconds:.3g}",
            ]
        )
    return table(headings, rows, caption="Accuracy (every image counts)", class_="accuracy")


def why(runs: Sequence[Run], summaries: Sequence[dict[str, Any]]) -> str:
    """How the images of each run came out, as a bar and a list."""
    blocks = []
    for run, s in zip(runs, summaries, strict=True):
        total, entries = s["images"], s["not_certified"]
        proved = total - sum(e["images"] for e in entries)
        shares = [("ok", proved), *((e["kind"], e["images"]) for e in entries)]
        bar = [tag("span", class_=f"k-{kind}", style=f"flex-grow:{count}") for kind, count in shares if count]
        first = tag("li", tag("span", class_="key k-ok"), tag("b", f"{proved:,}"), tag("span", verdict(run)))
        items = [
            tag(
                "li",
                tag("span", class_=f"key k-{e['kind']}"),
                tag("b", f"{e['images']:,}"),
                tag(
                    "span",
                    tag("strong", text(NAMES[e["kind"]])),
                    text(f": {e['means']}. {e['advice'][:1].upper()}{e['advice'][1:]}."),
                ),
            )
            for e in entries
        ]
        name = tag("h3", text(run.name)) if len(runs) > 1 else ""
        drawn = tag("div", *bar, class_="bar", aria_hidden="true")
        blocks.append(tag("div", name, drawn, tag("ul", first, *items, class_="outcomes")))
    return tag("section", tag("h2", "How the images came out"), tag("div", *blocks, class_="beside"))


def verdict(run: Run) -> str:
    """What a certified image is called."""
    return run.kind if run.status == "proved" else f"certified ({run.kind})"


def attacked(runs: Sequence[Run], attacks: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """What attacks have found, if there were any."""
    rows = [
        [
            run.name,
            summary["attack"]["name"],
            f"{summary['tries']:,}",
            f"{summary['images']:,}",
            *(percent(summary[s]) for s in ("smoothed_accuracy", "empirical_robust_accuracy", "certified_accuracy")),
            f"{len(summary['broke_claim']):,}",
        ]
        for run, found in zip(runs, attacks, strict=True)
        for summary in found
    ]
    if not rows:
        return ""
    headings = ["run", "attack", "tries / image", "images", "smoothed", "robust", "certified", "broken claims"]
    return tag("section", tag("h2", "Attacks"), table(headings, rows, caption="Of the attacked images"))
