import jax
import numpy as np
import pytest

from gsmooth_jax.surrogate.lipschitz import Layer, convolution_upper, encoder_upper, layers, rounding_upper


def _apply(kernel, images):
    return jax.lax.conv_general_dilated(
        images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), precision="highest"
    )


@pytest.mark.parametrize(("height", "width", "size"), [(6, 6, 3), (5, 7, 3), (6, 5, 5)])
def test_a_layer_is_bounded_from_above_and_closely(height, width, size):
    kernel = np.random.default_rng(size).normal(0, 1, (size, size, 2, 3)).astype(np.float32)
    basis = np.eye(height * width * 2, dtype=np.float32).reshape(-1, height, width, 2)
    dense = np.asarray(_apply(kernel, basis), np.float64).reshape(len(basis), -1)
    exact = np.linalg.svd(dense, compute_uv=False)[0]
    bound = convolution_upper(kernel, (height, width))
    assert exact <= bound <= 1.15 * exact * (1.15 if size > 3 else 1.0)


def test_a_single_weight_is_met_exactly():
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = -2.5
    assert convolution_upper(kernel, (8, 8)) == pytest.approx(2.5, rel=2e-5)
    assert convolution_upper(kernel, (8, 8)) > 2.5 * (1 + 5e-6)  # far more than roundings of its spectrum


def test_a_bound_sees_beyond_the_border():
    """The zeros outside count: the cyclic convolution on 5 x 5 itself has norm 2.24."""
    kernel = np.array([1.0, -1.0, 0.0, -1.0, 1.0], np.float32).reshape(1, 5, 1, 1)
    for turned in (kernel, kernel.transpose(1, 0, 2, 3)):
        dense = np.asarray(_apply(turned, np.eye(25, dtype=np.float32).reshape(25, 5, 5, 1)), np.float64)
        exact = np.linalg.norm(dense.reshape(25, 25), 2)
        assert exact == pytest.approx(2.935, abs=1e-3)
        assert exact <= convolution_upper(turned, (5, 5)) < 3.5


def test_f2_never_drives_images_further_apart(surrogate):
    encoder = surrogate.variables["encoder"]
    bound = encoder_upper(encoder, surrogate.networks.image_shape)
    # Power iteration at many images finds the steepest directions of the piecewise linear map.
    rng = np.random.default_rng(0)
    steepest = 0.0
    step = jax.jit(lambda x, v: jax.vjp(surrogate.encode, x)[1](jax.jvp(surrogate.encode, (x,), (v,))[1])[0])
    for scale in (0.1, 1.0, 10.0):
        x = (scale * rng.normal(0, 1, (16, 8, 8, 1))).astype(np.float32)
        v = rng.normal(0, 1, x.shape).astype(np.float32)
        for _ in range(20):
            v = np.asarray(step(x, v))
            length = np.linalg.norm(v.reshape(16, -1), axis=1)
            v = v / length[:, None, None, None]
        steepest = max(steepest, float(np.sqrt(length.max())))
    assert steepest <= bound
    assert steepest > 0.2 * bound
    assert encoder_upper({}, (8, 8, 1)) == 1.0


def weight(size):
    """A layer that multiplies an image by one number, and adds another."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = size
    return {"kernel": kernel, "bias": np.full(1, 0.25, np.float32)}


def test_the_image_itself_is_part_of_the_latent():
    assert 1.5 <= encoder_upper({"conv_0": weight(0.5)}, (6, 7, 1)) <= 1.5001
    assert 4.0 <= encoder_upper({"conv_0": weight(2.0), "conv_1": weight(-1.5)}, (6, 7, 1)) <= 4.0002


def test_a_layer_says_what_its_sums_are_made_of():
    kernel = np.random.default_rng(0).normal(size=(3, 5, 2, 4)).astype(np.float32)
    (layer,) = layers({"conv_0": {"kernel": kernel, "bias": np.float32([3.0, 0.0, 4.0, 0.0])}}, (6, 7, 2))
    assert layer.terms == 3 * 5 * 2 + 1
    assert layer.bias == pytest.approx(5.0 * np.sqrt(6 * 7))  # added to every pixel
    assert layer.norm < layer.absolute <= np.abs(kernel).sum()


def test_an_error_of_one_layer_goes_through_the_next():
    first, second = (
        Layer(norm=1.0, absolute=1e4, terms=500, bias=0.0),
        Layer(norm=50.0, absolute=50.0, terms=2, bias=0.0),
    )
    alone = rounding_upper((first,), 3.0)
    assert alone >= 1e4 * 3.0 * 2.0**-24  # one rounding of its largest terms, at least
    assert 40 * alone < rounding_upper((first, second), 3.0) < 60 * alone
    assert rounding_upper((second, first), 3.0) > 40 * alone  # what is longer is rounded by more


def test_a_layer_without_a_bound_is_named(surrogate):
    layers = {**surrogate.variables["encoder"], "GroupNorm_0": {"scale": np.ones(3), "bias": np.zeros(3)}}
    with pytest.raises(ValueError, match=r"'GroupNorm_0' of F2 has no Lipschitz bound.*\['bias', 'scale'\]"):
        encoder_upper(layers, (8, 8, 1))
    with pytest.raises(ValueError, match="'Dense_0'"):
        encoder_upper({"Dense_0": {"kernel": np.ones((4, 4))}}, (8, 8, 1))
    with pytest.raises(ValueError, match="'conv_0' of F2 has no Lipschitz bound: some of its weights are not finite"):
        encoder_upper({"conv_0": {"kernel": np.full((3, 3, 1, 1), np.nan)}}, (8, 8, 1))


def test_float32_takes_f2_no_further_than_said(surrogate, image):
    encoder = jax.tree.map(lambda w: np.asarray(w, np.float64), surrogate.variables["encoder"])

    def convolve(x, layer):
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        return np.einsum("hwcij,ijco->hwo", windows, layer["kernel"]) + layer["bias"]

    shares = []
    for scale in (0.01, 1.0, 30.0):
        given = (scale * image).astype(np.float32)
        exact = given + convolve(
            np.maximum(convolve(given.astype(np.float64), encoder["conv_0"]), 0), encoder["conv_1"]
        )
        apart = np.linalg.norm(np.asarray(surrogate.encode(given[None])[0]) - exact)
        shares.append(apart / rounding_upper(tuple(layers(encoder, given.shape)), float(np.linalg.norm(given))))
    assert 0.002 < max(shares) <= 1.0
    assert rounding_upper((), 1.0) == 0.0


def test_float32_rounding_of_f2_is_far_below_what_the_geometry_allows_for(surrogate, image):
    # certify/geometry.py widens distances by 1e-5 Lip(F2) for every entry of an image and each of two images.
    encoder = jax.tree.map(lambda w: np.asarray(w, np.float64), surrogate.variables["encoder"])

    def convolve(x, layer):
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        return np.einsum("hwcij,ijco->hwo", windows, layer["kernel"]) + layer["bias"]

    exact = image + convolve(np.maximum(convolve(image.astype(np.float64), encoder["conv_0"]), 0), encoder["conv_1"])
    assert np.abs(np.asarray(surrogate.encode(image[None])[0]) - exact).max() < 2e-6
