"""Files that somebody changed, field by field: a ValueError or a fault that is listed, and never anything else."""

import copy
import gzip
import itertools
import json
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax.results import attack_files
from gsmooth_jax.results.headers import digest
from gsmooth_jax.results.misfit import misfit

KEPT = Path(__file__).parents[2] / "experiments"
RUNS = ["composed/contrast_brightness", "table1_mnist/pixelate"]  # of single hypotheses, and of windows
LEFT_OUT = object()
UNSEEN = ("data", "model", "backend", "device", "machine", "settings", "versions")
"""What of a header no verdict follows from: what it was computed on and with."""
OTHERS = (None, -1, "x", [], {"a": 1}, [[1]], 2**70, float("inf"), LEFT_OUT)


def places(value, place=()):
    """Where the parts of a value of JSON lie: of long lists, such as votes, only the list itself."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in itertools.islice(inner, 30 if isinstance(value, dict) else 2):
        yield (*place, name)
        yield from places(part, (*place, name))


def changed(value):
    """Copies of a value with one part replaced, or left out."""
    for (*outer, name), other in itertools.product(list(places(value)), OTHERS):
        copied = copy.deepcopy(value)
        holder = copied
        for each in outer:
            holder = holder[each]
        if other is LEFT_OUT:
            del holder[name]
        elif holder[name] == other:
            continue
        else:
            holder[name] = other
        yield copied, (*outer, name), other


def read(run):
    """A run's header, of two images, and their records."""
    header = json.loads((KEPT / run / "header.json").read_text())
    with gzip.open(KEPT / run / "results.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, 2)]
    return header | {"data": header["data"] | {"images": 2}}, records


def checked(folder, header, records):
    """What ``verify`` finds in a run that is written so, and ``report``; None where it is refused."""
    folder.mkdir(exist_ok=True)
    (folder / "header.json").write_text(json.dumps(header))
    lines = [json.dumps(r | {"header": digest(header)} if isinstance(r, dict) else r) for r in records]
    (folder / "results.jsonl").write_text("\n".join(lines) + "\n")
    try:
        found = gs.verify(folder).faults
        gs.report(folder)
    except ValueError:
        return None
    return found


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("run", RUNS)
def test_a_damaged_header(run, tmp_path):
    header, records = read(run)
    assert checked(tmp_path / "run", header, records) == []
    for damaged, place, other in changed(header):
        found = checked(tmp_path / "run", damaged, records)
        assert found != [] or place[0] in UNSEEN, (place, other)


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("run", RUNS)
def test_a_damaged_record(run, tmp_path):
    header, (first, second) = read(run)
    for damaged, place, other in changed(first):
        found = checked(tmp_path / "run", header, [damaged, second])
        if place[0] in ("certified", "statement", "status", "alpha", "ledger", "votes", "selection", "assumes"):
            assert found != [], (place, other)


def test_a_damaged_summary_of_an_attack(tmp_path):
    header = json.loads((KEPT / RUNS[0] / "header.json").read_text())
    summary = json.loads((KEPT / RUNS[0] / "attack-random.json").read_text())
    summary["outcomes"] = summary["outcomes"][:2]
    file = tmp_path / "attack-random.json"
    file.write_text(json.dumps(summary))
    assert attack_files.read(tmp_path, header) == [summary]
    messages = []
    for damaged, _, _ in changed(summary):
        file.write_text(json.dumps(damaged))
        try:
            attack_files.read(tmp_path, header)
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 200
    assert all(message.startswith(f"{file} is damaged: ") for message in messages)


def test_the_message_names_place_value_and_type():
    fields = {"data": dict, "data.name": str, "label": (int, type(None))}
    assert misfit({"data": {"name": "a"}, "label": None}, fields) == ""
    assert misfit([1], fields) == "it is no object: [1]"
    assert misfit({}, fields) == "its data is no dict: None"
    assert misfit({"data": {}}, fields) == "its data.name is no str: None"
    assert misfit({"data": {"name": "a"}, "label": True}, fields) == "its label is no int or NoneType: True"
    assert len(misfit("x" * 1000, fields)) < 400
