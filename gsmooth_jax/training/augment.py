"""The random image a classifier is trained on: crop and flip, transform by a draw of the law, noise."""

import dataclasses

import jax
import jax.numpy as jnp

from gsmooth_jax import smoothing, transforms
from gsmooth_jax.smoothing.noise import ParameterNoise
from gsmooth_jax.surrogate import AugmentedNoise, SurrogateNoise
from gsmooth_jax.training.config import TrainConfig

_PAD = 4


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Augment:
    """A random map of one image. Laws and noise are traced, so another scale of them does not recompile."""

    moves: tuple[ParameterNoise, ...]  # each image goes through one of them
    noise: float | AugmentedNoise
    crop_flip: bool = dataclasses.field(metadata={"static": True})

    @classmethod
    def build(cls, config: TrainConfig) -> "Augment":
        """Reads the transforms and the laws of a configuration."""
        moves = tuple(_move(t, law) for t, law in zip(config.transform, config.law, strict=True))
        noise = config.noise
        if config.surrogate is not None and config.sigma_parameter is not None:
            spec = SurrogateNoise(path=config.surrogate, sigma_parameter=config.sigma_parameter, sigma=config.noise)
            noise = spec.load()
        return cls(moves=moves, noise=noise, crop_flip=config.crop_flip)

    def smooth(self, key: jax.Array, image: jax.Array) -> jax.Array:
        """Applies what certification applies: a draw of the law, then noise. [H, W, C] -> [H, W, C]. Device."""
        theta_key, noise_key = jax.random.split(key)
        if len(self.moves) > 1:
            which_key, *theta_keys = jax.random.split(theta_key, 1 + len(self.moves))
            # All of them, as a batch of images computes every branch anyway.
            moved = jnp.stack([move(key, image) for move, key in zip(self.moves, theta_keys, strict=True)])
            image = moved[jax.random.randint(which_key, (), 0, len(self.moves))]
        elif self.moves:
            image = self.moves[0](theta_key, image)
        if isinstance(self.noise, AugmentedNoise):
            return self.noise(noise_key, self.noise.encode(image[None])[0])
        # Never clipped: the votes of the certified classifier are not either.
        return image + self.noise * jax.random.normal(noise_key, image.shape)

    def __call__(self, key: jax.Array, image: jax.Array) -> jax.Array:
        """Also crops and flips. [H, W, C] -> [H, W, C]. Device. The key is consumed."""
        crop_key, smooth_key = jax.random.split(key)
        if self.crop_flip:
            image = _crop_flip(crop_key, image)
        return self.smooth(smooth_key, image)


def _move(transform_text: str, law_text: str) -> ParameterNoise:
    transform, law = transforms.parse(transform_text), smoothing.parse(law_text)
    if isinstance(law, smoothing.PixelNoise):
        raise ValueError(f"Expected a law of the transform's parameter, got {law_text!r}; see noise.")
    if law.acts == "multiplicative" and not all(p.log for p in transform.params):
        raise ValueError(
            f"Law {law_text!r} is multiplicative, but the parameter of {transform_text!r} is no logarithm."
        )
    low, high = law.support
    if law.acts == "additive" and any(low < p.low or high > p.high for p in transform.params):
        raise ValueError(f"Law {law_text!r} draws parameters outside the range of {transform_text!r}.")
    return ParameterNoise(transform=transform, law=law)


def _crop_flip(key: jax.Array, image: jax.Array) -> jax.Array:
    crop_key, flip_key = jax.random.split(key)
    padded = jnp.pad(image, ((_PAD, _PAD), (_PAD, _PAD), (0, 0)))
    row, column = jax.random.randint(crop_key, (2,), 0, 2 * _PAD + 1)
    image = jax.lax.dynamic_slice(padded, (row, column, 0), image.shape)
    return jnp.where(jax.random.bernoulli(flip_key), image[:, ::-1], image)
