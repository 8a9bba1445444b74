import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import gsmooth_jax as gs
from gsmooth_jax.certificates import Additive, search
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.results.verify import verify
from gsmooth_jax.smoothing import Exponential, Gaussian, Laplace, Uniform
from gsmooth_jax.testing.certificates import check_certificate
from gsmooth_jax.testing.laws import discrete_gap
from tests.certificates import stubs
from tests.known import SHAPE, by_mean

BOUNDS = ((0.7, 0.3), (0.8, 0.1), (0.4, 0.2), (0.99, 0.001))
PAIRS = [
    (Gaussian(sigma=0.5), 1),
    (Gaussian(sigma=0.5), 2),
    (Gaussian(sigma=0.5), math.inf),
    (Laplace(scale=0.5), 1),
    (Uniform(low=-0.5, high=0.75), 1),
    (Uniform(low=-0.5, high=0.75), 2),
    (Uniform(low=-0.5, high=0.75), math.inf),
]
EACH = pytest.mark.parametrize(("law", "p"), PAIRS, ids=[f"{law.name} L{p}" for law, p in PAIRS])
DISTRIBUTIONS = {"gaussian": stats.norm(0, 0.5), "laplace": stats.laplace(0, 0.5), "uniform": stats.uniform(-0.5, 1.25)}


@pytest.mark.parametrize(("law", "p"), [(law, p) for law, p in PAIRS if law.name != "uniform"])
def test_contract(law, p):
    check_certificate(Additive(), stubs.PIXELS, law, Ball(0.1, 9, p), wrong_transform=stubs.BRIGHTNESS)


@pytest.mark.parametrize("p", [1, 2, math.inf])
def test_contract_of_an_edge(p):
    check_certificate(Additive(), stubs.PIXELS, PAIRS[-1][0], Ball(0.01, 9, p), wrong_transform=stubs.BRIGHTNESS)


def test_cohen():
    radius = search.radius(Additive(), Gaussian(sigma=0.25), Ball(1.0, 3072), 0.9, 0.02)
    expected = 0.125 * (stats.norm.ppf(0.9) - stats.norm.ppf(0.02))
    assert radius == pytest.approx(expected)
    assert search.radius(Additive(), Gaussian(sigma=0.25), Ball(1.0, p=1), 0.9, 0.02) == pytest.approx(expected)
    cube = search.radius(Additive(), Gaussian(sigma=0.25), Ball(1.0, 3072, math.inf), 0.9, 0.02)
    assert cube == pytest.approx(expected / np.sqrt(3072))


@pytest.mark.parametrize("n", [1, 2, 768, 3072])
def test_the_uniform_radii_in_closed_form(n):
    law, gap = Uniform(low=-1.0, high=2.0), 0.85
    for p in (1, 2, math.inf):
        found = search.radius(Additive(), law, Ball(1.0, n, p), 0.9, 0.05)
        root = 3.0 * n ** (1.0 / p) * (1.0 - (1.0 - gap / 2) ** (1.0 / n))
        assert found == pytest.approx(3.0 * gap / 2 if p == 1 else root, rel=1e-8)


def gap(law, shift, p_lower, p_upper):
    """How far the top class stays ahead after a shift of two parameters, by brute force over cells."""
    dist = DISTRIBUTIONS[law.name]
    base = np.concatenate([[-np.inf], dist.ppf(np.linspace(1e-7, 1 - 1e-7, 120)), [np.inf]])
    edges = [np.unique(np.concatenate([base, base + s])) for s in shift]
    p0 = np.outer(*[np.diff(dist.cdf(e)) for e in edges]).ravel()
    p1 = np.outer(*[np.diff(dist.cdf(e - s)) for e, s in zip(edges, shift, strict=True)]).ravel()
    return discrete_gap(p0, p1, p_lower, p_upper)


@EACH
def test_against_neyman_and_pearson_in_two_parameters(law, p):
    """No test beats the top class inside the ball, whichever way, and one does where the ball is a little larger."""
    angles = np.concatenate([np.linspace(0.0, np.pi, 5), [0.1]])
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ways /= np.linalg.norm(ways, ord=p, axis=1, keepdims=True)
    for p_lower, p_upper in BOUNDS:
        radius = search.radius(Additive(), law, Ball(1.0, 2, p), p_lower, p_upper)
        gaps = [gap(law, 0.98 * radius * way, p_lower, p_upper) for way in ways]
        assert min(gaps) > 0
        assert min(gap(law, 1.02 * radius * way, p_lower, p_upper) for way in ways) < 0


def by_first(images):
    """Class 1 where the first pixel is above 1/2."""
    return jnp.stack([0.5 - images[:, 0, 0, 0], images[:, 0, 0, 0] - 0.5], axis=-1)


def by_darkest(images):
    """Class 1 where every pixel is above 1/2."""
    darkest = images.min(axis=(1, 2, 3))
    return jnp.stack([0.5 - darkest, darkest - 0.5], axis=-1)


@pytest.mark.parametrize(
    ("model", "level", "law", "ball", "truth"),
    [
        (by_first, 0.8, Laplace(scale=0.25), Ball(0.2, p=1), 0.3),
        (by_first, 0.8, Uniform(low=-0.5, high=0.5), Ball(0.2, p=1), 0.3),
        (by_mean, 0.6, Gaussian(sigma=0.4), Ball(0.05, 16, math.inf), 0.1),
        # Every draw is for class 1 at the image, and of the shifted cube the part that still is has (1 - r)^16.
        (by_darkest, 1.0, Uniform(low=-0.4999, high=0.5001), Ball(0.01, 16, math.inf), 1 - 0.5 ** (1 / 16)),
    ],
    ids=["laplace L1", "uniform L1", "gaussian Linf", "uniform Linf"],
)
def test_a_classifier_whose_radius_is_known(model, level, law, ball, truth):
    """The radius that votes prove is below the truth, and near it."""
    terms = gs.Guarantee(
        transform=gs.transforms.Additive(),
        region=ball,
        method=gs.ClosedForm(smoothing=law, certificate=Additive()),
        test="fixed",
        max_votes=20_000,
    )
    examples = [gs.Example(id=0, image=np.full(SHAPE, level, np.float32), label=1)]
    claims = list(gs.certify_stream(gs.as_classifier(model, SHAPE), examples, terms))
    assert claims[0].certified
    assert 0.9 * truth < claims[0].radius < truth
    assert verify(terms, claims) == []


@pytest.mark.parametrize(
    ("law", "region", "message"),
    [
        (
            Exponential(scale=1),
            Ball(1),
            "a known radius .gaussian, laplace, uniform, soap_l2, soap_linf., got Exponential",
        ),
        (Gaussian(sigma=(1, 2)), Ball(1), "one law for all pixels"),
        (Gaussian(sigma=1), Box([-1], [1]), "Ball"),
        (Laplace(scale=1), Ball(1), "laplace noise has a known radius in L1, not in L2"),
        (Laplace(scale=1), Ball(1, 9, math.inf), "laplace noise has a known radius in L1, not in Linf"),
        (Gaussian(sigma=1), Ball(1, p=math.inf), "Expected a Ball with dim, .* gaussian noise in Linf depends on it"),
        (Uniform(low=0, high=1), Ball(1), "Expected a Ball with dim, .* uniform noise in L2 depends on it"),
    ],
)
def test_hypotheses(law, region, message):
    with pytest.raises(ValueError, match=message):
        Additive().check(stubs.PIXELS, law, region)


def test_a_ball_of_another_image_is_refused():
    terms = gs.Guarantee(
        transform=gs.transforms.Additive(),
        region=Ball(0.01, 3072, math.inf),
        method=gs.ClosedForm(smoothing=Gaussian(sigma=0.4), certificate=Additive()),
    )
    with pytest.raises(ValueError, match=r"Expected dim=16, the parameters of additive for inputs \(4, 4, 1\)"):
        gs.certify_stream(gs.as_classifier(by_mean, SHAPE), [], terms)
