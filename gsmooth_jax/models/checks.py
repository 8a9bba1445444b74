"""Mistakes with a network of one's own that would not be noticed: looked for before any work. Device."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from gsmooth_jax.models.callables import leaves
from gsmooth_jax.types import Domain

_CHANNELS = (1, 3, 4)
_SMALLEST = 8  # px: the side of what is surely rows or columns

_REGISTERED = ("gsmooth_jax.models.architecture", "gsmooth_jax.surrogate.denoiser")
"""Where networks are from that are known to be functions of each image alone."""

_ROUNDING = {"float32": 1e-3, "bfloat16": 5e-2}
"""By how much of the largest logit one image's logits may differ between batches: orders of summation differ."""


def check_channels_last(domain: Domain | tuple[int, ...]) -> None:
    """Raises ValueError where a shape looks like [C, H, W]; a ``Domain`` is taken at its word. Host."""
    if isinstance(domain, Domain) or len(domain) != 3:
        return
    first, *others = domain
    if first in _CHANNELS and min(others) >= _SMALLEST:
        raise ValueError(
            f"Expected images [N, H, W, C], got some of shape {tuple(domain)}, which are [C, H, W] by their looks: "
            f"images.transpose(0, 2, 3, 1). If they have {first} rows, say so: domain=gs.Domain({tuple(domain)})."
        )


def check_independent(
    apply: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], low: float, high: float, tolerance: float
) -> bool:
    """Checks by four batches of two random inputs that an output is a function of its input alone. Host.

    Args:
      apply: [2, ...] float32 -> [2, ...].
      shape: of one input.
      low: least entry of an input.
      high: largest.
      tolerance: by how much of the largest output outputs may differ.

    Returns:
      Whether all outputs were finite.

    Raises:
      ValueError: the same batch gives other outputs the second time, or an input does beside another one, or in the
        other place.
    """
    random = np.random.default_rng(0)
    one = random.uniform(low, high, shape).astype(np.float32)
    other = random.uniform(low, low + (high - low) / 4, shape).astype(np.float32)  # of another mean
    alone, first, second, again = (apply(np.stack(b)) for b in ((one, one), (one, other), (other, one), (one, other)))
    finite = [np.where(np.isfinite(outputs), outputs, 0.0) for outputs in (alone, first, second, again)]
    largest = max(float(np.abs(outputs).max()) for outputs in finite)
    if (apart := float(np.abs(finite[3] - finite[1]).max())) > tolerance * largest:
        raise ValueError(
            f"Expected a fixed function of its images, got outputs that differ by {apart:.3g} for the same batch: the "
            f"model draws noise of its own, such as dropout. {_MODES}"
        )
    seen = np.stack([finite[0][0], finite[0][1], finite[1][0], finite[2][1]])
    if (apart := float(np.ptp(seen, axis=0).max())) > tolerance * largest:
        raise ValueError(
            f"Expected an image's outputs to come from that image alone, got some that differ by {apart:.3g} of "
            f"{largest:.3g} with the rest of its batch, or its place there: votes are no independent draws. {_MODES}"
        )
    return all(np.isfinite(outputs).all() for outputs in (alone, first, second, again))


_MODES = (
    "Put batch normalisation and dropout in evaluation mode: net.eval() of PyTorch, eqx.nn.inference_mode(net), "
    "train=False of Linen."
)


def check_sample_rate(apply: Any, rate: int | None) -> None:
    """Raises ValueError where a network that says its sample rate is given waveforms of another one. Host.

    Args:
      apply: of a model, see ``Classifier``.
      rate: samples a second of the waveforms; None where it is not known.
    """
    for member in leaves(apply):
        registered = type(member).__module__ == _REGISTERED[0]
        wanted = getattr(member.module(), "rate", None) if registered else None
        if None not in (rate, wanted) and rate != wanted:
            raise ValueError(
                f"The network takes waveforms of {wanted} samples a second, got {rate}: resample them, or train "
                f"audio_net(rate={rate})."
            )


def check_model(model: Any) -> None:
    """Checks that a ``Classifier`` or ``Regressor`` from elsewhere is a function of each image alone. Device.

    Compiles one program, for two images. Registered architectures are known to be such functions.

    Raises:
      ValueError: as ``check_independent``.
    """
    if all(type(member).__module__ in _REGISTERED for member in leaves(model.apply)):
        return

    def apply(images: np.ndarray) -> np.ndarray:
        return np.asarray(_applied(model, images))

    domain = model.domain
    if not check_independent(apply, domain.shape, domain.low, domain.high, _ROUNDING[model.dtype]):
        warnings.warn(
            "The model gives NaN or infinite outputs for some random inputs: such votes count for no class. Look at "
            "its scale and its precision if few images are certified.",
            stacklevel=2,
        )


@jax.jit
def _applied(model: Callable[[jax.Array], jax.Array], images: jax.Array) -> jax.Array:
    return model(images)
