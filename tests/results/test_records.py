"""Records: what is written is read back, cells take few bytes, and damage is told from a line that was cut short."""

import itertools
import json

import numpy as np
import pytest

from gsmooth_jax.claims import CellEvidence, Claim
from gsmooth_jax.results import records


def claim(nodes):
    return Claim(
        id=0, label=1, predicted=1, certified=True, radius=9.0, status="proved", alpha=1e-3,
        ledger=(("selection", 0.0), ("depth 0", 5e-4)), votes=96, seconds=0.5, selection=(0, 32, 0), nodes=tuple(nodes),
    )  # fmt: skip


def row(count, halved=()):
    """Cells of a region of one parameter from left to right; of those that are halved, the halves behind them."""
    ends = np.linspace(-1.0, 1.0, count + 1).round(4).tolist()
    whole = [(a, b, 0) for a, b in itertools.pairwise(ends)]
    halves = []
    for a, b, _ in (whole[i] for i in halved):
        halves += [(a, (a + b) / 2, 1), ((a + b) / 2, b, 1)]
    return [
        CellEvidence(
            (a,), (b,), round(0.6 + 1e-4 * node, 4), node, depth, 32 if depth else 31, 64 if node in halved else 32
        )
        for node, (a, b, depth) in enumerate(whole + halves)
    ]


def sheet(seed):
    """Boxes of two parameters whose numbers, votes and corners follow no rule."""
    draw = np.random.default_rng(seed)
    corners = draw.uniform(-1.0, 1.0, (5, 2, 2))
    return [
        CellEvidence(tuple(c.min(0).tolist()), tuple(c.max(0).tolist()), 0.5, *map(int, draw.integers(1, 99, 4)))
        for c in corners
    ]


@pytest.mark.parametrize(
    "nodes", [[], row(1), row(2), row(40), row(40, halved=[0, 7, 39]), row(40)[5:], row(9)[::-1], sheet(0), sheet(1)]
)
def test_a_claim_is_read_back_as_it_was_written(nodes):
    line = records.to_line(claim(nodes))
    assert records.from_line(line) == claim(nodes)
    assert line.find(b"\n") == len(line) - 1


def test_a_cell_takes_few_bytes():
    few, many = (len(records.to_line(claim(row(n, halved=[7])))) for n in (100, 500))
    assert (many - few) / 400 < 8  # an end and a distance


def test_columns_that_were_tampered_with_are_damage():
    good = json.loads(records.to_line(claim(row(40))))
    nodes = good["nodes"]
    assert nodes["votes"] == {"0": 32}
    for change in (
        {"votes": {"0": 32, "40": 32}},  # there is no cell 40
        {"votes": {}},
        {"high": [{}]},
        {"node": {"first": 1}},
        {"node": [0, 1, 2]},
        {"distance": nodes["distance"] | {"steps": nodes["distance"]["steps"][:-1]}},
        {"distance": nodes["distance"] | {"decimals": 10**9}},
        {"distance": nodes["distance"] | {"steps": [10**400, *nodes["distance"]["steps"][1:]]}},
        {"distance": nodes["distance"] | {"steps": [0.5, *nodes["distance"]["steps"][1:]]}},
        {"low": [nodes["low"][0] | {"steps": nodes["low"][0]["steps"][:-1]}]},
        {"high": nodes["high"] * 2},
        {"depth": 7},
    ):
        with pytest.raises(ValueError):  # noqa: PT011 (which of the checks finds it does not matter)
            records.from_line(json.dumps(good | {"nodes": nodes | change}).encode())
    with pytest.raises(ValueError, match="lacks certified"):
        records.from_line(json.dumps({k: v for k, v in good.items() if k != "certified"}).encode())
