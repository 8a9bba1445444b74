"""What the evidence alone gives away: every field that is tampered with is found and named, and alpha is spent once."""

import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.claims import Answer
from gsmooth_jax.methods import registry
from gsmooth_jax.methods.cover.cells import level, threshold
from gsmooth_jax.results import headers
from gsmooth_jax.results.verify import verify_run
from tests import edited

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "experiments"
COVER, GSMOOTH, CLOSED = (
    "tests/results/old_runs/cover",  # of version 0.4
    "tests/results/old_runs/gsmooth",
    "experiments/resolvable_mnist/gaussian_blur",
)
ALL = pytest.mark.parametrize("run", [COVER, GSMOOTH, CLOSED], indirect=True, ids=lambda r: r)


@functools.cache
def beginning(run):
    header, claims = results.read_run(ROOT / run)
    return header, claims[:20]


@pytest.fixture
def run(request):
    return beginning(request.param)


def certified(claims):
    return next(c for c in claims if c.certified)


@pytest.mark.parametrize("run", sorted(str(p.parent.relative_to(KEPT)) for p in KEPT.rglob("header.json")))
@pytest.mark.usefixtures("untraced")
def test_the_kept_runs_follow_from_their_evidence(run):
    header, claims = results.read_run(KEPT / run)
    assert len(claims) == header["data"]["images"]
    assert verify_run(header, claims) == []


@ALL
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("certified", {"certified": False}),
        ("statement", {"statement": None}),
        ("statement", {"statement": Answer(0)}),
        ("assumes", {"assumes": ("transform somewhere.Else",)}),
        ("radius", {"radius": 99.0}),
        ("radius", {"radius": float("nan")}),
        ("alpha", {"alpha": 1e-4}),
        ("ledger", {"ledger": (("selection", 0.0), ("everything", 1e-3))}),
        ("ledger", {"ledger": ()}),
        ("status", {"status": "statistical"}),
        ("votes", {"votes": 7}),
        ("selection", {"selection": (0, 0, 0, 0, 0, 0, 0, 31, 0, 0, 0)}),
        ("selection", {"selection": (0, 0, 0, 0, 0, 0, 0, 33, -1, 0, 0)}),
        ("hypotheses", {"selection": (31, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0)}),
        ("hypotheses", {"selection": (30, 2)}),
        ("(hypotheses: )?impossible values", {"selection": (32,)}),
        ("hypotheses|votes", {"hypotheses": ()}),
    ],
)
def test_a_tampered_field_is_named(run, field, change):
    header, claims = run
    claim = certified(claims)
    assert claim.predicted == 7
    faults = verify_run(header, [dataclasses.replace(claim, **change)])
    assert any(re.match(f"image {claim.id}: ({field})", f) for f in faults), faults


@ALL
@pytest.mark.parametrize(
    ("field", "change", "named"),
    [
        ("alpha", 2e-3, "image 0: alpha: the file says 0.001, the evidence gives 0.002"),
        ("alpha", 1e-4, "image 0: (alpha: the file says 0.001|hypotheses: tested at the level 0.00.*, above)"),
        ("alpha", 2.0, "header: Expected 0 < alpha < 1"),
        ("alpha", "small", "header: "),
        ("region", {"box": {"low": [0.0], "high": [99.0]}}, "image 0: "),
        ("region", {"box": {"low": [1.0], "high": [2.0]}}, "header: Expected finite low <= 0 <= high"),
        ("max_votes", 40, "the header allows 40|more than 40 votes|header: max_votes=40"),
        ("method", "magic", "header: .*'magic'"),
        ("law", "cauchy(scale=1.0)", "header: .*'cauchy'"),
        ("transform", "rotate", "header: .*'rotate'"),
        ("selection_votes", 4, "image 0: selection"),
    ],
)
def test_a_tampered_header_is_found_by_its_digest_and_by_the_evidence(run, field, change, named):
    header, claims = run
    other = {**header, field: change}
    assert verify_run(other, claims)[0].startswith("header: 20 of 20 records, such as image 0, were written under")
    resealed = [dataclasses.replace(c, header=headers.digest(other)) for c in claims]
    faults = verify_run(other, resealed)
    assert any(re.search(named, f) for f in faults), faults


@ALL
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("seed", 1),
        ("test", "fixed"),
        ("futility", 0.02),
        ("block", 64),
        ("backend", "gpu"),
        ("versions", {}),
        ("data", {}),
        ("model", {"fingerprint": "0"}),
    ],
)
def test_the_digest_shows_what_the_evidence_does_not(run, field, change):
    header, claims = run
    assert verify_run({**header, field: change}, claims)[0].startswith("header: 20 of 20 records")
    assert verify_run(header, [dataclasses.replace(claims[0], header=""), *claims[1:]])[0].startswith("header: 1 of 20")


@pytest.mark.parametrize("run", [COVER], indirect=True)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda h, g: {"successes": h.votes // 2}, "certified: the file says True"),
        (lambda h, g: {"threshold": threshold(3.0)}, "certified: the file says True"),
        (lambda h, g: {"level": level(g, 3)}, "certified: the file says True"),
        (lambda h, g: {"high": h.low}, "certified: the file says True"),
        (lambda h, g: {"low": h.high}, "certified: the file says True"),
        (lambda h, g: {"votes": h.votes + 32}, "votes: the file says"),
        (lambda h, g: {"votes": g.max_votes + 32}, "the header allows 10000"),
        (lambda h, g: {"level": level(g, 4)}, "a cell of a level to which no part of alpha goes"),
        (lambda h, g: {"level": 1.5 * level(g, 0)}, "a cell of a level to which no part of alpha goes"),
        (lambda h, g: {"level": 0.0}, "a cell of a level to which no part of alpha goes"),
        (lambda h, g: {"centre_id": 5}, "one about the same centre and event is listed twice"),
        (lambda h, g: {"centre_id": 99}, "certified: the file says True"),
        (lambda h, g: {"event": 0}, "of another event than the selection chose"),
        (lambda h, g: {"event": ~0}, "of another event than the selection chose"),
        (lambda h, g: {"high": (0.0,)}, "cells of level 0.0005 overlap"),
        (lambda h, g: {"low": (), "high": ()}, "of another event than the selection chose, or no cells"),
        (lambda h, g: {"successes": h.votes + 1}, "impossible values"),
        (lambda h, g: {"successes": 31.5}, "impossible values"),
        (lambda h, g: {"threshold": -1.0}, "impossible values"),
        (lambda h, g: {"threshold": float("nan")}, "impossible values"),
        (lambda h, g: {"threshold": 0.0}, "impossible values"),  # the sequential test knows none
        (lambda h, g: {"low": (float("nan"),)}, "impossible values"),
        (lambda h, g: {"low": (0.0, 0.0)}, "impossible values"),
        (lambda h, g: {"event": 11}, "impossible values"),
    ],
)
def test_a_tampered_cell_is_found(run, change, named):
    header, claims = run
    claim = certified(claims)
    first, *rest = claim.hypotheses
    changed = first._replace(**change(first, headers.guarantee_of(header)))
    faults = verify_run(header, [dataclasses.replace(claim, hypotheses=(changed, *rest))])
    assert any(named in f for f in faults), faults


@pytest.mark.parametrize("run", [COVER], indirect=True)
def test_centres_of_a_chain_that_say_they_stand_alone_are_found(run):
    """All of them; one by itself is what a chain may have, and a replay alone finds it."""
    header, claims = run
    claim = certified(claims)
    assert all(h.shared for h in claim.hypotheses)
    alone = tuple(h._replace(shared=False) for h in claim.hypotheses)
    faults = verify_run(header, [dataclasses.replace(claim, hypotheses=alone)])
    assert any("cells of level 0.0005 overlap" in f for f in faults), faults


@pytest.mark.parametrize("run", [CLOSED], indirect=True)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"low": (0.0,), "high": (36.0,)}, "hypotheses: expected"),
        ({"low": (0.0,)}, "hypotheses: impossible values"),
        ({"threshold": 0.5}, "threshold: the file says 0.5, the theorem gives"),
        ({"centre_id": 1}, "hypotheses: expected"),
        ({"level": 5e-4}, "hypotheses: expected"),
        ({"event": 3}, "hypotheses: expected"),
        ({"shared": True}, "hypotheses: expected"),
        ({"successes": 1}, "certified: the file says True"),
        ({"successes": 648}, "radius: the file says"),
        ({"votes": 656}, "votes: the file says"),
    ],
)
def test_a_tampered_test_is_found(run, change, named):
    header, claims = run
    claim = certified(claims)
    (tested,) = claim.hypotheses
    assert (tested.successes, tested.votes) == (645, 648)
    faults = verify_run(header, [dataclasses.replace(claim, hypotheses=(tested._replace(**change),))])
    assert any(named in f for f in faults), faults


@pytest.mark.parametrize("run", [GSMOOTH], indirect=True)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"low": (-11.0,)}, "is none of the 11 centres"),
        ({"high": (-7.0,)}, "is none of the 11 centres"),
        ({"threshold": 0.6}, "cells of one size have several thresholds"),
        ({"centre_id": 5}, "is listed twice"),
        ({"centre_id": 12}, "is none of the 11 centres"),
        ({"level": 5e-4}, "is none of the 11 centres"),
        ({"event": 3}, "is none of the 11 centres"),
        ({"shared": True}, "is none of the 11 centres"),
        ({"successes": 32}, "certified: the file says True"),
        ({"votes": 96}, "votes: the file says"),
        ({"votes": 20_000}, "more than 10000 votes at a centre"),
    ],
)
def test_a_tampered_centre_is_found(run, change, named):
    header, claims = run
    first, *rest = claims[0].hypotheses
    faults = verify_run(header, [dataclasses.replace(claims[0], hypotheses=(first._replace(**change), *rest))])
    assert any(named in f for f in faults), faults


@pytest.mark.parametrize("run", [GSMOOTH], indirect=True)
def test_the_image_is_not_tested_beside_the_cells(run):
    header, claims = run
    found = claims[0].hypotheses
    point = found[0]._replace(low=(0.0,), high=(0.0,), centre_id=10)
    faults = verify_run(header, [dataclasses.replace(claims[0], hypotheses=(*found, point))])
    assert any("so alpha is spent twice" in f for f in faults), faults


def test_the_parts_of_alpha_add_up_to_no_more_than_alpha():
    terms = {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.1], [0.1])}
    gaussian, pixels = gs.Gaussian(sigma=0.2), gs.PixelNoise(sigma=0.2)
    for law, test, parts in (
        (gaussian, "sequential", {"selection": 0.0, "class, from below": 1e-3}),
        (gaussian, "fixed", {"selection": 0.0, "class, from below": 1e-3}),
        (gaussian, "fixed_two_sided", {"selection": 0.0, "class, from below": 5e-4, "other classes, from above": 5e-4}),
        (
            pixels,
            "sequential",
            {"selection": 0.0, "parts": 7 / 8 * 1e-3, "parts anew": 1e-3 / 8},
        ),
    ):
        guarantee = gs.Guarantee(method=registry.choose("auto", law, terms["transform"]), test=test, **terms)
        ledger = guarantee.method.ledger(guarantee)
        assert dict(ledger) == parts
        assert sum(part for _, part in ledger) <= guarantee.alpha


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("ledger", "ledger"),
        ("nodes", "statement, assumes, hypotheses"),
        ("selection", "selection"),
        ("predicted", "predicted"),
    ],
)
def test_an_old_record_that_lacks_a_field_is_no_cut_line(tmp_path, field, said):
    (tmp_path / headers.FILE).write_bytes((ROOT / CLOSED / headers.FILE).read_bytes())
    first = json.loads((Path(__file__).parent / "old_records.jsonl").read_text().splitlines()[2])
    del first[field]
    (tmp_path / "results.jsonl").write_text(json.dumps(first) + "\n")
    with pytest.raises(ValueError, match=f"results.jsonl, record 1, is damaged .it lacks {said}"):
        results.read_run(tmp_path)


@pytest.mark.parametrize("field", ["ledger", "hypotheses", "selection", "statement", "assumes"])
def test_a_record_that_lacks_a_field_is_no_cut_line(tmp_path, field):
    header, claims = beginning(CLOSED)
    with results.RunWriter(tmp_path, header) as run:
        run.append(claims[0])
    edited.edit(tmp_path / results.RESULTS, lambda record: record.pop(field))
    with pytest.raises(ValueError, match=f"results.jsonl.gz, record 1, is damaged .it lacks {field}"):
        results.read_run(tmp_path)
