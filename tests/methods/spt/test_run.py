"""A run of ``spt``: its record, replay, report and attack."""

import dataclasses

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.attacks import EotPgd, Random, attack_stream
from gsmooth_jax.results import headers, read_run, reasons
from tests.methods.spt.test_method import IMAGE, LAW, METHOD, REGION, ROTATION, half_space

IMAGES = [
    gs.Example(id=i, image=x, label=1) for i, x in enumerate((IMAGE, np.zeros_like(IMAGE), np.flipud(IMAGE).copy()))
]


@pytest.fixture(scope="module")
def model():
    return half_space()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("spt") / "run"
    terms = {"alpha": 0.05, "max_votes": 60 * 96, "selection_votes": 8}
    gs.certify_run(model, IMAGES, out=out, transform=ROTATION, region=REGION, law=LAW, method=METHOD.name, **terms)
    return out


def test_it_verifies_and_replays(folder, model):
    found = gs.verify(folder, replay=2, model=model, data=IMAGES)
    assert list(found.faults) == []
    header, claims = read_run(folder)
    assert headers.guarantee_of(header).method == METHOD
    first = claims[0].hypotheses[0]
    assert first.low == first.high  # the draw's own parameter
    assert 0.5 < first.threshold < 1.0  # Phi(E / inner)


def test_another_parameter_or_error_of_a_draw_is_found_by_replay(folder, model):
    from gsmooth_jax.methods.stream import certify_stream
    from gsmooth_jax.results.replay import differences

    header, claims = read_run(folder)
    (again,) = certify_stream(model, IMAGES[:1], headers.guarantee_of(header))
    assert list(differences(claims[0], again)) == []
    first, *others = claims[0].hypotheses
    for altered, said in (
        (first._replace(low=(0.0,), high=(0.0,)), "low of hypotheses[0]"),
        (first._replace(threshold=0.5), "threshold of hypotheses[0]"),
        (first._replace(successes=first.successes - 1), "successes of hypotheses[0]"),
    ):
        changed = dataclasses.replace(claims[0], hypotheses=(altered, *others))
        assert any(said in line for line in differences(changed, again))


def test_the_report_has_radii(folder):
    (summary,) = gs.report(folder)
    assert summary["status"] == "proved"
    assert summary["radius_percentiles"] == [REGION.size] * 3
    assert {reason["kind"] for reason in summary["not_certified"]} == {"wrong"}


def test_reasons_speak_of_outer_draws(folder):
    header, claims = read_run(folder)
    less = dataclasses.replace(claims[0], certified=False, radius=1.0)
    found = reasons.why(less, header)
    assert found is not None
    assert found.kind == "margin"
    assert f"of {len(less.hypotheses)} outer draws are surely for 1" in found.text
    assert 0 < int(found.text.split()[0]) < len(less.hypotheses)  # one turned too far is among them
    nothing = reasons.why(dataclasses.replace(less, statement=None, radius=0.0), header)
    assert nothing is not None
    assert (nothing.kind, "outer draws" in nothing.text) == ("abstained", True)
    lost = tuple(h._replace(votes=0, successes=0) for h in less.hypotheses[:-1])
    for statement in (less.statement, None):
        far = reasons.why(dataclasses.replace(less, hypotheses=lost, statement=statement), header)
        assert far is not None
        assert far.kind == "bounds"
        assert f"the errors of {len(lost)} of {len(lost)} outer draws are more" in far.text


def test_no_attack_breaks_what_is_proved(folder, model):
    header, claims = read_run(folder)
    terms = headers.guarantee_of(header)
    pairs = [(IMAGES[0], claims[0])]
    (outcome,) = attack_stream(model, pairs, terms, Random(tries=6), votes=8, confirm=128)
    assert outcome.tries == 7
    assert not outcome.broke_claim
    assert outcome.counts[1] > 64
    with pytest.raises(ValueError, match="use grid or random"):
        attack_stream(model, pairs, terms, EotPgd())
