"""Writes the tables of results into README.md and the experiments' own, from the kept runs and ``published.toml``.

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

from gsmooth_jax.results import headers, run
from gsmooth_jax.results.accuracy import accuracy, certified_accuracy
from gsmooth_jax.transforms import Jpeg, Quantize, stages_of

HERE = Path(__file__).parent
ROOT = HERE.parent
DOCUMENTS = [ROOT / "README.md", *sorted(HERE.glob("*/README.md"))]
TABLE = re.compile(r"(<!-- results: (\w+)(?:, ([\w/]+))? -->\n).*?(<!-- end of results -->)", re.DOTALL)
COLUMNS = ("transformation", "image", "network", "smoothed", "certified", "votes an image", "GSmooth", "TSS")
NETWORKS = {"convnet": "ConvNet", "convnet_bn": "ConvNet", "resnet20": "ResNet-20", "speed_net": "SpeedNet"}
ELSEWHERE = {
    "mlperf_tiny.ResNet": "ResNet of MLPerf Tiny",
    "efficientnet_lite0.onnx": "EfficientNet-Lite0",
}
"""Networks that nobody here has trained, by the names of their callables."""
LAYERS = {"image": "standardises", "sharpen": "inverts blurs", "centre": "centres"}
"""What an input layer does that cancels a transformation, or part of it."""


def network(header: dict) -> str:
    """The network of a run, what its input layer does to the image, and whether a denoiser is before it."""
    each = header["model"]["architectures"]
    first = each[0]
    does = LAYERS.get(first["normalize"]["mode"]) if "normalize" in first else None
    name = ELSEWHERE[first["callable"]] if "callable" in first else NETWORKS[first["name"]]
    behind = "behind a denoiser" if "denoiser" in first else None
    return ", ".join(filter(None, (name if len(each) == 1 else f"{len(each)} {name}s", does, behind)))


def cells(folder: Path, words: dict) -> list[str]:
    """A row of a table."""
    found = run.read(folder)
    claims, stages = found.claims, stages_of(headers.guarantee_of(found.header).transform)
    expected = "proved", 1e-3, words.get("images", 500), words.get("every", 20)
    terms = found.status, max(c.alpha for c in claims), len(claims), found.header["data"].get("every", 1)
    if terms != expected:
        raise ValueError(f"Expected status, alpha, images and every {expected} in {folder}, got {terms}.")
    return [
        words["row"],
        "8 bits" if any(isinstance(stage, Quantize | Jpeg) for stage in stages) else "real-valued",
        network(found.header),
        f"{accuracy(claims):.1%}".replace("%", " %"),
        f"**{certified_accuracy(claims):.1%}**".replace("%", " %"),
        f"{sum(c.votes for c in claims) / len(claims):,.0f}",
        words.get("gsmooth", ""),
        words.get("tss", ""),
    ]


def table(found: re.Match[str], rows: dict[str, dict[str, list[str]]]) -> str:
    """What is to stand in place of a table that was found, in Markdown."""
    begins, section, folder, ends = found.groups()
    chosen = [row for run_folder, row in rows[section].items() if run_folder.startswith(folder or "")]
    shown = [column for column in zip(COLUMNS, *chosen, strict=True) if any(column[1:])]
    heading, *lines = zip(*shown, strict=True)
    ruled = [heading, ["---"] * len(heading), *lines]
    return "\n".join([begins, *(f"| {' | '.join(line)} |" for line in ruled), "", ends])


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
    changed = ", ".join(str(path.relative_to(ROOT)) for path in DOCUMENTS if new[path] != old[path])
    if options.check:
        sys.exit(f"Not what the runs say: {changed}. Written by: python experiments/tables.py" if changed else 0)
    for path in DOCUMENTS:
        path.write_text(new[path], encoding="utf-8")
    print(f"Written: {changed or 'nothing, all was as the runs say'}.")


if __name__ == "__main__":
    main()
