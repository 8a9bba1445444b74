"""One picture says whether a surrogate can be trusted: image, real transform, surrogate, difference. Host."""

from pathlib import Path

import numpy as np

from gsmooth_jax.regions import Box

_COLUMNS = 5


def parameters(region: Box) -> np.ndarray:
    """Returns the parameters [M, P] float32 that are shown: along the region's diagonal, the identity among them."""
    spread = np.linspace(region.low, region.high, _COLUMNS)
    return np.unique(np.concatenate([spread, np.zeros((1, len(region.low)))]), axis=0).astype(np.float32)


def draw(thetas: np.ndarray, clean: np.ndarray, real: np.ndarray, found: np.ndarray, path: Path) -> None:
    """Writes the picture.

    Args:
      thetas: [M, P], one a column.
      clean: [M, H, W, C], the images.
      real: as really transformed.
      found: as transformed by the surrogate.
      path: a .png file.
    """
    import matplotlib.figure

    rows = {"image": clean, "real transform": real, "surrogate": found, "difference": found - real}
    figure = matplotlib.figure.Figure(figsize=(1.5 * len(thetas) + 0.6, 6.4), layout="constrained")
    axes = figure.subplots(len(rows), len(thetas), squeeze=False)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for ax, picture, theta in zip(line, row, thetas, strict=True):
            shown = 0.5 + 0.5 * picture if name == "difference" else picture
            ax.imshow(np.clip(shown, 0.0, 1.0).squeeze(), cmap="gray", vmin=0.0, vmax=1.0)
            ax.set_xticks([])
            ax.set_yticks([])
            if name == "image":
                ax.set_title(", ".join(f"{t:g}" for t in theta), fontsize=9)
            if name == "difference":
                ax.set_xlabel(f"max {np.abs(picture).max():.2f}", fontsize=8)
        line[0].set_ylabel(name)
    figure.savefig(path, dpi=120)
