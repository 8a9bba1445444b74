"""Run folders from Python: the same as the command line's, resumed, verified and reported like them."""

import contextlib
import dataclasses

import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import cli, models, results
from gsmooth_jax.results.certify import RunFailed
from tests import edited, tiny
from tests.known import SHAPE, by_mean

MEANS = [0.05, 0.15, 0.25, 0.34, 0.4, 0.5, 0.6, 0.7, 0.8, 0.95]
IMAGES = np.stack([np.full(SHAPE, m, np.float32) for m in MEANS])
LABELS = [int(m > 0.5) for m in MEANS]
TERMS = {
    "transform": gs.transforms.Brightness(),
    "region": gs.Box([-0.15], [0.15]),
    "law": gs.Gaussian(sigma=0.2),
    "max_votes": 512,
    "execution": gs.Execution(devices=1),
}


def certify_run(out, data=(IMAGES, LABELS), model=by_mean, **changes):
    return gs.certify_run(model, data, out=out, **(TERMS | changes))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return certify_run(tmp_path_factory.mktemp("memory") / "run")


def without_time(claims):
    return [dataclasses.replace(c, seconds=0.0, header="") for c in claims]


def test_a_run_holds_the_claims_that_certify_gives(run):
    assert without_time(run.claims) == without_time(gs.certify(by_mean, IMAGES, LABELS, **TERMS))
    assert {c.certified for c in run.claims} == {True, False}
    assert run.header["data"] == {
        "name": "in memory",
        "every": 1,
        "images": len(MEANS),
        "ids": "as given",
        "sha256": run.header["data"]["sha256"],
    }
    assert run.header["model"]["architectures"] == [{"callable": "tests.known.by_mean"}]
    assert gs.verify(run) == gs.verify(run.folder)
    found = gs.verify(run.folder, replay=4, model=by_mean, data=(IMAGES, LABELS))
    assert (found.claims, found.faults, found.unchecked, found.left) == (len(MEANS), [], [], 0)
    assert len(found.replayed) == 4
    (summary,) = gs.report(run)
    assert summary["certified_accuracy"] == gs.certified_accuracy(run.claims)
    assert summary["statuses"] == {"proved": sum(c.certified for c in run.claims)}


def test_the_command_line_makes_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "ensemble", tiny.classifier)
    cli.main(["certify", *tiny.FEW, "--devices", "1", "--out", str(tmp_path / "typed")])
    region = gs.Box([-0.1, -0.1], [0.1, 0.1])
    made = gs.certify_run(
        tiny.classifier(None),
        "embedded",
        out=tmp_path / "called",
        transform=gs.transforms.BrightnessContrast(),
        region=region,
        law=gs.Gaussian(sigma=(0.6, 0.6)),
        limit=16,
        execution=gs.Execution(devices=1),
    )
    typed, _ = results.read_run(tmp_path / "typed")
    assert typed == made.header
    assert tiny.lines(tmp_path / "typed" / results.RESULTS) == tiny.lines(tmp_path / "called" / results.RESULTS)
    checkpoint = "shipped:mnist_brightness_contrast"
    terms = {"transform": gs.transforms.BrightnessContrast(), "region": region, "limit": 16}
    again = gs.certify_run(checkpoint, "embedded", out=tmp_path / "typed", **terms)  # its law is the checkpoint's
    assert again.claims == results.read_run(tmp_path / "typed")[1]


@pytest.mark.parametrize("kind", ["arrays", "list", "iterable"])
def test_a_run_that_was_stopped_goes_on_and_ends_the_same(kind, run, tmp_path):
    examples = [gs.Example(id=i, image=x, label=y) for i, (x, y) in enumerate(zip(IMAGES, LABELS, strict=True))]

    def data():
        return {"arrays": (IMAGES, LABELS), "list": examples, "iterable": iter(examples)}[kind]

    class Stop:
        """Interrupts after three claims."""

        def __init__(self):
            self.told, self.kept = [], None

        def started(self, requirement, *, images, done, certified):
            self.told.append((images, done, certified))
            return contextlib.nullcontext()

        def votes(self, count):
            pass

        def finished(self, claim):
            if claim.id == 2:
                raise KeyboardInterrupt

        def interrupted(self, kept):
            self.kept = kept

    stop = Stop()
    with pytest.raises(KeyboardInterrupt):
        certify_run(tmp_path, data(), progress=stop, domain=gs.Domain(SHAPE))
    assert stop.kept == 3
    assert len(results.read_run(tmp_path)[1]) == 3
    stop.finished = lambda claim: None
    whole = certify_run(tmp_path, data(), progress=stop, domain=gs.Domain(SHAPE))
    assert without_time(whole.claims) == without_time(run.claims)
    certified = sum(c.certified for c in run.claims[:3])
    images = None if kind == "iterable" else len(MEANS)
    assert stop.told == [(images, 0, 0), (images, 3, certified)]  # what earlier sessions have certified counts
    written = (tmp_path / results.RESULTS).read_bytes()
    certify_run(tmp_path, data(), domain=gs.Domain(SHAPE))
    assert (tmp_path / results.RESULTS).read_bytes() == written


def test_other_images_are_another_run(run):
    with pytest.raises(ValueError, match=r"another claim \(data.sha256: the folder has"):
        certify_run(run.folder, (IMAGES[::-1].copy(), LABELS[::-1]))
    with pytest.raises(ValueError, match=r"another claim \(model.architectures: .*; model.fingerprint: "):
        certify_run(run.folder, model=lambda images: -by_mean(images))
    with pytest.raises(ValueError, match="images or ids differ from those in its header"):
        gs.verify(run, replay=1, model=by_mean, data=(IMAGES[:3], LABELS[:3]))
    with pytest.raises(ValueError, match=r"no name that can be opened \(in memory\): bring them as data"):
        gs.verify(run, replay=1, model=by_mean)
    with pytest.raises(ValueError, match="about the classifier with fingerprint"):
        gs.verify(run, replay=1, model=lambda images: -by_mean(images), data=(IMAGES, LABELS))


def test_what_fails_on_the_way_leaves_what_was_done(tmp_path):
    def data():
        for i in range(4):
            yield gs.Example(id=i, image=IMAGES[i], label=LABELS[i])
        raise OSError("the store is gone")

    with pytest.raises(RunFailed, match=r"the store is gone\n[0-4] images are kept in .*run the same command to go on"):
        certify_run(tmp_path, data(), domain=gs.Domain(SHAPE), execution=gs.Execution(devices=1, rows=1))
    kept = [c.id for c in results.read_run(tmp_path)[1]]
    assert kept == list(range(len(kept)))  # some are taken before the first is done


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((IMAGES, [1, 2]), "with N labels and N ids"),
        ((IMAGES, LABELS, [3] * len(MEANS)), "ids to be distinct"),
        ((2.0 * IMAGES, LABELS), r"image 6 to lie in \[0, 1\]"),
        ((IMAGES, [7] * len(MEANS)), "label of image 0 in 0..1, got 7"),
        ([], "at least one image"),
        ([IMAGES[0]], "data_0 to be a gs.Example"),
        (3, "a data set's name, .images, labels, ids., or gs.Examples, got data=3"),
        ("imagenet", "Unknown data 'imagenet'"),
        (iter([]), "Expected a domain, or a model that has one"),
    ],
)
def test_bad_data_starts_nothing(data, message, tmp_path):
    with pytest.raises((ValueError, TypeError), match=message):
        certify_run(tmp_path / "run", data)
    assert not (tmp_path / "run").exists()


def test_a_model_for_other_images_starts_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"takes images \(28, 28, 1\) in \[0, 1\]|classifier of inputs \(4, 4, 1\)"):
        certify_run(tmp_path / "run", model=tiny.classifier(None))
    two = gs.as_classifier(by_mean, (28, 28, 1))
    with pytest.raises(ValueError, match=r"takes images .* of 2 classes, embedded has images .* of 10"):
        gs.certify_run(two, "embedded", out=tmp_path / "run", **TERMS)
    assert not (tmp_path / "run").exists()


def test_ids_of_ones_own(tmp_path):
    run = certify_run(tmp_path / "even", (IMAGES, LABELS, np.arange(0, 70, 7)))
    assert run.header["data"]["every"] == 7
    run = certify_run(tmp_path / "odd", (IMAGES[:3], None, [30, 4, 11]))
    assert run.header["data"]["id_list"] == [30, 4, 11]
    assert [(c.id, c.label) for c in run.claims] == [(30, None), (4, None), (11, None)]
    assert gs.verify(run).faults == []
    records = edited.lines(run.folder / results.RESULTS)
    edited.write(run.folder / results.RESULTS, records[1:])
    assert gs.verify(run.folder).faults == ["image 30: missing"]


def test_of_a_mere_stream_nobody_can_tell_whether_it_is_whole(tmp_path):
    examples = (gs.Example(id=i, image=x, label=None) for i, x in enumerate(IMAGES))
    run = certify_run(tmp_path, examples, domain=gs.Domain(SHAPE))
    found = gs.verify(run)
    assert found.faults == []
    assert found.unchecked == [
        "the header's data lacks every and images: inputs that were left out of the run cannot be found"
    ]
    listed = [gs.Example(id=i, image=x, label=None) for i, x in enumerate(IMAGES)]
    assert gs.verify(run, replay=2, model=by_mean, data=iter(listed)).faults == []


def test_a_model_of_one_number_and_its_intervals(tmp_path, capsys):
    """No label, and no class: reported and exported as what they are."""

    def mean(images):
        return images.mean(axis=(1, 2, 3))

    method = gs.Median(noise=gs.PixelNoise(sigma=0.1), steps=20)
    run = gs.certify_run(
        mean,
        (IMAGES[:3], MEANS[:3]),
        out=tmp_path,
        transform=gs.transforms.Brightness(),
        region=gs.Box([-0.02], [0.02]),
        method=method,
        max_votes=4000,
        execution=gs.Execution(devices=1),
    )
    assert any(c.certified for c in run.claims)
    found = gs.verify(run, replay=1, model=mean, data=(IMAGES[:3], MEANS[:3]))
    assert found.faults == []
    rows = [line.split("\t") for line in results.to_tsv(run.claims).splitlines()[1:]]
    claim, row = next((c, r) for c, r in zip(run.claims, rows, strict=True) if c.certified)
    low, high = row[2].split(":")
    assert (float(low), float(high)) == (claim.statement.low, claim.statement.high)
    assert row[4] == "1"
    cli.main(["report", str(tmp_path)])
    assert "by median(" in "".join(capsys.readouterr().out.split("\n"))


def test_labels_that_nobody_knows(tmp_path, capsys):
    run = certify_run(tmp_path, IMAGES)
    assert all(c.label is None and c.correct is None for c in run.claims)
    (summary,) = gs.report([tmp_path])
    assert summary["accuracy"] is None
    assert summary["certified_accuracy"] == sum(c.certified for c in run.claims) / len(MEANS)
    rows = [line.split("\t") for line in results.to_tsv(run.claims).splitlines()[1:]]
    assert {(row[1], row[4]) for row in rows} == {("", "")}
    cli.main(["report", str(tmp_path)])
    assert "│        - │" in capsys.readouterr().out


def test_report_draws_only_where_it_is_told(run, tmp_path):
    before = sorted(run.folder.iterdir())
    gs.report([run, run.folder], radii=[0.1, 1 / 3])
    assert sorted(run.folder.iterdir()) == before
    gs.report(run, out=tmp_path / "new")
    assert (tmp_path / "new" / "certified_accuracy.png").stat().st_size > 5000


def test_a_law_that_a_checkpoint_does_not_name(tmp_path):
    with pytest.raises(ValueError, match="name the law for gaussian_blur"):
        gs.certify_run(
            "shipped:mnist_brightness_contrast",
            "embedded",
            out=tmp_path / "run",
            transform=gs.transforms.GaussianBlur(),
            region=gs.Box([0], [1]),
        )
    assert not (tmp_path / "run").exists()
