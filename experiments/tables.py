"""Writes the tables of results into README.md, docs and the experiments', from the kept runs and ``published.toml``.

All kept runs are on one page, ``board.md``, as ``gsmooth board`` would write it.

A table stands between the lines ``<!-- results: SECTION -->`` and ``<!-- end of results -->``, a section of that file;
``<!-- results: SECTION, FOLDER -->`` holds the rows whose runs lie in a folder.

    python experiments/tables.py          # writes them
    python experiments/tables.py --check  # writes nothing; fails where one is not what the runs say
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

from gsmooth_jax.results import board, headers, run
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


def cells(folder: Path, words: dict) -> dict[str, str]:
    """A row of a table, by columns; one that is empty in all rows is not shown."""
    found = run.read(folder)
    claims, stages = found.claims, stages_of(headers.guarantee_of(found.header).transform)
    expected = "proved", 1e-3, words.get("images", 500), 20
    terms = found.status, max(c.alpha for c in claims), len(claims), found.header["data"].get("every")
    if terms != expected:
        raise ValueError(f"Expected status, alpha, images and every {expected} in {folder}, got {terms}.")
    return {
        "transformation": words["row"],
        "image": "8 bits" if any(isinstance(stage, Quantize | Jpeg) for stage in stages) else "real-valued",
        "network": board.network(found.header),
        "smoothed": f"{accuracy(claims):.1%}".replace("%", " %"),
        "certified": f"**{certified_accuracy(claims):.1%}**".replace("%", " %"),
        **{f"at {r:g}": f"{certified_accuracy(claims, r):.1%}".replace("%", " %") for r in words.get("radii", ())},
        "votes an image": f"{sum(c.votes for c in claims) / len(claims):,.0f}",
        "GSmooth": words.get("gsmooth", ""),
        "TSS": words.get("tss", ""),
        "published": words.get("published", ""),
    }


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
        section: {folder: cells(HERE / folder, words) for folder, words in each.items()}
        for section, each in published.items()
    }
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
