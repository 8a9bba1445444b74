"""The network of waveforms: its spectrogram beside NumPy's, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax import models
from gsmooth_jax.models import Architecture, Normalize
from gsmooth_jax.models.audio_net import AudioNet, spectrogram
from tests.models.fill import random_variables

RATE = 2000


def architecture(text=f"audio_net(rate={RATE}, widths=(4, 4, 8))"):
    return Architecture.parse(text, classes=3, normalize=Normalize())


@pytest.fixture(scope="module")
def waveforms():
    return np.random.default_rng(0).normal(0.0, 0.1, (4, 500)).astype(np.float32)


def test_the_spectrogram_is_that_of_numpy_in_float64(waveforms):
    found = np.asarray(spectrogram(jnp.asarray(waveforms), RATE))
    assert found.shape == (4, 24, 21)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(40) / 40)  # 20 ms
    for wave, rows in zip(waveforms.astype(np.float64), found, strict=True):
        frames = [wave[20 * i : 20 * i + 40] * window for i in range(24)]  # 10 ms apart
        logarithms = 0.5 * np.log(np.abs(np.fft.rfft(frames)) ** 2 + 1e-6)
        np.testing.assert_allclose(rows, logarithms - logarithms.mean(), atol=2e-4)


def test_volume_leaves_the_spectrogram_and_silence_is_finite(waveforms):
    loud = 10 * waveforms  # far above the floor, all of it
    quiet = spectrogram(jnp.asarray(loud * 10 ** (-3 / 20)), RATE)
    np.testing.assert_allclose(quiet, spectrogram(jnp.asarray(loud), RATE), atol=5e-3)
    silence = spectrogram(jnp.zeros((1, 500)), RATE)
    np.testing.assert_allclose(silence, np.zeros((1, 24, 21)), atol=1e-4)  # the mean of 504 numbers, rounded


def test_an_answer_is_of_its_waveform_alone_and_moves_with_training_statistics(waveforms):
    net = architecture()
    variables = random_variables(net, (500,))
    apply = jax.jit(net)
    together = np.asarray(apply(variables, jnp.asarray(waveforms)))
    assert together.shape == (4, 3)
    alone = np.asarray(apply(variables, jnp.asarray(np.concatenate([waveforms[:1], 0 * waveforms[1:]]))))
    np.testing.assert_allclose(alone[0], together[0], rtol=1e-5, atol=1e-6)
    assert np.abs(alone[1] - together[1]).max() > 1e-3
    logits, updates = net.train_apply(variables, jnp.asarray(waveforms))
    assert logits.shape == (4, 3)
    before = variables["batch_stats"]["BatchNorm_0"]["mean"]
    assert np.abs(updates["batch_stats"]["BatchNorm_0"]["mean"] - before).max() > 1e-4


def test_it_refuses_images_short_waveforms_and_bad_options():
    variables = random_variables(architecture(), (500,))
    for shape, message in (((333,), r"at least 334 samples, got inputs \(333,\)"), ((28, 28, 1), r"got inputs \(28, ")):
        with pytest.raises(ValueError, match=message):
            architecture()(variables, jnp.zeros((2, *shape)))
    for options in ("rate=8", "widths=(4, 4)", "widths=(4, 4, 0)", "speed=2"):
        with pytest.raises(ValueError, match=options.split("=")[0]):
            architecture(f"audio_net({options})")
    assert AudioNet(classes=2).rate == 16_000


def test_waveforms_of_another_rate_are_refused_where_the_rate_is_known():
    for rate in (None, RATE):
        models.check_sample_rate(architecture(), rate)
    with pytest.raises(ValueError, match=r"takes waveforms of 2000 samples a second, got 16000: resample .*rate=16000"):
        models.check_sample_rate(architecture(), 16_000)
    models.check_sample_rate(architecture("convnet"), 16_000)  # says nothing of rates
    models.check_sample_rate(lambda variables, images: images, 16_000)
