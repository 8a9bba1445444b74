"""Noise that gives its centre away: a classifier that looks at last bits, against float32 draws and exact ones.

The classifier answers 0 where every entry is a smoothing centre's plus a value that the sampler can give, so at the
centres always; elsewhere it is to answer 1. With real numbers that would be a claim of every image, and a true one: an
event that is certain at one latent is certain at all. (THEORY J1; Voracek and Hein 2023.)
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.geometry import CoverDecomposition, Geometry
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness

SIGMA, SHAPE, MOST = 0.25, (1, 2, 1), 0.1
IMAGE = np.full(SHAPE, 0.3, np.float32)
PLAIN, EXACT = gs.PixelNoise(sigma=SIGMA), gs.PixelNoise(sigma=SIGMA, exact=True)
DRAWS = 4000


def normal(word):
    """What ``jax.random.normal`` makes of 23 random bits, as numbers from 0 to 2^23 - 1."""
    low = np.nextafter(np.float32(-1), np.float32(0))
    return np.float32(2**0.5) * jax.lax.erf_inv(jnp.maximum(low, word * np.float32(2.0**-22) + low))


def drawn_as_float32(values, centre):
    """Which values are the centre's and a draw: those near by are tried."""
    guess = jnp.round((jax.lax.erf((values - centre) / np.float32(SIGMA * 2**0.5)) + 1.0) * 2.0**22)
    words = jnp.clip(guess[..., None] + jnp.arange(-4.0, 5.0)[None, None, None], 0.0, 2.0**23 - 1.0)
    return (centre[..., None] + np.float32(SIGMA) * normal(words) == values[..., None]).any(axis=-1)


def drawn_as_exact(values, centre):
    """The same of exact noise: a column of the table that is ever drawn."""
    sampler = EXACT.samplers[0]
    possible = np.isin(np.arange(2**18), sampler.other) | (sampler.keep > 0)
    steps = (values - centre) / np.float32(sampler.step) + 2.0**17
    columns = jnp.clip(steps, 0, 2.0**18 - 1).astype(jnp.int32)
    return (steps == columns) & jnp.asarray(possible)[columns]


def classifier(noise, drawn):
    """Knows where the centres will be."""
    geometry = Geometry(IMAGE, CoverDecomposition.of(Brightness()), noise, Centres())
    laid = geometry.layout(np.zeros(1), np.full(1, MOST)).centres
    centres = jnp.asarray(np.stack([laid[number] for number in range(len(laid))]))

    def logits(images):
        each = jax.vmap(jax.vmap(drawn, in_axes=(0, None)), in_axes=(None, 0))(images, centres)
        own = each.all(axis=(2, 3, 4)).any(axis=0)
        return jnp.stack([own, ~own], axis=-1).astype(jnp.float32)

    return gs.as_classifier(logits, SHAPE)


def certified(noise, model):
    guarantee = gs.Guarantee(transform=Brightness(), region=gs.Box([0.0], [MOST]), method=gs.Cover(noise=noise))
    (claim,) = gs.certify_stream(model, [gs.Example(id=0, image=IMAGE, label=0)], guarantee)
    assert verify(guarantee, [claim]) == []
    return claim.certified


def shares(noise, model, shifts):
    """How often the answer is 0 at images of the region."""

    @jax.jit
    def count(latent):
        keys = jax.random.split(jax.random.key(1), DRAWS)
        return (model(jax.vmap(noise, in_axes=(0, None))(keys, latent)).argmax(axis=-1) == 0).mean()

    return [float(count(noise.encode((IMAGE + np.float32(s))[None])[0])) for s in shifts]


def steepest(found, shifts):
    """How fast an event's probability changes, as D1 measures it: by 1 a standard deviation of the noise, at most."""
    seen = special.ndtri(np.clip(found, 1 / DRAWS, 1 - 1 / DRAWS))
    return np.abs(np.diff(seen)).max() / (np.diff(shifts).max() * np.sqrt(np.prod(SHAPE)) / SIGMA)


def test_float32_noise_is_a_known_limit():
    """A false claim, which no votes at the centres can tell from a true one: an idealisation that the README names."""
    model, shifts = classifier(PLAIN, drawn_as_float32), [0.0, 0.01, 0.02, 0.05, MOST]
    found = shares(PLAIN, model, shifts)
    assert found[0] == found[-1] == 1.0
    assert max(found[1:-1]) < 0.45  # of the region, and lost there
    assert steepest(found, shifts) > 5
    assert certified(PLAIN, model)


@pytest.mark.parametrize("drawn", [drawn_as_float32, drawn_as_exact])
def test_exact_noise_leaves_nothing_to_look_at(drawn):
    model, shifts = classifier(EXACT, drawn), [0.0, 0.01, 0.02, 0.05, MOST]
    found = shares(EXACT, model, shifts)
    assert steepest(found, shifts) < 1
    # What the classifier tells at the centres is told everywhere: the claim is made, and true, or it is not made.
    assert certified(EXACT, model) == (drawn is drawn_as_exact) == (min(found) == 1.0)
