"""What the evidence alone gives away: every field that is tampered with is found and named, and alpha is spent once."""

import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.methods import registry
from gsmooth_jax.results import headers
from gsmooth_jax.results.verify import verify_run
from gsmooth_jax.types import ABSTAIN

KEPT = Path(__file__).parents[1] / "experiments"
COVER, GSMOOTH, CLOSED = (
    "table1_mnist/rotational_blur",
    "published_certificate/gsmooth",
    "resolvable_mnist/gaussian_blur",
)
ALL = pytest.mark.parametrize("run", [COVER, GSMOOTH, CLOSED], indirect=True, ids=lambda r: r)


@functools.cache
def beginning(run):
    header, claims = results.read_run(KEPT / run)
    return header, claims[:20]


@pytest.fixture
def run(request):
    return beginning(request.param)


def certified(claims):
    return next(c for c in claims if c.certified)


@pytest.mark.parametrize("run", sorted(str(p.parent.relative_to(KEPT)) for p in KEPT.glob("*/*/header.json")))
def test_the_kept_runs_follow_from_their_evidence(run):
    header, claims = results.read_run(KEPT / run)
    assert len(claims) == header["data"]["images"]
    assert verify_run(header, claims) == []


@ALL
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("certified", {"certified": False}),
        ("predicted", {"predicted": ABSTAIN}),
        ("radius", {"radius": 99.0}),
        ("radius", {"radius": float("nan")}),
        ("alpha", {"alpha": 1e-4}),
        ("ledger", {"ledger": (("selection", 0.0), ("everything", 1e-3))}),
        ("ledger", {"ledger": ()}),
        ("status", {"status": "statistical"}),
        ("votes", {"votes": 7}),
        ("selection", {"selection": (30, 1)}),
        ("impossible values", {"selection": (32,)}),
    ],
)
def test_a_tampered_field_is_named(run, field, change):
    header, claims = run
    claim = certified(claims)
    if "selection" in change and header["method"] == "resolvable":
        field = "counts"  # where the two are compared first
    faults = verify_run(header, [dataclasses.replace(claim, **change)])
    assert any(f.startswith(f"image {claim.id}: {field}") for f in faults), faults


@ALL
@pytest.mark.parametrize(
    ("field", "change", "named"),
    [
        ("alpha", 1e-4, "image 0: alpha: the file says 0.001, the evidence gives 0.0001"),
        ("alpha", 2.0, "header: Expected 0 < alpha < 1"),
        ("alpha", "small", "header: "),
        ("region", {"box": {"low": [0.0], "high": [99.0]}}, "image 0: "),
        ("region", {"box": {"low": [1.0], "high": [2.0]}}, "header: Expected finite low <= 0 <= high"),
        ("max_votes", 40, "the header allows 40|more than 40 votes|header: max_votes=40"),
        ("method", "magic", "header: .*'magic'"),
        ("law", "cauchy(scale=1.0)", "header: .*'cauchy'"),
        ("transform", "rotate", "header: .*'rotate'"),
        ("selection_votes", 64, "image 0: selection"),
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
        (lambda e: e._replace(successes=e.votes // 2), "certified: the file says True"),
        (lambda e: e._replace(distance=3.0), "certified: the file says True"),
        (lambda e: e._replace(depth=3), "certified: the file says True"),
        (lambda e: e._replace(high=e.low), "certified: the file says True"),
        (lambda e: e._replace(votes=e.votes + 32), "votes: the file says"),
        (lambda e: e._replace(depth=4), "a cell of depth 4, to which no part of alpha goes"),
        (lambda e: e._replace(node=5), "a smoothing centre is listed twice"),
        (lambda e: e._replace(high=(0.0,)), "cells of depth 0 overlap"),
        (lambda e: e._replace(successes=e.votes + 1), "impossible cells"),
        (lambda e: e._replace(successes=31.5), "impossible cells"),
        (lambda e: e._replace(distance=-1.0), "impossible cells"),
        (lambda e: e._replace(distance=float("nan")), "impossible cells"),
        (lambda e: e._replace(low=(float("nan"),)), "impossible cells"),
        (lambda e: e._replace(low=(0.0, 0.0)), "impossible cells"),
    ],
)
def test_a_tampered_cell_is_found(run, change, named):
    header, claims = run
    claim = certified(claims)
    first, *rest = claim.nodes
    faults = verify_run(header, [dataclasses.replace(claim, nodes=(change(first), *rest))])
    assert any(named in f for f in faults), faults


@pytest.mark.parametrize("run", [CLOSED], indirect=True)
@pytest.mark.parametrize("field", ["counts", "threshold", "p_lower", "p_upper"])
def test_a_tampered_test_is_found(run, field):
    header, claims = run
    claim = certified(claims)
    (node,) = claim.nodes
    value = (*node.counts[1:], node.counts[0] + 1) if field == "counts" else 0.5
    faults = verify_run(header, [dataclasses.replace(claim, nodes=(dataclasses.replace(node, **{field: value}),))])
    assert any("p_lower" in f if field == "counts" else field in f for f in faults), faults


@pytest.mark.parametrize("run", [GSMOOTH], indirect=True)
def test_the_image_is_not_tested_beside_the_cells(run):
    header, claims = run
    point = claims[0].nodes[0]._replace(low=(0.0,), high=(0.0,), node=10)
    faults = verify_run(header, [dataclasses.replace(claims[0], nodes=(*claims[0].nodes, point))])
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
            {"selection": 0.0, "pilots": 0.0} | {f"depth {d}": 1e-3 / 2 ** (d + 1) for d in range(4)},
        ),
    ):
        guarantee = gs.Guarantee(method=registry.choose("auto", law, terms["transform"]), test=test, **terms)
        ledger = guarantee.method.ledger(guarantee)
        assert dict(ledger) == parts
        assert sum(part for _, part in ledger) <= guarantee.alpha


@pytest.mark.parametrize("field", ["ledger", "nodes", "selection"])
def test_a_record_that_lacks_a_field_is_no_cut_line(tmp_path, field):
    for name in (headers.FILE, results.RESULTS):
        (tmp_path / name).write_bytes((KEPT / CLOSED / name).read_bytes())
    first = json.loads((tmp_path / results.RESULTS).read_text().splitlines()[0])
    del first[field]
    (tmp_path / results.RESULTS).write_text(json.dumps(first) + "\n")
    with pytest.raises(ValueError, match=f"line 1 of 1 is damaged .it lacks {field}"):
        results.read_run(tmp_path)
