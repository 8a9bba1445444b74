"""A small network for waveforms: a log-magnitude spectrogram, then three convolutions."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.models.batch_norm import BatchNorm, normalised
from gsmooth_jax.models.pooling import max_pool

_WINDOW, _HOP = 0.020, 0.010  # seconds, as of Fischer et al. 2020 and most speech recognisers
_FLOOR = 1e-3  # of a magnitude: silence must not turn into minus infinity


class AudioNet(nn.Module):
    """Spectrogram, conv 5x5 by steps of 2, two convs 3x3, the largest over time, one dense layer.

    Batch norm, ReLU and 2 x 2 max-pooling follow each convolution, after the last one pooling is over time alone. Input
    [B, T] with T a sixth of a second or more, output logits [B, K].

    Attributes:
      classes: K.
      rate: samples a second. Waveforms of another rate are refused where a file says theirs.
      widths: channels of the convolutions.
    """

    classes: int
    rate: int = 16_000
    widths: tuple[int, int, int] = (16, 32, 64)

    def __post_init__(self):
        _validate.at_least(1000, rate=self.rate)
        _validate.kind(tuple, "three widths", widths=self.widths)
        if len(self.widths) != 3:
            raise ValueError(f"Expected three widths, got widths={self.widths}.")
        _validate.at_least(1, **{f"widths[{layer}]": width for layer, width in enumerate(self.widths)})
        super().__post_init__()

    @nn.compact
    def __call__(self, waveforms: jax.Array, train: bool = False) -> jax.Array:
        """[B, T] -> [B, K]. ``train`` normalises by the batch's moments and updates the running ones. Device."""
        fewest = -(-self.rate // 6)
        if waveforms.ndim != 2 or waveforms.shape[1] < fewest:
            raise ValueError(f"Expected waveforms of at least {fewest} samples, got inputs {waveforms.shape[1:]}.")
        conv = functools.partial(nn.Conv, kernel_size=(3, 3), use_bias=False)
        norm = functools.partial(BatchNorm, not train)
        first, second, third = self.widths
        x = spectrogram(waveforms, self.rate)[..., None]
        x = max_pool(nn.relu(normalised(conv(first, kernel_size=(5, 5), strides=(2, 2)), norm(), x)))
        x = max_pool(nn.relu(normalised(conv(second), norm(), x)))
        x = nn.relu(normalised(conv(third), norm(), x)).max(axis=1)  # a word may come at any time
        return nn.Dense(self.classes)(x.reshape(x.shape[0], -1))


def spectrogram(waveforms: jax.Array, rate: int) -> jax.Array:
    """Returns log-magnitudes of Hann windows of 20 ms, 10 ms apart, less their mean. Device.

    The mean is over all of a waveform: what a change of volume adds to every log-magnitude goes away with it.

    Args:
      waveforms: [B, T].
      rate: samples a second.

    Returns:
      [B, F, M] of F windows and the M frequencies from 0 to half the rate, 50 Hz apart. Computed in float32.
    """
    window, hop = round(_WINDOW * rate), round(_HOP * rate)
    starts = hop * np.arange((waveforms.shape[1] - window) // hop + 1)
    frames = waveforms.astype(jnp.float32)[:, starts[:, None] + np.arange(window)[None]]
    shape = np.sin(np.pi * np.arange(window) / window).astype(np.float32) ** 2
    found = jnp.fft.rfft(frames * shape[None, None])
    logarithms = 0.5 * jnp.log(found.real**2 + found.imag**2 + _FLOOR**2)
    return (logarithms - logarithms.mean(axis=(1, 2), keepdims=True)).astype(waveforms.dtype)
