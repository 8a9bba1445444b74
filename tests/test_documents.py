"""What the documents show runs: examples in docstrings, README's Python, and every command line parses."""

import doctest
import functools
import importlib
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import gsmooth_jax
from gsmooth_jax import cli

PACKAGE = Path(gsmooth_jax.__file__).parent
ROOT = PACKAGE.parent
EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text()]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    PACKAGE / "assets/README.md",
    *ROOT.glob("experiments/*/*.md"),
]


def blocks(document, *languages):
    """The fenced blocks of a document in these languages."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    return [text for language, text in fenced if language in languages]


def commands(script):
    """What the lines of a shell script say to gsmooth, as lists of arguments."""
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        for ends, call in itertools.groupby(words, lambda word: set(word) <= set("();<>|&")):
            program, *args = call
            if program == "gsmooth" and not ends:
                yield args


WRITTEN = [
    (f"{document.parent.name}/{document.name}", args)
    for document in DOCUMENTS
    for script in blocks(document, "bash", "")
    for args in commands(script)
]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_in_docstrings(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    if path.parent.name == "adapters":  # of packages that nobody has to have
        module = pytest.importorskip(name, exc_type=ModuleNotFoundError)
    else:
        module = importlib.import_module(name)
    failed, tried = doctest.testmod(module)
    assert tried > 0
    assert failed == 0


def test_the_python_of_the_readme():
    (block,) = blocks(ROOT / "README.md", "python")
    few = block.replace("[:20]", "[:3]")
    assert few.count("[:3]") == 2
    shows = "print([(c.id, c.certified, c.status) for c in claims])"
    here = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", few + shows], capture_output=True, text=True, check=False, env=here)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str([(number, True, "proved") for number in range(3)])


def parsed(args):
    """Whether the command line takes these arguments; nothing is run."""
    ran = []

    def idle(function):
        return functools.wraps(function)(lambda *_, **__: ran.append(function))

    cli.program(map(idle, cli.COMMANDS), map(idle, cli.DATA_COMMANDS)).cli(args=args)
    return len(ran) == 1


@pytest.mark.parametrize(("document", "args"), WRITTEN, ids=[f"{d}: {' '.join(a[:2])}" for d, a in WRITTEN])
def test_command_lines_parse(document, args):
    assert parsed(args)


def test_there_are_command_lines():
    assert len(WRITTEN) > 15
    with pytest.raises(SystemExit):
        parsed(["certify", "--no-such-option", "1"])
