"""Figures of a run, step by step: what is written, and when."""

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.adapters.metrics import Metrics
from tests.known import SHAPE, by_mean


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self):
        self.steps = []

    def write_scalars(self, step, scalars):
        self.steps.append((step, dict(scalars)))


def run(folder, writer, count=5, limit=None, **settings):
    means = np.array([0.9, 0.9, 0.51, 0.9, 0.9], np.float32)[:count]
    images = np.broadcast_to(means[:, None, None, None], (count, *SHAPE)).copy()
    return gs.certify_run(
        by_mean,
        (images, np.ones(count, np.int64)),
        out=folder,
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.1], [0.1]),
        law=gs.Gaussian(sigma=0.2),
        max_votes=256,
        execution=gs.Execution(devices=1),
        progress=Metrics(writer=writer, **settings),
    )


def test_the_figures_are_the_runs_own(tmp_path):
    writer = Kept()
    claims = list(run(tmp_path / "run", writer, every=2).claims)
    assert [step for step, _ in writer.steps] == [2, 4, 5]
    last = writer.steps[-1][1]
    assert last["certified"] == np.mean([c.certified for c in claims]) == 0.8
    # Votes under way when an image was done are counted as well.
    assert last["votes"] >= np.mean([c.votes for c in claims])
    assert last["votes_per_second"] / last["images_per_second"] == pytest.approx(last["votes"])


def test_steps_go_on_where_the_run_goes_on(tmp_path):
    run(tmp_path / "run", Kept(), count=2)
    writer = Kept()
    run(tmp_path / "run", writer, every=2)
    assert [step for step, _ in writer.steps] == [4, 5]
    assert [scalars["certified"] for _, scalars in writer.steps] == [0.75, 0.8]


def test_nothing_left_to_do_writes_nothing(tmp_path):
    run(tmp_path / "run", Kept())
    writer = Kept()
    run(tmp_path / "run", writer)
    assert writer.steps == []


def test_bad_input():
    with pytest.raises(ValueError, match="every >= 1, got 0"):
        Metrics(writer=Kept(), every=0)
    with pytest.raises(TypeError, match=r"write_scalars\(step, scalars\), got 3"):
        Metrics(writer=3)  # pyright: ignore[reportArgumentType]
