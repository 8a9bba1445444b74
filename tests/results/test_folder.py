"""Run folders: what is written is read back, crashes cost one line, and nothing is mixed up."""

import dataclasses
import errno
import json
from concurrent import futures
from pathlib import Path

import pytest

import gsmooth_jax as gs
from gsmooth_jax import results
from gsmooth_jax.certificates import Resolvable
from gsmooth_jax.claims import Answer, Claim, Hypothesis
from gsmooth_jax.methods.base import Evidence
from gsmooth_jax.methods.closed_form import plan
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results import headers
from gsmooth_jax.results.accuracy import accuracy_curve, certified_accuracy
from gsmooth_jax.results.verify import lost, verify
from tests import edited

GUARANTEE = gs.Guarantee(
    transform=gs.transforms.Translation(),
    region=gs.Ball(8.0, 2),
    method=gs.ClosedForm(smoothing=gs.Gaussian(sigma=20.0), certificate=Resolvable()),
)


def header(guarantee=GUARANTEE):
    model = {"architectures": [{"name": "by_mean"}], "fingerprint": "f", "dtype": "float32"}
    return headers.make(guarantee, model=model, data={"name": "mnist"})


def hypothesis(successes=64, votes=64):
    threshold = plan(GUARANTEE.method, GUARANTEE).threshold
    return Hypothesis((), (), threshold, 0, GUARANTEE.alpha, 1, successes=successes, votes=votes)


def claim(number, radius=9.0, **changes):
    values = dict(
        id=number, label=1, statement=Answer(1), certified=True, radius=radius, status="proved", assumes=(), alpha=1e-3,
        ledger=GUARANTEE.method.ledger(GUARANTEE), votes=96,
        seconds=0.5, selection=(0, 32, 0), hypotheses=(hypothesis(),),
    )  # fmt: skip
    return Claim(**(values | changes))


def test_claims_are_read_back_as_they_were_written(tmp_path):
    written = [claim(0), claim(20, radius=0.1 + 0.2, note="odd")]
    with results.RunWriter(tmp_path / "run", header()) as run:
        for c in written:
            run.append(c)
    read, claims = results.read_run(tmp_path / "run")
    assert claims == [dataclasses.replace(c, header=headers.digest(header())) for c in written]
    assert read == json.loads(json.dumps(header()))


@pytest.mark.parametrize(
    "guarantee",
    [
        GUARANTEE,
        dataclasses.replace(
            GUARANTEE,
            transform=gs.transforms.GaussianBlur(),
            region=gs.Box([0], [36]),
            method=gs.ClosedForm(smoothing=gs.Exponential(scale=12.0), certificate=Resolvable()),
            test="fixed",
        ),
    ],
)
def test_a_guarantee_survives_its_header(guarantee):
    assert headers.guarantee_of(json.loads(json.dumps(header(guarantee)))) == guarantee


def test_a_run_goes_on_where_it_stopped(tmp_path):
    with results.RunWriter(tmp_path, header()) as run:
        run.append(claim(0))
    with results.RunWriter(tmp_path, header()) as run:
        assert run.done == {0}
        run.append(claim(20))
    assert [c.id for c in results.read_run(tmp_path)[1]] == [0, 20]


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_line_that_a_crash_cut_short_is_dropped_and_done_again(tmp_path, cut):
    with results.RunWriter(tmp_path, header()) as run:
        run.append(claim(0))
        run.append(claim(20))
    path = tmp_path / results.RESULTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert [c.id for c in results.read_run(tmp_path)[1]] == [0]
    with results.RunWriter(tmp_path, header()) as run:
        assert run.done == {0}
        run.append(claim(20))
    assert path.read_bytes() == whole


def test_damage_before_the_last_line_is_not_ignored(tmp_path):
    with results.RunWriter(tmp_path, header()) as run:
        run.append(claim(0))
        run.append(claim(20))
    path = tmp_path / results.RESULTS
    whole = path.read_bytes()
    for damaged in (b"{" + whole, whole[:60] + b"?" + whole[61:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"results.jsonl.gz, record 1, is damaged .no gzip member"):
            results.read_run(tmp_path)
        with pytest.raises(ValueError, match="record 1, is damaged"):
            results.RunWriter(tmp_path, header())
        assert path.read_bytes() == damaged
    edited.write(path, [b"{}", b"{}"])
    with pytest.raises(ValueError, match=r"record 1, is damaged .it lacks id, label, statement"):
        results.read_run(tmp_path)


@pytest.mark.parametrize(("field", "value"), [("id", "0"), ("label", True), ("certified", 1), ("radius", None)])
def test_a_value_of_an_odd_type_is_damage(tmp_path, field, value):
    with results.RunWriter(tmp_path, header()) as run:
        run.append(claim(0))
    edited.edit(tmp_path / results.RESULTS, lambda record: record.update({field: value}))
    with pytest.raises(ValueError, match=f"record 1, is damaged .its {field} is "):
        results.read_run(tmp_path)


@pytest.mark.parametrize(("text", "problem"), [("[]", "it is no object: "), ("{}", "its transform is no str: None")])
def test_a_header_of_an_odd_type_is_damage(tmp_path, text, problem):
    (tmp_path / headers.FILE).write_text(text)
    with pytest.raises(ValueError, match=problem):
        results.read_run(tmp_path)


def test_a_finished_run_stays_one_when_versions_change(tmp_path):
    data = {"name": "mnist", "images": 2}
    then = header() | {"data": data, "versions": {"gsmooth_jax": "0.1.0"}, "backend": "tpu"}
    now = header() | {"data": data}
    with results.RunWriter(tmp_path, then) as run:
        assert not results.finished(tmp_path, now, [0, 20])
        for number in (0, 20):
            run.append(claim(number))
    assert results.finished(tmp_path, now, [0, 20])
    assert not results.finished(tmp_path, now | {"alpha": 0.01}, [0, 20])
    assert not results.finished(tmp_path, now, [0, 20, 40])
    assert not results.finished(tmp_path, now, [0, 40])
    assert not results.finished(tmp_path / "none", now, [0, 20])


def test_a_folder_of_another_claim_is_refused_and_kept(tmp_path):
    with results.RunWriter(tmp_path, header()) as run:
        run.append(claim(0))
    other = header(dataclasses.replace(GUARANTEE, alpha=0.01))
    with pytest.raises(ValueError, match=r"another claim \(alpha: the folder has 0.001, this run 0.01\)"):
        results.RunWriter(tmp_path, other)
    assert len(results.read_run(tmp_path)[1]) == 1


def test_two_writers_are_refused(tmp_path):
    with results.RunWriter(tmp_path, header()), pytest.raises(BlockingIOError, match="Another process"):
        results.RunWriter(tmp_path, header())
    results.RunWriter(tmp_path, header()).__exit__()


def test_a_full_disk_loses_nothing_written(tmp_path):
    class FullDisk:
        """The real file, whose second line meets a full disk after 50 bytes."""

        def __init__(self, file):
            self.file, self.lines = file, 0

        def write(self, line):
            self.lines += 1
            if self.lines == 2:
                self.file.write(line[:50])
                self.file.flush()
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(line)

        def __getattr__(self, name):
            return getattr(self.file, name)

    with results.RunWriter(tmp_path, header()) as run:
        run._file = FullDisk(run._file)
        run.append(claim(0))
        with pytest.raises(OSError, match="make room and run the same command again") as caught:
            run.append(claim(20))
        assert caught.value.errno == errno.ENOSPC
    with results.RunWriter(tmp_path, header()) as run:
        assert run.done == {0}


def write(folder, process, processes, *numbers):
    with results.RunWriter(folder, header(), process_index=process, process_count=processes) as run:
        for number in numbers:
            run.append(claim(number))


def test_the_shards_of_many_processes_are_read_in_the_order_of_the_data(tmp_path):
    write(tmp_path, 1, 3, 20, 80)
    write(tmp_path, 0, 3, 0, 60, 120)
    assert [c.id for c in results.read_run(tmp_path)[1]] == [0, 20, 60, 80, 120]
    assert [len(shard) for shard in results.read_shards(tmp_path)[1]] == [3, 2, 0]
    names = ["header.json", "results-00000-of-00003.jsonl.gz", "results-00001-of-00003.jsonl.gz"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_one_process_of_many_goes_on_where_it_stopped(tmp_path):
    write(tmp_path, 1, 3, 20)
    with results.RunWriter(tmp_path, header(), process_index=1, process_count=3) as run:
        assert run.done == {20}
        with pytest.raises(BlockingIOError, match=r"is writing .*results-00001-of-00003"):
            results.RunWriter(tmp_path, header(), process_index=1, process_count=3)
        write(tmp_path, 2, 3, 40)


@pytest.mark.parametrize(("first", "second"), [(1, 3), (3, 1), (3, 4)])
def test_a_run_of_another_number_of_processes_is_refused_and_kept(tmp_path, first, second):
    write(tmp_path, 0, first, 0)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=f"holds the results of {first} process.*this run is of {second} process"):
        write(tmp_path, 0, second, 0)
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / results.shard_name(0, second)).touch()
    with pytest.raises(ValueError, match=r"mixes the results of (1 process and 3|3 processes and 4) processes"):
        results.read_run(tmp_path)


def test_of_processes_that_start_together_one_writes_the_header_and_the_others_must_agree(tmp_path):
    def start(process):
        mine = header(dataclasses.replace(GUARANTEE, seed=process % 2))
        try:
            results.RunWriter(tmp_path, mine, process_index=process, process_count=16).__exit__()
        except ValueError as error:
            return str(error)

    with futures.ThreadPoolExecutor(16) as pool:
        refused = list(pool.map(start, range(16)))
    seed = results.read_run(tmp_path)[0]["seed"]
    assert ["seed: the folder has" in (r or "") for r in refused] == [p % 2 != seed for p in range(16)]
    assert len(list(tmp_path.glob("header*"))) == 1


def test_a_file_system_without_links_has_a_header_too(tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(headers.os, "link", no_link)
    write(tmp_path, 0, 1, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["header.json", "results.jsonl.gz"]


def test_infinite_radii_never_reach_the_file(tmp_path):
    with results.RunWriter(tmp_path, header()) as run, pytest.raises(ValueError, match="JSON"):
        run.append(claim(0, radius=float("inf")))


def test_a_missing_run_and_a_damaged_header_are_named(tmp_path):
    with pytest.raises(ValueError, match="Expected a run folder"):
        results.read_run(tmp_path)
    (tmp_path / headers.FILE).write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        results.read_run(tmp_path)


def test_the_table_of_the_fields_scripts():
    text = results.to_tsv([claim(0), claim(20, statement=None, radius=0.0, certified=False)])
    assert text.splitlines() == [
        "idx\tlabel\tpredict\tradius\tcorrect\ttime",
        "0\t1\t1\t9\t1\t0.500",
        "20\t1\t-1\t0\t0\t0.500",
    ]


def test_every_image_is_in_the_denominator():
    claims = [
        claim(0, radius=9.0),
        claim(1, radius=3.0, certified=False),
        claim(2, label=0),
        claim(3, statement=None, radius=0.0, certified=False),
    ]
    assert certified_accuracy(claims) == 0.25
    assert certified_accuracy(claims, 3.0) == 0.5
    assert certified_accuracy(claims, 9.5) == 0.0
    sizes, proved = accuracy_curve(claims)
    assert sizes.tolist() == [0.0, 3.0, 9.0]
    assert proved.tolist() == [0.5, 0.5, 0.25]
    with pytest.raises(ValueError, match="at least one claim"):
        certified_accuracy([])


@pytest.fixture(scope="module")
def honest():
    """Claims as the engine would have written them."""
    claims, verdicts = [], Tests(GUARANTEE)
    for number, (successes, votes) in enumerate([(64, 64), (60, 96), (40, 96)]):
        h = hypothesis(successes, votes)
        passed = (h,) if verdicts.decide(h) == "certified" else ()
        statement, certified, radius, faults = GUARANTEE.method.concludes(
            Evidence((0, 32, 0), (h,), passed, verdicts.lower), GUARANTEE
        )
        assert faults == ()
        found = {"statement": statement, "certified": certified, "radius": radius, "hypotheses": (h,)}
        claims.append(claim(number, votes=32 + votes, **found))
    return claims


def test_honest_claims_follow_from_their_evidence(honest):
    assert verify(GUARANTEE, honest) == []
    assert [c.certified for c in honest] == [True, False, False]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("certified", {"certified": False}),
        ("radius", {"radius": 9.9}),
        ("alpha", {"alpha": 1e-4}),
        ("statement", {"statement": Answer(0)}),
        ("assumes", {"assumes": ("law somewhere.Else",)}),
        ("votes", {"votes": 95}),
        ("status", {"status": "heuristic"}),
        ("selection", {"selection": (0, 31, 0)}),
    ],
)
def test_a_tampered_field_is_named(honest, field, change):
    faults = verify(GUARANTEE, [dataclasses.replace(honest[0], **change), *honest[1:]])
    assert any(f.startswith(f"image 0: {field}") for f in faults), faults


def test_tampered_votes_are_found(honest):
    faults = verify(GUARANTEE, [dataclasses.replace(honest[1], hypotheses=(hypothesis(95, 96),))])
    assert any(f.startswith("image 1: radius: ") for f in faults), faults
    assert any(f.startswith("image 1: certified: ") for f in faults), faults


def test_an_image_listed_twice_is_found(honest):
    assert any("listed twice" in f for f in verify(GUARANTEE, [honest[0], honest[0]]))


def test_records_of_another_header_are_not_taken_over(tmp_path):
    """As after a header was lost: the records would be read under terms that they were not made for."""
    ours = header()
    with results.RunWriter(tmp_path, ours) as run:
        run.append(claim(0))
    (tmp_path / headers.FILE).unlink()
    with pytest.raises(ValueError, match="belong to another header"):
        results.RunWriter(tmp_path, ours | {"alpha": 1e-9})


def test_a_header_that_does_not_fit_the_disk_leaves_none(tmp_path, monkeypatch):
    def full(self, text):
        with open(self, "w") as file:
            file.write(text[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    ours = header()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            results.RunWriter(tmp_path, ours)
    assert list(tmp_path.iterdir()) == []
    results.RunWriter(tmp_path, ours).__exit__()


def test_lost_images_are_told_from_those_still_to_do():
    ids = range(0, 140, 20)
    assert lost(ids, [[claim(0), claim(20)]]) == []
    assert lost(ids, [[claim(0), claim(40)]]) == ["image 20: missing"]
    assert lost(ids, [[claim(0), claim(40)], [claim(20), claim(60)]]) == []
    assert lost(ids, [[claim(0)], [claim(20), claim(100)]]) == ["image 60: missing"]
    assert lost(ids, [[claim(20)], []]) == ["image 20: listed by process 0 of 2, whose image it is not"]


def test_a_header_that_announces_too_much_costs_no_memory():
    ids = range(0, 20 * 2**31, 20)
    found = lost(ids, [[claim(0), claim(20 * 2**30)]])
    assert found[0] == "image 20: missing"
    assert found[-1] == f"process 0 of 1: {2**30 - 1 - 1000:,} images more are missing"
    assert len(found) == 1001
    assert lost(ids, [[claim(7)]]) == ["image 7: listed by process 0 of 1, whose image it is not"]
