"""The report page: whole, alone, one row an image and run, nothing of the user's read as markup, sound pictures."""

import base64
import dataclasses
import html.parser
import io
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer, Ballot, Hypothesis, Interval, Window
from gsmooth_jax.results import attack_files, page, reasons
from gsmooth_jax.results.page import axes, curves, pictures
from gsmooth_jax.results.run import Run, read
from gsmooth_jax.transforms import Brightness
from tests.known import SHAPE, by_mean
from tests.results.test_export import claim

KEPT = Path(__file__).parents[2] / "experiments"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EMPTY = {"meta", "img", "link", "input", "br", "hr", "wbr"}


class Parsed(html.parser.HTMLParser):
    """Checks that elements are closed in order; keeps them with their attributes, and the text of each."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.open, tag  # in HTML itself a slash closes nothing
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag, class_=None):
        return [
            a for t, a in self.elements if t == tag and (class_ is None or class_ in (a.get("class") or "").split())
        ]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def header_of(**changes):
    return {
        "transform": "brightness", "region": {"box": {"low": [-0.25], "high": [0.25]}}, "law": "gaussian(sigma=0.2)",
        "method": "resolvable", "test": "sequential", "futility": 0.01, "block": 8, "alpha": 1e-3, "seed": 0,
        "max_votes": 1000, "versions": {"gsmooth_jax": "0.9.0"}, "model": {"fingerprint": "f"},
        "data": {"name": "in memory", "images": 3},
    } | changes  # fmt: skip


def a_run(name="run", **changes):
    lost = Hypothesis((), (), 0.9, 0, 1e-3, 1, successes=80, votes=100)
    claims = [
        claim(0, 0.25, statement=Answer(1), clean=1),
        claim(7, 0.125, statement=Answer(1), certified=False, hypotheses=(lost,), clean=0),
        claim(9, 0.0, statement=Answer(0), certified=False, label=2),
    ]
    return Run(name, header_of(**changes), claims)


NOTHING = pictures.Pictures({}, {})


def rendered(*runs, shown=None, attacks=None):
    return page.render(runs, shown or [NOTHING for _ in runs], attacks or [[] for _ in runs])


@pytest.fixture(scope="module")
def kept():
    return read(KEPT / "resolvable_mnist/gaussian_blur")


def test_a_page_is_well_formed_and_has_a_row_for_each_image(kept):
    attacks = attack_files.read(kept.folder, kept.header)
    parsed = Parsed(rendered(kept, attacks=[attacks]))
    assert len(parsed.all("p", "attack")) == sum(o["tries"] > 0 for o in attacks[0]["outcomes"])
    rows = parsed.all("tbody")[-len(kept.claims) :]
    assert [int(row["data-id"]) for row in rows] == [c.id for c in kept.claims]
    kinds = [reasons.why(c, kept.header) for c in kept.claims]
    assert [row["data-kind"] for row in rows] == [why.kind if why else "ok" for why in kinds]
    assert [float(row["data-radius"]) for row in rows] == pytest.approx([c.radius for c in kept.claims], rel=1e-5)
    assert [int(row["data-votes"]) for row in rows] == [c.votes for c in kept.claims]
    assert len(parsed.all("svg", "axis")) == len(kept.claims)
    for why in kinds:
        assert why is None or why.text in parsed.text


def test_it_says_what_was_claimed_and_with_which_limits(kept):
    text = Parsed(rendered(kept)).text
    share = sum(c.certified and c.correct for c in kept.claims) / 500
    low, high = stats.binomtest(round(500 * share), 500).proportion_ci(0.95, method="exact")
    assert f"For 463 of 500 images ({share:.1%}; 95% limits over images {low:.1%} to {high:.1%})" in text
    assert "the smoothed classifier gives the right answer after every gaussian_blur, v from 0 to 36 px²." in text
    assert "Each claim is false with probability 0.001 at most" in text
    own = Parsed(rendered(a_run(law="", method="interval"))).text
    assert "that the classifier gives the right answer" in own


@pytest.mark.parametrize("share", [0.0, 0.004, 0.5, 0.926, 1.0])
def test_limits_are_clopper_pearson(share):
    expected = stats.binomtest(round(250 * share), 250).proportion_ci(0.95, method="exact")
    assert curves.limits(share, 250) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_it_needs_nothing_from_elsewhere(kept):
    text = rendered(kept, shown=[NOTHING._replace(uris={0: "data:image/png;base64,AA=="})])
    assert not re.search(r"https?:|//[a-z]|url\(|@import|javascript:", text, re.IGNORECASE)
    parsed = Parsed(text)
    assert not parsed.all("link")
    assert not [a for tag, a in parsed.elements if tag == "script" and a]
    assert {a["src"].split(":")[0] for _, a in parsed.elements if "src" in a} == {"data"}
    assert {a["href"] for _, a in parsed.elements if "href" in a} == {"#images"}
    (policy,) = [a["content"] for a in parsed.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")


NASTY = """<script>alert("1")</script>&amp;'"><img src=x onerror=alert(1)>"""


def test_nothing_of_the_users_is_markup():
    nasty = header_of(
        transform=NASTY, law=NASTY, method=NASTY, device=NASTY, versions={NASTY: NASTY},
        model={"fingerprint": NASTY, "dtype": NASTY, "architectures": [{"name": NASTY}]},
        data={"name": NASTY, "split": NASTY, "images": 3, "class_names": [NASTY] * 3},
    )  # fmt: skip
    run = a_run(NASTY)
    claims = [dataclasses.replace(c, note=NASTY, assumes=(NASTY,), hypotheses=()) for c in run.claims]
    run = Run(NASTY, nasty, claims, Path(NASTY.replace("/", "")))
    outcome = {"id": 0, "tries": 5, "counts": [1, 4], "target": [0], "flipped": True, "worst": [0.1],
               "certified": False, "changed_answer": False}  # fmt: skip
    summary = {
        "attack": {"name": NASTY}, "tries": 5, "images": 1, "smoothed_accuracy": 1.0, "certified_accuracy": 0.0,
        "empirical_robust_accuracy": 0.0, "broke_claim": [], "outcomes": [outcome],
    }  # fmt: skip
    shown = [pictures.Pictures({0: NASTY}, {7: NASTY}), NOTHING]
    text = page.render([run, dataclasses.replace(run, name="b")], shown, [[summary], []], missing=[NASTY])
    parsed = Parsed(text)
    assert len(parsed.all("script")) == 1
    assert not [a for _, a in parsed.elements if any(name.startswith("on") for name in a)]
    assert {a["src"] for a in parsed.all("img")} == {NASTY}
    assert parsed.text.count('alert("1")') > 10


def test_classes_and_files_have_the_names_that_the_data_have():
    data = {"name": "folder:pets", "images": 3, "class_names": ["cat", "dog"]}
    text = Parsed(rendered(a_run(data=data), shown=[NOTHING._replace(names={7: "dog/b.png"})])).text
    assert "dog/b.png" in text
    assert "label 1 (dog)" in text
    assert "answers 0 (cat)" in text
    assert re.search(r"label 2(?! \()", text)  # there is no third name


def test_runs_about_the_same_images_share_their_rows():
    one, other = a_run("one"), a_run("other", law="uniform(low=-0.5, high=0.5)")
    other = dataclasses.replace(other, claims=[*other.claims[1:], claim(11, 0.25, statement=Answer(1))])
    uris = {0: "data:a", 7: "data:b"}, {7: "data:c", 11: "data:d"}
    parsed = Parsed(rendered(one, other, shown=[NOTHING._replace(uris=found) for found in uris]))
    rows = [a for a in parsed.all("tbody") if "data-id" in a]
    assert [(a["data-id"], a["data-kind"]) for a in rows] == [
        ("0", "ok -"), ("7", "margin margin"), ("9", "wrong wrong"), ("11", "- ok")
    ]  # fmt: skip
    assert [a["src"] for a in parsed.all("img")] == ["data:a", "data:b", "data:d"]
    assert [a["rowspan"] for a in parsed.all("td", "picture")] == ["1", "2", "2", "1"]
    assert len(parsed.all("td", "of")) == 6
    elsewhere = dataclasses.replace(other, header=header_of(data={"name": "mnist", "split": "test"}))
    assert len([a for a in Parsed(rendered(one, elsewhere)).all("tbody") if "data-id" in a]) == 6


def test_without_scripts_all_is_there_but_the_controls():
    parsed = Parsed(rendered(a_run()))
    (form,) = parsed.all("form")
    assert "hidden" in form
    assert not [a for a in parsed.all("tbody") if "hidden" in a]


def test_an_interval_and_an_unlabelled_image():
    run = a_run()
    claims = [
        claim(0, 0.25, statement=Interval(-float("inf"), 0.5), label=0.25),
        claim(1, 0.25, label=None, statement=Answer(3)),
    ]
    text = Parsed(rendered(dataclasses.replace(run, claims=claims))).text
    assert "in [-inf, 0.5]" in text
    assert "answers 3" in text
    alone = Parsed(rendered(dataclasses.replace(run, claims=claims[1:]))).text
    assert "keeps its answer after every" in alone


def bars(svg, class_):
    return [(float(a["x"]), float(a["width"])) for a in Parsed(svg).all("rect", class_)]


@pytest.mark.parametrize("radius", [0.0, 0.05, 0.125, 0.25])
def test_an_axis_shows_no_more_than_is_proved(radius):
    run = a_run()
    run = dataclasses.replace(run, claims=[claim(0, radius, statement=Answer(1), certified=radius == 0.25)])
    drawn = axes.Axis(run).draw(run.claims[0], flipped=False)
    assert bars(drawn, "track") == [(0.0, 240.0)]
    assert bars(drawn, "proved") == (
        [(pytest.approx(120.0 * (1 - radius / 0.25)), pytest.approx(960.0 * radius))] if radius else []
    )


def test_an_axis_of_a_closed_form_goes_on_behind_the_region():
    run = a_run()
    run = dataclasses.replace(run, claims=[claim(0, 0.275, statement=Answer(1)), claim(1, 9.0, statement=Answer(1))])
    axis = axes.Axis(run)
    assert bars(axis.draw(run.claims[0], flipped=False), "proved") == [(pytest.approx(14.4), pytest.approx(211.2))]
    assert bars(axis.draw(run.claims[1], flipped=False), "proved") == [(0.0, 240.0)]


def test_several_parameters_are_drawn_by_size():
    run = a_run(transform="brightness_contrast", region={"box": {"low": [-0.4, -0.1], "high": [0.2, 0.1]}})
    run = dataclasses.replace(run, claims=[claim(0, 0.1, statement=Answer(1), certified=False)])
    drawn = axes.Axis(run).draw(run.claims[0], failed=(0.1, 0.0), attacked=(-0.1, 0.1), flipped=True)
    assert bars(drawn, "proved") == [(0.0, 60.0)]
    (dot,) = Parsed(drawn).all("circle", "flip")
    assert float(dot["cx"]) == 239.0  # 0.1 is all of the second parameter's side
    (tick,) = Parsed(drawn).all("path", "failed")
    assert tick["d"].startswith("M120.0 ")
    ball = a_run(transform="additive", region={"ball": {"radius": 0.5, "dim": None}})
    ball = dataclasses.replace(ball, claims=[claim(0, 0.25, statement=Answer(1), certified=False)])
    assert bars(axes.Axis(ball).draw(ball.claims[0], flipped=False), "proved") == [(0.0, 120.0)]
    of_l1 = a_run(transform="translation", region={"ball": {"radius": 4.0, "dim": 2, "p": "1"}})
    drawn = axes.Axis(of_l1).draw(ball.claims[0], failed=(1.0, -1.0), flipped=False)
    assert Parsed(drawn).all("path", "failed")[0]["d"].startswith("M120.0 ")


def test_shares_are_the_least_along_the_parameter():
    edges = np.linspace(-1.0, 1.0, 5)
    cells = [((-1.0,), (-0.5,), 9, 10), ((-0.5,), (0.25,), 5, 10), ((0.25,), (0.5,), 8, 10)]
    found = tuple(Hypothesis(a, b, 0.5, n, 1e-3, 1, successes=s, votes=v) for n, (a, b, s, v) in enumerate(cells))
    least = axes.shares(claim(0, 0.0, hypotheses=found), {"block": 8}, edges)
    np.testing.assert_array_equal(least, [0.9, 0.5, 0.5, np.nan])
    windows = (
        Window((-1.0,), (0.0,), 1e-3, 1, 0, (0.6,), ((0, 1),)),
        Window((0.0,), (0.5,), 1e-3, 1, 0, (0.6, 0.7), ((1, 2), (3, 3))),
    )
    ballots = tuple(Ballot(n, 1, s) for n, s in enumerate([(4, 4), (4, 0), (4, 3), (1, 0)]))
    least = axes.shares(claim(0, 0.0, windows=windows, ballots=ballots), {"block": 4}, edges)
    np.testing.assert_array_equal(least, [0.75, 0.75, 0.125, np.nan])


@pytest.mark.parametrize("edge", [1e-3, 0.3, 0.5, 1.25, 9.0, 10.0, 45.0, 54.0, 3e5])
def test_ticks_are_few_and_inside(edge):
    found = curves.ticks(edge)
    assert 4 <= len(found) <= 11
    assert found[0] == 0.0
    assert found[-1] <= edge * (1 + 1e-6)


def test_a_curve_is_the_one_of_the_accuracies():
    run = a_run()
    steps = re.search(r'<path d="([^"]*)" class="curve', curves.panels([run]))[1]
    points = [tuple(map(float, p.split())) for p in steps[1:].split("L")]
    assert points[0][0] == 46.0
    assert points[-1][0] == 626.0
    bottom, top = 248.0, 12.0  # 0 and 1; the wrong answer never counts, and the lost one to half of the region
    heights = [round((bottom - y) / (bottom - top), 3) for _, y in points]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == pytest.approx(2 / 3, abs=1e-3)
    assert heights[-1] == pytest.approx(1 / 3, abs=1e-3)
    falls = [x for (x, a), (_, b) in itertools.pairwise(points) if b > a]
    assert falls == [pytest.approx(46.0 + 580.0 * 0.5, abs=0.1)]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (40, 20, 3)])
def test_a_small_picture_is_kept_to_the_bit(shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    uri = pictures.data_uri(levels.astype(np.float32) / 255.0)
    kind, data = uri.split(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        np.testing.assert_array_equal(np.asarray(picture).reshape(shape), levels)


def test_a_large_picture_is_reduced():
    uri = pictures.data_uri(np.linspace(0, 1, 300 * 200 * 3, dtype=np.float32).reshape(300, 200, 3))
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as picture:
        assert picture.size == (43, 64)
    assert len(uri) < 8000


def test_500_images_take_3_mb_at_most(tmp_path):
    run = read(KEPT / "table1_mnist/pixelate")
    rng = np.random.default_rng(0)
    # Noise: no picture of this size takes more.
    shown = {c.id: pictures.data_uri(rng.random((32, 32, 3), dtype=np.float32)) for c in run.claims}
    text = page.render([run], [NOTHING._replace(uris=shown)], [attack_files.read(run.folder, run.header)])
    assert len(run.claims) == 500
    assert len(text.encode()) < 3_000_000
    Parsed(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    images = np.stack([np.full(SHAPE, m, np.float32) for m in (0.1, 0.45, 0.8, 0.9)])
    labels = np.array([0, 0, 1, 0])
    out = tmp_path_factory.mktemp("runs") / "made"
    terms = {"transform": Brightness(), "region": gs.Box([-0.15], [0.15]), "law": gs.Gaussian(sigma=0.2)}
    run = gs.certify_run(gs.as_classifier(by_mean, SHAPE), (images, labels), out=out, **terms)
    return run, (images, labels)


def test_in_python(made, tmp_path):
    run, data = made
    gs.report(run, html=tmp_path / "deep/page.html", data=data, radii=[0.05])
    parsed = Parsed((tmp_path / "deep/page.html").read_text())
    assert len(parsed.all("img")) == 4
    assert "at 0.05" in parsed.text
    assert "without noise" in parsed.text
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["page.html"]
    (missing,) = page.write([run], tmp_path / "none.html")
    assert missing.startswith("made is shown without pictures: The inputs of this run have no name")
    parsed = Parsed((tmp_path / "none.html").read_text())
    assert not parsed.all("img")
    assert missing in parsed.text
    with pytest.raises(ValueError, match="at least one run"):
        page.write([], tmp_path / "page.html")
    with pytest.raises(ValueError, match="radius"):
        page.write([run], tmp_path / "no.html", radii=[-1.0])
    assert not (tmp_path / "no.html").exists()


def test_a_page_that_cannot_be_written_leaves_what_was_there(made, tmp_path, monkeypatch):
    run, _ = made
    target = tmp_path / "page.html"
    target.write_text("before")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        page.write([run], target)
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_the_worst_attack_of_each_image_is_shown():
    base = {"tries": 9, "target": [1], "certified": True, "changed_answer": False, "flipped": False, "worst": [0.1]}
    first = {"attack": {"name": "grid"}, "outcomes": [
        base | {"id": 0, "counts": [10, 90, 0]}, base | {"id": 7, "counts": [60, 40, 0], "flipped": True},
        base | {"id": 9, "counts": [], "tries": 0},
    ]}  # fmt: skip
    second = {"attack": {"name": "random"}, "outcomes": [
        base | {"id": 0, "counts": [20, 80, 0], "worst": [-0.2]}, base | {"id": 7, "counts": [0, 100, 0]},
    ]}  # fmt: skip
    shares = {"tries": 9, "images": 3, "smoothed_accuracy": 1.0, "certified_accuracy": 0.5, "broke_claim": [0],
              "empirical_robust_accuracy": 0.5}  # fmt: skip
    text = rendered(a_run(), attacks=[[first | shares, second | shares]])
    parsed = Parsed(text)
    assert "random at b = -0.2: 80.0% of votes keep it" in parsed.text
    assert "grid at b = 0.1: another answer" in parsed.text
    assert (len(parsed.all("circle", "tried")), len(parsed.all("circle", "flip"))) == (1, 1)
    broken = first["outcomes"][0] | {"flipped": True, "changed_answer": True}
    text = rendered(a_run(), attacks=[[first | shares | {"outcomes": [broken]}]])
    assert "grid at b = 0.1: the claim is broken" in Parsed(text).text


def in_chromium(text, path, script=""):
    """The page as Chromium has it in the end, after a script more."""
    path.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=3000",
        f"--user-data-dir={path.parent}/user",
    ]
    run = [CHROMIUM, *flags, "--dump-dom", path.as_uri()]
    return Parsed(subprocess.run(run, capture_output=True, text=True, check=True, timeout=120).stdout)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize(
    ("choose", "ids", "count"),
    [
        ({}, ["0", "7", "9", "11"], "4 of 4"),
        ({"show": "ok"}, ["0"], "1 of 4"),
        ({"show": "not"}, ["7", "9"], "2 of 4"),
        ({"show": "not", "run": "1"}, ["7", "9"], "2 of 4"),
        ({"show": "ok", "run": "1"}, ["11"], "1 of 4"),
        ({"show": "differ"}, ["0", "11"], "2 of 4"),
        ({"label": "2"}, ["9"], "1 of 4"),
        ({"sort": "-radius"}, ["0", "7", "9", "11"], "4 of 4"),
        ({"sort": "radius"}, ["9", "7", "0", "11"], "4 of 4"),
        ({"sort": "radius", "run": "1"}, ["9", "7", "11", "0"], "4 of 4"),
    ],
    ids=str,
)
def test_in_a_browser_images_are_filtered_and_sorted(choose, ids, count, tmp_path):
    one, other = a_run("one"), a_run("other")
    other = dataclasses.replace(other, claims=[*other.claims[1:], claim(11, 0.25, statement=Answer(1))])
    script = (
        "const f = document.querySelector('form');"
        + "".join(f"f.elements[{json.dumps(k)}].value = {json.dumps(v)};" for k, v in choose.items())
        + "f.elements.show.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    parsed = in_chromium(rendered(one, other), tmp_path / "page.html", script)
    (form,) = parsed.all("form")
    assert "hidden" not in form
    rows = [a for a in parsed.all("tbody") if "data-id" in a]
    assert [a["data-id"] for a in rows if "hidden" not in a] == ids
    assert f"{count} images" in parsed.text
