"""``gsmooth verify --replay``: redraws what the evidence cannot show, on real MNIST images."""

import dataclasses
import gzip
import json
import shutil

import jax.numpy as jnp
import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, results
from gsmooth_jax.data.streaming import stream
from gsmooth_jax.methods import registry
from gsmooth_jax.results import headers, records, replay
from tests import edited
from tests.cli.test_commands import gsmooth

ONE = ["--devices", "1"]  # as in the other tests of the command: compiled once


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "closed"
    few = ["--transform", "brightness_contrast", "--limit", "3"]
    assert gsmooth("certify", *few, *ONE, "--out", folder) == cli.DONE
    return folder


@pytest.fixture(scope="module")
def cover(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "cover"
    assert gsmooth("certify", "--limit", "2", *ONE, "--out", folder) == cli.DONE
    return folder


def forged(run, folder, change_claim=lambda c: None, change_header=lambda h: None):
    """A copy of the run that says something else of image 20, and whose records carry its header's digest."""
    shutil.copytree(run, folder)
    header = json.loads((folder / headers.FILE).read_text())
    change_header(header)
    (folder / headers.FILE).write_text(json.dumps(header))
    lines = [json.loads(line) for line in edited.lines(folder / results.RESULTS)]
    change_claim(lines[1])
    edited.write(folder / results.RESULTS, [line | {"header": headers.digest(header)} for line in lines])
    return folder


def faults(folder, capsys, *args):
    """What ``verify`` finds, and its exit code."""
    capsys.readouterr()
    code = gsmooth("verify", folder, *ONE, *args, "--json")
    return code, json.loads(capsys.readouterr().out)["faults"][str(folder)]


@pytest.mark.parametrize("name", ["closed", "cover"])
def test_an_honest_run_replays_as_it_was_recorded(name, request, capsys):
    run = request.getfixturevalue(name)
    capsys.readouterr()
    assert gsmooth("verify", run, "--replay", 9, *ONE, "--json") == cli.DONE
    report = json.loads(capsys.readouterr().out)
    assert report["faults"] == {str(run): []}
    assert report["replayed"][str(run)] == [c.id for c in results.read_run(run)[1]]
    assert gsmooth("verify", run, "--replay", 1, *ONE) == cli.DONE
    assert "1 images replayed" in " ".join(capsys.readouterr().out.split())


def rewrite(claim, change):
    """Changes a record in place by what it says."""
    read = records.from_line(json.dumps(claim).encode())
    claim.update(json.loads(gzip.decompress(records.to_record(change(read)))))


def shorten(claim):
    def nearer(read):
        lower = tuple(w._replace(bounds=tuple(q - 0.003 for q in w.bounds)) for w in read.windows)
        return dataclasses.replace(read, windows=lower)

    rewrite(claim, nearer)


def more_votes(claim):
    def cast(read):
        first, second, *rest = read.ballots
        second = second._replace(successes=(*second.successes, 1, 1))
        return dataclasses.replace(read, ballots=(first, second, *rest), votes=read.votes + 2)

    rewrite(claim, cast)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (shorten, "image 20: bounds of windows[0] (and of"),
        (more_votes, "image 20: votes: the file says"),
        (lambda claim: claim.update(label=7), "image 20: label: the file says 7, the replay gives"),
        (lambda claim: claim.update(note="fine"), "image 20: note: the file says 'fine', the replay gives ''"),
    ],
)
def test_what_the_evidence_does_not_show_is_found(cover, tmp_path, capsys, change, named):
    false = forged(cover, tmp_path / "false", change_claim=change)
    assert faults(false, capsys) == (cli.DONE, [])
    code, found = faults(false, capsys, "--replay", 2)
    assert code == cli.FAILED
    assert any(f.startswith(named) for f in found), found
    assert not any(f.startswith("image 0:") for f in found)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda h: h.update(law="gaussian(sigma=(0.61, 0.61))"), "threshold"),
        (lambda h: h["data"].update(images=1), "the data has no such image"),
    ],
)
def test_a_forged_header_is_found(closed, tmp_path, capsys, change, named):
    false = forged(closed, tmp_path / "false", change_header=change)
    code, found = faults(false, capsys, "--replay", 3)
    assert code == cli.FAILED
    assert any(named in f for f in found), found


def test_another_seed_shows_where_votes_are_divided():
    def by_mean(images):
        mean = images.mean(axis=(1, 2, 3))
        return jnp.stack([0.13 - mean, mean - 0.13] + 8 * [jnp.full_like(mean, -1.0)], axis=-1)

    classifier, law = gs.as_classifier(by_mean, (28, 28, 1)), gs.Gaussian(sigma=0.1)
    guarantee = gs.Guarantee(
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.02], [0.02]),
        method=registry.choose("auto", law, gs.transforms.Brightness()),
    )
    data = {"name": "embedded", "split": "test", "every": 1, "images": 2}
    header = headers.make(guarantee, model={"fingerprint": "none"}, data=data)
    claims = list(gs.certify_stream(classifier, stream("embedded", "test", limit=2), guarantee))
    assert dict(replay.replay(classifier, header, claims)) == {0: [], 20: []}
    found = dict(replay.replay(classifier, header | {"seed": 1}, claims))
    assert any("successes of hypotheses[0]: the file says" in f for f in found[0]), found


def test_another_classifier_is_refused(closed, tmp_path, capsys):
    false = forged(
        closed, tmp_path / "false", change_header=lambda h: h["model"].update(fingerprint="0123456789abcdef")
    )
    assert gsmooth("verify", false, "--replay", 1) == cli.BAD_INPUT
    assert "fingerprint 0123456789ab..., this one has" in " ".join(capsys.readouterr().err.split())
    assert gsmooth("verify", closed, "--replay", -1) == cli.BAD_INPUT


def test_another_machine_is_named(closed, tmp_path, capsys):
    header, _ = results.read_run(closed)
    assert replay.elsewhere(header) == ""
    header["versions"]["jax"], header["backend"] = "0.1", "tpu"
    said = replay.elsewhere(header)
    assert "jax 0.1, here " in said
    assert "backend tpu, here cpu" in said
    other = forged(
        closed, tmp_path / "other", lambda c: c.update(note="odd"), lambda h: h.update(versions=header["versions"])
    )
    assert gsmooth("verify", other, "--replay", 3, *ONE) == cli.FAILED
    assert "The run was made elsewhere (jax 0.1, here" in " ".join(capsys.readouterr().out.split())


def test_images_are_chosen_anew_each_time(closed):
    claim = results.read_run(closed)[1][0]
    claims = [dataclasses.replace(claim, id=i) for i in range(1000)]
    first, second = ([c.id for c in replay.choose(claims, 20)] for _ in range(2))
    assert len(set(first)) == 20
    assert first == sorted(first)
    assert first != second
    assert replay.choose(claims, 2000) == claims


def test_differences_name_the_first_window_and_count_the_others(cover):
    claim = results.read_run(cover)[1][0]
    fewer = tuple(b._replace(successes=(0,)) if i > 1 else b for i, b in enumerate(claim.ballots))
    (found,) = replay.differences(claim, dataclasses.replace(claim, ballots=fewer, seconds=0.0, header=""))
    said = (
        f"successes of ballots[2] (and of {len(fewer) - 3} others): the file says {claim.ballots[2].successes!r}, the"
    )
    assert found.startswith(said)
    (found,) = replay.differences(claim, dataclasses.replace(claim, ballots=fewer[1:]))
    assert found == f"ballots: the file has {len(fewer)}, the replay {len(fewer) - 1}"


CHANGES = {
    "id": 1, "label": 3, "statement": None, "certified": False, "radius": 1.0, "status": "heuristic",
    "assumes": ("part somewhere.Else",), "alpha": 0.5, "ledger": (), "votes": 1, "selection": (), "note": "odd",
    "clean": -1,
}  # fmt: skip
PARTS = {
    "hypotheses": {
        "low": (9.0,), "high": (9.5,), "threshold": 0.99, "centre_id": 77, "level": 1e-9, "event": 3, "successes": 1,
        "votes": 99, "shared": True,
    },
    "windows": {
        "low": (9.0,), "high": (9.5,), "level": 1e-9, "event": 3, "centre_id": 77, "bounds": (0.5,), "pairs": ((0, 9),),
    },
    "ballots": {"centre_id": 77, "event": 3, "successes": (0, 0, 0, 0, 0, 0, 1)},
}  # fmt: skip


def test_no_draw_decides_the_time_and_the_header(cover):
    claim = results.read_run(cover)[1][0]
    other = dataclasses.replace(claim, seconds=-1.0, own_seconds=-1.0, header="other")
    assert list(replay.differences(other, claim)) == []
    old = dataclasses.replace(claim, clean=None)  # of versions before 0.10, which did not record it
    assert list(replay.differences(old, claim)) == []
    assert {*CHANGES, *replay._OF_THE_FILE, *PARTS} == {f.name for f in dataclasses.fields(gs.Claim)}


@pytest.mark.parametrize("field", CHANGES)
def test_whatever_a_record_says_otherwise_than_its_replay_is_named(cover, field):
    claim = results.read_run(cover)[1][0]
    (found,) = replay.differences(dataclasses.replace(claim, **{field: CHANGES[field]}), claim)
    assert found.startswith(f"{field}: the file says {CHANGES[field]!r}, the replay gives")


@pytest.mark.parametrize(("table", "field"), [(table, field) for table, changes in PARTS.items() for field in changes])
def test_whatever_evidence_says_otherwise_than_its_replay_is_named(closed, cover, table, field):
    claim, change = results.read_run(closed if table == "hypotheses" else cover)[1][0], PARTS[table][field]
    first, *rest = getattr(claim, table)
    changed = dataclasses.replace(claim, **{table: (first._replace(**{field: change}), *rest)})
    (found,) = replay.differences(changed, claim)
    assert found.startswith(f"{field} of {table}[0]: the file says {change!r}, the replay gives")


def test_evidence_has_no_other_fields():
    assert {table: set(changes) for table, changes in PARTS.items()} == {
        table: set(row._fields) for table, row in records.TABLES.items()
    }
