"""Data flows one way, host and device stay apart, and importing the package stays cheap."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import gsmooth_jax

ROOT = Path(gsmooth_jax.__file__).parent

ORDER = [
    ("computed",),
    ("types", "_console", "version", "pytrees"),
    ("_validate",),
    ("_spec", "assets"),
    ("regions", "claims"),
    ("transforms",),
    ("smoothing",),
    ("estimation",),
    ("certificates",),
    ("models", "data"),
    ("surrogate",),
    ("training",),
    ("engine",),
    ("methods",),
    ("results", "corruptions"),
    ("api",),
    ("attacks", "testing"),
    ("adapters", "cli"),
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}

HOST_ONLY = [
    "certificates",
    "computed.py",
    "estimation/bounds.py",
    "estimation/sequential.py",
    "estimation/pooled.py",
    "regions.py",
    "claims.py",
    "engine/scheduler.py",
    "engine/execution.py",
    "methods/base.py",
    "methods/tests.py",
    "methods/prover.py",
    "methods/verifier.py",
    "methods/coverage.py",
    "methods/cc_cert.py",
    "methods/closed_form.py",
    "methods/pool.py",
    "methods/spt/error_file.py",
    "methods/spt/errors.py",
    "methods/spt/method.py",
    "methods/cover/windows.py",
    "methods/cover/centres.py",
    "methods/cover/path.py",
    "methods/cover/pairs.py",
    "results/accuracy.py",
    "results/reasons.py",
    "results/export.py",
    "results/attack_files.py",
    "results/page",
    "results/records.py",
    "results/old_records.py",
    "results/folder.py",
    "results/verify.py",
]
DEVICE_ONLY = [
    "estimation/_threefry.py",
    "transforms",
    "estimation/votes.py",
    "estimation/keys.py",
    "engine/kernels.py",
    "methods/surrogate_kernel.py",
    "methods/cover/kernels.py",
    "methods/random_parameter.py",
    "methods/spt/kernels.py",
    "attacks/kernels.py",
]
LATE = (
    "PIL",
    "array_record",
    "dm_pix",
    "equinox",
    "flax",
    "grain",
    "keras",
    "matplotlib",
    "onnxruntime",
    "optax",
    "orbax",
    "scipy.stats",
    "tensorflow",
    "tensorflow_datasets",
    "torch",
    "tyro",
)
"""What is imported when it is needed, and not before."""


def modules(*places):
    for place in places:
        path = ROOT / place
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def imports(path):
    """Absolute names of all imported modules, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            if node.module == "gsmooth_jax":
                yield from (f"gsmooth_jax.{alias.name}" for alias in node.names)


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", [p for p in modules(".") if room(p) != "__init__"], ids=lambda p: str(p.name))
def test_imports_point_left(path):
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "gsmooth_jax" and len(parts) > 1 and parts[1] != room(path):
            assert RANK[parts[1]] < RANK[room(path)], f"{room(path)} imports {name}"


@pytest.mark.parametrize("path", list(modules("engine")), ids=lambda p: p.name)
def test_the_engine_knows_votes_and_no_method(path):
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("gsmooth_jax.")}
    assert rooms <= {"engine", "estimation", "models", "pytrees", "types", "_validate"}


def test_no_function_of_the_package_has_a_modules_name():
    """``gsmooth_jax.certify`` is the function; a module of that name would depend on what was imported before."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gsmooth_jax.certify")
    for name, value in vars(gsmooth_jax).items():
        if not isinstance(value, ModuleType) and not name.startswith("_"):
            assert importlib.util.find_spec(f"gsmooth_jax.{name}") is None, name


@pytest.mark.parametrize("path", list(modules(*HOST_ONLY)), ids=lambda p: p.name)
def test_host_modules_do_not_import_jax(path):
    assert not [n for n in imports(path) if n.split(".")[0] in ("jax", "flax")]


@pytest.mark.parametrize("path", list(modules(*DEVICE_ONLY)), ids=lambda p: p.name)
def test_device_modules_do_not_import_scipy(path):
    assert not [n for n in imports(path) if n.split(".")[0] == "scipy"]


SESSION = """
import contextlib, io, json, sys
late, first, commands = json.loads(sys.argv[1])
exec(first)
loaded = []
for command in commands:
    import gsmooth_jax
    if command:
        from gsmooth_jax import cli
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            cli.main(command)
    loaded.append(sorted(name for name in late if name in sys.modules))
print(json.dumps(loaded))
"""


def loaded_by(folder, *commands, first=""):
    """What one process has imported, of LATE, after each command, or by the package alone."""
    asked = json.dumps([LATE, first, [list(map(str, command)) for command in commands]])
    here = {"PYTHONPATH": str(ROOT.parent), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    run = [sys.executable, "-c", SESSION, asked]
    result = subprocess.run(run, capture_output=True, text=True, check=False, cwd=folder, env=os.environ | here)
    assert result.returncode == 0, result.stderr
    return [set(names) for names in json.loads(result.stdout)]


PICTURE = {"matplotlib", "PIL"}


def test_each_command_imports_what_it_needs(tmp_path):
    certify = ["certify", "--transform", "brightness_contrast", "--limit", 2, "--devices", 1, "--out", "run"]
    assert loaded_by(tmp_path, [], certify) == [set(), {"tyro", "flax"}]
    # From the lightest to the heaviest: none leaves behind what the next must not import.
    loaded = loaded_by(
        tmp_path,
        ["--help"],
        ["--version"],
        ["methods"],
        ["laws"],
        ["transforms"],
        ["export", "run"],
        ["verify", "run"],
        ["board", "run", "--out", "board.md"],
        ["certify", "--transform", "rotate"],
        ["verify", "run", "--replay", 1],
        ["attack", "run", "--attack", "grid", "--tries", 4, "--limit", 1],
        ["report", "run"],
        ["report", "run", "--html", "page.html"],
        ["report", "run", "--out", "run"],
    )
    assert loaded == [*9 * [{"tyro"}], *3 * [{"tyro", "flax"}], {"tyro", "flax", "PIL"}, {"tyro", "flax", *PICTURE}]


@pytest.mark.parametrize(
    ("command", "needs"),
    [
        (["train", "--transform", "gamma", "--law", "gaussian(sigma=0.1)"], {"flax", "optax", "orbax"}),
        (["fit-surrogate", "--transform", "gamma"], {"dm_pix", "flax", "optax", "orbax"}),
        (["fit-denoiser", "--noise", "0.1"], {"flax", "optax", "orbax"}),
        (["data", "prepare", "mnist", "--source", "files", "--files", "nowhere"], {"tensorflow_datasets", "PIL"}),
    ],
)
def test_up_to_the_data_which_is_not_there(command, needs, tmp_path):
    out = [] if command[0] == "data" else ["--out", "out"]
    assert loaded_by(tmp_path, [*command, *out, "--data-dir", "nowhere"]) == [{"tyro", *needs}]


def test_the_public_names_are_about_thirty():
    # Modules are left out: which of them are there depends on what other tests have imported.
    public = [n for n, v in vars(gsmooth_jax).items() if not n.startswith("_") and not isinstance(v, ModuleType)]
    assert len(public) <= 37, public
