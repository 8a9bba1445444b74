"""The networks of a surrogate tau(theta, x) = H(F1(theta) + F2(x)), in Flax; ``NETWORKS`` names their sizes.

F1 is affine: theta becomes one latent of the image's shape. F2 adds a small convolutional stack to the image; it has no
normalisation layer, because what claims rest on is its Lipschitz bound. H may be anything: a denoiser, with GroupNorm.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gsmooth_jax import _validate
from gsmooth_jax.models.pooling import max_pool

_GROUPS = 32
"""Groups of every GroupNorm, where the width has that many; the largest divisor they share elsewhere."""


class Encoder(nn.Module):
    """F2: the image plus conv 3x3, ReLU, ..., conv 3x3 of it, zero-padded. The identity when ``widths`` is empty.

    Attributes:
      widths: channels between the convolutions.
    """

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]. Device. Highest precision: distances between the results enter claims."""
        if not self.widths:
            return images
        conv = functools.partial(nn.Conv, kernel_size=(3, 3), precision="highest")
        x = images
        for number, width in enumerate(self.widths):
            x = nn.relu(conv(width, name=f"conv_{number}")(x))
        # Starts as the identity: a small Lipschitz constant is where fitting begins.
        last = conv(images.shape[-1], kernel_init=nn.initializers.zeros, name=f"conv_{len(self.widths)}")
        return images + last(x)


class UNet(nn.Module):
    """Ronneberger et al. 2015, with GroupNorm: conv pairs, max pooling, bilinear upsampling, concatenated skips.

    Attributes:
      width: channels of the first level.
      levels: channels of every level, as multiples of ``width``; one pooling between two levels.
      residual: adds to every pair of convolutions a projection of its input (Res-UNet, Zhang et al. 2018).
      patch: works on blocks of patch x patch pixels as channels: on a CPU, four times as fast for 2 as for 1.
      still: gives zeros before it is fitted.
    """

    width: int
    levels: tuple[int, ...]
    residual: bool = False
    patch: int = 1
    still: bool = False

    @nn.compact
    def __call__(self, latents: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]. Device."""
        smallest = self.patch * 2 ** (len(self.levels) - 1)
        height, width, channels = latents.shape[1:]
        if min(height, width) < smallest or height % self.patch or width % self.patch:
            raise ValueError(
                f"Expected images of at least {smallest} x {smallest} pixels and sides divisible by {self.patch}, "
                f"got {height} x {width}."
            )
        blocks = latents.reshape(-1, height // self.patch, self.patch, width // self.patch, self.patch, channels)
        blocks = blocks.swapaxes(2, 3).reshape(*blocks.shape[:2], blocks.shape[3], -1)
        skips, x = [], blocks
        for number, factor in enumerate(self.levels):
            x = self._pair(max_pool(x) if number else x, factor * self.width)
            skips.append(x)
        for factor, skip in zip(self.levels[-2::-1], skips[-2::-1], strict=True):
            up = jax.image.resize(x, (*skip.shape[:3], x.shape[-1]), "bilinear")
            x = self._pair(jnp.concatenate([skip, up], axis=-1), factor * self.width)
        out = nn.Conv(blocks.shape[-1], (3, 3), kernel_init=_last_kernel(self.still))(
            jnp.concatenate([x, blocks], axis=-1)
        )
        out = out.reshape(*out.shape[:3], self.patch, self.patch, channels).swapaxes(2, 3)
        return out.reshape(latents.shape)

    def _pair(self, x: jax.Array, width: int) -> jax.Array:
        y = nn.relu(_norm(width)(nn.Conv(width, (3, 3))(x)))
        y = _norm(width)(nn.Conv(width, (3, 3))(y))
        return nn.relu(y + nn.Conv(width, (1, 1))(x) if self.residual else y)


class EDSR(nn.Module):
    """Lim et al. 2017, with GroupNorm: residual blocks at full resolution under one long skip.

    Attributes:
      width: channels.
      blocks: residual blocks.
      still: gives zeros before it is fitted.
    """

    width: int
    blocks: int
    still: bool = False

    @nn.compact
    def __call__(self, latents: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]. Device."""
        head = x = nn.Conv(self.width, (3, 3))(latents)
        for _ in range(self.blocks):
            y = nn.relu(_norm(self.width)(nn.Conv(self.width, (3, 3))(x)))
            x = x + _norm(self.width)(nn.Conv(self.width, (3, 3))(y))
        last = nn.Conv(latents.shape[-1], (3, 3), kernel_init=_last_kernel(self.still))
        return last(head + nn.Conv(self.width, (3, 3))(x))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A named size: the decoder without its width, its usual width, and the encoder's widths."""

    decoder: Callable[..., nn.Module]
    width: int
    encoder: tuple[int, ...]


NETWORKS = {
    "unet-small": Size(decoder=functools.partial(UNet, levels=(1, 2, 4), patch=2), width=24, encoder=(8,)),
    "unet": Size(decoder=functools.partial(UNet, levels=(1, 2, 4, 8, 8)), width=64, encoder=(32, 64)),
    "res-unet": Size(decoder=functools.partial(UNet, levels=(1, 2, 4, 8), residual=True), width=64, encoder=(32, 64)),
    "edsr": Size(decoder=functools.partial(EDSR, blocks=8), width=64, encoder=(32, 64)),
}
"""Name -> size. ``unet-small`` certifies MNIST on a CPU; the others have the sizes of the published experiments."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Networks:
    """Which networks, for which images and which transform: the static, hashable half of a surrogate.

    Attributes:
      name: in ``NETWORKS``.
      image_shape: (H, W, C) of images and latents.
      transform: what the surrogate stands for, as text that ``transforms.parse`` reads.
      low: [P] lower ends of the parameters it was made for, in parameter units.
      high: [P] upper ends.
      width: channels of H; the size's own when None.
      encoder: channels between the convolutions of F2, none of them for F2 = identity; the size's own when None.
    """

    name: str
    image_shape: tuple[int, int, int]
    transform: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    width: int | None = None
    encoder: tuple[int, ...] | None = None

    def __post_init__(self):
        size = _validate.known(NETWORKS, arch=self.name)
        if len(self.low) != len(self.high) or not self.low:
            raise ValueError(
                f"Expected as many lower as upper ends and at least one, got low={self.low}, high={self.high}."
            )
        object.__setattr__(self, "width", size.width if self.width is None else self.width)
        object.__setattr__(self, "encoder", size.encoder if self.encoder is None else self.encoder)
        _validate.at_least(1, width=self.width or 0)

    @property
    def params(self) -> int:
        """P, the length of theta."""
        return len(self.low)

    def init(self, key: jax.Array) -> dict[str, Any]:
        """Returns fresh variables ``shift``, ``encoder``, ``decoder``. Device. The key is consumed."""
        shift_key, encoder_key, decoder_key = jax.random.split(key, 3)
        image = jnp.zeros((1, *self.image_shape))
        kernel = 0.1 * jax.random.normal(shift_key, (self.params, *self.image_shape))
        return {
            "shift": {"kernel": kernel, "bias": jnp.zeros(self.image_shape)},
            "encoder": _init(self._encoder(), encoder_key, image),
            "decoder": _init(self._decoder(), decoder_key, image),
        }

    def matrix(self, variables: Mapping[str, Any]) -> jax.Array:
        """Returns A1 of F1(theta) = A1 theta + b1, transposed: [P, H, W, C] per parameter unit. Device."""
        # The weights are learned for parameters of size 1, whatever their unit.
        scale = [max(abs(a), abs(b)) or 1.0 for a, b in zip(self.low, self.high, strict=True)]
        return variables["shift"]["kernel"] / jnp.asarray(scale, jnp.float32).reshape(-1, 1, 1, 1)

    def shift(self, variables: Mapping[str, Any], theta: jax.Array) -> jax.Array:
        """F1: [P] -> a latent [H, W, C]. Device."""
        moved = jnp.tensordot(theta, self.matrix(variables), axes=1, precision="highest")
        return moved + variables["shift"]["bias"]

    def encode(self, variables: Mapping[str, Any], images: jax.Array) -> jax.Array:
        """F2: [B, H, W, C] -> latents [B, H, W, C]. Device."""
        self._check(images)
        latents = self._encoder().apply({"params": variables["encoder"]}, images)
        return jnp.asarray(latents)

    def decode(self, variables: Mapping[str, Any], latents: jax.Array) -> jax.Array:
        """H: latents [B, H, W, C] -> images [B, H, W, C]. Device."""
        self._check(latents)
        images = self._decoder().apply({"params": variables["decoder"]}, latents)
        return jnp.asarray(images)

    def _encoder(self) -> nn.Module:
        return Encoder(self.encoder or ())

    def _decoder(self) -> nn.Module:
        return NETWORKS[self.name].decoder(width=self.width)

    def _check(self, images: jax.Array) -> None:
        if images.shape[1:] != self.image_shape:
            raise ValueError(f"Expected images of shape {self.image_shape}, as the surrogate, got {images.shape[1:]}.")

    def to_json(self) -> dict[str, Any]:
        """Returns the description that ``from_json`` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Networks":
        """Builds the networks from their description; lists become tuples again."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        return cls(**fields)


def _init(module: nn.Module, key: jax.Array, images: jax.Array) -> dict[str, Any]:
    """The parameters; a module without any, such as F2 = identity, has no entry for them."""
    variables = dict(module.init(key, images))
    return dict(variables.get("params", {}))


def _last_kernel(still: bool) -> Any:
    return nn.initializers.zeros if still else nn.initializers.lecun_normal()  # Flax's own


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(width, _GROUPS) if width > _GROUPS else max(1, width // 4))
