"""The published certification loop (Cohen et al. 2019, Algorithm 1) in plain PyTorch, with the weights of ours.

Each image gets ``n0`` draws that choose the class and then ``n`` more, in batches; the counts bound p_A from below by
Clopper-Pearson. Networks, input layers, transforms and laws are those of the library, written the way PyTorch users do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

import gsmooth_jax as gs

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.nn.utils import fusion
except ImportError as error:
    raise SystemExit(f"{error}: this benchmark compares with PyTorch; install it beside: pip install torch") from error

from gsmooth_jax.models import normalize
from gsmooth_jax.transforms import _dct

Draw = Callable[[torch.Tensor, int], torch.Tensor]
"""An image [C, H, W] -> as many random transformations of it [B, C, H, W]."""


def certify(
    model: nn.Module, draw: Draw, image: torch.Tensor, *, n0: int, n: int, alpha: float, batch: int = 1000
) -> tuple[int, float]:
    """Returns the class and the lower bound on its probability."""
    top = int(count(model, draw, image, n0, batch).argmax())
    successes = int(count(model, draw, image, n, batch)[top])
    return top, float(stats.beta.ppf(alpha, successes, n - successes + 1)) if successes else 0.0


@torch.inference_mode()
def count(model: nn.Module, draw: Draw, image: torch.Tensor, n: int, batch: int) -> np.ndarray:
    """Counts the votes [K] of n draws."""
    counts = 0
    for start in range(0, n, batch):
        logits = model(draw(image, min(batch, n - start)))
        counts = counts + torch.bincount(logits.argmax(1), minlength=logits.shape[1]).cpu().numpy()
    return np.asarray(counts)


def drawing(guarantee: gs.Guarantee) -> Draw:
    """The transform and its law."""
    method = guarantee.method
    assert isinstance(method, gs.ClosedForm)
    match guarantee.transform, method.smoothing:
        case gs.transforms.BrightnessContrast(), gs.Gaussian(sigma=(contrast, brightness)):

            def draw(image: torch.Tensor, size: int) -> torch.Tensor:
                k, b = torch.randn(2, size, 1, 1, 1, device=image.device)
                return torch.exp(contrast * k) * (image + brightness * b)

        case gs.transforms.GaussianBlur(), gs.Exponential(scale=scale):

            def draw(image: torch.Tensor, size: int) -> torch.Tensor:
                h, w = image.shape[1:]
                v = torch.empty(size, 1, 1, 1, device=image.device).exponential_(1.0 / scale)
                columns, rows = (torch.as_tensor(_dct.matrix(s), device=image.device) for s in (h, w))
                half = 0.5 * np.add.outer(_dct.frequency(h) ** 2, _dct.frequency(w) ** 2)
                decay = torch.exp(-v * torch.as_tensor(half, dtype=torch.float32, device=image.device))
                return columns.T @ (columns @ image @ rows.T * decay) @ rows

        case other:
            raise ValueError(f"Not written in PyTorch: {other}.")
    return draw


def converted(classifier: gs.Classifier) -> nn.Module:
    """The network of ours, with its weights and its input layer."""
    architecture: Any = classifier.apply
    params = classifier.variables["params"]
    if architecture.name == "convnet":
        network = _convnet(params)
    elif architecture.name == "resnet20":
        network = _ResNet(params, classifier.variables["batch_stats"])
    else:
        raise ValueError(f"Not written in PyTorch: {architecture.name}.")
    return nn.Sequential(_Input(architecture.normalize.mode), network).eval()


def tuned(model: nn.Module) -> nn.Module:
    """Folds batch norms into the convolutions before them, stores channels last, and compiles."""
    for pair in [m for m in model.modules() if isinstance(m, nn.Sequential) and len(m) == 2]:
        if isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
            pair[0], pair[1] = fusion.fuse_conv_bn_eval(pair[0], pair[1]), nn.Identity()
    return torch.compile(_ChannelsLast(model.to(memory_format=torch.channels_last)))


BASELINES: dict[str, Callable[[nn.Module], nn.Module]] = {
    "plain": lambda model: model,
    "tuned": tuned,
    "bfloat16": lambda model: tuned(model.to(torch.bfloat16)),
}
"""What is done to a network before it votes; the last casts its input as well."""


class _ChannelsLast(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.dtype = next(model.parameters()).dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x.to(self.dtype, memory_format=torch.channels_last))


class _Input(nn.Module):
    def __init__(self, mode: str):
        super().__init__()
        if mode not in ("image", "sharpen"):
            raise ValueError(f"Not written in PyTorch: normalize={mode!r}.")
        self.mode = mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.mode == "image":
            return self.standardise(x)
        return torch.cat([self.standardise(self.sharpen(x, v)) for v in normalize._VARIANCES], 1)

    @staticmethod
    def standardise(x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean((1, 2, 3), keepdim=True)
        return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + normalize._EPS)

    @staticmethod
    def sharpen(x: torch.Tensor, variance: float) -> torch.Tensor:
        if variance == 0.0:
            return x
        h, w = x.shape[2:]
        columns, rows = (torch.as_tensor(_dct.matrix(s), dtype=x.dtype, device=x.device) for s in (h, w))
        gain = np.exp(np.minimum(0.5 * variance * np.add.outer(_dct.frequency(h) ** 2, _dct.frequency(w) ** 2), 40.0))
        wiener = torch.as_tensor(gain / (1.0 + (gain / normalize._GAIN) ** 2), dtype=x.dtype, device=x.device)
        return columns.T @ (columns @ x @ rows.T * wiener) @ rows


def _convnet(params: Any) -> nn.Module:
    convolutions = [_conv(params[f"Conv_{i}"], padding=0) for i in range(4)]
    dense = [_dense(params[f"Dense_{i}"]) for i in range(3)]
    # Ours flattens [H, W, C], PyTorch [C, H, W].
    channels = convolutions[-1].out_channels
    side = int((dense[0].in_features // channels) ** 0.5)
    weight = dense[0].weight.data.reshape(-1, side, side, channels).permute(0, 3, 1, 2)
    dense[0].weight.data = weight.reshape(len(weight), -1).contiguous()
    layers: list[nn.Module] = []
    for number, conv in enumerate(convolutions):
        layers += [conv, nn.ReLU()] if number % 2 == 0 else [conv, nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])


class _ResNet(nn.Module):
    def __init__(self, params: Any, moments: Any):
        super().__init__()
        self.first = nn.Sequential(_conv(params["Conv_0"]), _norm(params["BatchNorm_0"], moments["BatchNorm_0"]))
        blocks = len([name for name in params if name.startswith("_Block_")])
        self.blocks = nn.Sequential(
            *(
                _Block(params[f"_Block_{i}"], moments[f"_Block_{i}"], 2 if i and i % (blocks // 3) == 0 else 1)
                for i in range(blocks)
            )
        )
        self.last = _dense(params["Dense_0"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.blocks(F.relu(self.first(x))).mean((2, 3)))


class _Block(nn.Module):
    def __init__(self, params: Any, moments: Any, stride: int):
        super().__init__()
        self.stride = stride
        self.one = nn.Sequential(
            _conv(params["Conv_0"], stride=stride), _norm(params["BatchNorm_0"], moments["BatchNorm_0"])
        )
        self.two = nn.Sequential(_conv(params["Conv_1"]), _norm(params["BatchNorm_1"], moments["BatchNorm_1"]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.two(F.relu(self.one(x)))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        extra = y.shape[1] - x.shape[1]
        return F.relu(F.pad(shortcut, (0, 0, 0, 0, extra // 2, extra - extra // 2)) + y)


def _conv(params: Any, stride: int = 1, padding: int = 1) -> nn.Conv2d:
    kernel = np.asarray(params["kernel"]).transpose(3, 2, 0, 1)
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, stride, padding, bias="bias" in params)
    return _filled(layer, kernel, params.get("bias"))


def _dense(params: Any) -> nn.Linear:
    kernel = np.asarray(params["kernel"]).T
    return _filled(nn.Linear(kernel.shape[1], kernel.shape[0]), kernel, params["bias"])


def _norm(params: Any, moments: Any) -> nn.BatchNorm2d:
    layer = _filled(nn.BatchNorm2d(len(params["scale"]), eps=1e-5), params["scale"], params["bias"])
    layer.running_mean, layer.running_var = (torch.tensor(np.asarray(moments[k])) for k in ("mean", "var"))
    return layer


def _filled(layer: Any, weight: Any, bias: Any) -> Any:
    layer.weight.data = torch.tensor(np.ascontiguousarray(weight))
    if bias is not None:
        layer.bias.data = torch.tensor(np.asarray(bias))
    return layer
