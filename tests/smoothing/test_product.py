import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gsmooth_jax import smoothing
from gsmooth_jax.smoothing import Exponential, Gaussian, Product, Rayleigh
from gsmooth_jax.smoothing.noise import ParameterNoise, draw_stages
from gsmooth_jax.testing.transforms import smooth_image
from gsmooth_jax.transforms import parse

TEXT = "gaussian(sigma=(10.0, 5.0))|exponential(scale=3.0)|gaussian(sigma=0.3)"


def test_texts_are_read_back():
    law = Product([Gaussian(sigma=(10, 5)), Exponential(scale=3), Gaussian(sigma=0.3)])
    assert smoothing.describe(law) == TEXT
    assert smoothing.parse(TEXT) == smoothing.parse(TEXT.replace("|", " | ")) == law
    assert hash(law) == hash(smoothing.parse(TEXT))
    assert smoothing.parse("gaussian(sigma=0.3)") == Gaussian(sigma=0.3)


@pytest.mark.parametrize(
    "text", ["gaussian(sigma=1)|", "|", "gaussian(sigma=1)|pixel_noise(sigma=1)", "rayleigh|cauchy"]
)
def test_bad_texts_are_refused(text):
    with pytest.raises(ValueError, match="law"):
        smoothing.parse(text)


@pytest.mark.parametrize("laws", [(), (Product((Rayleigh(),)),)])
def test_laws_are_one_or_more_and_no_products(laws):
    with pytest.raises(ValueError, match="one law or more, none of them a product"):
        Product(laws)


def test_jax_may_rebuild_it_with_anything_and_another_scale_compiles_nothing():
    law, traced = smoothing.parse(TEXT), []
    assert jax.tree.map(lambda leaf: leaf, law) == law
    assert len(jax.tree.leaves(jax.tree.map(lambda leaf: object(), law))) == 4

    @jax.jit
    def sample(law, key):
        traced.append(1)
        return draw_stages(law, key, parse("translation|gaussian_blur|contrast"), (4, 4, 1))

    for scale in (1.0, 2.0):
        assert sample(jax.tree.map(lambda leaf, by=scale: by * leaf, law), jax.random.key(0)).shape == (4,)
    assert len(traced) == 1


def test_each_stage_is_drawn_from_its_law_independently():
    transform, law = parse("translation|gaussian_blur|clip|gamma"), smoothing.parse(f"{TEXT[:-20]}|rayleigh(scale=0.7)")
    assert law.laws[-1] == Rayleigh(scale=0.7)
    keys = jax.random.split(jax.random.key(1), 20_000)
    draws = np.asarray(jax.vmap(lambda key: draw_stages(law, key, transform, (4, 4, 1)))(keys))
    log_rayleigh = stats.loggamma(1.0, loc=0.5 * np.log(2 * 0.7**2), scale=0.5)
    for column, dist in zip(
        draws.T, (stats.norm(0, 10), stats.norm(0, 5), stats.expon(0, 3), log_rayleigh), strict=True
    ):
        assert stats.kstest(column, dist.cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(draws.T) - np.eye(4)).max() < 5 / np.sqrt(len(draws))


def test_a_vote_sees_the_image_under_such_a_draw():
    transform, law = parse("contrast|brightness"), smoothing.parse("gaussian(sigma=0.4)|gaussian(sigma=0.2)")
    image, key = jnp.asarray(smooth_image((5, 4, 1))), jax.random.key(3)
    theta = draw_stages(law, jax.random.key(3), transform, image.shape)
    expected = image * jnp.exp(theta[0]) + theta[1]
    np.testing.assert_allclose(ParameterNoise(transform=transform, law=law)(key, image), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("transform", "law", "message"),
    [
        (
            "contrast|brightness",
            TEXT,
            "each of the 2 stages of contrast|brightness that have parameters, got 3: gaussian",
        ),
        ("contrast", "gaussian(sigma=1)|gaussian(sigma=1)", "each of the 1 stages"),
        ("brightness|gamma", "rayleigh|rayleigh", "rayleigh draws a factor, .* those of brightness are b"),
    ],
)
def test_another_number_of_laws_than_stages(transform, law, message):
    with pytest.raises(ValueError, match=message):
        smoothing.parse(law).over(parse(transform))
