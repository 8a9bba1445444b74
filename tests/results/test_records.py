"""Records: what is written is read back, any gzip reader reads it, cells take few bytes, and damage is told from a
member that was cut short."""

import dataclasses
import gzip
import json
import shutil
import subprocess
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from gsmooth_jax import results
from gsmooth_jax.claims import Answer, Claim, Hypothesis, Interval
from gsmooth_jax.results import records

KEPT = Path(__file__).parents[2] / "experiments/table1_mnist/zoom_blur"
OLD = Path(__file__).parent / "old_runs/cover_cifar10"

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NATURALS = st.integers(0, 2**32 - 1)


def corners(dim):
    return st.tuples(*[NUMBERS] * dim)


def hypotheses(dim):
    return st.builds(
        Hypothesis,
        low=corners(dim),
        high=corners(dim),
        threshold=st.floats(0.0, 1.0),
        centre_id=NATURALS,
        level=st.floats(0.0, 1.0),
        event=st.integers(-1000, 1000),
        shared=st.booleans(),
        successes=NATURALS,
        votes=NATURALS,
    )


STATEMENTS = st.one_of(
    st.none(),
    st.builds(Answer, st.integers(0, 999)),
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=2).map(sorted).map(lambda ends: Interval(*ends)),
)
CLAIMS = st.builds(
    Claim,
    id=NATURALS,
    label=st.one_of(st.none(), st.integers(0, 999), NUMBERS),
    statement=STATEMENTS,
    certified=st.booleans(),
    radius=NUMBERS,
    status=st.sampled_from(["proved", "conditional", "statistical", "heuristic"]),
    assumes=st.lists(st.text()).map(tuple),
    alpha=NUMBERS,
    ledger=st.dictionaries(st.text(), NUMBERS).map(lambda d: tuple(d.items())),
    votes=NATURALS,
    seconds=NUMBERS,
    selection=st.lists(NATURALS).map(tuple),
    hypotheses=st.integers(0, 3).flatmap(lambda dim: st.lists(hypotheses(dim), max_size=6)).map(tuple),
    note=st.text(),
    header=st.text(),
    own_seconds=st.one_of(st.none(), NUMBERS),
    clean=st.one_of(st.none(), st.integers(-1, 999)),
)


def read(data):
    return [records.from_line(line) for line, _ in records.lines_of(data)]


@hypothesis.given(claim=CLAIMS)
def test_a_claim_is_read_back_as_it_was_written(claim):
    record = records.to_record(claim)
    ((line, end),) = records.lines_of(record)
    assert end == len(record)
    assert line.find(b"\n") == len(line) - 1
    (found,) = read(record)
    assert found == claim
    assert found.own_seconds == claim.own_seconds  # not part of the equality
    for name in ("radius", "label", "alpha"):  # 1 == 1.0, which another field may be read as
        assert type(getattr(found, name)) is type(getattr(claim, name))
    assert all(
        type(a) is type(b)
        for h, g in zip(found.hypotheses, claim.hypotheses, strict=True)
        for a, b in zip(h, g, strict=True)
    )
    assert records.to_record(found) == record


@hypothesis.given(claims=st.lists(CLAIMS, min_size=1, max_size=3), data=st.data())
@hypothesis.settings(deadline=None)
def test_of_a_file_that_was_cut_short_the_whole_members_are_read(claims, data):
    written = [records.to_record(c) for c in claims]
    whole = b"".join(written)
    cut = data.draw(st.integers(0, len(whole)))
    ends = [sum(map(len, written[:k])) for k in range(1, len(claims) + 1)]
    found = list(records.lines_of(whole[:cut]))
    assert [end for _, end in found] == [end for end in ends if end <= cut]
    assert [records.from_line(line) for line, _ in found] == claims[: len(found)]


@pytest.fixture(scope="module")
def kept():
    return results.read_run(OLD)[1]


@pytest.fixture(scope="module")
def three(kept):
    """Three claims, none with many cells."""
    return sorted(kept, key=lambda c: len(c.hypotheses))[:3]


def test_any_gzip_reader_reads_the_lines(kept, tmp_path):
    path = tmp_path / results.RESULTS
    path.write_bytes(b"".join(map(records.to_record, kept)))
    with gzip.open(path, "rt", encoding="utf8") as file:
        lines = file.readlines()
    assert [json.loads(line)["id"] for line in lines] == [c.id for c in kept]
    assert [records.from_line(line.encode()) for line in lines] == kept
    if zcat := shutil.which("zcat"):
        shown = subprocess.run([zcat, path], capture_output=True, text=True, check=True).stdout
        assert shown == "".join(lines)


def test_a_changed_byte_never_gives_another_claim(three):
    """Each record has gzip's own sum over its line. A change is damage, or of a byte that says nothing of the line,
    or makes the rest of the file look like one member that was cut short."""
    whole = b"".join(map(records.to_record, three))
    unseen = 0
    for position in range(len(whole)):
        for bit in (1, 4, 128):
            changed = whole[:position] + bytes([whole[position] ^ bit]) + whole[position + 1 :]
            try:
                found = read(changed)
            except ValueError:
                continue
            assert found == three[: len(found)]
            unseen += len(found) < 3
    assert unseen < 0.01 * 3 * len(whole)


@pytest.mark.parametrize("data", [b"\n", b"{}\n", b'{"id": 0}\n', b"\x1f\x8b\x07" + bytes(20)])
def test_what_no_member_begins_with_is_damage(three, data):
    record = records.to_record(three[0])
    with pytest.raises(ValueError, match="no gzip member"):
        read(record + data + record)


def test_a_window_takes_few_bytes():
    """Measured over all 500 images and 58,925 windows of this run: 15.3 bytes a window, its votes and all else too."""
    new = results.read_run(KEPT)[1][:40]
    windows = sum(len(c.windows) for c in new)
    assert windows > 4000
    assert sum(len(records.to_record(c)) for c in new) < 16 * windows


def test_the_same_claim_has_the_same_bytes(three):
    """No time, name or system enters: files of a run can be compared."""
    assert records.to_record(three[0]) == records.to_record(dataclasses.replace(three[0]))
    assert records.to_record(three[0])[3:8] == bytes(5)  # no name, no time


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"statement": {"vote": 3}}, "its statement is a 'vote', none of class, interval"),
        ({"statement": {"class": -1}}, "Expected a class, got -1"),
        ({"statement": {"class": 1.0}}, "Expected a class, got 1.0"),
        ({"statement": {"interval": ["1.0", "0.0"]}}, "Expected low <= high"),
        ({"statement": {"interval": ["nan", "0.0"]}}, "Expected low <= high"),
        ({"statement": {"class": 1, "interval": ["0", "1"]}}, "values"),
        ({"statement": 7}, "items"),
        ({"status": "sure"}, "its status is 'sure', none of proved, conditional, statistical, heuristic"),
        ({"label": "7"}, "its label is '7', no number"),
        ({"label": True}, "its label is True, no number"),
        ({"certified": 1}, "its certified is 1, no bool"),
        ({"votes": 1.5}, "its votes is 1.5, no int"),
        ({"id": None}, "its id is None, no int"),
        ({"note": 0}, "its note is 0, no str"),
        ({"own_seconds": "1"}, "its own_seconds is '1', no number"),
        ({"ledger": []}, "items"),
        ({"assumes": None}, "iterable"),
        ({"selection": 32}, "iterable"),
        ({"hypotheses": []}, "keys"),
        ({"hypotheses": {}}, "its hypotheses have the columns"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_a_record_of_an_odd_kind_is_damage(three, change, said):
    value = json.loads(gzip.decompress(records.to_record(three[0])))
    with pytest.raises(ValueError, match=said):
        records.from_line(json.dumps(value | change).encode())


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Claim) if f.default is dataclasses.MISSING])
def test_a_record_without_a_field_is_damage(three, field):
    value = json.loads(gzip.decompress(records.to_record(three[0])))
    del value[field]
    with pytest.raises(ValueError, match=f"it lacks {field}: written by another version"):
        records.from_line(json.dumps(value).encode())


@pytest.mark.parametrize("column", Hypothesis._fields)
def test_columns_that_do_not_fit_are_damage(three, column):
    value = json.loads(gzip.decompress(records.to_record(three[0])))
    columns = value["hypotheses"]
    without = {k: v for k, v in columns.items() if k != column}
    for damaged in (without, columns | {column: columns[column][:-1]}, columns | {column: 7}, without | {"x": []}):
        with pytest.raises(ValueError):  # noqa: PT011 (which of the checks finds it does not matter)
            records.from_line(json.dumps(value | {"hypotheses": damaged}).encode())


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[]\n", b"null\n", b"7\n", b'"id"\n', b"\xff\xfe\n"])
def test_what_is_no_claim_is_damage(line):
    with pytest.raises(ValueError):  # noqa: PT011
        records.from_line(line)


def test_no_number_that_json_has_not_is_written(three):
    for change in ({"radius": float("inf")}, {"alpha": float("nan")}):
        with pytest.raises(ValueError, match="JSON"):
            records.to_record(dataclasses.replace(three[0], **change))
