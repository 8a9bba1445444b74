"""Tables and curves of certified accuracy, from result files alone. Host."""

import collections
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from gsmooth_jax import _validate
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.results import headers, reasons
from gsmooth_jax.results.accuracy import accuracy, accuracy_curve, certified_accuracy, clean_accuracy
from gsmooth_jax.results.export import exact
from gsmooth_jax.results.run import RANDOM_ONLY, STATUSES, Run, called
from gsmooth_jax.results.run import read as read
from gsmooth_jax.results.tables import Figures, percent
from gsmooth_jax.types import Region

_TITLE = 48  # characters, as wide as a panel
_COLUMNS = 80


def summarize(run: Run, radii: Sequence[float] = ()) -> dict[str, Any]:
    """Returns the figures of one run. Every image counts in every share.

    Args:
      run: at least one claim.
      radii: sizes of regions at which the certified accuracy is wanted besides the run's own.

    Raises:
      ValueError: a radius that is not > 0.
    """
    for radius in radii:
        _validate.positive(radius=radius)
    data, model = run.header["data"], run.header["model"]
    votes = np.array([c.votes for c in run.claims])
    own = [c.own_seconds for c in run.claims if c.own_seconds is not None]
    domain = headers.domain_of(run.header)
    return {
        "run": run.name,
        "data": data["name"],
        "split": data.get("split"),
        "every": data.get("every"),
        "ids": data.get("ids"),
        "dtype": model.get("dtype"),
        "domain": None if domain is None else str(domain),
        "transform": run.header["transform"],
        "region": _in_words(run.region),
        "law": run.header["law"],
        "method": run.header["method"],
        "status": run.status,
        "random_only": run.random_only,
        "statuses": dict(collections.Counter(c.status for c in run.claims if c.certified)),
        "assumes": sorted({a for c in run.claims for a in c.assumes}),
        "alpha": max(c.alpha for c in run.claims),
        "images": len(run.claims),
        "images_of_run": data.get("images", len(run.claims)),
        "clean_accuracy": clean_accuracy(run.claims),
        "accuracy": accuracy(run.claims),
        "abstained": sum(c.statement is None for c in run.claims) / len(run.claims),
        "certified_accuracy": certified_accuracy(run.claims),
        "not_certified": reasons.summed_up(run.claims, run.reasons, run.header),
        "radius_percentiles": _radii(run) if str(run.header["method"]).startswith("spt") else None,
        "certified_accuracy_at": {exact(float(r)): certified_accuracy(run.claims, r) for r in radii},
        "votes_mean": float(votes.mean()),
        "votes_median": float(np.median(votes)),
        "votes_total": int(votes.sum()),
        "own_seconds_mean": float(np.mean(own)) if len(own) == len(run.claims) else None,
        "seconds_mean": float(np.mean([c.seconds for c in run.claims])),
        "notes": sum(bool(c.note) for c in run.claims),
    }


def render(summaries: Sequence[dict[str, Any]]) -> Group:
    """Returns what the terminal shows: what each run claimed, in a line, then a table a label, ``proved`` first."""
    order = sorted({(s["random_only"], STATUSES.index(s["status"])) for s in summaries})
    groups = [[s for s in summaries if (s["random_only"], STATUSES.index(s["status"])) == each] for each in order]
    return Group(*(Text(_claimed(s)) for group in groups for s in group), *map(_table, groups))


def _kind(s: dict[str, Any]) -> str:
    return called(s["status"], s["random_only"])


def _claimed(s: dict[str, Any]) -> str:
    """What a run claimed, about which inputs, and how: a line."""
    split = f" {s['split']}" if s["split"] else ""
    every = f", every {s['every']}th image" if s["every"] not in (None, 1) else ""
    ids = f" (ids: {s['ids']})" if s["ids"] else ""
    dtype = f", in {s['dtype']}" if s["dtype"] else ""
    domain = f", {s['domain']}" if s["domain"] and not s["domain"].endswith(" in [0, 1]") else ""
    law = f" with {s['law']}" if s["law"] else ""
    assumed = f", assuming {', '.join(s['assumes'])}" if s["assumes"] else ""
    kind = called(s["status"], s["random_only"]) + ("," if s["random_only"] else "")
    own = f"{s['own_seconds_mean']:.3g} s of its own, " if s["own_seconds_mean"] is not None else ""
    radii = s["radius_percentiles"]
    shown = f"; radii of right answers, quartiles: {', '.join(f'{r:.4g}' for r in radii)}" if radii else ""
    return (
        f"{s['run']}: {s['data']}{split}{every}{ids}{dtype}{domain}; {s['transform']} in {s['region']}, {kind} "
        f"at alpha {s['alpha']:g} by {s['method']}{law}{assumed}; an image took {own}{s['seconds_mean']:.3g} s from "
        f"its first request to its verdict{shown}"
    )


def _radii(run: Run) -> list[float] | None:
    """The percentiles 25, 50 and 75 of the radii of images with the right answer, none beyond the run's region."""
    found = [min(c.radius, run.region.size) for c in run.claims if c.correct]
    return np.percentile(found, (25, 50, 75)).tolist() if found else None


def explained(summaries: Sequence[dict[str, Any]]) -> Text:
    """Returns the last lines of a report: why images are not certified, and what to do; at most 80 columns each."""
    lines = []
    for s in summaries:
        if not s["not_certified"]:
            continue
        count = sum(reason["images"] for reason in s["not_certified"])
        lines.append(f"Why {count:,} of {s['images']:,} images are not certified ({s['run']}):")
        for reason in s["not_certified"]:
            text = f"{reason['images']:>6,}  {reason['kind']:<9}  {reason['means']}: {reason['advice']}"
            lines += textwrap.wrap(text, _COLUMNS, initial_indent="  ", subsequent_indent=" " * 21)
    return Text("\n".join(lines))


def _table(summaries: Sequence[dict[str, Any]]) -> Figures:
    radii = list(dict.fromkeys(r for s in summaries for r in s["certified_accuracy_at"]))
    clean = any(s["clean_accuracy"] is not None for s in summaries)
    first = ("run", "images", "clean") if clean else ("run", "images")
    columns = (*first, "smoothed", "certified", *(f"at {r}" for r in radii), "votes/image")
    rows = [
        (
            s["run"],
            f"{s['images']}" if s["images"] == s["images_of_run"] else f"{s['images']} of {s['images_of_run']}",
            *([percent(s["clean_accuracy"])] if clean else []),
            percent(s["accuracy"]),
            Text(f"{s['certified_accuracy']:.1%}", "bold"),
            *(f"{s['certified_accuracy_at'][r]:.1%}" if r in s["certified_accuracy_at"] else "" for r in radii),
            f"{s['votes_mean']:,.0f}",
        )
        for s in summaries
    ]
    return Figures(f"Certified accuracy, {_kind(summaries[0])} (every image counts)", columns, rows)


def picture(runs: Sequence[Run], out: Path) -> Path:
    """Draws runs into ``certified_accuracy.png`` of a folder, made when missing, and returns its path."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "certified_accuracy.png"
    draw_curves(runs, path)
    return path


def draw_curves(runs: Sequence[Run], path: Path) -> None:
    """Draws certified accuracy against the size of the region as a PNG, one step curve a run.

    Runs of different transforms measure size in different units, so each transform gets its own panel; claims that are
    not proved get one of their own, and are drawn dashed.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = list(dict.fromkeys((r.header["transform"], r.kind) for r in runs))
    figure, axes = plt.subplots(1, len(panels), figsize=(5.2 * len(panels), 3.8), squeeze=False, layout="constrained")
    for axis, (transform, kind) in zip(axes[0], panels, strict=True):
        shown = [r for r in runs if (r.header["transform"], r.kind) == (transform, kind)]
        edge = 1.25 * max(r.region.size for r in shown)
        for run in shown:
            sizes, share = accuracy_curve(run.claims)
            inside = sizes <= edge
            x = np.append(sizes[inside], edge)
            y = np.append(share[inside], share[~inside][0] if (~inside).any() else 0.0)
            style = "solid" if kind == "proved" else "dashed"
            label = f"{run.name} ({kind})"
            # What is rare in the region may not be in a part of it: random attackers get a point, and no curve.
            where = ([], []) if run.random_only else (x, 100 * y)
            (line,) = axis.step(*where, where="pre", linestyle=style, label=label)
            axis.plot(
                [run.region.size],
                [100 * certified_accuracy(run.claims)],
                "o",
                color=line.get_color(),
                markersize=5,
                clip_on=False,
            )
        units = dict.fromkeys(p.unit for p in headers.guarantee_of(shown[0].header).transform.params)
        random = f", {RANDOM_ONLY}" if shown[0].random_only else ""
        title = textwrap.fill(transform + random, _TITLE)
        axis.set(title=title, xlabel=f"size of the region ({', '.join(units)})", ylim=(0, 101), xlim=(0, edge))
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(loc="lower left", frameon=False, fontsize=8)
    axes[0][0].set_ylabel("certified accuracy (%)")
    claimed = "proved" if {r.kind for r in runs} == {"proved"} else "certified"
    at_random = all(r.random_only for r in runs)
    of = "for parameters drawn at random from the region" if at_random else "for every transformation up to this size"
    figure.suptitle(f"Share of images {claimed} {of}", fontsize=11)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _in_words(region: Region) -> str:
    if isinstance(region, Ball):
        return f"|xi|_{region.p:g} <= {region.size:g}"
    assert isinstance(region, Box)
    return " x ".join(f"[{a:g}, {b:g}]" for a, b in zip(region.low, region.high, strict=True))
