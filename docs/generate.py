"""Writes the pages that come from the library itself: commands, catalogues, methods, API, theory, the board.

A part without a text of its own is an error, here and so in ``tests/test_docs.py``: what is registered is documented.
"""

import ast
import contextlib
import importlib
import inspect
import io
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import gsmooth_jax
from gsmooth_jax import cli, models, pytrees, testing, types
from gsmooth_jax.cli import catalogue
from gsmooth_jax.methods.base import Method
from gsmooth_jax.methods.registry import LAWS, METHODS
from gsmooth_jax.results.run import Run
from gsmooth_jax.results.verify import Verification
from gsmooth_jax.transforms import TRANSFORMS

ROOT = Path(__file__).parents[1]
CITATION = re.compile(r"THEORY\s+([A-Z]\d+(?:\.\d)?|0\.\d)")


def write(folder: Path) -> None:
    """Writes the pages into a folder; what has not changed keeps its time, and is not read again."""
    folder.mkdir(exist_ok=True)
    for name, page in pages().items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")


def pages() -> dict[str, str]:
    """Returns the pages by their names."""
    return {
        "commands": commands(),
        "transforms": transforms(),
        "laws": laws(),
        "methods": methods(),
        "api": api(),
        "adapters": adapters(),
        "theory": theory(),
        "board": board(),
        "contributing": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "changelog": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }


def commands() -> str:
    """Every command with every option, as ``--help`` says them."""
    parts = [
        "# Every command and every option",
        "",
        "What `gsmooth COMMAND --help` prints. Exit codes: 0 done, 2 bad input (nothing was started), 3 interrupted "
        "(the same command goes on), 1 anything else, such as a claim that does not verify or falls to an attack.",
        "",
    ]
    for group, functions in (("", cli.COMMANDS), ("data ", cli.DATA_COMMANDS)):
        for function in functions:
            name = group + function.__name__.replace("_", "-")
            parts += [f"## gsmooth {name}", "", *_described(function), ""]
            for option, text in listed(name.split()):
                parts += [f"`{option}`", f": {text}", ""]
    return "\n".join(parts)


def _described(function: Any) -> Iterable[str]:
    """What a command says of itself, its examples as blocks of code."""
    before_options = (inspect.getdoc(function) or "").partition("\n\nArgs:")[0]
    lines: list[str] = []
    for line in before_options.splitlines():
        if line.startswith("$ "):
            lines += ["", "```bash", line.removeprefix("$ "), "```", ""]
        elif line.startswith("--") and lines[-2:] == ["```", ""]:  # an example's second line
            lines[-3] += f" {line}"
        else:
            lines.append(line)
    return lines


def listed(command: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the options of a command with their texts, as ``--help`` shows them.

    Raises:
      ValueError: one has no text.
    """
    out = io.StringIO()
    # So wide that no text is broken, and no value either.
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit), mock.patch.dict(os.environ, COLUMNS="4000"):
        cli.run([*command, "--help"], cli.COMMANDS, cli.DATA_COMMANDS)
    found: list[tuple[str, str]] = []
    for line in out.getvalue().splitlines():
        inside = re.fullmatch(r"  (\S.*?)(?:  +(.*?))? *|   +(\S.*?) *", line)
        if inside is not None and inside[1]:
            found.append((inside[1], inside[2] or ""))
        elif inside is not None:
            found[-1] = found[-1][0], f"{found[-1][1]} {inside[3]}".strip()
    found = [(words, text) for words, text in found if not words.startswith("-h,")]
    if silent := [words for words, text in found if not text.partition("(default:")[0].strip()]:
        raise ValueError(f"Expected a text for each option of gsmooth {' '.join(command)}, got none for {silent}.")
    return found


def transforms() -> str:
    """The catalogue of transforms: a table, and what each says of itself."""
    rows = catalogue.transforms(defects=True)
    parts = [
        "# Transforms",
        "",
        "A transform is a pure function of one image and its parameters; 0 is the identity. *Published* is the region "
        "of the published tables where there is one, else a plausible one: it is what `--region` means when it is left "
        "out. *Law* is the exact composition law, which closed forms need. *Bound* is what the method `cover` needs: a "
        "proved bound on how fast the image moves, or finitely many values. *Defect* is a measurement: the largest L2 "
        "distance, on some images, of two transforms one after the other to the one that the law says; where there is "
        "no law, to the sum of the parameters, which shows why none is claimed.",
        "",
        "```bash",
        'gsmooth certify --checkpoint runs/rot --transform "rotation|clip|quantize" --region -10 10',
        "```",
        "",
        _table([{**row, "name": f"[{row['name']}](#transform-{row['name']})"} for row in rows]),
        "",
    ]
    for name, cls in sorted(TRANSFORMS.items()):
        parts += [f"(transform-{name})=", f"## {name}", "", markdown(_doc(cls)), ""]
    return "\n".join(parts)


def laws() -> str:
    """The catalogue of laws."""
    parts = [
        "# Laws of noise",
        "",
        "What `--law` takes, and in Python the classes of the same names. Which to take: "
        "[](../noise_and_law.md). Several laws joined by a bar, one for each stage of a composition, are a product.",
        "",
    ]
    for row, (name, cls) in zip(catalogue.laws(), LAWS.items(), strict=True):
        parts += [f"(law-{name})=", f"## {name}", "", f"Draws {row['draws']}; draws are {row['range']}.", ""]
        parts += [markdown(_doc(cls)), ""]
    return "\n".join(parts)


def methods() -> str:
    """Method by method: theorem, label, what it is given."""
    given = {"law": "a law", "latent": "noise", "surrogate": "surrogate noise", "nothing": "nothing"}
    rows = [
        {
            "method": f"[{row['name']}](#method-{row['name']})",
            "for": row["for"],
            "claims": row["claims"],
            "given": given[getattr(METHODS[row["name"]], "takes", "law")],
        }
        for row in catalogue.methods()
    ]
    parts = ["# Method by method", "", _table(rows), ""]
    for row in catalogue.methods():
        cls = METHODS[row["name"]]
        module = inspect.getdoc(importlib.import_module(cls.__module__)) or ""
        own = re.sub(r"^The method; see the module\.\s*", "", _doc(cls))
        parts += [f"(method-{row['name']})=", f"## {row['name']}", "", f"Claims are labelled `{row['claims']}`.", ""]
        parts += [markdown(module), "", markdown(own), ""]
    return "\n".join(parts)


def api() -> str:
    """The public names, by the part of the library that they come from."""
    named = {n: v for n, v in vars(gsmooth_jax).items() if not n.startswith("_") and not isinstance(v, ModuleType)}
    named |= {f"models.{name}": getattr(models, name) for name in ("HostModel", "TracedModel")}
    named |= {f"testing.{n}": v for n, v in vars(testing).items() if n.startswith("check_")}
    named |= {"pytrees.register": pytrees.register}
    named |= {"results.run.Run": Run, "results.verify.Verification": Verification, "methods.base.Method": Method}
    parts = [
        "# Python reference",
        "",
        "`import gsmooth_jax as gs`. Shapes: B images, N samples, H W C pixels, P parameters, K classes. *Host* says "
        "that a function computes in float64 on the CPU, *Device* that it runs under `jax.jit`. A suffix `_lower` or "
        "`_upper` is a proved bound, `_estimate` is none. Transforms are `gs.transforms.Rotation()` and so on: see "
        "[](transforms.md).",
        "",
    ]
    homes: dict[str, list[str]] = {}
    for name, value in named.items():
        homes.setdefault(getattr(value, "__module__", "gsmooth_jax.types").split(".")[1], []).append(name)
    for home, names in homes.items():
        title = (inspect.getdoc(importlib.import_module(f"gsmooth_jax.{home}")) or "").splitlines()[0]
        parts += [f"## {home}", "", markdown(title), ""]
        for name in names:
            parts += _entry(f"gsmooth_jax.{name}", named[name])
    return "\n".join(parts)


def _entry(name: str, value: Any) -> list[str]:
    """A name's signature and docstring; of a class its methods and properties as well."""
    if not callable(value):
        return _object("data", name, [_text_below(name.rpartition(".")[2])])
    if inspect.isclass(value) and issubclass(value, Exception):
        return _object("exception", name, [markdown(_doc(value))])
    if not inspect.isclass(value):
        return _object("function", name + _signature(value), [markdown(_doc(value))])
    members: list[str] = []
    for member, found in vars(value).items():
        function = getattr(found, "fget", None) or getattr(found, "func", None) or getattr(found, "__func__", found)
        if member.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        if member in vars(Method) and value is not Method:  # what every method has is said once
            continue
        kind = "property" if found is not function and not isinstance(found, classmethod) else "method"
        shown = member if kind == "property" else member + _signature(getattr(value, member))
        members += _object(kind, shown, [markdown(_doc(function))], fence="`````")
    called = "" if getattr(value, "_is_protocol", False) else _signature(value)
    return _object("class", name + called, [markdown(_doc(value)), "", *members], fence="``````")


def _text_below(constant: str) -> str:
    """What ``types.py`` says below a constant."""
    found = re.search(rf'^{constant} = .*\n"""(.*?)"""', inspect.getsource(types), re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"Expected a text below {constant} in {types.__name__}, got none.")
    return markdown(found[1])


def _object(kind: str, name: str, body: list[str], fence: str = "`````") -> list[str]:
    return [f"{fence}{{py:{kind}}} {name}", *body, fence, ""]


def _signature(function: Any) -> str:
    """A signature as one would type it, without the modules of the types."""
    text = re.sub(r"<factory>|<function .*? at 0x\w+>", "...", str(inspect.signature(function)))
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)  # types by their names
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)
    return re.sub(r"\((?:self|cls)(?:, )?", "(", text)


def adapters() -> str:
    """What other packages are given, by the texts of the sources: the packages need not be there."""
    parts = ["# In other packages", ""]
    for path in sorted((ROOT / "gsmooth_jax/adapters").glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if path.stem == "__init__":
            parts += [markdown(_said(module, path.stem)), ""]
            continue
        parts += [f"## gsmooth_jax.adapters.{path.stem}", "", markdown(_said(module, path.stem)), ""]
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                parts += [f"### {node.name}", "", markdown(_said(node, node.name)), ""]
    return "\n".join(parts)


def _said(node: ast.Module | ast.ClassDef, name: str) -> str:
    """The docstring of a piece of source; raises as ``_doc``."""
    doc = ast.get_docstring(node)
    if doc is None:
        raise ValueError(f"Expected a docstring of {name}, got none.")
    return doc


def theory() -> str:
    """THEORY.md, its sections as places that other pages link to."""
    text = (ROOT / "gsmooth_jax/methods/THEORY.md").read_text(encoding="utf-8")
    heading = re.compile(r"^(### ((?:[A-Z]\d+|0)(?:\.\d+)?)\. )", re.MULTILINE)
    return heading.sub(lambda found: f"({_place(found[2])})=\n{found[1]}", text)


def board() -> str:
    """The board of the kept runs, which ``experiments/tables.py`` writes; its links lead to copies of the proofs."""
    text = (ROOT / "experiments/board.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\((?=[\w./]+\.json)", "](../../experiments/", text)
    style = (
        ".content { width: 100%; } table.docutils { font-size: 0.8rem; } table.docutils td:nth-child(1), "
        "table.docutils td:nth-last-child(2) { min-width: 11em; } table.docutils code { overflow-wrap: anywhere; }"
    )
    return f"---\nhide-toc: true\n---\n\n```{{raw}} html\n<style>{style}</style>\n```\n\n{text}"


def markdown(doc: str) -> str:
    """Returns a docstring as Markdown: sections and their entries as lists, citations of the theory as links."""
    lines: list[str] = []
    doc = doc.replace("``", "`")
    # An example is everything up to an empty line.
    doc = re.sub(r"^(>>> .*(?:\n.+)*)", r"```python\n\1\n```", doc, flags=re.MULTILINE)
    for line in doc.splitlines():
        section, entry = re.fullmatch(r"([A-Z]\w+):", line), re.fullmatch(r"  (\w+(?: [\w.|]+)*): (.*)", line)
        if section:
            lines += ["", f"**{section[1]}**", ""]
        elif entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif re.match(r"    \S", line) and lines and re.match(r"- |  \S", lines[-1]):
            lines.append(f"  {line.strip()}")
        else:
            line = re.sub(r"^Theorem\b", "**Theorem**", line)
            lines.append(re.sub(r"^([A-Z]{4,})( from [^.:]+)?([.:]| \()", r"**\1\2**\3", line))
    return CITATION.sub(lambda m: f"[THEORY {m[1]}](theory.md#{_place(m[1])})", "\n".join(lines))


def _place(section: str) -> str:
    return f"theory-{section.lower().replace('.', '-')}"


def _doc(part: Any) -> str:
    """What a part says of itself.

    Raises:
      ValueError: nothing, or only what dataclasses write by themselves.
    """
    doc = inspect.cleandoc(part.__doc__ or "")
    if not doc or doc.startswith(f"{part.__name__}("):
        raise ValueError(f"Expected a docstring of {part.__module__}.{part.__qualname__}, got none.")
    return doc


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns a table in Markdown of rows that share their keys."""

    def cell(value: Any) -> str:
        shown = "<br>".join(value) if isinstance(value, list) else "" if value is None else str(value)
        return shown.replace("|", r"\|")

    heading = [list(rows[0]), ["---"] * len(rows[0])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [*heading, *([cell(v) for v in r.values()] for r in rows)])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
