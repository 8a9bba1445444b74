"""Half-spaces, for which every smoothed probability and every radius is known (THEORY D1 is tight there)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

import gsmooth_jax as gs
from gsmooth_jax.certificates import Additive, search
from gsmooth_jax.claims import Hypothesis
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness, Contrast
from tests.known import SHAPE, distances

NORMAL = (1.0 + np.cos(np.arange(16))).reshape(SHAPE)  # neither along 1 nor across it
OFFSET = 8.0
NOISES = [gs.PixelNoise(sigma=0.2), gs.PixelNoise(sigma=0.2, brightness=0.3)]
BOTH = pytest.mark.parametrize("noise", NOISES, ids=lambda noise: f"brightness {noise.brightness}")


def half_space(images):
    """Class 1 where NORMAL . image > OFFSET, else class 0."""
    value = jnp.einsum("bhwc,hwc->b", images, jnp.asarray(NORMAL, jnp.float32)) - OFFSET
    return jnp.stack([-value, value], axis=-1)


def margin(noise, image):
    """Phi^-1(p_A): how far the plane is from an image, in standard deviations of the noise."""
    variance = noise.sigma**2 * np.sum(NORMAL**2) + (noise.brightness * NORMAL.sum()) ** 2
    return (np.sum(NORMAL * image) - OFFSET) / np.sqrt(variance)


def provable(successes, votes):
    """The largest distance that the votes at a centre prove, by bisection."""
    guarantee = gs.Guarantee(transform=Brightness(), region=gs.Box([-1], [1]), method=gs.Cover(noise=NOISES[0]))
    tests, low, high = Tests(guarantee), 0.0, 10.0
    for _ in range(40):
        distance = 0.5 * (low + high)
        cell = Hypothesis(
            (-1.0,), (1.0,), float(special.ndtr(distance)), 0, guarantee.alpha, 1, successes=successes, votes=votes
        )
        low, high = (distance, high) if tests.decide(cell) == "certified" else (low, distance)
    return low


@pytest.mark.parametrize("distance", [0.05, 0.3, 1.0, 2.5, 4.0])
def test_an_exact_p_a_proves_the_distance_to_the_plane(distance):
    p, rest = special.ndtr(distance), special.ndtr(-distance)
    radius = search.radius(Additive(), gs.Gaussian(sigma=0.25), gs.Ball(1.0), p, rest)
    assert 0.25 * distance * (1 - 1e-8) < radius <= 0.25 * distance
    # Votes in the proportion p_A, so many that their own uncertainty is below a thousandth.
    votes = 10**12
    assert 0.999 * distance < provable(int(p * votes), votes) < distance


@BOTH
@pytest.mark.parametrize("distance", [0.3, 1.5])
def test_counted_votes_come_near_it_from_below(noise, distance):
    image = np.full(SHAPE, 0.5, np.float32)
    along = noise.sigma**2 * NORMAL + noise.brightness**2 * NORMAL.sum()  # S NORMAL: the shortest way in |.|_(S^-1)
    image += along * (distance - margin(noise, image)) / np.sqrt(np.sum(NORMAL * along))
    on_plane = image - along * distance / np.sqrt(np.sum(NORMAL * along))
    assert distances(noise, on_plane.reshape(1, -1), image.ravel())[0] == pytest.approx(distance, rel=1e-6)

    votes, classifier = 100_000, gs.as_classifier(half_space, SHAPE)
    drawn = jax.jit(jax.vmap(noise, in_axes=(0, None)))(jax.random.split(jax.random.key(0), votes), image)
    found = provable(int(classifier(drawn).argmax(axis=-1).sum()), votes)
    p = special.ndtr(distance)
    error = np.sqrt(p * (1 - p) / votes) / stats.norm.pdf(distance)
    # Alpha takes 4 to 5 standard errors, chance 3 more or less.
    assert distance - 8 * error < found < distance


@BOTH
def test_cover_proves_what_is_true_and_nothing_else(noise):
    region = gs.Box([-0.1, -0.1], [0.1, 0.1])
    guarantee = gs.Guarantee(
        transform=Contrast() | Brightness(), region=region, method=gs.Cover(noise=noise), max_votes=100_000
    )
    examples = [
        gs.Example(id=i, image=np.full(SHAPE, m, np.float32), label=1) for i, m in enumerate((0.5, 0.58, 0.92, 1.0))
    ]
    claims = list(gs.certify_stream(gs.as_classifier(half_space, SHAPE), examples, guarantee))
    # Of all images of the region, the weakest and darkest is nearest to the plane.
    nearest = [margin(noise, np.exp(-0.1) * e.image - 0.1) for e in examples]
    assert min(nearest) < 0 < max(nearest)
    assert [c.certified for c in claims] == [left > 0 for left in nearest]
    assert verify(guarantee, claims) == []
