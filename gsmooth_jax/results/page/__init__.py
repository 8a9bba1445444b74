"""A run's report as one HTML file that needs nothing else: what was claimed, the figures, then every image. Host.

It holds no address of anything: styles, script, curves and pictures are in the file, and it forbids its reader's
browser to load more. Without scripts all of it is there; filters and sorting are what scripts add.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from gsmooth_jax.claims import AgainstRandom, Answer, Claim, Interval
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.results import attack_files, headers, reasons
from gsmooth_jax.results.accuracy import certified_accuracy
from gsmooth_jax.results.page import curves, pictures
from gsmooth_jax.results.page._html import table, tag, text
from gsmooth_jax.results.page.axes import Axis
from gsmooth_jax.results.reasons import KINDS, Kind, Reason, rounded_down
from gsmooth_jax.results.report import summarize
from gsmooth_jax.results.run import Run
from gsmooth_jax.results.tables import percent
from gsmooth_jax.types import ABSTAIN

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"

_NAMES: Mapping[Kind, str] = {
    "wrong": "wrong answer",
    "abstained": "no answer",
    "changes": "answer changes",
    "margin": "small majority",
    "votes": "out of votes",
    "bounds": "not provable",
}


def write(
    runs: Sequence[Run],
    path: Path,
    *,
    radii: Sequence[float] = (),
    data: Any = None,
    data_dir: str | None = None,
) -> list[str]:
    """Writes the page of one or more runs, whole or not at all.

    Args:
      runs: each with at least one claim; images of the same data set share a row.
      path: of the file.
      radii: sizes of regions at which the certified accuracy is wanted besides the runs' own.
      data: the inputs, for their pictures, where a header has no name for them; see ``sources.of_any``.
      data_dir: where data sets are prepared; the TFDS default if None.

    Returns:
      Why pictures are missing, a line a run; empty if none are.

    Raises:
      ValueError: no run, a radius that is not > 0, or a damaged file of an attack.
      OSError: the file cannot be written.
    """
    if not runs:
        raise ValueError("Expected at least one run, got none.")
    shown: list[dict[int, str]] = []
    missing: list[str] = []
    for run in runs:
        try:
            shown.append(pictures.read(run, data, data_dir))
        except (ValueError, OSError) as error:
            shown.append({})
            missing.append(f"{run.name} is shown without pictures: {error}")
    attacks = [attack_files.read(run.folder, run.header) for run in runs]
    page = render(runs, shown, attacks, radii=radii, missing=missing)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return missing


def render(
    runs: Sequence[Run],
    shown: Sequence[Mapping[int, str]],
    attacks: Sequence[Sequence[Mapping[str, Any]]],
    *,
    radii: Sequence[float] = (),
    missing: Sequence[str] = (),
) -> str:
    """Returns the page.

    Args:
      runs: at least one.
      shown: of each run, the pictures of its images as data URIs.
      attacks: of each run, the summaries of attacks with their outcomes.
      radii: as of ``write``.
      missing: why pictures are missing.
    """
    *others, last = dict.fromkeys(run.name for run in runs)
    title = f"{', '.join(others)} and {last}" if others else last
    summaries = [summarize(run, radii) for run in runs]
    parts = [
        tag(
            "header",
            tag("p", "Certified robustness", class_="eyebrow"),
            tag("h1", text(title)),
            *(_claimed(run, alone=len(runs) == 1) for run in runs),
        ),
        tag("section", tag("h2", "Figures"), _figures(summaries), tag("div", curves.panels(runs), class_="beside")),
        _why(runs, summaries),
        _attacked(runs, attacks),
        _images(runs, shown, attacks, missing),
        tag("section", tag("h2", "How it was made"), *map(_made, runs), class_="made"),
    ]
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", text(f"{title}: certified robustness")),
            tag("style", _file("page.css")),
            "</head><body>",
            tag("a", "Skip to the images", href="#images", class_="skip"),
            tag("main", *parts),
            tag("script", _file("page.js")),
            "</body></html>\n",
        ]
    )


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _claimed(run: Run, *, alone: bool) -> str:
    """What a run claims, in words."""
    images, share = len(run.claims), certified_accuracy(run.claims)
    low, high = curves.limits(share, images)
    verb = {"proved": "is proved", "conditional": "is proved, conditionally,"}.get(
        run.status, f"is claimed ({run.status})"
    )
    labelled = any(c.correct is not None for c in run.claims)
    subject = "smoothed classifier" if run.header["law"] else "classifier"
    alpha = max(c.alpha for c in run.claims)
    chance = (
        f"Each claim is false with probability {alpha:g} at most, over its own random draws."
        if alpha
        else "Nothing about it is random."
    )
    assumed = sorted({a for c in run.claims for a in c.assumes})
    words = [
        "" if alone else tag("span", text(f"{run.name}: "), class_="of"),
        "For " if alone else "for ",
        tag("strong", text(f"{round(share * images):,} of {images:,} images")),
        text(f" ({share:.1%}; 95% limits over images {low:.1%} to {high:.1%}) it {verb} that the {subject} "),
        text(f"{'gives the right answer' if labelled else 'keeps its answer'} after {_every(run)} "),
        tag("code", text(run.header["transform"])),
        text(f", {_region(run)}{_but(run)}. {chance}"),
        text(f" Assumed: {', '.join(assumed)}.") if assumed else "",
    ]
    return tag("p", *words, class_="claim")


def _every(run: Run) -> str:
    return "a random" if run.random_only else "every"


def _but(run: Run) -> str:
    """What a claim about random parameters leaves out."""
    if not run.random_only:
        return ""
    rare = getattr(headers.guarantee_of(run.header).method, "at_most", 1.0)
    return f", but for a probability of {rare:g} at most; of a parameter that somebody chooses it says nothing"


def _region(run: Run) -> str:
    """A run's region in words."""
    region = run.region
    if isinstance(region, Ball):
        return f"parameters of {region.norm_in_words()} norm {region.size:g} at most"
    assert isinstance(region, Box)
    ends = zip(reasons.parameters(run.header, len(region.low)), region.low, region.high, strict=True)
    return " and ".join(f"{name} from {a:g} to {b:g}{unit}" for (name, unit), a, b in ends)


def _figures(summaries: Sequence[dict[str, Any]]) -> str:
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


def _why(runs: Sequence[Run], summaries: Sequence[dict[str, Any]]) -> str:
    """How the images of each run came out, as a bar and a list."""
    blocks = []
    for run, s in zip(runs, summaries, strict=True):
        total, entries = s["images"], s["not_certified"]
        proved = total - sum(e["images"] for e in entries)
        shares = [("ok", proved), *((e["kind"], e["images"]) for e in entries)]
        bar = [tag("span", class_=f"k-{kind}", style=f"flex-grow:{count}") for kind, count in shares if count]
        first = tag("li", tag("span", class_="key k-ok"), tag("b", f"{proved:,}"), tag("span", _verdict(run)))
        items = [
            tag(
                "li",
                tag("span", class_=f"key k-{e['kind']}"),
                tag("b", f"{e['images']:,}"),
                tag(
                    "span",
                    tag("strong", text(_NAMES[e["kind"]])),
                    text(f": {e['means']}. {e['advice'][:1].upper()}{e['advice'][1:]}."),
                ),
            )
            for e in entries
        ]
        name = tag("h3", text(run.name)) if len(runs) > 1 else ""
        drawn = tag("div", *bar, class_="bar", aria_hidden="true")
        blocks.append(tag("div", name, drawn, tag("ul", first, *items, class_="outcomes")))
    return tag("section", tag("h2", "How the images came out"), tag("div", *blocks, class_="beside"))


def _verdict(run: Run) -> str:
    return run.kind if run.status == "proved" else f"certified ({run.kind})"


def _attacked(runs: Sequence[Run], attacks: Sequence[Sequence[Mapping[str, Any]]]) -> str:
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


def _images(
    runs: Sequence[Run],
    shown: Sequence[Mapping[int, str]],
    attacks: Sequence[Sequence[Mapping[str, Any]]],
    missing: Sequence[str],
) -> str:
    """A row for each image and run: an image's rows, those of all runs about it, are together."""
    rows: dict[tuple[str, int], dict[int, str]] = {}
    facts: dict[tuple[str, int], dict[int, tuple[Claim, Reason | None]]] = {}
    for number, run in enumerate(runs):
        axis, worst = Axis(run), _worst(attacks[number])
        for claim, reason in zip(run.claims, run.reasons, strict=True):
            key = (_data(run), claim.id)
            cells = _cells(run, claim, reason, axis, worst.get(claim.id))
            name = [tag("td", text(run.name).replace("_", "_<wbr>"), class_="of")] if len(runs) > 1 else []
            rows.setdefault(key, {})[number] = "".join([*name, *cells])
            facts.setdefault(key, {})[number] = (claim, reason)
    bodies = []
    for key, cells in rows.items():
        first = min(cells)
        claim = facts[key][first][0]
        picture = shown[first].get(claim.id)
        image = tag("img", src=picture, alt="", loading="lazy", width=56, height=56) if picture else ""
        label = "" if claim.label is None else tag("span", "label ", tag("b", text(claim.label)))
        head = [
            tag("td", image, class_="picture", rowspan=len(cells)),
            tag(
                "th",
                tag("span", text(claim.id), class_="id"),
                label,
                scope="rowgroup",
                class_="image",
                rowspan=len(cells),
            ),
        ]
        lines = [tag("tr", *(head if number == first else []), cells[number]) for number in sorted(cells)]
        bodies.append(tag("tbody", *lines, **_sortable(facts[key], len(runs), claim)))
    low, high = Axis(runs[0]).ends
    alike = len({(r.header["transform"], str(r.region)) for r in runs}) == 1
    where = f"region, {low:g} to {high:g}" if alike else "region"
    columns = ["picture", "image", *(["run"] if len(runs) > 1 else []), "verdict", where, "votes", "remarks"]
    head = tag("thead", tag("tr", *(tag("th", text(c), scope="col") for c in columns)))
    notes = [tag("p", text(line), class_="note") for line in missing]
    kinds: list[Kind] = [kind for kind in KINDS if any(r and r.kind == kind for run in runs for r in run.reasons)]
    return tag(
        "section",
        tag("h2", "Every image"),
        *notes,
        _key(attacks),
        _controls(runs, kinds, attacks),
        tag("table", head, *bodies, class_="images"),
        id="images",
        tabindex=-1,
    )


def _data(run: Run) -> str:
    """Which images a run's ids are of."""
    part = run.header["data"]
    return f"{part.get('name')} {part.get('split')} {part.get('sha256')}"


def _sortable(facts: Mapping[int, tuple[Claim, Reason | None]], count: int, claim: Claim) -> dict[str, object]:
    """What the page's script sorts and filters by; of each run one word, separated by spaces."""
    absent = (None, None)
    each = [facts.get(number, absent) for number in range(count)]
    kinds = ["-" if c is None else "ok" if r is None else r.kind for c, r in each]
    return {
        "data_id": claim.id,
        "data_label": "" if claim.label is None else claim.label,
        "data_kind": " ".join(kinds),
        "data_radius": " ".join("-1" if c is None else f"{c.radius:.6g}" for c, _ in each),
        "data_votes": " ".join("-1" if c is None else str(c.votes) for c, _ in each),
    }


def _cells(run: Run, claim: Claim, reason: Reason | None, axis: Axis, worst: Mapping[str, Any] | None) -> Iterator[str]:
    """Verdict, axis, votes and remarks of one claim."""
    kind = "ok" if reason is None else reason.kind
    name = _verdict(run) if reason is None else _NAMES[reason.kind]
    yield tag("td", tag("span", text(name), class_=f"verdict v-{kind}"), _answer(claim), class_="said")
    flipped = worst is not None and worst["flipped"]
    at = () if worst is None or worst["worst"] is None else worst["worst"]
    failed = () if reason is None else reason.at
    yield tag("td", axis.draw(claim, failed=failed, attacked=at, flipped=flipped), class_="range")
    yield tag("td", f"{claim.votes:,}", class_="count")
    remarks = [tag("p", text(reason.text))] if reason is not None else []
    if reason is None and claim.radius > run.region.size:
        remarks.append(tag("p", text(f"proved to {rounded_down(claim.radius)}")))
    if claim.clean is not None and claim.clean != claim.predicted:
        said = "nothing" if claim.clean == ABSTAIN else f"{claim.clean}"
        remarks.append(tag("p", text(f"without noise it answers {said}")))
    if worst is not None:
        remarks.append(_attack(worst, run))
    yield tag("td", *remarks, class_="remarks")


def _answer(claim: Claim) -> str:
    if isinstance(claim.statement, Interval):
        return tag("span", text(f"in [{claim.statement.low:g}, {claim.statement.high:g}]"))
    if isinstance(claim.statement, AgainstRandom):
        said = f"answers {claim.statement.answer}, at random but for {claim.statement.at_most:.2g}"
        return tag("span", text(said))
    return tag("span", text(f"answers {claim.statement.answer}")) if isinstance(claim.statement, Answer) else ""


def _worst(summaries: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """The worst that any attack has found for each image: what flips the answer, then what leaves it fewest votes."""
    found: dict[int, dict[str, Any]] = {}
    for summary in summaries:
        for outcome in summary.get("outcomes", ()):
            if not outcome["tries"]:
                continue
            counts, target = outcome["counts"], outcome["target"]
            kept = min(counts[event] for event in target) / max(sum(counts), 1)
            known = found.get(outcome["id"])
            rank = (not outcome["flipped"], kept)
            if known is None or rank < known["rank"]:
                found[outcome["id"]] = {**outcome, "rank": rank, "kept": kept, "attack": summary["attack"]["name"]}
    return found


def _attack(worst: Mapping[str, Any], run: Run) -> str:
    where = f" at {reasons.place(worst['worst'], run.header)}" if worst["worst"] is not None else ""
    # Of a claim about random parameters a chosen one breaks nothing.
    if worst["certified"] and worst["too_often" if worst.get("random_only") else "changed_answer"]:
        return tag("p", text(f"{worst['attack']}{where}: the claim is broken"), class_="attack broke")
    what = "another answer" if worst["flipped"] else f"{worst['kept']:.1%} of votes keep it"
    return tag("p", text(f"{worst['attack']}{where}: {what}"), class_="attack")


def _key(attacks: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """What the marks on the axes mean."""
    marks = [
        ("proved", "proved"),
        ("failed", "where the proof stopped"),
        ("votes", "votes for the answer, from half to all"),
    ]
    if any(attacks):
        marks += [("tried", "worst attack"), ("flip", "attack that changes the answer")]
    return tag(
        "ul", *(tag("li", tag("span", class_=f"key a-{name}"), text(said)) for name, said in marks), class_="legend"
    )


def _controls(runs: Sequence[Run], kinds: Sequence[Kind], attacks: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """Filters and sorting; hidden until the page's script shows them."""

    def choice(name: str, said: str, options: Sequence[tuple[str, str]]) -> str:
        listed = [tag("option", text(words), value=value) for value, words in options]
        return tag("label", tag("span", said), tag("select", *listed, name=name))

    differ = [("differ", "where runs differ")] if len(runs) > 1 else []
    attacked = [("flip", "changed by an attack")] if any(attacks) else []
    shown = [("all", "all"), ("ok", "certified"), ("not", "not certified"), *((k, _NAMES[k]) for k in kinds)]
    labels = sorted(
        {str(c.label) for run in runs for c in run.claims if c.label is not None}, key=lambda s: (len(s), s)
    )
    few = [("label", "label", [("", "any"), *((label, label) for label in labels)])] if 1 < len(labels) <= 200 else []
    several = [("run", "by run", [(str(n), run.name) for n, run in enumerate(runs)])] if len(runs) > 1 else []
    order = [("id", "image"), ("radius", "proved, least first"), ("-radius", "proved, most first"),
             ("-votes", "votes, most first"), ("label", "label")]  # fmt: skip
    fields = [("show", "show", [*shown, *differ, *attacked]), *few, *several, ("sort", "sort by", order)]
    counted = tag("output", aria_live="polite")
    return tag("form", *(choice(*field) for field in fields), counted, class_="controls", hidden=True)


def _network(described: dict[str, Any]) -> str:
    """What a header says of a network, in a few words."""
    name = str(described.get("name", described.get("callable", "?")))
    behind = described.get("denoiser")
    return name if behind is None else f"{name} behind the denoiser {_network(behind)}"


def _made(run: Run) -> str:
    """A run's header, folded."""
    header = run.header
    model, data = header["model"], header["data"]
    networks = [_network(a) for a in model.get("architectures") or ()]
    every = f", every {data['every']}th image" if data.get("every", 1) != 1 else ""
    said = {
        "data": " ".join(str(data[k]) for k in ("name", "split") if data.get(k)) + every,
        "transform": header["transform"],
        "method": header["method"],
        "law": header["law"] or "none",
        "alpha": header["alpha"],
        "test": f"{header['test']}, at most {header['max_votes']:,} votes",
        "seed": header["seed"],
        "model": ", ".join([*networks, str(model.get("dtype", "float32"))]),
        "fingerprint": model["fingerprint"],
        "device": f"{header.get('device', '?')} ({header.get('backend', '?')})",
        "versions": ", ".join(f"{k} {v}" for k, v in header["versions"].items()),
        "header": headers.digest(header),
        "to check it": f"gsmooth verify {run.folder}" if run.folder != Path() else "gsmooth verify",
    }
    pairs = "".join(tag("dt", text(k)) + tag("dd", text(v)) for k, v in said.items())
    return tag("details", tag("summary", text(run.name)), tag("dl", pairs))
