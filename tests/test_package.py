"""The package as it is handed out: its files, its names, its bounds."""

import importlib
import inspect
import pkgutil
import re
import tomllib
from pathlib import Path

import gsmooth_jax
from gsmooth_jax.version import VERSION

PACKAGE = Path(gsmooth_jax.__file__).parent
ROOT = PACKAGE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_file_of_the_package_is_in_its_wheel():
    globs = PROJECT["tool"]["setuptools"]["package-data"]["gsmooth_jax"]
    shipped = {path for glob in globs for path in PACKAGE.glob(glob)}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert PACKAGE / "py.typed" in shipped
    assert files <= shipped


def test_no_name_of_a_package_is_a_module_and_something_else():
    names = [m.name for m in pkgutil.walk_packages(gsmooth_jax.__path__, "gsmooth_jax.")]
    names = [name for name in names if not name.startswith("gsmooth_jax.adapters.")]  # of packages that may be absent
    modules = {name: importlib.import_module(name) for name in names}
    for name in names:
        package, _, last = name.rpartition(".")
        found = getattr(modules.get(package, gsmooth_jax), last)
        assert inspect.ismodule(found), f"{name} is a module, and {package} has {found!r} under its name"


def test_the_licence_is_there_whole():
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert PROJECT["project"]["license-files"] == ["LICENSE"]
    assert text.lstrip().startswith("Apache License\n                           Version 2.0, January 2004")
    assert all(f"   {section}. " in text for section in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_version_is_the_same_everywhere():
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)[1] == VERSION
    headings = re.findall(r"^## (\S+) \((.*)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [version for version, date in headings if date != "in progress"]
    assert released[0] == VERSION or headings[0] == (VERSION, "in progress")
    assert released == sorted(released, key=lambda version: [int(n) for n in version.split(".")], reverse=True)


def test_dependencies_have_lower_bounds_alone():
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    assert all(re.fullmatch(r"[a-z_-]+>=[\d.]+", one) for one in asked), asked
