"""One picture says whether a surrogate can be trusted: image, real transform, surrogate, difference. Host."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.regions import Box
from gsmooth_jax.surrogate.surrogate import Surrogate
from gsmooth_jax.types import Transform

_COLUMNS = 6


def draw(surrogate: Surrogate, transform: Transform, images: np.ndarray, region: Box, path: Path) -> None:
    """Writes a picture of the surrogate along the diagonal of its region, the identity included.

    Args:
      surrogate: what is shown.
      transform: what it imitates.
      images: [M, H, W, C] uint8, shown in turn.
      region: the parameters.
      path: a .png file.
    """
    import matplotlib.figure

    spread = np.linspace(region.low, region.high, _COLUMNS - 1)
    thetas = np.unique(np.concatenate([spread, np.zeros((1, len(region.low)))]), axis=0).astype(np.float32)
    clean = np.stack([images[i % len(images)] for i in range(len(thetas))]).astype(np.float32) / 255.0
    real = np.asarray(jax.vmap(transform)(jnp.asarray(clean), jnp.asarray(thetas)))
    found = np.asarray(jax.vmap(surrogate)(jnp.asarray(clean), jnp.asarray(thetas)))
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
