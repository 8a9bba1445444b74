"""Pictures say whether a surrogate can be trusted, and what its noise looks like. Host."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gsmooth_jax.regions import Box

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 5


def parameters(region: Box) -> np.ndarray:
    """Returns the parameters [M, P] float32 that are shown: along the region's diagonal, the identity among them."""
    spread = np.linspace(region.low, region.high, _COLUMNS)
    return np.unique(np.concatenate([spread, np.zeros((1, len(region.low)))]), axis=0).astype(np.float32)


def draw_fit(thetas: np.ndarray, clean: np.ndarray, real: np.ndarray, found: np.ndarray, path: Path) -> None:
    """Draws image, real transform, surrogate and difference.

    Args:
      thetas: [M, P], one a column.
      clean: [M, H, W, C], the images.
      real: as really transformed.
      found: as transformed by the surrogate.
      path: a .png file.
    """
    difference = found - real
    rows = {"image": clean, "real transform": real, "surrogate": found, "difference": 0.5 + 0.5 * difference}
    figure, axes = _sheet(rows)
    for top, bottom, theta, gap in zip(axes[0], axes[-1], thetas, difference, strict=True):
        top.set_title(", ".join(f"{t:g}" for t in theta), fontsize=9)
        bottom.set_xlabel(f"max {np.abs(gap).max():.2f}", fontsize=8)
    figure.savefig(path, dpi=120)


def draw_noise(clean: np.ndarray, pixel: np.ndarray, augmented: np.ndarray, path: Path) -> None:
    """Draws images under pixel noise and under augmented noise of the same size (GSmooth, Figure 3).

    Args:
      clean: [M, H, W, C], the images.
      pixel: with the noise of the latent added to their pixels.
      augmented: with the noise of parameter and latent, behind H.
      path: a .png file.
    """
    figure, _ = _sheet({"image": clean, "pixel noise": pixel, "augmented noise": augmented})
    figure.savefig(path, dpi=120)


def _sheet(rows: Mapping[str, np.ndarray]) -> tuple["Figure", np.ndarray]:
    """A figure of named rows of images [M, H, W, C], clipped to [0, 1], and its axes."""
    import matplotlib.figure

    count = len(next(iter(rows.values())))
    figure = matplotlib.figure.Figure(figsize=(1.5 * count + 0.6, 1.6 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), count, squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for ax, picture in zip(line, row, strict=True):
            ax.imshow(np.clip(picture, 0.0, 1.0).squeeze(), cmap="gray", vmin=0.0, vmax=1.0)
            ax.set_xticks([])
            ax.set_yticks([])
    return figure, axes
