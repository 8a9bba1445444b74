"""How far apart F2 can drive two images: a deterministic upper bound. Host, float64."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_OUTWARD = 1.0 + 1e-5
"""Widening of every bound: what rounding of spectra and singular values could take away, many times over."""


def convolution_upper(kernel: np.ndarray, image_shape: tuple[int, ...]) -> float:
    """Bounds the L2 operator norm of a zero-padded convolution from above. Rounded up.

    A convolution of H x W images that sees zeros outside is part of the cyclic one on (H + h - 1) x (W + w - 1) images,
    whose norm is the largest singular value of its C_in x C_out symbols over the grid of frequencies. (THEORY D7.1;
    Sedghi et al. 2019 for the cyclic case.)

    Args:
      kernel: [h, w, C_in, C_out].
      image_shape: (H, W, ...).
    """
    kernel = np.asarray(kernel, np.float64)
    padded = [n + k - 1 for n, k in zip(image_shape, kernel.shape[:2], strict=False)]
    symbols = np.fft.rfft2(kernel, s=padded, axes=(0, 1))
    return float(np.linalg.norm(symbols, 2, axis=(-2, -1)).max()) * _OUTWARD


def encoder_upper(encoder: Mapping[str, Any], image_shape: tuple[int, ...]) -> float:
    """Bounds Lip(F2) of F2 = identity + convolutions with ReLUs between them: 1 + their norms' product (THEORY D7.1).

    Args:
      encoder: F2's variables, one entry a layer; no layer for F2 = identity.
      image_shape: (H, W, C).

    Raises:
      ValueError: a layer that is no convolution, or one whose weights are not finite, has no bound; names it.
    """
    if not encoder:
        return 1.0
    norms = []
    for name, layer in encoder.items():
        kernel = np.asarray(layer.get("kernel", 0.0))
        if kernel.ndim != 4 or not layer.keys() <= {"kernel", "bias"}:
            raise ValueError(
                f"Layer {name!r} of F2 has no Lipschitz bound: expected a convolution's kernel [h, w, C_in, C_out], "
                f"got arrays {sorted(layer)} (normalisation belongs into H)."
            )
        if not np.isfinite(kernel).all():
            raise ValueError(f"Layer {name!r} of F2 has no Lipschitz bound: some of its weights are not finite.")
        norms.append(convolution_upper(kernel, image_shape))
    return (1.0 + math.prod(norms)) * _OUTWARD
