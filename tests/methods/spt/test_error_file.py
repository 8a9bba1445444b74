"""``gsmooth spt-error``: how often an error is exceeded, and what a file of that is good for."""

import json

import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, transforms
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.spt import Spt, error_file
from gsmooth_jax.methods.spt.error_file import ErrorFile
from tests.methods.spt.images import digits

ROTATION = transforms.parse("rotation|clip|quantize")
PREPARE, LAW = "vignette|low_pass(radius=3)", gs.Gaussian(sigma=10.0)
TERMS = {"transform": ROTATION, "region": gs.Box([-6.0], [6.0]), "law": LAW, "prepare": PREPARE, "data": "digits"}


@pytest.fixture(scope="module")
def examples():
    return [gs.Example(id=i, image=image) for i, image in enumerate(digits(24))]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "errors.json"
    made = {**TERMS, "transform": transforms.describe(ROTATION), "law": "gaussian(sigma=10.0)"}
    ErrorFile(**made, seed=0, attackers=0, limit=0.25, exceeded=3, draws=400).write(path)
    return path


def method(file, **change):
    return Spt(**{"noise": LAW, "inner": 0.15, "prepare": PREPARE, "error": "data", "file": str(file), **change})


def test_more_is_exceeded_where_less_is_allowed_and_most_by_the_worst(examples):
    wide, narrow = (error_file.measure(examples, **TERMS, limit=limit) for limit in (0.3, 0.2))
    random = error_file.measure(examples, **TERMS, limit=0.2, attackers=3)
    assert wide.draws == narrow.draws == random.draws == 24
    assert 0 <= wide.exceeded < narrow.exceeded
    assert random.exceeded < narrow.exceeded
    assert error_file.measure(examples, **TERMS, limit=0.2) == narrow


def test_a_file_is_read_once_and_pinned(file):
    spt = method(file)
    assert (spt.limit, spt.exceeded, spt.draws, spt.status) == (0.25, 3, 400, "statistical")
    assert len(spt.fingerprint) == 16
    gs.Guarantee(transform=ROTATION, region=gs.Box([-5], [6]), method=spt)
    text = registry.describe(spt)
    file.unlink()  # a header holds what it said
    assert registry.describe(registry.parse(text, spt.law, ROTATION)) == text
    with pytest.raises(FileNotFoundError):
        method(file)


def test_another_file_is_another_method(file):
    text = registry.describe(method(file))
    value = json.loads(file.read_text())
    file.write_text(json.dumps({**value, "exceeded": 4}))
    assert registry.describe(method(file)) != text


@pytest.mark.parametrize(
    ("of_file", "of_claim", "message"),
    [
        ({}, {"transform": transforms.parse("rotation|quantize")}, "another transform"),
        ({}, {"region": gs.Box([-7], [6])}, "in Box"),
        ({"attackers": 3}, {}, "random adversaries"),
        ({"law": "gaussian(sigma=11.0)"}, {}, "another law"),
        ({"prepare": "low_pass(radius=3)"}, {}, "another prepare"),
        ({"region": {"ball": {"radius": 2.0, "dim": 2}}}, {}, "Ball"),
    ],
)
def test_a_file_of_something_else_is_refused(file, of_file, of_claim, message):
    file.write_text(json.dumps({**json.loads(file.read_text()), **of_file}))
    with pytest.raises(ValueError, match=message):
        gs.Guarantee(**{"transform": ROTATION, "region": gs.Box([-6], [6]), "method": method(file), **of_claim})


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"region": {"box": {"low": [1], "high": [2]}}}'])
def test_damaged_files_are_refused(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match="no file of gsmooth spt-error"):
        method(tmp_path / "bad.json")


def test_impossible_counts_are_refused(file):
    file.write_text(json.dumps({**json.loads(file.read_text()), "exceeded": 401}))
    with pytest.raises(ValueError, match="damaged"):
        method(file)


def test_the_command(tmp_path, capsys):
    out = tmp_path / "errors.json"
    options = ("--law", "gaussian(sigma=30)", "--prepare", "low_pass(radius=4)", "--error", "0.3", "--attackers", "2")
    cli.main(["spt-error", "--region", "-30", "30", "--out", str(out), *options, "--every", "50", "--json"])
    said = json.loads(capsys.readouterr().out)
    found, _ = ErrorFile.read(str(out))
    assert said["draws"] == found.draws == 4
    assert found.attackers == 2
    assert found.region == gs.Box([-30], [30])
    for bad in (("--law", "uniform(low=0, high=1)"), ("--transform", "scaling"), ("--error", "0")):
        with pytest.raises(SystemExit) as end:
            cli.main(["spt-error", "--out", str(out), *options, *bad, "--every", "50"])
        assert end.value.code == 2


def test_worst_adversaries_need_a_bound(examples):
    terms = {**TERMS, "transform": transforms.Rotation(interpolation="bicubic")}
    with pytest.raises(ValueError, match="states no bound"):
        error_file.measure(examples[:1], **terms, limit=0.3)
    assert error_file.measure(examples[:1], **terms, limit=0.3, attackers=1).draws == 1


def test_no_images_are_no_file():
    with pytest.raises(ValueError, match="draws"):
        error_file.measure([], **TERMS, limit=0.3)
