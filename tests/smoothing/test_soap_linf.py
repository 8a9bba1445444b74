import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax.certificates import Additive, search
from gsmooth_jax.regions import Ball
from gsmooth_jax.results.verify import verify
from gsmooth_jax.smoothing import Gaussian, SoapLinf, soap_linf
from tests.certificates import stubs
from tests.known import SHAPE, by_mean

LAW = SoapLinf(sigma=1.0, k=6.0, dim=16)


def cube(side, dim=16):
    return Ball(side, dim, np.inf)


def weighted(law, count, seed):
    """Normal draws [count, dim], and their weights under the law: without its own sampler."""
    z = np.random.default_rng(seed).standard_normal((count, law.dim))
    weights = np.abs(z).max(axis=1) ** -law.k
    return z, weights / weights.sum()


def log_ratio(law, z, shift):
    sizes = np.abs(z - shift).max(axis=1) / np.abs(z).max(axis=1)
    return -law.k * np.log(sizes) - 0.5 * (np.sum((z - shift) ** 2, axis=1) - np.sum(z**2, axis=1))


@pytest.mark.parametrize("side", [0.1, 0.25, 0.5])
def test_what_is_needed_against_draws_of_another_kind(side):
    """The best test that keeps half of the attacked mass has this much of the clean one."""
    z, weights = weighted(LAW, 400_000, 1)
    attacked = log_ratio(LAW, z + side, side)
    order = np.argsort(attacked)
    level = attacked[order][np.searchsorted(np.cumsum(weights[order]), 0.5)]
    exact = weights[log_ratio(LAW, z, side) < level].sum()
    found = search.threshold(Additive(), LAW, cube(side))
    assert exact - 2e-3 < found < exact + 0.008  # the curve's steps, and its confidence


def test_without_a_pole_it_is_nearly_the_normal_law():
    law = SoapLinf(sigma=0.5, k=0.0, dim=16)
    for side in (0.05, 0.125, 0.25):
        exact = stats.norm.cdf(4 * side / 0.5)
        assert exact < search.threshold(Additive(), law, cube(side)) < exact + 0.005
    normal = search.radius(Additive(), Gaussian(sigma=0.5), cube(0.1), 0.9, 0.1)
    assert 0.97 * normal < search.radius(Additive(), law, cube(0.1), 0.9, 0.1) < normal


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("k", "dim"), [(0.0, 16), (6.0, 16), (9.0, 24)])
def test_the_samplers(k, dim, side):
    """Both samplers, of the device and of the curve, against weighted normal draws."""
    law = SoapLinf(sigma=1.0, k=k, dim=dim)
    keys = jax.random.split(jax.random.key(0), 20_000)
    device = np.asarray(jax.vmap(lambda key: law.sample(key, dim))(keys), np.float64)
    total, least, largest = soap_linf._drawn(k, dim, 20_000, np.random.default_rng(2))
    z, weights = weighted(law, 400_000, 3)
    effective = 1.0 / np.sum(weights**2)
    for of_device, of_curve, exact in (
        (np.abs(device).max(axis=1), np.maximum(largest, -least), np.abs(z).max(axis=1)),
        (side * device.sum(axis=1), side * total, side * z.sum(axis=1)),
        ((side * device).max(axis=1), largest if side > 0 else -least, (side * z).max(axis=1)),
    ):
        order = np.argsort(exact)
        cdf = np.cumsum(weights[order])
        for drawn in (of_device, of_curve):
            apart = np.abs(np.interp(drawn, exact[order], cdf)[np.argsort(drawn)] - (np.arange(20_000) + 0.5) / 20_000)
            assert apart.max() < 2.0 * np.sqrt(1.0 / 20_000 + 1.0 / effective)
    own = np.sum(device**2, axis=1)
    assert own.mean() == pytest.approx(weights @ np.sum(z**2, axis=1), rel=5 * 2 * np.sqrt(1 / effective + 1 / 20_000))


def test_short_entries_are_cut_from_a_uniform_law():
    sizes = np.full(500, 0.3)
    drawn = soap_linf._cut(sizes, 40, np.random.default_rng(0))
    assert np.abs(drawn).max() <= 0.3
    assert stats.kstest(drawn.ravel(), stats.truncnorm(-0.3, 0.3).cdf).pvalue > 1e-3
    wide = soap_linf._cut(np.full(500, 1.5), 40, np.random.default_rng(0))
    assert stats.kstest(wide.ravel(), stats.truncnorm(-1.5, 1.5).cdf).pvalue > 1e-3


def test_the_curve_is_never_too_low_for_what_it_is_allowed(monkeypatch):
    """With few draws and a level of a tenth: the bound on the mean fails no more often."""
    monkeypatch.setattr(soap_linf, "_DRAWS", 400)
    monkeypatch.setattr(soap_linf, "_PILOTS", 400)
    z, weights = weighted(LAW, 400_000, 5)
    attacked = log_ratio(LAW, z + 0.25, 0.25)
    order = np.argsort(attacked)
    level = attacked[order][np.searchsorted(np.cumsum(weights[order]), 0.5)]
    exact = weights[log_ratio(LAW, z, 0.25) < level].sum()
    found = [soap_linf._needed.__wrapped__(LAW.k, 16, seed, 0.1, 0) for seed in range(300)]
    assert np.mean(np.array(found) < exact) < 0.1
    assert np.median(found) < exact + 0.1


@pytest.mark.slow
def test_published_sizes():
    """THEORY G5: of 3,072 entries, matched in length; the normal law needs .691, .841, .977. A minute of a core."""
    law = SoapLinf(sigma=1.0435, k=250.0, dim=3072)
    rng = np.random.default_rng(0)
    log_sizes, below = soap_linf._largest(law.k, law.dim)
    sizes = np.exp(np.interp(rng.random(500), below, log_sizes))
    length = np.sqrt(np.median(np.sum(soap_linf._cut(sizes, law.dim - 1, rng).astype(float) ** 2, axis=1) + sizes**2))
    assert length * law.sigma == pytest.approx(np.sqrt(law.dim), rel=2e-3)
    needed = [search.threshold(Additive(), law, cube(x / np.sqrt(law.dim), law.dim)) for x in (0.5, 1.0, 2.0)]
    assert needed == pytest.approx([0.825, 0.952, 0.998], abs=0.005)


def test_contract():
    certificate, pixels, law, region, wrong = Additive(), stubs.PIXELS, LAW, cube(0.2), stubs.BRIGHTNESS
    certificate.check(pixels, law, region)
    with pytest.raises(ValueError, match="additive"):
        certificate.check(wrong, law, region)
    needed = [search.threshold(certificate, law, cube(side)) for side in (1e-4, 0.02, 0.1, 0.3, 0.5)]
    assert needed == sorted(needed)
    assert 0.5 < needed[0] < 0.52
    for p, side in zip(needed, (1e-4, 0.02, 0.1, 0.3, 0.5), strict=True):
        assert certificate.certifies(law, cube(side), p, 1 - p)
        assert not certificate.certifies(law, cube(1.03 * side), p - 1e-3, 1 - p + 1e-3)
    assert not law.certifies(np.full(16, 1e9), 1.0, 0.0)  # beyond the curve
    assert law.certifies(np.zeros(16), 0.51, 0.49)
    assert not law.certifies(np.zeros(16), 0.5, 0.5)
    radius = law.radius_integral(0.9, 0.1)
    assert law.certifies(np.full(16, 0.999 * radius), 0.9, 0.1)
    assert not law.certifies(np.full(16, (1 + 1e-6) * radius), 0.9, 0.1)  # the curve's next cube
    assert not law.certifies(1.02 * radius * np.eye(1, 16)[0], 0.9, 0.1)  # only the largest entry counts
    assert law.certifies(0.999 * radius * np.eye(1, 16)[0], 0.9, 0.1)


@pytest.mark.parametrize("test", ["sequential", "fixed", "fixed_two_sided"])
def test_the_curve_has_its_part_of_alpha(test):
    terms = gs.Guarantee(
        transform=gs.transforms.Additive(),
        region=cube(0.02),
        method=gs.ClosedForm(smoothing=SoapLinf(sigma=0.2, k=4.0, dim=16), certificate=Additive()),
        test=test,
        max_votes=4000,
    )
    ledger = dict(terms.method.ledger(terms))
    assert ledger["law's curve"] == pytest.approx(1e-4)
    assert sum(ledger.values()) == pytest.approx(terms.alpha)
    examples = [gs.Example(id=i, image=np.full(SHAPE, m, np.float32), label=1) for i, m in enumerate((0.51, 0.6, 0.9))]
    claims = list(gs.certify_stream(gs.as_classifier(by_mean, SHAPE), examples, terms))
    assert [c.certified for c in claims] == [False, True, True]
    assert all(c.radius < abs(e.image.flat[0] - 0.5) for c, e in zip(claims, examples, strict=True))
    assert sum(h.level for h in claims[2].hypotheses) == pytest.approx(terms.alpha - 1e-4)
    assert verify(terms, claims) == []


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: SoapLinf(sigma=1.0, k=16.0, dim=16), "Expected 0 <= k < dim, got k=16.0, dim=16"),
        (lambda: SoapLinf(sigma=1.0, k=-1.0, dim=16), "Expected 0 <= k < dim, got k=-1.0"),
        (lambda: SoapLinf(sigma=-1.0, k=1.0, dim=16), "sigma > 0"),
        (lambda: SoapLinf(sigma=1.0, k=1.0, dim=4), "dim >= 16, got dim=4"),
        (lambda: SoapLinf(sigma=1.0, k=1.0, dim=16, level=0.0), "0 < level < 1, got level=0.0"),
        (lambda: LAW.sample(jax.random.key(0), 9), "Expected 16 parameters, .* got 9"),
        (
            lambda: Additive().check(stubs.PIXELS, LAW, Ball(0.1, 16)),
            "soap_linf noise has a known radius in Linf, not in L2",
        ),
        (
            lambda: gs.certify(
                gs.as_classifier(by_mean, SHAPE),
                jnp.full((1, *SHAPE), 0.9, jnp.float32),
                transform=gs.transforms.Additive(),
                region=cube(0.01),
                law=LAW,
                alpha=1e-4,
            ),
            "alpha above the level of the law's curve, got alpha=0.0001",
        ),
    ],
)
def test_bad_input(made, message):
    with pytest.raises(ValueError, match=message):
        made()
