"""The random images a classifier is trained on: crop or shift, flip, transform by a draw of the law, noise."""

import dataclasses
import itertools
import warnings
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees, smoothing, transforms
from gsmooth_jax.smoothing.noise import draw_stages
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise
from gsmooth_jax.training.config import TrainConfig
from gsmooth_jax.types import Smoothing, Transform

_PAD = 4


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """A transform by a draw of a law, the draw clipped to the transform's range."""

    transform: Transform = dataclasses.field(metadata={"static": True})
    law: Smoothing | smoothing.Product

    def __call__(self, key: jax.Array, image: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. Device. The key is consumed."""
        params = self.transform.params
        low, high = (jnp.asarray([getattr(p, end) for p in params], jnp.float32) for end in ("low", "high"))
        return self.transform(image, jnp.clip(draw_stages(self.law, key, self.transform, image.shape), low, high))


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Augment:
    """A random map of a batch of images. Laws and noise are traced, so another scale of them does not recompile."""

    moves: tuple[Move, ...]  # each image goes through one of them
    noise: float | AugmentedNoise
    crop_flip: bool = dataclasses.field(metadata={"static": True})
    flips: bool = dataclasses.field(metadata={"static": True})
    shifts: int = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(cls, config: TrainConfig) -> "Augment":
        """Reads the transforms and the laws of a configuration; warns where draws will be clipped."""
        moves = moves_of(config.transform, config.law)
        noise = config.noise
        if config.surrogate is not None and config.sigma_parameter is not None:
            spec = SurrogateNoise(path=config.surrogate, sigma_parameter=config.sigma_parameter, sigma=config.noise)
            noise = spec.load()
        return cls(moves=moves, noise=noise, crop_flip=config.crop_flip, flips=config.flips, shifts=config.shifts)

    def smooth(self, keys: jax.Array, images: jax.Array) -> jax.Array:
        """Applies what certification applies: a draw of the law, then noise. [N], [N, H, W, C] -> the same. Device.

        Of M transforms each takes N / M neighbours: whoever wants a random choice puts the images in a random order.
        So no image goes through all of them for the sake of one, as it would if each had its own choice.
        """
        theta_keys, noise_keys = jax.vmap(_two)(keys)
        images = moved(self.moves, theta_keys, images)
        if isinstance(self.noise, AugmentedNoise):
            return jax.vmap(self.noise)(noise_keys, self.noise.encode(images))
        # Never clipped: the votes of the certified classifier are not either.
        return images + self.noise * jax.vmap(lambda key: jax.random.normal(key, images.shape[1:]))(noise_keys)

    def __call__(self, keys: jax.Array, images: jax.Array) -> jax.Array:
        """Also crops or shifts, and flips. [N], [N, H, W, C] -> [N, H, W, C]. Device. The keys are consumed."""
        crop_keys, smooth_keys = jax.vmap(_two)(keys)
        shift_keys, flip_keys = jax.vmap(_two)(crop_keys)
        if self.crop_flip:
            images = jax.vmap(lambda key, image: _shift(key, image, _PAD, "constant"))(shift_keys, images)
        elif self.shifts:
            images = jax.vmap(lambda key, image: _shift(key, image, self.shifts, "reflect"))(shift_keys, images)
        if self.crop_flip or self.flips:
            images = jax.vmap(_flip)(flip_keys, images)
        return self.smooth(smooth_keys, images)


def moved(moves: Sequence[Move], keys: jax.Array, images: jax.Array) -> jax.Array:
    """Applies of M transforms each to N / M neighbours; without any, none. [N], [N, H, W, C] -> the same. Device."""
    if not moves:
        return images
    ends = [i * len(images) // len(moves) for i in range(len(moves) + 1)]
    shares = [slice(*pair) for pair in itertools.pairwise(ends)]
    return jnp.concatenate([jax.vmap(move)(keys[s], images[s]) for move, s in zip(moves, shares, strict=True)])


def moves_of(transform: Sequence[str], law: Sequence[str]) -> tuple[Move, ...]:
    """Reads transforms and the law of each; warns where draws will be clipped."""
    return tuple(_move(*texts) for texts in zip(transform, law, strict=True))


def _move(transform_text: str, law_text: str) -> Move:
    transform, law = transforms.parse(transform_text), smoothing.parse(law_text)
    if isinstance(law, smoothing.PixelNoise):
        raise ValueError(f"Expected a law of the transform's parameter, got {law_text!r}; see noise.")
    pairs = law.over(transform) if isinstance(law, smoothing.Product) else [(transform, law)]
    if any(one.acts == "multiplicative" and not all(p.log for p in stage.params) for stage, one in pairs):
        raise ValueError(
            f"Law {law_text!r} is multiplicative, but the parameter of {transform_text!r} is no logarithm."
        )
    if any(_leaves(stage, one) for stage, one in pairs):
        warnings.warn(
            f"Law {law_text!r} draws parameters outside the range of {transform_text!r}: they are clipped to it.",
            stacklevel=3,
        )
    return Move(transform=transform, law=law)


def _leaves(stage: Transform, law: Smoothing) -> bool:
    """Whether draws of a law may leave the range of a stage's parameters."""
    low, high = law.support
    return law.acts == "additive" and any(low < p.low or high > p.high for p in stage.params)


def _two(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    first, second = jax.random.split(key)
    return first, second


def _shift(key: jax.Array, image: jax.Array, most: int, border: str) -> jax.Array:
    padded = jnp.pad(image, ((most, most), (most, most), (0, 0)), mode=border)
    row, column = jax.random.randint(key, (2,), 0, 2 * most + 1)
    return jax.lax.dynamic_slice(padded, (row, column, 0), image.shape)


def _flip(key: jax.Array, image: jax.Array) -> jax.Array:
    return jnp.where(jax.random.bernoulli(key), image[:, ::-1], image)
