"""Tables for other programs: no radius is larger than proved, nor smaller than the region."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest

from gsmooth_jax import results
from gsmooth_jax.claims import Answer, Claim, Hypothesis, Interval
from gsmooth_jax.results import export, reasons, report
from gsmooth_jax.results.export import exact
from gsmooth_jax.results.run import Run


def claim(number, radius, **changes):
    values = dict(
        id=number, label=1, statement=None, certified=True, radius=radius, status="proved", assumes=(), alpha=1e-3,
        ledger=(), votes=96, seconds=2.5, selection=(), hypotheses=(),
    )  # fmt: skip
    return Claim(**(values | changes))


def rows(claims):
    return [line.split("\t") for line in results.to_tsv(claims).splitlines()[1:]]


def test_a_radius_is_read_back_as_it_was_proved():
    rng = np.random.default_rng(0)
    radii = [0.0, 9.0, 1 / 3, 2 / 3, 0.1 + 0.2, 1e-7, 123456.789, *rng.uniform(0, 50, 500)]
    assert [float(row[3]) for row in rows([claim(i, float(r)) for i, r in enumerate(radii)])] == radii
    assert (exact(9.0), exact(0.25), exact(1 / 3)) == ("9", "0.25", "0.3333333333333333")


def test_time_is_the_images_own_where_it_is_known():
    assert [row[5] for row in rows([claim(0, 1.0), claim(1, 1.0, own_seconds=0.125)])] == ["2.500", "0.125"]


def test_an_interval_is_what_is_predicted():
    ends = Interval(-float("inf"), 0.5)
    assert rows([claim(0, 1.0, statement=ends, label=0.25)]) == [["0", "0.25", "-inf:0.5", "1", "1", "2.500"]]
    assert rows([claim(0, 0.0, label=None)]) == [["0", "", "-1", "0", "", "2.500"]]


HEADER = {
    "transform": "brightness", "region": {"box": {"low": [-0.25], "high": [0.25]}}, "law": "gaussian(sigma=0.2)",
    "method": "resolvable", "test": "sequential", "futility": 0.01, "block": 8,
}  # fmt: skip


def a_mix():
    """Certified, wrong, an abstention, one that is not certified, without label, an interval."""
    tested = Hypothesis((), (), 0.9, 0, 1e-3, 1, successes=80, votes=100)
    part = {"certified": False, "selection": (0, 8, 0), "hypotheses": (tested,), "clean": 1}
    return [
        claim(0, 1 / 3, statement=Answer(1), clean=2, own_seconds=0.5),
        claim(1, 0.3, statement=Answer(0)),
        claim(2, 0.0, label=2, **part),
        claim(3, 0.1 + 0.2, statement=Answer(1), **part),
        claim(4, 0.0, label=None, note='says "so", and\nmore', **(part | {"hypotheses": ()})),
        claim(5, 1e-7, label=0.25, statement=Interval(-float("inf"), 0.5)),
    ]


def test_every_format_holds_every_image_and_radius():
    claims = a_mix()
    radii = [c.radius for c in claims]
    listed = list(csv.DictReader(io.StringIO(export.FORMATS["csv"](claims, HEADER))))
    objects = json.loads(export.FORMATS["json"](claims, HEADER))
    tabbed = rows(claims)
    assert export.FORMATS["tsv"](claims, HEADER) == results.to_tsv(claims)
    assert [float(row["radius"]) for row in listed] == [o["radius"] for o in objects] == radii
    assert [float(row[3]) for row in tabbed] == radii
    # The first columns of one are those of the other.
    assert [list(row.values())[:6] for row in listed] == tabbed


def test_csv_and_json_say_why():
    claims = a_mix()
    listed = list(csv.DictReader(io.StringIO(export.to_csv(claims, HEADER))))
    objects = json.loads(export.to_json(claims, HEADER))
    found = [reasons.why(c, HEADER) for c in claims]
    assert [row["reason"] or None for row in listed] == [o["reason"] for o in objects] == [w and w.kind for w in found]
    assert [row["why"] or None for row in listed] == [o["why"] for o in objects] == [w and w.text for w in found]
    assert [o["reason"] for o in objects] == [None, "wrong", "abstained", "margin", "abstained", None]
    assert [row["certified"] for row in listed] == ["1", "1", "0", "0", "0", "1"]
    assert [row["clean"] for row in listed] == ["2", "", "1", "1", "1", ""]
    assert [o["predict"] for o in objects] == [1, 0, None, 1, None, ["-inf", "0.5"]]
    assert [(o["label"], o["correct"], o["time"]) for o in objects][:1] == [(1, True, 0.5)]
    assert objects[4]["note"] == claims[4].note
    assert {tuple(o) for o in objects} == {tuple(objects[0])}


def a_run(**changes):
    header = HEADER | {
        "alpha": 1e-3,
        "model": {"fingerprint": "f", "dtype": "bfloat16"},
        "data": {"name": "mnist", "split": "train", "every": 20, "images": 4, "ids": "TFDS positions: not the subset"},
    }
    claims = [claim(i, r, label=None, own_seconds=0.25) for i, r in enumerate((0.123456789, 0.25, 0.25))]
    claims.append(claim(3, 0.0, label=None, certified=False))
    return Run("run", header | changes, claims)


def test_sizes_that_differ_are_columns_of_their_own():
    summary = report.summarize(a_run(), [0.12345678, 0.12345679, 0.25])
    assert summary["certified_accuracy_at"] == {"0.12345678": 0.75, "0.12345679": 0.5, "0.25": 0.5}


@pytest.mark.parametrize("radius", [-1.0, 0.0, float("nan"), float("inf")])
def test_sizes_that_are_none_are_refused(radius):
    with pytest.raises(ValueError, match="Expected radius > 0 and finite, got radius="):
        report.summarize(a_run(), [radius])


def test_a_report_says_which_images_and_in_what_they_were_computed():
    """A run in bfloat16 on images of the training split does not look like one on test images."""
    summary = report.summarize(a_run())
    said = {name: summary[name] for name in ("data", "split", "every", "images", "images_of_run", "ids", "dtype")}
    assert said == {
        "data": "mnist",
        "split": "train",
        "every": 20,
        "images": 4,
        "images_of_run": 4,
        "ids": "TFDS positions: not the subset",
        "dtype": "bfloat16",
    }
    line = report.render([summary]).renderables[0].plain
    assert line.startswith("run: mnist train, every 20th image (ids: TFDS positions: not the subset), in bfloat16; ")


def test_a_report_says_the_range_that_is_not_the_usual_one():
    audio = {"fingerprint": "f", "dtype": "float32", "domain": {"shape": [16], "low": -1.0, "high": 1.0}}
    usual = audio | {"domain": {"shape": [4, 4, 1], "low": 0.0, "high": 1.0}}
    first, second = (report.render([report.summarize(a_run(model=m))]).renderables[0].plain for m in (audio, usual))
    assert "in float32, (16,) in [-1, 1]; brightness" in first
    assert "in float32; brightness" in second


def test_statuses_are_those_of_certified_claims():
    """One that is not certified proves nothing of the region."""
    assert report.summarize(a_run())["statuses"] == {"proved": 3}
    old = dataclasses.replace(a_run(), claims=[claim(0, 1.0)])
    assert report.summarize(old)["own_seconds_mean"] is None
    summary = report.summarize(dataclasses.replace(a_run(), claims=[claim(0, 1.0, own_seconds=0.25)]))
    assert (summary["own_seconds_mean"], summary["seconds_mean"]) == (0.25, 2.5)
    line = report.render([summary]).renderables[0].plain
    assert "an image took 0.25 s of its own, 2.5 s from its first request" in line
