"""The pages that come from the library: all that is registered is on them, and what has no text is refused."""

import importlib.util
import inspect
import os
import re
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli
from gsmooth_jax.cli import catalogue, options
from gsmooth_jax.methods.registry import LAWS, METHODS
from gsmooth_jax.transforms import TRANSFORMS

ROOT = Path(__file__).parents[1]
COMMANDS = [
    (group + function.__name__.replace("_", "-"), function)
    for group, functions in (("", cli.COMMANDS), ("data ", cli.DATA_COMMANDS))
    for function in functions
]


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def commands(generate):
    return generate.commands()


def fields(function):
    """The options of a command by its signature: those of a group are the fields of its dataclass."""
    for parameter in inspect.signature(function).parameters.values():
        group = getattr(parameter.annotation, "__origin__", None)
        inner = getattr(group, "__dataclass_fields__", None)
        yield from inner or [parameter.name]


@pytest.mark.parametrize(("command", "function"), COMMANDS, ids=[c for c, _ in COMMANDS])
def test_every_option_of_every_command_has_its_text(command, function, generate, commands):
    found = generate.listed(command.split())
    named = {words.split(",")[0].split()[0].removeprefix("--").replace("-", "_") for words, _ in found}
    positional = {"RUN": "run", "NAME": "name"}
    named = {positional.get(name, name) for name in named}
    assert named == {name.removesuffix("s") if name == "runs" else name for name in fields(function)}
    section = commands.split(f"\n## gsmooth {command}\n")[1].split("\n## ")[0]
    assert all(f"`{words}`\n: {text}\n" in section for words, text in found)
    assert not [words for words, _ in found if "{None}" in words or "{[" in words]
    assert not [text for _, text in found if "(default: None)" in text or "(default: )" in text]
    assert "```bash\ngsmooth" in section


def test_an_option_without_a_text_is_refused(generate, monkeypatch):
    def silent(loud: bool = False):
        """Say nothing."""

    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, silent))
    with pytest.raises(ValueError, match=r"each option of gsmooth silent, got none for \['--loud, --no-loud'\]"):
        generate.listed(["silent"])


def test_all_that_is_registered_is_on_a_page(generate):
    pages = {"methods": generate.methods(), "laws": generate.laws()}
    for page, names in (("methods", METHODS), ("laws", LAWS)):
        assert re.findall(r"^## (.*)$", pages[page], re.MULTILINE) == list(names)
    assert all(f"Claims are labelled `{row['claims']}`" in pages["methods"] for row in catalogue.methods())


def test_the_catalogue_of_transforms_is_whole(generate, monkeypatch):
    monkeypatch.setattr(catalogue, "composition_defect", lambda *_, **__: 0.0)  # which takes seconds to measure
    page = generate.transforms()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == sorted(TRANSFORMS)
    assert "[rotation](#transform-rotation)" in page


def test_a_part_without_a_text_is_refused(generate):
    class Silent:
        pass

    with pytest.raises(ValueError, match=r"Expected a docstring of tests\.test_docs\..*Silent, got none"):
        generate._doc(Silent)
    with pytest.raises(ValueError, match="Expected a text that says what Silent is"):
        catalogue.sentence(Silent)


def test_every_public_name_has_its_entry(generate):
    page = generate.api()
    public = [n for n, v in vars(gs).items() if not n.startswith("_") and not inspect.ismodule(v)]
    entries = re.findall(r"^`{5,6}\{py:\w+\} gsmooth_jax\.([\w.]+)", page, re.MULTILINE)
    assert sorted(public) == sorted(name for name in entries if "." not in name)
    assert {"models.HostModel", "testing.check_transform", "methods.base.Method"} <= set(entries)
    assert " at 0x" not in page


def test_every_adapter_is_on_its_page_without_its_package(generate):
    names = {path.stem for path in (ROOT / "gsmooth_jax/adapters").glob("[!_]*.py")}
    assert set(re.findall(r"^## gsmooth_jax\.adapters\.(\w+)$", generate.adapters(), re.MULTILINE)) == names


def test_citations_lead_to_sections_of_the_theory(generate):
    places = set(re.findall(r"^\((theory-[\w-]+)\)=$", generate.theory(), re.MULTILINE))
    pages = [generate.methods(), *(p.read_text() for p in ROOT.glob("docs/*.md"))]
    cited = {place for page in pages for place in re.findall(r"theory\.md#([\w-]+)\)", page)}
    assert len(cited) > 15
    assert cited <= places


def test_links_of_the_board_lead_to_kept_proofs(generate):
    links = re.findall(r"\[(?:header|claims[ \d]*)\]\((.*?)\)", generate.board())
    kept = list((ROOT / "experiments").rglob("header.json"))
    assert len(links) == 2 * len(kept) > 80
    assert all(Path(os.path.normpath(ROOT / "docs/generated" / link)).is_file() for link in links)  # it may not be made


def test_entries_of_docstrings_become_lists(generate):
    attributes = "Attributes:\n  sigma: of it,\n    in ``px``.\n  mean: none."
    doc = f"Does it (THEORY D1).\n\n{attributes}\n\nHYPOTHESES. Few.\n\n>>> 1 + 1\n2"
    shown = generate.markdown(doc)
    assert "([THEORY D1](theory.md#theory-d1))" in shown
    assert "**Attributes**\n\n- `sigma`: of it,\n  in `px`.\n- `mean`: none.\n" in shown
    assert shown.endswith("**HYPOTHESES**. Few.\n\n```python\n>>> 1 + 1\n2\n```")


def test_texts_of_options_are_one_paragraph():
    texts = options.described(
        "Does.\n\nArgs:\n    a: one,\n        and more: of it.\n    b: two.\n\nReturns:\n    c: no.", "Args"
    )
    assert texts == {"a": "one, and more: of it.", "b": "two."}
    assert options.described("Does.", "Args") == {}
