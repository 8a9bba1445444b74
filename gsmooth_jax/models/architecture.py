"""What a shipped network is, in words that fit a JSON file: name, options, classes, input layer."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _spec, _validate
from gsmooth_jax.models.audio_net import AudioNet
from gsmooth_jax.models.convnet import ConvNet
from gsmooth_jax.models.normalize import Normalize
from gsmooth_jax.models.resnet import ResNet
from gsmooth_jax.models.speed_net import SpeedNet

MODELS: dict[str, Callable[..., nn.Module]] = {
    "convnet": ConvNet,
    "convnet_bn": functools.partial(ConvNet, batch_norm=True),
    "resnet20": functools.partial(ResNet, depth=20),
    "resnet110": functools.partial(ResNet, depth=110),
    "preresnet110": functools.partial(ResNet, depth=110, pre=True),
    "speed_net": SpeedNet,
    "audio_net": AudioNet,
}
"""Name -> constructor of a Linen module; each takes ``classes`` and its own options."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """A registered network with its input layer: the static, hashable half of a classifier.

    Calling it applies the network to a batch in evaluation mode, so it serves as ``Classifier.apply``.
    """

    name: str
    classes: int
    options: tuple[tuple[str, Any], ...] = ()
    normalize: Normalize = dataclasses.field(default_factory=Normalize)

    def __post_init__(self):
        _validate.at_least(2, classes=self.classes)
        try:
            self.module()
        except TypeError as error:
            raise ValueError(f"Cannot build arch {self.name!r} with options {dict(self.options)}: {error}") from error

    def module(self) -> nn.Module:
        """Returns the Linen module behind the input layer."""
        return _validate.known(MODELS, arch=self.name)(classes=self.classes, **dict(self.options))

    def init(self, key: jax.Array, input_shape: tuple[int, ...]) -> dict[str, Any]:
        """Returns fresh variables for images [H, W, C], or other inputs. Device. The key is consumed."""
        return dict(self.module().init(key, self.normalize(jnp.zeros((1, *input_shape)))))

    def fit(self, variables: Mapping[str, Any], images: jax.Array) -> dict[str, Any]:
        """Returns the variables with what the network takes from images [N, H, W, C] before it is trained. Host.

        Most networks take nothing; see ``SpeedNet.fit``.
        """
        module = self.module()
        return module.fit(variables, np.asarray(self.normalize(images))) if hasattr(module, "fit") else dict(variables)

    def __call__(self, variables: Mapping[str, Any], images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> logits [B, K], with the running batch statistics. Device."""
        logits = self.module().apply(variables, self.normalize(images))
        assert isinstance(logits, jax.Array)
        return logits

    def train_apply(self, variables: Mapping[str, Any], images: jax.Array) -> tuple[jax.Array, dict[str, Any]]:
        """[B, H, W, C] -> logits [B, K] by the batch's own statistics, and the updated running ones. Device."""
        logits, updates = self.module().apply(variables, self.normalize(images), train=True, mutable=["batch_stats"])
        return logits, dict(updates)

    def to_json(self) -> dict[str, Any]:
        """Returns the description that ``from_json`` reads back."""
        return {**dataclasses.asdict(self), "options": dict(self.options)}

    @classmethod
    def parse(cls, text: str, *, classes: int, normalize: Normalize) -> "Architecture":
        """Builds the architecture that ``name`` or ``name(option=literal, ...)`` says; raises ValueError for others."""
        name, options = _spec.parse(text, "arch")
        return cls(name=name, classes=classes, options=tuple(sorted(options.items())), normalize=normalize)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Architecture":
        """Builds the architecture from its description; lists become tuples again."""
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in value["options"].items()}
        layer = value["normalize"]
        return cls(
            name=value["name"],
            classes=value["classes"],
            options=tuple(sorted(options.items())),
            normalize=Normalize(mode=layer["mode"], mean=tuple(layer["mean"]), std=tuple(layer["std"])),
        )
