"""What no prover writes is named, field by field, and what follows from the evidence is worked out anew."""

import dataclasses
import gzip
import json
import math

import pytest

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer, Claim, Hypothesis, Interval
from gsmooth_jax.methods import verifier
from gsmooth_jax.methods.base import chosen_class
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import records
from gsmooth_jax.results.verify import verify
from tests.methods.counted import proved


@pytest.fixture(scope="module")
def claim(guarantee):
    return proved(guarantee, [2, 30, 0], [2, 30, 0], [0, 32, 0])[0]


@pytest.fixture(scope="module")
def two_sided(guarantee):
    """A guarantee and a claim whose hypotheses share a centre."""
    terms = dataclasses.replace(guarantee, test="fixed_two_sided", max_votes=500)
    return terms, proved(terms, [2, 30, 0], [100, 380, 20])[0]


def changed(claim, **change):
    """A claim whose first hypothesis says something else."""
    first, *rest = claim.hypotheses
    return dataclasses.replace(claim, hypotheses=(first._replace(**change), *rest))


def faults(claim, guarantee):
    return list(verifier.faults(claim, guarantee, Tests(guarantee)))


def test_an_honest_claim_has_none(claim, guarantee, two_sided):
    assert faults(claim, guarantee) == []
    assert faults(two_sided[1], two_sided[0]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"low": (0.0,)},  # and no upper end
        {"low": (0.0,), "high": (0.0, 0.0)},
        {"low": (0.0, 0.0), "high": (0.1, 0.1)},  # of two parameters
        {"low": (0.1,), "high": (0.0,)},
        {"low": (math.nan,), "high": (0.1,)},
        {"low": (0.0,), "high": (math.nan,)},
        {"low": (0.0,), "high": (math.inf,)},
        {"low": (0,), "high": (0.1,)},
        {"low": (False,), "high": (0.1,)},
        {"low": ("0.0",), "high": ("0.1",)},
        {"low": ("a",), "high": (0.1,)},
        {"low": (0.0,), "high": (None,)},
        {"low": [0.0], "high": [0.1]},
        {"low": None},
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": math.nan},
        {"threshold": 1},
        {"threshold": "0.8"},
        {"threshold": None},
        {"level": -1e-3},
        {"level": 1.1},
        {"level": math.nan},
        {"level": 0},
        {"centre_id": -1},
        {"centre_id": 0.0},
        {"centre_id": True},
        {"event": 3},  # there are three, and their contraries
        {"event": -4},
        {"event": 1.0},
        {"event": None},
        {"shared": 1},
        {"shared": None},
        {"successes": -1},
        {"successes": 65},
        {"successes": 62.0},
        {"votes": 61},
        {"votes": math.inf},
        {"votes": "64"},
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_named(claim, guarantee, change):
    (fault,) = faults(changed(claim, **change), guarantee)
    assert fault.startswith("hypotheses: impossible values: Hypothesis(low=")
    assert repr(changed(claim, **change).hypotheses[0]) in fault


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("low", [0]),
        ("low", ["0.0"]),
        ("low", "x"),
        ("low", [None]),
        ("high", [1]),
        ("high", [math.nan]),
        ("high", [math.inf]),
        ("votes", [64]),
        ("votes", 64.0),
        ("event", None),
    ],
)
def test_such_a_value_in_a_made_record_is_named(guarantee, column, value):
    terms = dataclasses.replace(guarantee, method=gs.Cover(noise=gs.PixelNoise(sigma=0.2)))
    half = Hypothesis((0.0,), (0.1,), 0.6, 0, 5e-4, 1, successes=64, votes=64)
    claim = dataclasses.replace(proved(guarantee, [2, 30, 0], [0, 32, 0])[0], hypotheses=(half,))
    record = json.loads(gzip.decompress(records.to_record(claim)))
    assert not any("impossible" in f for f in faults(records.from_line(json.dumps(record).encode()), terms))
    record["hypotheses"][column] = [value]
    (fault,) = verify(terms, [records.from_line(json.dumps(record).encode())])
    assert fault.startswith("image 3: hypotheses: impossible values: Hypothesis(low=")


def test_a_level_above_the_headers_alpha_is_named(claim, guarantee, two_sided):
    for terms, made, level in ((guarantee, claim, 1e-3), (*two_sided, 5e-4)):
        (fault,) = faults(made, dataclasses.replace(terms, alpha=1e-4))
        assert fault == f"hypotheses: tested at the level {level}, above the header's alpha 0.0001"


@pytest.mark.parametrize("selection", [(33, -1, 0), (2.0, 30, 0), (True, 31, 0), ("2", 30, 0)], ids=str)
def test_counts_that_cannot_be_are_named(claim, guarantee, selection):
    (fault,) = faults(dataclasses.replace(claim, selection=selection), guarantee)
    assert fault == f"selection: impossible counts {selection}"


def test_hypotheses_about_one_centre_have_its_votes_and_an_event_each(two_sided):
    terms, claim = two_sided
    own, *others = claim.hypotheses
    twice = dataclasses.replace(claim, hypotheses=(own, own, *others))
    assert "hypotheses: one about the same centre and event is listed twice" in faults(twice, terms)
    assert faults(changed(claim, votes=499), terms) == [
        "hypotheses: those about one centre have different numbers of votes"
    ]


CLAIM = {
    "statement": [Answer(0), Interval(0.0, 1.0), None],
    "certified": [False],
    "radius": [99.0, 0.1, math.nan, math.inf],
    "status": ["conditional", "statistical", "heuristic"],
    "assumes": [("transform somewhere.Else",)],
    "alpha": [1e-4, 0.0],
    "ledger": [(), (("selection", 0.0), ("everything", 1e-3)), (("selection", 1e-3), ("class, from below", 1e-3))],
    "votes": [95, 0],
    "selection": [(2, 29, 0), (30, 2, 0), (32,), ()],
    "hypotheses": [()],
}
HYPOTHESIS = {
    "low": [(-0.1,)],
    "high": [(0.1,)],
    "threshold": [0.5, 0.77],
    "centre_id": [1],
    "level": [5e-4, 0.0],
    "event": [0, 2, ~1],
    "shared": [True],
    "successes": [32, 64],
    "votes": [62, 96],
}


def test_every_field_is_tampered_with_below():
    """But for a label, the time and the file's own; a label, a note and the answer without noise ``replay`` finds."""
    of_nobody = {"id", "label", "seconds", "own_seconds", "note", "header", "clean"}
    of_cover = {"windows", "ballots"}  # see its tests
    assert CLAIM.keys() == {f.name for f in dataclasses.fields(Claim)} - of_nobody - of_cover
    assert HYPOTHESIS.keys() == set(Hypothesis._fields)


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in CLAIM.items() for v in values])
def test_a_tampered_field_of_a_claim_is_named(claim, guarantee, field, value):
    found = verify(guarantee, [dataclasses.replace(claim, **{field: value})])
    # Another selection may choose another class, or none: then the hypotheses are about the wrong one.
    names = (field, "hypotheses", "impossible values") if field == "selection" else (field,)
    assert any(f.startswith(f"image 3: {name}") for f in found for name in names), found


def test_draws_without_an_answer_choose_no_class(guarantee):
    assert chosen_class((2, 10, 20), guarantee) == (1, ())


@pytest.mark.parametrize("field", ["radius", "alpha"])
def test_a_number_is_what_follows_to_nine_digits(claim, guarantee, field):
    for more, named in ((1e-12, []), (1e-7, [field])):
        changed = dataclasses.replace(claim, **{field: getattr(claim, field) * (1 + more)})
        assert [f.partition(":")[0] for f in faults(changed, guarantee)] == named


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in HYPOTHESIS.items() for v in values])
def test_a_tampered_field_of_a_hypothesis_is_found(claim, guarantee, field, value):
    ends = {"low": {"high": value}, "high": {"low": value}}.get(field, {})  # one end alone cannot be
    found = faults(changed(claim, **{field: value}, **ends), guarantee)
    named = {"threshold": "threshold: ", "successes": "radius: ", "votes": "votes: "}.get(field, "hypotheses: ")
    assert any(f.startswith(named) for f in found), found


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"event": ~2}, "hypotheses: one about the same centre and event is listed twice"),
        ({"event": 0}, "hypotheses: expected"),
        ({"level": 1e-3}, "hypotheses: expected"),
        ({"threshold": 0.9}, "threshold: "),
        ({"successes": 480}, "radius: "),
        ({"successes": 401}, "successes: 380 and 119 against other events do not add up to 500"),
        ({"votes": 480, "successes": 400}, "hypotheses: those about one centre have different numbers of votes"),
    ],
)
def test_a_tampered_contrary_is_found(two_sided, change, named):
    terms, claim = two_sided
    own, other, *rest = claim.hypotheses
    assert other.event < 0
    found = faults(dataclasses.replace(claim, hypotheses=(own, other._replace(**change), *rest)), terms)
    assert any(f.startswith(named) for f in found), found


def test_contraries_may_not_be_left_out(two_sided):
    terms, claim = two_sided
    found = faults(dataclasses.replace(claim, hypotheses=claim.hypotheses[:-1]), terms)
    assert found[0] == "hypotheses: expected 3 about one smoothing centre, got 2"


def test_a_claim_is_not_taken_for_one_under_other_terms(claim, guarantee):
    for change, named in (
        ({"alpha": 1e-4}, "hypotheses: tested at the level 0.001, above"),
        ({"alpha": 2e-3}, "alpha: "),
        ({"max_votes": 63, "block": 21}, "votes: "),
        ({"selection_votes": 64}, "selection: "),
        ({"region": gs.Box([-0.2], [0.2])}, "threshold: "),
        ({"test": "fixed"}, "votes: "),
    ):
        found = faults(claim, dataclasses.replace(guarantee, **change))
        assert any(f.startswith(named) for f in found), (change, found)
