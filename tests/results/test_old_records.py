"""Records of versions before 0.7 are read as what they said; those that were tampered with are damage."""

import json
from pathlib import Path

import pytest
from scipy import special

from gsmooth_jax import results
from gsmooth_jax.claims import Answer, Hypothesis
from gsmooth_jax.methods.cover.cells import threshold
from gsmooth_jax.results import headers, records
from gsmooth_jax.types import ABSTAIN

OLD = Path(__file__).parent / "old_runs/cover_cifar10"

WRITTEN = (Path(__file__).parent / "old_records.jsonl").read_text().splitlines()
"""Lines of 0.6: rotational blur by ``cover`` and by ``gsmooth``, blur by a closed form, two parameters by ``cover``."""
COVER, GSMOOTH, CLOSED, BOXES = range(4)
LEDGER = {"selection": 0.0, "pilots": 0.0, "depth 0": 5e-4, "depth 1": 2.5e-4, "depth 2": 1.25e-4, "depth 3": 6.25e-5}


def written(number):
    """The JSON of one line."""
    return json.loads(WRITTEN[number])


def claim(value):
    return records.from_line(json.dumps(value).encode())


def old(**change):
    """An old record, written by hand."""
    value = {
        "id": 4, "label": 1, "predicted": 1, "certified": True, "radius": 0.5, "status": "proved", "alpha": 1e-3,
        "ledger": LEDGER, "votes": 288, "seconds": 0.5, "selection": [0, 32, 0], "nodes": [], "note": "", "header": "d",
    }  # fmt: skip
    return value | change


def test_cells_are_read_by_the_rules_of_their_columns():
    """Four cells of which the second was cut in two, and a chain of three."""
    nodes = {
        "low": [{"decimals": 1, "steps": [-5, 1, 0, 1, 0, 0, 2]}],
        "high": [{"1": -0.3, "2": -0.35, "5": 0.5, "6": 0.5}],
        "distance": {"decimals": 4, "steps": [6000, 1, 1, 1, 1, 1, 1]},
        "node": {"3": 7},
        "depth": {"0": 0, "2": 1, "3": 0},
        "votes": {"0": 32, "1": 64, "2": 32},
        "successes": {"1": 50},
        "shared": {"4": True},
    }
    found = claim(old(nodes=nodes)).hypotheses
    cells = [  # low, high, distance, centre, level, successes, votes, shared
        (-0.5, -0.4, 0.6, 0, 5e-4, 32, 32, False),
        (-0.4, -0.3, 0.6001, 1, 5e-4, 50, 64, False),
        (-0.4, -0.35, 0.6002, 2, 2.5e-4, 32, 32, False),
        (-0.3, -0.3, 0.6003, 7, 5e-4, 32, 32, False),
        (-0.3, -0.1, 0.6004, 4, 5e-4, 32, 32, True),
        (-0.3, 0.5, 0.6005, 5, 5e-4, 32, 32, True),
        (-0.1, 0.5, 0.6006, 6, 5e-4, 32, 32, True),
    ]
    assert found == tuple(
        Hypothesis((low,), (high,), threshold(distance), centre, level, 1, shared, successes, votes)
        for low, high, distance, centre, level, successes, votes, shared in cells
    )


def test_whole_columns_and_boxes_of_several_parameters_are_read():
    nodes = {
        "low": [[-1.0, 0.25], {"decimals": 2, "steps": [0, 50]}],
        "high": [[0.25, 1.0], [0.5, 1.0]],
        "distance": [0.5, 0.123456789012],
        "node": [3, 9],
        "depth": [0, 2],
        "successes": [31, 64],
        "votes": [32, 64],
    }  # until 0.4 no cell was shared
    found = claim(old(nodes=nodes)).hypotheses
    assert found == (
        Hypothesis((-1.0, 0.0), (0.25, 0.5), threshold(0.5), 3, 5e-4, 1, False, 31, 32),
        Hypothesis((0.25, 0.5), (1.0, 1.0), threshold(0.123456789012), 9, 1.25e-4, 1, False, 64, 64),
    )


def test_a_kept_record_of_each_method_is_read():
    value = written(COVER)
    found = claim(value)
    assert (found.id, found.statement, found.assumes, found.votes) == (0, Answer(7), (), value["votes"])
    assert len(found.hypotheses) == 14
    assert found.hypotheses[:2] == (
        Hypothesis((-10.0,), (-8.1944,), threshold(0.673), 0, 5e-4, 7, True, 32, 32),
        Hypothesis((-10.0,), (-6.3889,), threshold(0.6982), 1, 5e-4, 7, True, 32, 32),
    )
    assert found.hypotheses[-1] == Hypothesis((9.8611,), (10.0,), threshold(0.2426), 13, 5e-4, 7, True, 32, 32)

    found = claim(written(GSMOOTH))
    assert (found.status, found.statement) == ("heuristic", Answer(9))
    assert [h.votes for h in found.hypotheses] == [64] * 5 + [96] + [64] * 4
    assert found.hypotheses[5] == Hypothesis((0.0,), (2.0,), threshold(1.012414), 5, 1e-3, 9, False, 95, 96)

    found = claim(written(CLOSED))
    assert found.hypotheses == (Hypothesis((), (), 0.9751064658346902, 0, 1e-3, 7, False, 669, 672),)

    found = claim(written(BOXES))
    assert len(found.hypotheses[0].low) == 2
    assert found.hypotheses[0].low == (-10.0, -0.2)


def test_a_distance_becomes_the_probability_that_carries_so_far():
    for distance in (0.0, 0.5, 3.0, 40.0):
        nodes = {"low": [[0.0]], "high": [[1.0]], "distance": [distance], "node": [0], "depth": [0]}
        (found,) = claim(old(nodes=nodes | {"successes": [1], "votes": [1]})).hypotheses
        assert found.threshold == threshold(distance) >= special.ndtr(distance)


def test_a_two_sided_test_is_read_as_a_class_and_its_contraries():
    ledger = {"selection": 0.0, "class, from below": 5e-4, "other classes, from above": 5e-4}
    node = {"threshold": 0.7, "counts": [30, 460, 9, 1], "p_lower": 0.9, "p_upper": 0.1}
    found = claim(old(nodes=[node], ledger=ledger, selection=[0, 32, 0, 0])).hypotheses
    assert found == (
        Hypothesis((), (), 0.7, 0, 5e-4, 1, False, 460, 500),
        Hypothesis((), (), 0.0, 0, 5e-4 / 3, ~0, False, 470, 500),
        Hypothesis((), (), 0.0, 0, 5e-4 / 3, ~2, False, 491, 500),
        Hypothesis((), (), 0.0, 0, 5e-4 / 3, ~3, False, 499, 500),
    )


def test_an_abstention_has_no_statement():
    found = claim(old(predicted=ABSTAIN))
    assert (found.statement, found.predicted, found.correct) == (None, ABSTAIN, False)


def test_what_was_read_is_written_anew_and_read_back():
    claims = [records.from_line(line.encode()) for line in WRITTEN]
    anew = b"".join(map(records.to_record, claims))
    assert [records.from_line(line) for line, _ in records.lines_of(anew)] == claims


def test_a_run_of_plain_lines_is_read(tmp_path):
    """A line that a crash cut short is none, and one that is whole but damaged is named."""
    (tmp_path / headers.FILE).write_text((OLD / headers.FILE).read_text())
    for text, count in (("\n".join(WRITTEN) + "\n", 4), ("\n".join(WRITTEN), 3), ("", 0)):
        (tmp_path / "results.jsonl").write_text(text)
        assert len(results.read_run(tmp_path)[1]) == count
    (tmp_path / "results.jsonl").write_text(WRITTEN[0] + "\n" + WRITTEN[1][:-9] + "\n" + WRITTEN[2] + "\n")
    with pytest.raises(ValueError, match=r"results.jsonl, record 2, is damaged"):
        results.read_run(tmp_path)


def test_a_run_of_plain_lines_goes_on_in_another_folder(tmp_path):
    """A new file beside it would hide what it holds."""
    header = json.loads((OLD / headers.FILE).read_text())
    (tmp_path / headers.FILE).write_text(json.dumps(header))
    (tmp_path / "results.jsonl").write_text("\n".join(WRITTEN) + "\n")
    with pytest.raises(ValueError, match=r"that a version before 0\.7 wrote\. Choose another --out"):
        results.RunWriter(tmp_path, header)
    assert len(results.read_run(tmp_path)[1]) == 4


def damaged_columns(nodes):
    """Changes to the columns of a kept record of cells, none of which can be read."""
    steps = nodes["distance"]["steps"]
    return [
        {"votes": nodes["votes"] | {str(len(steps)): 32}},  # there is no such cell
        {"votes": {}},
        {"votes": {"first": 32}},
        {"high": [{}]},
        {"high": nodes["high"] * 2},
        {"node": {"first": 1}},
        {"node": [0, 1, 2]},
        {"distance": nodes["distance"] | {"steps": steps[:-1]}},
        {"distance": nodes["distance"] | {"decimals": 10**9}},
        {"distance": nodes["distance"] | {"decimals": -1}},
        {"distance": nodes["distance"] | {"steps": [10**400, *steps[1:]]}},
        {"distance": nodes["distance"] | {"steps": [0.5, *steps[1:]]}},
        {"distance": nodes["distance"] | {"steps": [True, *steps[1:]]}},
        {"distance": nodes["distance"] | {"steps": [-steps[0], *steps[1:]]}},
        {"distance": ["far"] * len(steps)},
        {"low": [nodes["low"][0] | {"steps": nodes["low"][0]["steps"][:-1]}]},
        {"low": []},
        {"depth": 7},
        {"shared": 7},
    ]


@pytest.mark.parametrize("run", [COVER, GSMOOTH])
def test_columns_that_were_tampered_with_are_damage(run):
    good = written(run)
    assert claim(good).hypotheses
    for change in damaged_columns(good["nodes"]):
        with pytest.raises(ValueError):  # noqa: PT011 (which of the checks finds it does not matter)
            claim(good | {"nodes": good["nodes"] | change})
    for column in good["nodes"].keys() - {"shared"}:
        with pytest.raises(ValueError, match=column):
            claim(good | {"nodes": {k: v for k, v in good["nodes"].items() if k != column}})


@pytest.mark.parametrize("run", [COVER, CLOSED])
@pytest.mark.parametrize("field", ["id", "predicted", "certified", "radius", "alpha", "ledger", "selection", "status"])
def test_a_record_without_a_field_is_damage(run, field):
    with pytest.raises(ValueError, match=f"lacks {field}"):
        claim({k: v for k, v in written(run).items() if k != field})


@pytest.mark.parametrize(
    "change",
    [
        {"predicted": "7"},
        {"predicted": True},
        {"predicted": -2},
        {"selection": 7},
        {"ledger": []},
        {"nodes": [{}]},
        {"nodes": [7]},
        {"nodes": [{"threshold": 0.9, "counts": [1]}]},
        {"nodes": [{"threshold": 0.9, "counts": 7}]},
        {"nodes": 7},
    ],
    ids=str,
)
def test_values_of_an_odd_kind_are_damage(change):
    with pytest.raises(ValueError):  # noqa: PT011
        claim(written(CLOSED) | change)
