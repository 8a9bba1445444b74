import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import check_transform, smooth_image
from gsmooth_jax.transforms import (
    Additive,
    Brightness,
    Clip,
    Composition,
    Contrast,
    Quantize,
    Rotation,
    RotationalBlur,
    Scaling,
    Translation,
    parse,
)
from gsmooth_jax.types import param_dim


@pytest.mark.parametrize(
    "transform",
    [
        Rotation() | Clip(),
        Scaling() | Brightness(),
        RotationalBlur() | Contrast() | Clip(),
        Contrast() | Brightness(),
        # The contrast multiplies what the brightness did, and grows with it: no slack hides either.
        Brightness() | Contrast(),
        # Behind a clip, brightness is no offset.
        Brightness() | Clip(),
    ],
    ids=lambda t: t.name,
)
def test_contract_and_proved_bounds(transform):
    check_transform(transform)


def test_applies_the_first_stage_first_and_splits_theta():
    image = jnp.asarray(smooth_image((4, 5, 1)))
    both = Contrast() | Additive() | Translation()
    assert param_dim(both, image.shape) == 23
    delta = jnp.linspace(-1, 1, 20)
    theta = jnp.concatenate([jnp.array([0.5]), delta, jnp.array([1.0, -2.0])])
    expected = np.roll(image * np.exp(0.5) + delta.reshape(4, 5, 1), (1, -2), (0, 1))
    np.testing.assert_allclose(jax.jit(both)(image, theta), expected, atol=1e-6)


def test_nested_compositions_are_flat_and_hashable():
    a, b, c = Rotation(), Clip(), Quantize()
    assert (a | b) | c == a | (b | c) == Composition((a, b, c)) == parse("rotation|clip|quantize")
    assert hash((a | b) | c) == hash(a | (b | c))
    assert (a | c).name == "rotation|quantize"
    assert (a | c).typical == Rotation.typical


def test_has_a_law_only_with_one_stage():
    assert Composition((Brightness(),)).group == "additive"
    assert (Brightness() | Clip()).group == "none"
    assert (Brightness() | Contrast()).group == "none"


def test_bound_goes_through_preparation_and_clipping():
    image, low, high = jnp.asarray(smooth_image((8, 8, 1))), jnp.array([0.1]), jnp.array([0.2])
    bound = Contrast().lipschitz_upper
    np.testing.assert_array_equal((Contrast() | Clip()).lipschitz_upper(image, low, high), bound(image, low, high))
    prepared = Quantize(bits=2)(image, jnp.zeros(0))
    composed = Quantize(bits=2) | Contrast()
    np.testing.assert_array_equal(composed.lipschitz_upper(image, low, high), bound(prepared, low, high))
    assert (Clip() | Quantize()).lipschitz_upper(image, jnp.zeros(0), jnp.zeros(0)).shape == (0,)


def test_what_a_stage_drives_apart_the_next_ones_see():
    # Each contrast at its strongest multiplies the last brightness, and so does the speed of the one behind it.
    image, high = jnp.full((4, 4, 1), 0.5), np.array([1.0, 2.0, 0.01])
    for low in ([0.0, 0.0, 0.0], [0.0, 2.0, 0.0]):  # the second contrast has a range, or one value
        bound = (Brightness() | Contrast() | Contrast()).lipschitz_upper(
            image, jnp.asarray(low), jnp.asarray(high, jnp.float32)
        )
        fastest = np.exp(high[1] + high[2]) * 1.5 * np.sqrt(image.size)
        assert float(bound[0]) >= np.exp(high[1] + high[2]) * np.sqrt(image.size)
        assert fastest <= float(bound[2]) < 2 * fastest


@pytest.mark.parametrize(
    ("transform", "stage"),
    [
        (Rotation() | Quantize(), "quantize"),
        (Brightness() | Rotation(), "rotation"),
        (Translation() | Clip(), "translation"),
    ],
)
def test_refuses_a_bound_it_cannot_prove(transform, stage):
    p = param_dim(transform, (4, 4, 1))
    with pytest.raises(ValueError, match=f"'{stage}'"):
        transform.lipschitz_upper(jnp.zeros((4, 4, 1)), jnp.zeros(p), jnp.zeros(p))


def test_refuses_to_be_empty():
    with pytest.raises(ValueError, match="at least one stage"):
        Composition(())
