"""What hypotheses prove together: parts that cover a region, chains of centres, and parts that are tested twice."""

import itertools

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.claims import Hypothesis, Window
from gsmooth_jax.methods import coverage


def box(low, high, centre_id=0, level=5e-4, shared=False):
    return Hypothesis(low, high, 0.6, centre_id, level, 1, shared, 32, 32)


def test_one_part_of_each_level_answers_for_the_image():
    region = gs.Box([-1.0, 0.0], [1.0, 1.0])
    holds = [coverage.holds_identity(box((a, 0.0), (b, 0.5)), region) for a, b in ((-1.0, 0.0), (0.0, 0.5), (0.5, 1.0))]
    assert holds == [False, True, False]
    assert coverage.holds_identity(box((0.0, 0.0), (0.0, 0.0)), region)
    assert coverage.holds_identity(box((-1.0,), (0.0,)), gs.Box([-1.0], [0.0]))


def test_one_parameter_is_covered_as_any_number_are():
    rng, region, answers = np.random.default_rng(0), gs.Box([-1.0], [1.0]), []
    for _ in range(200):
        ends = np.sort(rng.integers(-6, 7, (4, 2)) / 5.0, axis=1)
        answers.append(coverage.covered([box((a,), (b,)) for a, b in ends.tolist()], region))
        assert answers[-1] == coverage.boxes_cover(np.array([-1.0]), np.array([1.0]), ends[:, :1], ends[:, 1:])
    assert 10 < sum(answers) < 190


@pytest.mark.parametrize(
    ("low", "high"), [((-1.0,), (1.0,)), ((-0.6,), (1.0,)), ((0.0,), (0.8,)), ((-1.0, 0.0), (1.0, 0.4))]
)
def test_the_largest_region_is_found(low, high):
    """Against the largest of a hundred sizes, for parts that are drawn at random on a grid."""
    rng, region, found = np.random.default_rng(1), gs.Box(low, high), []
    for _ in range(30):
        count = 5 * len(low) ** 2
        lows = rng.integers(-5, 4, (count, len(low)))
        highs = lows + rng.integers(1, 6, lows.shape)
        ends = (np.stack([lows, highs], axis=1) / 5).tolist()
        boxes = [box(tuple(a), tuple(b), i) for i, (a, b) in enumerate(ends)]
        found.append(coverage.largest(boxes, region))
        shares = np.arange(1, 101) / 100
        proved = [coverage.covered(boxes, region.scaled(share * region.size)) for share in shares]
        most = region.size * max(shares[proved], default=0.0)
        if coverage.answered(boxes, region):
            assert most - 1e-9 <= found[-1] < most + 0.0101 * region.size
        else:
            assert found[-1] == 0.0
    assert len({round(size, 6) for size in found}) >= 4


def test_of_windows_it_is_what_version_0_8_recorded():
    """Which halved the interval of shares twelve times."""
    rng, region, found = np.random.default_rng(2), gs.Box([-1.0], [0.7]), []
    for _ in range(30):
        ends = np.sort(rng.uniform(-1.0, 1.0, 8)).tolist()
        windows = [Window((a,), (b,), 5e-4, 1, 0, (0.6,), ((0, 1),)) for a, b in itertools.pairwise(ends)]
        windows = [w for w in windows if rng.random() < 0.9]
        good, bad = 0.0, 1.0
        for _ in range(12):
            share = 0.5 * (good + bad)
            good, bad = (share, bad) if coverage.covered(windows, region.scaled(share)) else (good, share)
        found.append(coverage.largest(windows, region))
        assert found[-1] == good
    assert len({*found}) > 10


def test_the_largest_region_ends_where_a_part_does():
    """To the last digit, so that curves have their steps where the parts end."""
    faces = np.linspace(-10.0, 10.0, 11).tolist()
    cells = [box((a,), (b,), i) for i, (a, b) in enumerate(itertools.pairwise(faces))]
    for left, right, size in ((4, 7, 2.0), (3, 8, 4.0), (0, 8, 6.0), (1, 11, 8.0), (5, 6, 0.0), (6, 11, 0.0)):
        assert coverage.largest(cells[left:right], gs.Box([-10.0], [10.0])) == size
    assert coverage.largest([box((-1.0,), (0.5,))], gs.Box([0.0], [1.0])) == 0.5  # a part that leaves the region


def test_nothing_covers_nothing():
    for region in (
        gs.Box([0.0], [1.0]),
        gs.Box([0.0, -1.0], [1.0, 0.0]),
        gs.Ball(1.0, 1),
        gs.Ball(1.0, 3),
        gs.Ball(1.0),
    ):
        assert not coverage.covered([], region)
        assert not coverage.answered([], region)


def nearest(point, p):
    """How far the unit box around a point is from 0."""
    return float(np.linalg.norm(np.maximum(np.abs(point) - 0.5, 0.0), ord=p))


@pytest.mark.parametrize(
    ("dim", "radius", "p"),
    [(1, 2.2, 2), (2, 0.5, 2), (2, 1.2, 2), (2, 3.54, 2), (2, 3.7, 2), (3, 1.3, 2), (2, 1.2, 1), (3, 1.3, np.inf)],
)
def test_a_ball_is_covered_by_the_boxes_that_meet_it_and_by_no_fewer(dim, radius, p):
    """Unit boxes around whole points: of a ball, only those matter that come nearer to 0 than its radius."""
    points = list(itertools.product(range(-5, 6), repeat=dim))
    near = [x for x in points if nearest(x, p) < radius]
    assert len(near) < len(points)
    boxes = [box(tuple(x - 0.5 for x in at), tuple(x + 0.5 for x in at), i) for i, at in enumerate(near)]
    region = gs.Ball(radius, dim, p)
    assert coverage.covered(boxes, region)
    assert coverage.answered(boxes, region)
    assert not coverage.overlapping(boxes)
    for i in range(len(boxes)):
        assert not coverage.covered(boxes[:i] + boxes[i + 1 :], region), near[i]
    # The box around the ball has corners that the ball has not.
    corners = [p for p in points if max(map(abs, p)) - 0.5 < radius]
    assert coverage.covered(boxes, gs.Box([-radius] * dim, [radius] * dim)) == (corners == near)


@pytest.mark.parametrize("ball", [None, gs.Ball(1.0, 2), gs.Ball(1.0, 2, p=1)], ids=str)
@pytest.mark.parametrize("pieces", [1, 3, 20])
def test_a_region_that_is_cut_in_two_is_covered_where_it_is_as_a_whole(monkeypatch, pieces, ball):
    """A file may hold boxes with so many faces that their grid is cut into smaller ones."""
    rng, low, high, answers = np.random.default_rng(0), np.array([-1.0, -1.0]), np.array([1.0, 1.0]), []
    edges = np.linspace(-1, 1, 6)
    whole = np.array([[(a, c), (b, d)] for a, b in itertools.pairwise(edges) for c, d in itertools.pairwise(edges)])
    for _ in range(50):
        ends = np.sort(rng.integers(-6, 7, (3, 2, 2)) / 5.0, axis=1)
        boxes = np.concatenate([np.delete(whole, rng.integers(0, len(whole), rng.integers(0, 3)), axis=0), ends])
        with monkeypatch.context() as patched:
            patched.setattr(coverage, "_MOST_PIECES", pieces)
            answers.append(coverage.boxes_cover(low, high, boxes[:, 0], boxes[:, 1], ball))
        assert answers[-1] == coverage.boxes_cover(low, high, boxes[:, 0], boxes[:, 1], ball)
    assert 5 < sum(answers) < 48


def test_a_ball_is_not_covered_by_what_is_flat():
    assert coverage.covered([box((-9.0, -9.0), (9.0, 9.0))], gs.Ball(1.0, 2))
    assert not coverage.covered([box((-9.0, 0.0), (9.0, 0.0))], gs.Ball(1.0, 2))


STRING = [((0,), (1,)), ((0,), (2,)), ((1,), (3,)), ((2,), (3,))]


@pytest.mark.parametrize(
    ("boxes", "overlap"),
    [(STRING, False), (STRING[:1] * 2, False), ([*STRING, *STRING], True), ([*STRING, *STRING[1:3]], True)],
)
def test_a_shared_part_proves_nothing_without_its_neighbour(boxes, overlap):
    cells = [box(low, high, number, shared=True) for number, (low, high) in enumerate(boxes)]
    assert coverage.overlapping(cells) == overlap
    if not overlap:
        region = gs.Box([0.0], [max(high[0] for _, high in boxes)])
        assert coverage.covered(cells, region)
        assert coverage.answered(cells, region)
        for i in range(len(cells)):
            assert not coverage.covered(cells[:i] + cells[i + 1 :], region)
            assert coverage.answered(cells[:i] + cells[i + 1 :], region) == (i > 1)
    alone = box((0.2,), (0.3,), len(cells))
    assert coverage.overlapping([*cells, alone])


def test_where_one_chain_ends_and_the_next_begins_nothing_is_proved():
    """Their face is an end of each, and no theorem speaks of the two centres beside it."""
    both = [*STRING, *(((low + 3,), (high + 3,)) for (low,), (high,) in STRING)]
    cells = [box((low - 3,), (high - 3,), i, shared=True) for i, ((low,), (high,)) in enumerate(both)]
    region = gs.Box([-3.0], [3.0])
    assert coverage.covered(cells, region)
    assert coverage.answered(cells, region)
    assert coverage.parts(cells[3:5]) == []
    assert not coverage.answered(cells[3:5], region)
    wide = [c._replace(low=(*c.low, -1.0), high=(*c.high, 1.0)) for c in cells]
    assert coverage.parts(wide[3:5]) == []


def test_a_flat_region_is_covered_by_what_meets_it_alone():
    for along, across in ((0, 1), (1, 0)):
        ends = np.zeros((2, 2))
        ends[:, along] = -1.0, 1.0
        region = gs.Box(*ends.tolist())
        for low, high, covers in ((0.0, 0.0, True), (-0.5, 0.0, True), (0.0, 0.5, True), (0.5, 1.0, False)):
            ends[:, across] = low, high
            assert coverage.covered([box(*map(tuple, ends.tolist()))], region) == covers
            ends[1, along] = 0.9
            assert not coverage.covered([box(*map(tuple, ends.tolist()))], region)
            ends[1, along] = 1.0


def test_neighbours_of_different_levels_prove_nothing_together():
    cells = [box(low, high, number, shared=True) for number, (low, high) in enumerate(STRING)]
    region = gs.Box([0.0], [3.0])
    assert coverage.covered(cells, region)
    assert not coverage.covered([*cells[:2], *(c._replace(level=2.5e-4) for c in cells[2:])], region)
    assert not coverage.covered([c._replace(centre_id=2 * c.centre_id) for c in cells], region)


@pytest.mark.parametrize(
    ("boxes", "overlap"),
    [
        ([((0,), (1,)), ((1,), (2,))], False),
        ([((0,), (1,)), ((0.5,), (2,))], True),
        ([((0,), (3,)), ((1,), (2,))], True),
        ([((0,), (0,)), ((0,), (0,))], True),
        ([((0,), (0,)), ((-1,), (1,))], True),
        ([((0, 0), (1, 1)), ((1, 0), (2, 1)), ((0, 1), (1, 2))], False),
        ([((0, 0), (4, 1)), ((1, 2), (2, 3)), ((3, 0.5), (4, 2))], True),
        ([((0, 0), (1, 0)), ((0.5, 0), (2, 0))], True),
        ([], False),
    ],
)
def test_parts_that_share_more_than_a_face_are_found(boxes, overlap):
    assert coverage.overlapping([box(low, high) for low, high in boxes]) == overlap
