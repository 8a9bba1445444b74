"""Vote counts: the same draws whatever the chunk, row or order; the right law; non-finite logits."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gsmooth_jax.estimation import keys
from gsmooth_jax.estimation.votes import ClassVote, Draws, count_votes
from gsmooth_jax.smoothing import Gaussian, Rayleigh
from gsmooth_jax.smoothing.noise import ParameterNoise
from gsmooth_jax.transforms import Brightness, Gamma

RUN_KEY = jax.random.key(7)
compiled = jax.jit(count_votes, static_argnums=0, static_argnames=("votes", "chunk"))
BRIGHTNESS, LAW = Brightness(), Gaussian(sigma=0.5)
IMAGES = np.linspace(0, 1, 3 * 6, dtype=np.float32).reshape(3, 3, 2, 1)


def by_mean(images):
    """Three classes by mean intensity; a dark image has a NaN among its logits."""
    mean = images.mean(axis=(1, 2, 3))
    logits = jnp.stack([0.3 - mean, 0.1 + 0.0 * mean, mean - 0.8], axis=-1)
    return jnp.where((mean[:, None] < -0.2) & (jnp.arange(3)[None] == 1), jnp.nan, logits)


def rows(order=(0, 1, 2), start=0, stop=64, phase=keys.ESTIMATE):
    order = np.array(order)
    full = np.full(len(order), 1)
    return Draws(
        centre=jnp.asarray(IMAGES[order]),
        image_id=jnp.asarray(order + 40, jnp.uint32),
        centre_id=jnp.asarray(0 * full, jnp.uint32),
        phase=jnp.asarray(phase * full, jnp.uint32),
        start=jnp.asarray(start * full, jnp.int32),
        stop=jnp.asarray(stop * full, jnp.int32),
    )


@jax.jit
def parameters(start):
    stream = keys.phase_key(RUN_KEY, jnp.uint32(3), jnp.uint32(0), jnp.uint32(keys.ESTIMATE))
    return jax.vmap(lambda i: jax.random.key_data(keys.sample_key(stream, start + i)))(jnp.arange(2000))


def counts(r, chunk=16, votes=64, transform=BRIGHTNESS, law=LAW):
    return np.asarray(
        compiled(
            by_mean, ClassVote(noise=ParameterNoise(transform=transform, law=law)), RUN_KEY, r, votes=votes, chunk=chunk
        )
    )


def test_counts_do_not_depend_on_chunk_order_or_splitting():
    whole = counts(rows())
    assert whole.dtype == np.int32
    assert whole.sum(axis=1).tolist() == [64, 64, 64]
    assert (counts(rows(), chunk=64) == whole).all()
    assert (counts(rows((2, 0, 1))) == whole[[2, 0, 1]]).all()
    halves = counts(rows(stop=32), votes=32) + counts(rows(start=32), votes=32)
    assert (halves == whole).all()


def test_a_padding_row_counts_nothing_and_a_short_row_what_it_asks():
    assert (counts(rows(start=64, stop=64)) == 0).all()
    assert counts(rows(stop=23)).sum(axis=1).tolist() == [23, 23, 23]


def test_phases_draw_different_samples():
    assert (counts(rows(phase=keys.SELECT)) != counts(rows())).any()


def test_non_finite_logits_vote_for_nobody():
    assert counts(rows())[0, 3] > 0
    assert counts(rows())[:, :3].sum() < 3 * 64


def test_every_draw_has_its_own_key():
    drawn = np.concatenate([parameters(0), parameters(2000)])
    assert len(np.unique(drawn, axis=0)) == 4000


def test_seed_image_centre_phase_and_sample_are_all_part_of_the_key():
    @jax.jit
    @jax.vmap
    def key(seed, image, centre, phase, sample):
        return jax.random.key_data(keys.sample_key(keys.phase_key(jax.random.key(seed), image, centre, phase), sample))

    phases = [keys.SELECT, keys.ESTIMATE, keys.PROPOSE, keys.ATTACK, keys.ATTACK_CONFIRM]
    numbers = np.array(list(itertools.product(range(3), range(3), range(3), phases, range(3))), np.uint32)
    assert len(np.unique(key(*numbers.T), axis=0)) == len(numbers) == 3**4 * 5


@pytest.mark.parametrize("image", [0, 2])
def test_probabilities_are_those_of_the_law(image):
    n, mean, sigma = 4096, IMAGES[image].mean(), 0.5
    law = stats.norm(mean, sigma)
    cuts = law.cdf([-0.2, 0.2, 0.9])
    expected = n * np.array([cuts[1] - cuts[0], cuts[2] - cuts[1], 1 - cuts[2], cuts[0]])
    found = counts(rows((image,), stop=n), votes=n, chunk=n)[0]
    assert stats.chisquare(found, expected).pvalue > 1e-4


def test_multiplicative_laws_draw_the_factor():
    # Gamma(log Rayleigh) of the grey image 1/2: 0.5 ** factor, below 0.2 where factor > log 0.2 / log 0.5.
    grey = rows((0,), stop=4096)._replace(centre=jnp.full((1, 3, 2, 1), 0.5))
    found = counts(grey, votes=4096, chunk=4096, transform=Gamma(), law=Rayleigh(scale=1.5))[0]
    p = stats.rayleigh(scale=1.5).sf(np.log(0.2) / np.log(0.5))
    assert abs(found[0] / 4096 - p) < 4 * np.sqrt(p * (1 - p) / 4096)
