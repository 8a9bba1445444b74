import jax
import numpy as np
import pytest
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax.certificates import Additive, search
from gsmooth_jax.regions import Ball
from gsmooth_jax.smoothing import Gaussian, SoapL2, soap_l2
from gsmooth_jax.testing.certificates import check_certificate
from gsmooth_jax.testing.laws import discrete_gap
from tests.certificates import stubs
from tests.known import SHAPE, by_mean

CIFAR = 3072


def matched(k, dim=CIFAR):
    """The law whose length has the mode of a normal law's with standard deviation 1."""
    return SoapL2(sigma=float(np.sqrt((dim - 1) / (dim - 1 - k))), k=float(k), dim=dim)


def draws(law, count, seed=0):
    """[count, dim] float64, without the law's own sampler."""
    rng = np.random.default_rng(seed)
    length = law.sigma * np.sqrt(2.0 * rng.gamma(0.5 * (law.dim - law.k), size=count))
    way = rng.standard_normal((count, law.dim))
    return length[:, None] * way / np.linalg.norm(way, axis=1, keepdims=True)


def log_ratio(law, z, shift):
    """Of the density at z - shift to that at z."""
    here, there = np.sum(z**2, axis=1), np.sum((z - shift) ** 2, axis=1)
    return -0.5 * law.k * np.log(there / here) - 0.5 * (there - here) / law.sigma**2


@pytest.mark.parametrize(("k", "dim"), [(0.0, 16), (15.5, 16), (500.0, CIFAR)])
def test_the_sampler(k, dim):
    law = SoapL2(sigma=0.5, k=k, dim=dim)
    traces = []

    @jax.jit
    def sample(law, keys):
        traces.append(None)
        return jax.vmap(lambda key: law.sample(key, dim))(keys)

    keys = jax.random.split(jax.random.key(0), 4000)
    z = np.asarray(sample(law, keys), np.float64)
    assert z.shape == (4000, dim)
    half_square = np.sum(z**2, axis=1) / (2 * 0.5**2)
    assert stats.kstest(half_square, stats.gamma(0.5 * (dim - k)).cdf).pvalue > 1e-3
    assert stats.kstest(half_square * 2.0, stats.gamma(0.5 * (dim - k)).cdf).pvalue < 1e-9
    # Of a uniform direction, an entry's square has a beta law.
    square = z[:, 3] ** 2 / np.sum(z**2, axis=1)
    assert stats.kstest(square, stats.beta(0.5, 0.5 * (dim - 1)).cdf).pvalue > 1e-3
    assert abs(np.mean(z[:, 3] > 0) - 0.5) < 5 * 0.5 / np.sqrt(len(z))
    assert abs(np.corrcoef(half_square, z[:, 3])[0, 1]) < 5 / np.sqrt(len(z))
    sample(
        SoapL2(sigma=0.7, k=k / 2, dim=dim), jax.random.split(jax.random.key(1), 4000)
    )  # another law, the same program
    assert len(traces) == 1


def test_without_a_pole_it_is_cohen():
    law = SoapL2(sigma=0.25, k=0.0, dim=CIFAR)
    for p_lower, p_upper in ((0.6, 0.4), (0.8, 0.1), (0.4, 0.25), (0.99, 0.001), (0.9999, 0.0001)):
        cohen = Gaussian(sigma=0.25).radius_integral(p_lower, p_upper)
        assert cohen * (1 - 1e-3 * (p_lower > 0.999)) - 1e-6 < law.radius_integral(p_lower, p_upper) < cohen
    for radius in (0.05, 0.25, 0.5):
        found = search.threshold(Additive(), law, Ball(radius))
        assert found == pytest.approx(stats.norm.cdf(radius / 0.25), abs=1e-6)
        assert found >= stats.norm.cdf(radius / 0.25)


def test_published_sizes_gain_nothing():
    """THEORY G3: matched in length, the law needs what a normal one does."""
    needed = [search.threshold(Additive(), matched(k), Ball(1.0)) for k in (0, 500, 2900)]
    assert needed == pytest.approx([0.84134, 0.84135, 0.84166], abs=1e-5)


@pytest.mark.parametrize(("k", "dim", "length"), [(10.0, 50, 1.0), (500.0, CIFAR, 1.0), (2900.0, CIFAR, 2.0)])
def test_the_curve_against_monte_carlo(k, dim, length):
    law, shift = matched(k, dim), np.eye(1, dim)[0] * length
    z = draws(law, 20_000)
    clean, attacked = log_ratio(law, z, shift), log_ratio(law, z + shift, shift)
    for t in (-2.0, -0.5, 0.0, 0.7, 2.0):
        for found, sample in ((t, clean >= t), (-t, attacked <= t)):
            exact = soap_l2._tail(law.k, dim, length / law.sigma, found)
            assert abs(sample.mean() - exact) < 5 * np.sqrt(exact * (1 - exact) / len(z)) + 1e-4


@pytest.mark.parametrize(("k", "dim"), [(3.0, 16), (15.0, 16), (700.0, 784)])
def test_the_quadrature_has_converged(k, dim):
    for t in (-3.0, -0.2, 0.0, 1.0, 3.0):
        for length in (1e-4, 0.3, 1.0, 3.0):
            coarse, fine = (soap_l2._tail(k, dim, length, t, nodes) for nodes in (320, 640))
            assert coarse == pytest.approx(fine, abs=1e-9)


def test_against_neyman_and_pearson():
    """Two-sided radii: by brute force over cells of |z| and of the angle to the shift."""
    law = SoapL2(sigma=1.0, k=6.0, dim=16)
    radial = stats.gamma(0.5 * (law.dim - law.k))
    cosine = stats.beta(0.5 * (law.dim - 1), 0.5 * (law.dim - 1), loc=-1, scale=2)
    middles = (np.arange(1500) + 0.5) / 1500
    r = np.sqrt(2 * radial.ppf(middles))[:, None]
    c = cosine.ppf(middles)[None]
    for p_lower, p_upper in ((0.7, 0.3), (0.8, 0.1), (0.4, 0.25)):
        radius = law.radius_integral(p_lower, p_upper)
        assert radius > 0.1
        for share, ahead in ((0.98, True), (1.02, False)):
            length = share * radius
            squared = r**2 - 2 * r * length * c + length**2
            ratio = np.exp(-0.5 * law.k * np.log(squared / r**2) - 0.5 * (squared - r**2))
            p0 = np.full(ratio.size, 1.0 / ratio.size)
            p1 = (ratio / ratio.mean()).ravel() / ratio.size
            assert (discrete_gap(p0, p1, p_lower, p_upper) > 0) == ahead


def test_the_worst_shift_of_a_ball_is_on_its_boundary():
    """THEORY G1, also where the density has a steep pole."""
    law = SoapL2(sigma=1.0, k=12.0, dim=16)
    lengths = np.linspace(0.01, 2.0, 40)
    needed = [search.threshold(Additive(), law, Ball(length)) for length in lengths]
    assert (np.diff(needed) > 0).all()


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_contract(p):
    law = SoapL2(sigma=1.0, k=3.0, dim=16)
    check_certificate(Additive(), stubs.PIXELS, law, Ball(0.1, p=p), wrong_transform=stubs.BRIGHTNESS)


def test_balls_of_all_norms():
    """Only the length of a shift counts: a cube's corner is sqrt(n) times as far as its side."""
    law = matched(1000.0)
    l1, l2, cube = (search.radius(Additive(), law, Ball(1.0, p=p), 0.9, 0.1) for p in (1, 2, np.inf))
    assert l1 == pytest.approx(l2)
    assert cube * np.sqrt(CIFAR) == pytest.approx(l2)
    assert law.radius_integral(0.9, 0.1) == pytest.approx(l2, rel=1e-6)
    assert law.radius_integral(0.9, 0.1, -1) == pytest.approx(l2, rel=1e-6)


def test_a_classifier_whose_radius_is_known():
    """A half-space: its probability is the law's own, its radius the distance; votes prove nearly that."""
    law = SoapL2(sigma=0.2, k=4.0, dim=16)
    distance = 0.1
    image = np.full(SHAPE, 0.5 + distance / 4, np.float32)  # 16 entries: the mean moves a fourth as far
    terms = gs.Guarantee(
        transform=gs.transforms.Additive(),
        region=Ball(0.05),
        method=gs.ClosedForm(smoothing=law, certificate=Additive()),
        test="fixed",
        max_votes=20_000,
    )
    (claim,) = gs.certify_stream(gs.as_classifier(by_mean, SHAPE), [gs.Example(id=0, image=image, label=1)], terms)
    (top,) = claim.hypotheses
    share = np.mean(draws(law, 200_000).sum(axis=1) / 4 > -distance)
    assert top.successes / top.votes == pytest.approx(share, abs=0.015)
    assert claim.certified
    # A half-space is not the best test: what is proved stays below its own distance.
    assert 0.7 * distance < claim.radius < distance


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: SoapL2(sigma=1.0, k=16.0, dim=16), "Expected 0 <= k < dim, got k=16.0, dim=16"),
        (lambda: SoapL2(sigma=1.0, k=-0.5, dim=16), "Expected 0 <= k < dim, got k=-0.5"),
        (lambda: SoapL2(sigma=1.0, k=float("nan"), dim=16), "k finite"),
        (lambda: SoapL2(sigma=0.0, k=1.0, dim=16), "sigma > 0"),
        (lambda: SoapL2(sigma=1.0, k=1.0, dim=15), "dim >= 16, got dim=15"),
        (lambda: SoapL2(sigma=1.0, k=1.0, dim=20.0), "an integer dim >= 16"),
        (lambda: SoapL2(sigma=1.0, k=1.0, dim=16).certifies(np.zeros(9), 0.9, 0.1), "a shift of 16 parameters, got 9"),
        (lambda: SoapL2(sigma=1.0, k=1.0, dim=16).sample(jax.random.key(0), 9), "Expected 16 parameters, .* got 9"),
        (
            lambda: Additive().check(stubs.PIXELS, SoapL2(sigma=1.0, k=1.0, dim=16), Ball(0.1, 9)),
            "a law and a Ball of one dim",
        ),
    ],
)
def test_bad_input(made, message):
    with pytest.raises(ValueError, match=message):
        made()


def test_an_image_of_another_size_is_refused():
    method = gs.ClosedForm(smoothing=matched(500.0), certificate=Additive())
    terms = gs.Guarantee(transform=gs.transforms.Additive(), region=Ball(0.1), method=method)
    with pytest.raises(ValueError, match=r"Expected dim=16, the parameters of additive .*, got SoapL2"):
        gs.certify_stream(gs.as_classifier(by_mean, SHAPE), [], terms)
