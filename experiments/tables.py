"""Writes the tables of results into README.md, docs and the experiments', from the kept runs and ``published.toml``.

All kept runs are on one page, ``board.md``, as ``gsmooth board`` would write it.

A table stands between the lines ``<!-- results: SECTION -->`` and ``<!-- end of results -->``, a section of that file;
``<!-- results: SECTION, FOLDER -->`` holds the rows whose runs lie in a folder; ``<!-- results: attacked -->`` random
attacks on MNIST's rows.

    python experiments/tables.py          # writes them
    python experiments/tables.py --check  # writes nothing; fails where one is not what the runs say
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gsmooth_jax.certificates import GeneralLipschitz, search
from gsmooth_jax.estimation import bounds
from gsmooth_jax.methods import cc_cert
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import attack_files, board, headers, run
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy
from gsmooth_jax.transforms import Jpeg, Quantize, stages_of

HERE = Path(__file__).parent
ROOT = HERE.parent
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(HERE.glob("*/README.md"))]
BOARD = HERE / "board.md"
VERIFIED = (
    "That is done for every run on this page whenever the library is tested "
    "(`tests/results/test_verify.py::test_the_kept_runs_follow_from_their_evidence`). "
    "Published figures are in per cent certified; their sources stand in `experiments/published.toml`."
)
TABLE = re.compile(r"(<!-- results: (\w+)(?:, ([\w/]+))? -->\n).*?(<!-- end of results -->)", re.DOTALL)
RARE = {"1e-10": 1e-10, "1e-7": 1e-7, "1e-4": 1e-4}
"""What CC-Cert's estimate is compared with."""
GAMMAS = (0.2, 0.3, 0.4, 0.5, 0.7, 1.4, 1.7, 2.0, 2.3)


def cells(folder: Path, words: dict) -> dict[str, str]:
    """A row of a table, by columns; one that is empty in all rows is not shown."""
    found = run.read(folder)
    claims, stages = found.claims, stages_of(headers.guarantee_of(found.header).transform)
    saved = [f"{getattr(stage, 'bits', 8)} bits" for stage in stages if isinstance(stage, Quantize | Jpeg)]
    expected = "proved", 1e-3, words.get("images", 500), words.get("every", 20)
    terms = found.status, max(c.alpha for c in claims), len(claims), found.header["data"].get("every", 1)
    if terms != expected:
        raise ValueError(f"Expected status, alpha, images and every {expected} in {folder}, got {terms}.")
    return {
        "transformation": words["row"],
        "image": saved[-1] if saved else "real-valued",
        "network": board.network(found.header, words.get("network")),
        "smoothed": _percent(accuracy(claims)),
        "certified": f"**{_percent(certified_accuracy(claims))}**",
        **{f"at {r:g}": _percent(certified_accuracy(claims, r)) for r in words.get("radii", ())},
        "votes an image": f"{sum(c.votes for c in claims) / len(claims):,.0f}",
        "GSmooth": words.get("gsmooth", ""),
        "TSS": words.get("tss", ""),
        "published": words.get("published", ""),
    }


def random_cells(folder: Path, words: dict) -> list[str]:
    """A row about random attackers: what CC-Cert's estimate says of how many images, and what counting proves."""
    found = run.read(folder)
    claims, guarantee = found.claims, headers.guarantee_of(found.header)
    _expect(folder, (found.kind, len(claims)), (f"statistical, {run.RANDOM_ONLY}", words["images"]))
    below = [sum(c.correct and c.statement.at_most < rare for c in claims) for rare in RARE.values()]
    least = 1.0 - bounds.largest_p_lower(guarantee.max_votes, guarantee.alpha)
    unchanged = sum(c.correct and cc_cert.counted_upper(c, guarantee) <= least * (1 + 1e-9) for c in claims)
    shares = [_percent(count / len(claims)) for count in (*below, unchanged)]
    return [
        words["row"],
        board.network(found.header),
        _percent(accuracy(claims)),
        *shares,
        f"{least:.2%}".replace("%", " %"),
        words["published"],
    ]


def bound_cells(folder: Path, words: dict) -> list[str]:
    """A row about General Lipschitz: exact, and on the same votes the sampled and the released bound."""
    found = run.read(folder)
    claims, guarantee = found.claims, headers.guarantee_of(found.header)
    _expect(folder, (found.status, guarantee.test, len(claims)), ("proved", "fixed", words["images"]))
    method, region, tests = guarantee.method, guarantee.region, Tests(guarantee)
    sampled = GeneralLipschitz(transform=guarantee.transform)
    exact, heuristic = (search.threshold(c, method.smoothing, region) for c in (method.certificate, sampled))
    p_lower = [tests.lower(c.hypotheses[0]) if c.correct else 0.0 for c in claims]
    cells = [words["row"], board.network(found.header), _percent(accuracy(claims)), f"{max(p_lower):.4f}"]
    for threshold in (exact, heuristic, words["released"]):
        passes = sum(p >= threshold for p in p_lower) / len(claims)
        cells += [f"{threshold:.4f}", _percent(passes)]
    return [*cells, words["published"]]


def gamma_cells(folder: Path, words: dict) -> list[str]:
    """A row about a law of gamma: the share of images proved up to each exponent, by one run's votes."""
    found = run.read(folder)
    claims, guarantee = found.claims, headers.guarantee_of(found.header)
    _expect(folder, (found.status, guarantee.test, len(claims)), ("proved", "fixed", words["images"]))
    law, tests = guarantee.method.smoothing, Tests(guarantee)
    shares = []
    for gamma in GAMMAS:
        shift = np.log([gamma])
        lower = [tests.lower(c.hypotheses[0]) for c in claims if c.correct]
        shares.append(sum(law.certifies(shift, p, 1.0 - p) for p in lower) / len(claims))
    mean = np.mean([c.hypotheses[0].successes / c.hypotheses[0].votes for c in claims])
    right = _percent(accuracy(claims))
    return [words["row"], board.network(found.header), right, f"{mean:.4f}", *map(_percent, shares)]


def attack_rows(attacked: dict[str, dict]) -> dict[str, dict[str, str]]:
    """The table of random attacks on a section's runs, and a row of all of them."""
    found, sums = {}, np.zeros(4, int)
    for name, words in attacked.items():
        folder = HERE / name
        (attack,) = (a for a in attack_files.read(folder, run.read(folder).header) if a["attack"]["name"] == "random")
        outcomes = attack["outcomes"]
        tries = sum(o["tries"] for o in outcomes), sum(o["tries"] for o in outcomes if o["certified"])
        counts = len(outcomes), *tries, len(attack["broke_claim"])
        names = ("smoothed_accuracy", "empirical_robust_accuracy", "certified_accuracy")
        found[name] = _attack_row(words["row"], counts, [_percent(attack[share]) for share in names])
        sums += counts
    return found | {"": _attack_row("together", sums.tolist(), [""] * 3)}


def _attack_row(row: str, counts: Sequence[int], shares: Sequence[str]) -> dict[str, str]:
    images, tries, inside, broken = (f"{count:,}" for count in counts)
    shown = dict(zip(("smoothed", "under attack", "certified"), shares, strict=True))
    ends = {"tries": tries, "of them on certified images": inside, "broke a claim": broken}
    return {"transformation": row, "images": images, **shown, **ends}


READERS = {
    "cc_cert": (
        ("transformation", "network", "right", *(f"estimate below {rare}" for rare in RARE), "no draw changes it",
         "which proves at most", "published"),
        random_cells,
    ),
    "general_lipschitz": (
        ("transformation", "network", "smoothed", "largest p_A", "exact p_A", "proved", "sampled p_A", "heuristic",
         "released p_A", "passes it", "published"),
        bound_cells,
    ),
    "gamma_mnist": (("law", "network", "smoothed", "mean p_A", *(f"{g:g}" for g in GAMMAS)), gamma_cells),
    "gamma_cifar10": (("law", "network", "smoothed", "mean p_A", *(f"{g:g}" for g in GAMMAS)), gamma_cells),
}  # fmt: skip
"""Of sections that are read otherwise: the columns, and what makes a row."""


def row(section: str, folder: Path, words: dict) -> dict[str, str]:
    """A row of a section's table, by columns."""
    if section not in READERS:
        return cells(folder, words)
    columns, read = READERS[section]
    return dict(zip(columns, read(folder, words), strict=True))


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _expect(folder: Path, found: tuple, expected: tuple) -> None:
    if found != expected:
        raise ValueError(f"Expected {expected} of {folder}, got {found}.")


def table(found: re.Match[str], rows: dict[str, dict[str, dict[str, str]]]) -> str:
    """What is to stand in place of a table that was found, in Markdown."""
    begins, section, folder, ends = found.groups()
    chosen = [row for run_folder, row in rows[section].items() if run_folder.startswith(folder or "")]
    shown = [name for name in chosen[0] if any(row[name] for row in chosen)]
    ruled = [shown, ["---"] * len(shown), *([row[name] for name in shown] for row in chosen)]
    return "\n".join([begins, *(f"| {' | '.join(line)} |" for line in ruled), "", ends])


def whole_board() -> str:
    """The page of all kept runs."""
    folders = sorted(path.parent for path in HERE.rglob(headers.FILE))
    published = board.read_published(HERE / "published.toml")
    return board.render((run.read(folder) for folder in folders), HERE, published, VERIFIED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    published = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))
    rows = {
        section: {folder: row(section, HERE / folder, words) for folder, words in each.items()}
        for section, each in published.items()
    }
    rows["attacked"] = attack_rows(published["mnist"])
    old = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    new = {path: TABLE.sub(lambda found: table(found, rows), text) for path, text in old.items()}
    old[BOARD], new[BOARD] = BOARD.read_text(encoding="utf-8"), whole_board()
    changed = ", ".join(str(path.relative_to(ROOT)) for path in new if new[path] != old[path])
    if options.check:
        sys.exit(f"Not what the runs say: {changed}. Written by: python experiments/tables.py" if changed else 0)
    for path, text in new.items():
        if text != old[path]:  # a page that was edited meanwhile stays as it is
            path.write_text(text, encoding="utf-8")
    print(f"Written: {changed or 'nothing, all was as the runs say'}.")


if __name__ == "__main__":
    main()
