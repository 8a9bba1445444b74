import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.smoothing.noise import draw_parameter
from gsmooth_jax.training import TrainConfig
from gsmooth_jax.training.augment import Augment

_IMAGE = jnp.asarray(np.random.default_rng(0).random((8, 8, 1), np.float32))


def _augment(**settings):
    return Augment.build(TrainConfig(out="unused", **settings))


def _many(augment, count=2000):
    keys = jax.random.split(jax.random.key(0), count)
    return np.asarray(jax.jit(Augment.__call__)(augment, keys, jnp.broadcast_to(_IMAGE, (count, *_IMAGE.shape))))


def test_nothing_asked_for_changes_nothing():
    np.testing.assert_array_equal(_many(_augment(), 2), np.stack([_IMAGE, _IMAGE]))


def test_noise_has_its_deviation_and_is_not_clipped():
    out = _many(_augment(noise=0.5)) - np.asarray(_IMAGE)
    # 128,000 independent normals: five standard errors of the mean and of the deviation.
    assert abs(out.mean()) < 5 * 0.5 / np.sqrt(out.size)
    assert abs(out.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * out.size)
    assert out.min() < -1


def test_transform_is_drawn_for_every_image():
    out = _many(_augment(transform=("brightness",), law=("uniform(low=-0.3, high=0.3)",)), 500) - np.asarray(_IMAGE)
    shift = out.reshape(500, -1)
    np.testing.assert_allclose(shift.std(axis=1), 0.0, atol=1e-6)  # one number an image
    assert -0.3 <= shift.min() < -0.25
    assert 0.25 < shift.max() <= 0.3


def test_of_several_transforms_each_image_goes_through_one():
    laws = ("uniform(low=0.1, high=0.3)", "uniform(low=-0.3, high=-0.2)")
    out = _many(_augment(transform=("brightness", "brightness"), law=laws), 2000) - np.asarray(_IMAGE)
    shift = out.reshape(2000, -1).mean(axis=1)
    assert ((shift > 0.0999) | (shift < -0.1999)).all()
    assert (shift > 0).sum() == 1000


def test_a_batch_smaller_than_the_transforms_is_transformed():
    laws = ("uniform(low=0.1, high=0.3)",) * 3
    assert (_many(_augment(transform=("brightness",) * 3, law=laws), 2) > np.asarray(_IMAGE)).all()


def test_draws_outside_the_range_are_clipped_and_said():
    with pytest.warns(UserWarning, match=r"uniform\(low=-2.0, high=2.0\).*outside the range of 'pixelate'"):
        augment = _augment(transform=("pixelate",), law=("uniform(low=-2.0, high=2.0)",))
    out = _many(augment, 400)
    # Half of the draws are below 0; above 3/4, from where on one pixel is left, are 5 in 16.
    for end, share in ((0.0, 0.5), (1.0, 0.3125)):
        clipped = np.asarray(augment.moves[0].transform(_IMAGE, jnp.full(1, end)))
        assert abs((np.abs(out - clipped).max(axis=(1, 2, 3)) < 1e-6).mean() - share) < 5 * 0.5 / np.sqrt(400)


@dataclasses.dataclass(frozen=True)
class _Factor:
    acts: str

    def sample(self, key, dim):
        return jnp.exp(jax.random.normal(key, (dim,)))


def test_a_multiplicative_law_draws_the_factor():
    key = jax.random.key(3)
    expected = jax.random.normal(jax.random.key(3), (2,))
    np.testing.assert_allclose(draw_parameter(_Factor("multiplicative"), key, 2), expected, rtol=1e-5)
    np.testing.assert_allclose(draw_parameter(_Factor("additive"), jax.random.key(3), 2), jnp.exp(expected), rtol=1e-5)


def test_multiplicative_laws_need_a_logarithmic_parameter():
    with pytest.raises(ValueError, match="multiplicative"):
        _augment(transform=("brightness",), law=("log_normal(sigma=0.5)",))
    _augment(transform=("gamma",), law=("log_normal(sigma=0.5)",))


def test_of_a_composition_each_stage_may_have_its_law():
    """Contrast, then brightness: x e^k + b with both drawn from their own."""
    augment = _augment(transform=("contrast|brightness",), law=("log_normal(sigma=0.3)|uniform(low=0.1, high=0.3)",))
    flat = _many(augment, 1000).reshape(1000, -1)
    x = np.asarray(_IMAGE).ravel()
    slope, offset = np.polynomial.polynomial.polyfit(x, flat.T, 1)[::-1]
    np.testing.assert_allclose(slope[:, None] * x + offset[:, None], flat, atol=1e-5)
    assert abs(np.log(slope).std() - 0.3) < 5 * 0.3 / np.sqrt(2000)
    assert 0.1 - 1e-5 < offset.min() < 0.11 < 0.29 < offset.max() < 0.3 + 1e-5
    assert abs(np.corrcoef(slope, offset)[0, 1]) < 5 / np.sqrt(1000)


@pytest.mark.parametrize(
    ("law", "message"),
    [("rayleigh|rayleigh|rayleigh", "each of the 2 stages"), ("rayleigh|rayleigh", "rayleigh draws a factor")],
)
def test_a_composition_and_laws_that_do_not_fit(law, message):
    with pytest.raises(ValueError, match=message):
        _augment(transform=("contrast|brightness",), law=(law,))


def test_draws_of_a_stage_outside_its_range_are_said():
    with pytest.warns(UserWarning, match=r"outside the range of 'brightness\|gaussian_blur'"):
        _augment(transform=("brightness|gaussian_blur",), law=("gaussian(sigma=1)|gaussian(sigma=1)",))


def test_crops_are_windows_of_the_padded_image_and_half_are_flipped():
    out = _many(_augment(crop_flip=True), 400)
    padded = np.pad(np.asarray(_IMAGE), ((4, 4), (4, 4), (0, 0)))
    windows = {padded[i : i + 8, j : j + 8].tobytes(): False for i in range(9) for j in range(9)}
    windows |= {padded[i : i + 8, j : j + 8][:, ::-1].tobytes(): True for i in range(9) for j in range(9)}
    flipped = [windows[np.ascontiguousarray(o).tobytes()] for o in out]
    assert abs(np.mean(flipped) - 0.5) < 5 * 0.5 / np.sqrt(400)
    assert len({o.tobytes() for o in out}) > 140  # of 162 equally likely ones, about 148 are expected


def test_shifts_mirror_the_border_and_flips_are_half():
    out = _many(_augment(shifts=1, flips=True), 400)
    padded = np.pad(np.asarray(_IMAGE), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    windows = {padded[i : i + 8, j : j + 8].tobytes(): False for i in range(3) for j in range(3)}
    windows |= {padded[i : i + 8, j : j + 8][:, ::-1].tobytes(): True for i in range(3) for j in range(3)}
    flipped = [windows[np.ascontiguousarray(o).tobytes()] for o in out]
    assert abs(np.mean(flipped) - 0.5) < 5 * 0.5 / np.sqrt(400)
    assert len({o.tobytes() for o in out}) == 18  # any one is missed with probability 1e-9
    assert len({o.tobytes() for o in _many(_augment(shifts=1), 400)}) == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arch": "vgg"}, "convnet"),
        ({"transform": ("rotation",)}, "as many laws"),
        ({"transform": "rotation", "law": "uniform(low=-5.0, high=5.0)"}, "tuples of transforms"),
        ({"noise": -1.0}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"averaging": -0.1}, "averaging"),
        ({"validation": -1}, "validation"),
        ({"shifts": -1}, "shifts"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(out="unused", **settings)
