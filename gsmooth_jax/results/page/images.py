"""Every image of the runs: a table, its key, and what filters and sorts it. Host."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gsmooth_jax.claims import AgainstRandom, Answer, Claim, Interval
from gsmooth_jax.results import reasons
from gsmooth_jax.results.page._html import tag, text
from gsmooth_jax.results.page.axes import Axis
from gsmooth_jax.results.page.figures import NAMES, verdict
from gsmooth_jax.results.page.pictures import Pictures
from gsmooth_jax.results.reasons import KINDS, Kind, Reason, rounded_down
from gsmooth_jax.results.run import Run
from gsmooth_jax.types import ABSTAIN


def section(
    runs: Sequence[Run],
    shown: Sequence[Pictures],
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
        picture, name = shown[first].uris.get(claim.id), shown[first].names.get(claim.id)
        image = tag("img", src=picture, alt="", loading="lazy", width=56, height=56) if picture else ""
        label = "" if claim.label is None else tag("span", "label ", tag("b", text(_called(runs[first], claim.label))))
        head = [
            tag("td", image, class_="picture", rowspan=len(cells)),
            tag(
                "th",
                tag("span", text(name or claim.id).replace("/", "/<wbr>"), class_="id", title=claim.id),
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
    name = verdict(run) if reason is None else NAMES[reason.kind]
    yield tag("td", tag("span", text(name), class_=f"verdict v-{kind}"), _answer(claim, run), class_="said")
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


def _called(run: Run, label: Any) -> str:
    """A class by its number, and by its name where the data have one."""
    names = run.header["data"].get("class_names") or ()
    return f"{label} ({names[label]})" if isinstance(label, int) and 0 <= label < len(names) else f"{label}"


def _answer(claim: Claim, run: Run) -> str:
    if isinstance(claim.statement, Interval):
        return tag("span", text(f"in [{claim.statement.low:g}, {claim.statement.high:g}]"))
    if isinstance(claim.statement, AgainstRandom):
        said = f"answers {_called(run, claim.statement.answer)}, at random but for {claim.statement.at_most:.2g}"
        return tag("span", text(said))
    return (
        tag("span", text(f"answers {_called(run, claim.statement.answer)}"))
        if isinstance(claim.statement, Answer)
        else ""
    )


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
    shown = [("all", "all"), ("ok", "certified"), ("not", "not certified"), *((k, NAMES[k]) for k in kinds)]
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
