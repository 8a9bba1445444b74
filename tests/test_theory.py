"""THEORY.md: citations resolve, what it names exists, its tables are recomputed; lemmas that no other test checks."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

import gsmooth_jax
from gsmooth_jax import smoothing, transforms
from gsmooth_jax.certificates import BrightnessContrast, GeneralLipschitz, search
from gsmooth_jax.estimation import bounds
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import SMOOTHINGS, Gaussian
from gsmooth_jax.testing.laws import discrete_gap
from tests.estimation.test_sequential import certify_boundary, stopping

PACKAGE = Path(gsmooth_jax.__file__).parent
ROOT = PACKAGE.parent
TEXT = (PACKAGE / "methods" / "THEORY.md").read_text(encoding="utf-8")
NAME = r"(?:[A-Z]\d+(?:\.\d+)?|0\.\d)"
SECTIONS = re.findall(rf"^### ({NAME})\. ", TEXT, re.MULTILINE)
CITATION = re.compile(rf"THEORY[\s#]+(?!\.md)({NAME}(?:(?:,\s+|\s+and\s+|\s+to\s+|-){NAME})*)?")
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
ALPHA = 1e-3
Phi, quantile = special.ndtr, special.ndtri


def citing_files():
    for place, ending in (
        ("gsmooth_jax", "py"),
        ("tests", "py"),
        ("benchmarks", "py"),
        ("experiments", "md"),
        ("docs", "md"),
    ):
        yield from sorted((ROOT / place).rglob(f"*.{ending}"))
    yield ROOT / "README.md"


def unresolved(text):
    """The citations of a text that name no section, and those that name nothing."""
    for match in CITATION.finditer(text):
        names = re.findall(NAME, match[1] or "")
        yield from [n for n in names if n not in SECTIONS] or ([] if names else [text[match.start() :][:40]])


def test_citations_resolve():
    texts = {p: p.read_text(encoding="utf-8") for p in citing_files() if p != Path(__file__)}
    assert sum(len(CITATION.findall(text)) for text in texts.values()) > 20
    assert {str(p): found for p, text in texts.items() if (found := list(unresolved(text)))} == {}


def test_unknown_citations_are_found():
    assert list(unresolved("(THEORY D1 and D2, THEORY\n    # F9) THEORY.md")) == []
    assert list(unresolved("THEORY D1, Q7; THEORY K2")) == ["Q7", "K2"]
    assert list(unresolved("THEORY of two centres")) == ["THEORY of two centres"]


def test_sections_are_named_once_and_in_order():
    assert len(set(SECTIONS)) == len(SECTIONS) > 50
    keys = [(name[0], *map(int, name[1:].strip(".").split("."))) for name in SECTIONS]
    assert keys == sorted(keys)
    assert {name[0] for name in SECTIONS} == set(re.findall(r"^## (\w)\. ", TEXT, re.MULTILINE))


def test_sections_that_it_cites_itself_exist():
    assert set(re.findall(r"\b[A-JL-PS]\d{1,2}(?:\.\d)?\b", TEXT)) <= set(SECTIONS)


def test_what_it_names_exists():
    sources = "\n".join(
        p.read_text(encoding="utf-8") for p in (*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"))
    )
    missing = []
    for name in sorted(set(re.findall(r"`([^`\n]+)`", TEXT))):
        path, _, function = name.partition("::")
        file = (ROOT if path.startswith("tests/") else PACKAGE) / path
        if path.endswith(".py"):
            found = file.is_file() and (not function or f"def {function}(" in file.read_text(encoding="utf-8"))
        elif path.endswith("/"):
            found = file.is_dir()
        elif re.fullmatch(r"[\w.]+", name):
            found = re.search(rf"\b{name.split('.')[-1]}\b", sources) is not None
        else:
            found = name in ("THEORY D1", "|v|_(S^-1)")
        if not found:
            missing.append(name)
    assert missing == []


def test_every_table_of_numbers_names_its_test():
    for table in TABLE.finditer(TEXT):
        if re.search(r"\d\.\d", table[0]):
            said = re.match(r"\nRecomputed by `tests/test_theory\.py::(test_table_of_\w+)`\.", TEXT[table.end() :])
            assert said, table[0]
            assert said[1] in globals()


def table(section):
    """The rows of a section's table of numbers, numbers as floats."""
    body = re.split(rf"^### {section}\. ", TEXT, flags=re.MULTILINE)[1].split("\n### ")[0]
    (found,) = [t[0] for t in TABLE.finditer(body) if re.search(r"\d\.\d", t[0])]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in found.strip().splitlines()[2:]]
    return [[float(c) if re.fullmatch(r"[\d.]+", c) else c for c in row] for row in cells]


def test_table_of_a6():
    for share, sigma, exact, tss in table("A6"):
        region = Box([np.log(1 - share), -share], [np.log(1 + share), share])
        assert search.threshold(BrightnessContrast(), Gaussian(sigma=sigma), region) == pytest.approx(exact, abs=1e-4)
        worst = max(two_step(k, share, sigma) for k in (region.low[0], region.high[0]))
        assert worst == pytest.approx(tss, abs=1e-4)


def two_step(k, b, sigma):
    """The p_A that TSS needs at one attack: contrast costs part of p_A by its change of variance, then the distance."""
    distance = np.hypot(k, b * np.exp(k)) / sigma

    def left(p):
        if k > 0:
            return 2.0 - 2.0 * Phi(np.exp(k) * quantile(1.0 - 0.5 * p))
        return 2.0 * Phi(np.exp(k) * quantile(0.5 * (1.0 + p))) - 1.0

    return optimize.brentq(lambda p: left(p) - Phi(distance), 0.5, 1.0 - 1e-12)


def test_table_of_a9():
    """By one plain sum over the factor's logarithm, at the corners: ``_rescaled`` has other nodes."""
    contrast, moved = np.log([0.6, 1.4]), np.hypot(5, 5) / 15
    needed = [
        of_a_factor(stats.norm(0, 0.4), contrast, beta=0.4 / 0.4),
        of_a_factor(stats.norm(0, 0.3), contrast, beta=0.4 / 0.3),
        max(
            of_a_factor(stats.loggamma(1, np.log(2 * 2 / np.pi) / 2, 0.5), np.log([0.8, 1.4]), beta=beta)
            for beta in np.abs(np.log([0.6, 2.0])) / 0.6
        ),
        Phi(np.hypot(0.2 / 0.4, moved)),
        Phi(np.hypot(np.log(0.8) / 0.4, moved)),
        of_a_factor(stats.norm(0, 0.4), np.log([0.8, 1.2]), beta=0.2 / 0.4, rho=moved),
        of_a_factor(stats.norm(0, 0.3), np.log([0.95, 1.05]), beta=0.1 / 0.3, rho=np.hypot(3, 3) / 10, blur=3 / 3),
    ]
    assert needed == pytest.approx([row[-1] for row in table("A9")], abs=1e-4)


def test_table_of_g3():
    """By a sum over normal coordinates: along the shift, and across it, whose square has a law of its own."""
    n = 3072
    for k, needed in table("G3"):
        s = np.sqrt((n - 1) / (n - 1 - k))
        r = s * np.sqrt(2.0 * special.gammaincinv(0.5 * (n - k), (np.arange(400) + 0.5) / 400))[:, None]
        cosine = 2.0 * special.betaincinv(0.5 * (n - 1), 0.5 * (n - 1), (np.arange(4000) + 0.5) / 4000) - 1.0
        moved = r**2 - 2.0 * r * cosine + 1.0
        ratio = -0.5 * k * np.log(moved / r**2) - 0.5 * (moved - r**2) / s**2
        level = np.quantile(ratio, 0.5)  # P_0(log LR <= -t) = 1/2, with half the mass lost: then p_A = P_0(log LR < t)
        assert np.mean(ratio < -level) == pytest.approx(needed, abs=2e-4)


def test_table_of_h2():
    """What is sampled is no independent figure: the same draws again, of those compositions that take a moment."""
    rows = {row[0]: row[1:] for row in table("H2")}
    assert [exact for exact, _ in rows.values()] == [row[-1] for row in table("A9")]
    law, transform = (
        smoothing.parse("gaussian(sigma=0.4)|gaussian(sigma=15.0)"),
        transforms.parse("brightness|translation"),
    )
    found = search.threshold(GeneralLipschitz(transform=transform), law, Box([-0.2, -5, -5], [0.2, 5, 5]))
    assert found == pytest.approx(rows["brightness, translation"][1], abs=6e-4)
    law, transform = smoothing.parse("gaussian(sigma=0.4)|gaussian(sigma=0.4)"), transforms.parse("contrast|brightness")
    region = Box([np.log(0.6), -0.4], [np.log(1.4), 0.4])
    found = search.threshold(GeneralLipschitz(transform=transform), law, region)
    assert found == pytest.approx(rows["contrast, brightness, 0.4"][1], abs=6e-4)


def of_a_factor(law, shifts, beta, rho=1e-3, blur=0.0):
    """The p_A that a factor in front needs at the worst of some shifts of its logarithm."""
    r = np.linspace(law.ppf(1e-15) - 1.0, law.ppf(1 - 1e-15) + 1.0, 8001)
    needed = []
    for shift in shifts:
        length, densities = np.hypot(beta * np.exp(r - shift), rho), (law.pdf(r), law.pdf(r - shift))
        with np.errstate(invalid="ignore"):
            ratio = np.nan_to_num(law.logpdf(r - shift) - law.logpdf(r))

        def tail(c, attacked, length=length, densities=densities, ratio=ratio):
            inside = Phi((ratio - c) / length + (attacked - 0.5) * length)
            return inside @ densities[attacked] * (r[1] - r[0])

        half = optimize.brentq(lambda c, tail=tail: tail(c, 1) - 0.5, -60, 60)
        needed.append(1.0 - np.exp(-blur) * tail(half, 0))
    return max(needed)


def test_table_of_a7():
    score = {"exponential": lambda x: 1.0, "folded_gaussian": lambda x: x}
    density = {"exponential": stats.expon(), "folded_gaussian": stats.halfnorm()}
    for name, right, left, published in table("A7"):
        law = SMOOTHINGS[name](**{"exponential": {"scale": 1.0}, "folded_gaussian": {"sigma": 1.0}}[name])
        assert law.radius_integral(0.9, 0.1) == pytest.approx(right, abs=6e-4)
        assert law.radius_integral(0.9, 0.1, -1) == pytest.approx(left, abs=6e-4)

        def best(p, name=name):  # the integral of the score over the half line of probability p
            law = density[name]
            return integrate.quad(lambda x: score[name](x) * law.pdf(x), law.ppf(1.0 - p), law.ppf(1.0 - 1e-13))[0]

        assert 0.5 * integrate.quad(lambda p: 1.0 / best(p), 0.1, 0.9)[0] == pytest.approx(published, abs=6e-4)
        assert right > published > left  # sound one way only


def test_table_of_f2():
    for t, p, votes, unanimous in table("F2"):
        hit, time = stopping(certify_boundary(t, 4000), p)
        assert hit > 1.0 - 1e-9
        assert time == pytest.approx(votes, abs=0.06)
        assert bounds.smallest_n_sequential(t, ALPHA) == unanimous


def divergence(p, t):
    return special.rel_entr(p, t) + special.rel_entr(1.0 - p, 1.0 - t)


def test_a5_against_brute_force():
    edges = np.concatenate([[-np.inf], np.linspace(-8.0, 8.0, 800), [np.inf]])
    for rho, (law, shift) in itertools.product(
        (0.3, 1.0), ((stats.expon(), 0.4), (stats.expon(), -0.4), (stats.uniform(), 0.2))
    ):
        own = law.ppf(np.linspace(0.0, 1.0 - 1e-9, 300))
        ends = np.unique(np.concatenate([[-2.0], own, own + shift, [np.inf]]))
        first = np.diff(law.cdf(ends)), np.diff(law.cdf(ends - shift))
        second = np.diff(Phi(edges)), np.diff(Phi(edges - rho))
        p0, p1 = (np.outer(a, b).ravel() for a, b in zip(first, second, strict=True))
        kept = np.exp(-abs(shift)) if law.dist.name == "expon" else 1.0 - abs(shift)
        m0, m1 = (kept, kept) if law.dist.name == "uniform" else (kept, 1.0) if shift > 0 else (1.0, kept)
        for p_lower, p_upper in ((0.9, 0.05), (0.8, 0.2), (0.95, 0.01)):
            least = m1 * Phi(quantile(1.0 - (1.0 - p_lower) / m0) - rho)
            most = 1.0 - m1 + m1 * Phi(quantile(p_upper / m0) + rho)
            assert discrete_gap(p0, p1, p_lower, p_upper) == pytest.approx(least - most, abs=1e-4)


def test_d4_the_surrogates_error():
    """Curves with a real image at each end, both ends off the surrogate's image as far as allowed."""
    rng, shares = np.random.default_rng(0), []
    for trial in range(200):
        encoder, curve, bend = rng.normal(size=(8, 8)), rng.normal(size=8), rng.normal(size=8)
        slope, spread, sigma, end, error = rng.normal(size=8), 0.5, 0.3, rng.uniform(0.1, 2.0), rng.uniform(0.0, 1.0)
        norm, along = np.linalg.norm(encoder, 2), np.linalg.svd(encoder)[2][0]
        if trial % 2:  # straight along the encoder's steepest direction, with little noise of the parameter to help
            curve, bend, slope, spread = along, 0.0 * bend, 0.0 * slope, 1e6
        xi = np.linspace(0.0, end, 2001)
        rest = (curve + 3.0 * bend * np.cos(3.0 * xi)[:, None]) @ encoder.T - slope
        star = np.sqrt(1.0 / spread**2 + np.sum(rest**2, axis=1) / sigma**2).max()
        way = encoder @ (end * curve + np.sin(3.0 * end) * bend)
        off = np.sign(encoder @ along @ way) * along * error
        moved = way + 2.0 * encoder @ off
        covariance = spread**2 * np.outer(slope, slope) + sigma**2 * np.eye(8)
        distance = np.sqrt(moved @ np.linalg.solve(covariance, moved))
        shares.append(distance / (star * end + 2.0 * norm * error / sigma))
    assert 0.999 < max(shares) <= 1.0 + 1e-5


def test_d5_a_grid_sees_nothing():
    grid, steep = np.linspace(0.0, 1.0, 101), 1e3
    start, gap = grid[40], grid[1]

    def travelled(x):
        first, second, third = (np.maximum(0.0, x - start - share * gap) for share in (0.25, 0.5, 0.75))
        return steep * (first - 2.0 * second + third)

    near = grid[:, None] + 1e-6 * np.array([-1.0, 0.0, 1.0])
    assert np.abs(travelled(near)).max() < 1e-9  # neither values nor slopes at any point of the grid
    assert travelled(start + 0.5 * gap) == pytest.approx(0.25 * gap * steep)


def test_f6_unequal_votes():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.random(rng.integers(2, 30)) ** rng.uniform(0.1, 4.0)
        count = np.ones(1)  # the law of the number of successes
        for v in p:
            count = np.convolve(count, [1.0 - v, v])
        assert count[-1] <= p.mean() ** len(p) * (1.0 + 1e-9)
        at_least = count[::-1].cumsum()[::-1]
        c = np.arange(len(count))
        equal = stats.binom.sf(c - 1, len(p), p.mean())
        assert (at_least <= equal + 1e-12)[c >= len(p) * p.mean() + 1].all()
        assert (at_least >= equal - 1e-12)[c <= len(p) * p.mean()].all()  # where few are enough it is the other way


def test_i2_quantiles_move_no_further():
    rng, p = np.random.default_rng(0), 0.6
    z, closest = rng.normal(size=(20_000, 2)), np.inf
    for _ in range(50):
        direction, distance = rng.normal(size=2), rng.uniform(0.1, 1.0)
        a, b, c = rng.normal(size=2), rng.uniform(0, 2), rng.uniform(0, 3)

        def f(u, a=a, b=b, c=c):
            return u @ a + b * np.sin(c * u[:, 0])

        here, there = np.zeros(2), distance * direction / np.linalg.norm(direction)
        low, high = np.quantile(f(z + here), Phi(quantile(p) + distance * np.array([-1.0, 1.0])))
        found = np.quantile(f(z + there), p)
        spread = 0.05 * np.std(f(z))  # five standard errors of a quantile, generously
        assert low - spread <= found <= high + spread
        closest = min(closest, high - found, found - low)
    assert closest < 0.1  # some were nearly as far as they may be


def masses(mean):
    """Of N(mean, 1) in cells of a line."""
    return np.diff(Phi(np.concatenate([[-np.inf], np.linspace(-9.0, 9.0, 361), [np.inf]]) - mean))


@pytest.mark.parametrize(("apart", "aside"), [(0.5, 0.0), (1.5, 0.4), (3.0, 0.0), (3.0, 0.8)])
def test_p1_by_linear_programming(apart, aside):
    """The worst test in between, given both centres: at most Phi(-w), and no less half way."""
    slab = quantile(0.5 * (1.0 + Phi(-aside)))
    allowed = Phi(0.5 * apart + slab) - Phi(0.5 * apart - slab)
    for share in (0.0, 0.3, 0.8):
        worst = optimize.linprog(
            -masses(0.5 * share * apart),
            A_ub=np.stack([masses(-0.5 * apart), masses(0.5 * apart)]),
            b_ub=[allowed, allowed],
            bounds=(0.0, 1.0),
        )
        assert -worst.fun <= Phi(-aside) * (1.0 + 1e-9)
        assert share > 0.0 or -worst.fun > Phi(-aside) * (1.0 - 1e-3)


def test_p2_straying():
    rng, shares = np.random.default_rng(0), []
    for _ in range(300):
        corners = rng.normal(size=(rng.integers(3, 6), 3)) * rng.uniform(0.1, 1.0, (1, 3))
        way = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(corners)])
        length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
        chord = corners[-1] - corners[0]
        nearest = np.clip((way - corners[0]) @ chord / (chord @ chord), 0.0, 1.0)[:, None] * chord + corners[0]
        strayed = np.linalg.norm(way - nearest, axis=1).max()
        shares.append(strayed / (0.5 * np.sqrt(length**2 - chord @ chord)))
        to_ends = [np.linalg.norm(way - end, axis=1) for end in corners[[0, -1]]]
        assert np.minimum(*to_ends).max() <= 0.5 * length + 1e-9
    assert 0.9 < max(shares) <= 1.0 + 1e-9


def test_p3_rounding():
    rng, levels = np.random.default_rng(0), 15
    shares = []
    for _ in range(2000):
        start = rng.choice([0.0, 1.0, 0.3, 0.71], 12)
        image = start + rng.uniform(0.0, 0.2) * rng.normal(size=12) * (rng.random(12) < rng.random())
        between, way = np.sum((start != 0.0) & (start != 1.0)), np.linalg.norm(image - start)
        moved = np.linalg.norm(np.round(image * levels) / levels - image)
        bound = min(np.hypot(np.sqrt(between) * 0.5 / levels, way), np.sqrt(12) * 0.5 / levels)
        assert moved <= bound + 1e-12
        shares.append(moved / max(bound, 1e-12))
        np.testing.assert_array_equal(
            np.clip(np.round(image * levels), 0, levels), np.round(np.clip(image, 0, 1) * levels)
        )
    assert max(shares) > 0.9


def test_s2_the_charge_behind_the_shift_is_exact():
    p, rho = np.meshgrid(np.linspace(0.56, 0.999, 60), np.linspace(0.001, 0.05, 20))
    radius = quantile(p) - quantile(0.5 + rho)
    # R a half-space, the exception inside its shift: what is left is 1/2 at the radius.
    np.testing.assert_allclose(Phi(quantile(p) - radius) - rho, 0.5, atol=1e-12)
    assert (quantile(p - rho) <= radius + 1e-12).all()
    p_lower = ALPHA ** (1 / 200)
    assert 90 * (quantile(p_lower) - quantile(0.5132)) == pytest.approx(161.3, abs=0.05)
    assert 90 * quantile(p_lower - 0.0132) == pytest.approx(150.6, abs=0.05)


def test_s5_two_bilinear_shifts_differ_from_one_by_a_bend():
    rng, pixels = np.random.default_rng(0), np.arange(-12, 13)

    def moved(distance):
        return np.clip(1 - np.abs(pixels - distance), 0, 1)  # what one lit pixel becomes

    for z, g in rng.uniform(-3, 3, (300, 2)):
        n, part = int(np.floor(z)), z - np.floor(z)
        bend = np.convolve(moved(z - g), moved(g), mode="same") - moved(z)
        f, f2 = g % 1, (z - g) % 1
        first, c, most = (n, f * f2, part**2 / 4) if f + f2 < 1 else (n - 1, (1 - f) * (1 - f2), (1 - part) ** 2 / 4)
        np.testing.assert_allclose(bend, c * (moved(first) - 2 * moved(first + 1) + moved(first + 2)), atol=1e-12)
        assert c <= most + 1e-12
