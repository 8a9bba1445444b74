"""What one vote does to its smoothing centre: pytrees whose call draws the image that the classifier sees. Device."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _spec, pytrees
from gsmooth_jax.smoothing import _host
from gsmooth_jax.smoothing.product import Product
from gsmooth_jax.smoothing.rounded_normal import RoundedNormal, rounded_normal, shared_upper, spacing
from gsmooth_jax.types import Computed, Smoothing, Transform, param_dim


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class ParameterNoise:
    """Transforms the image by a draw of the law: the noise of the closed-form methods.

    Attributes:
      transform: what is drawn from.
      law: of its parameters, or one for each stage; traced, so that another scale compiles nothing.
    """

    transform: Transform = dataclasses.field(metadata={"static": True})
    law: Smoothing | Product

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> [H, W, C]. The key is consumed."""
        return self.transform(centre, draw_stages(self.law, key, self.transform, centre.shape))


@pytrees.register
@dataclasses.dataclass(frozen=True)
class NoNoise:
    """Leaves the centre as it is: what a method without smoothing speaks about is the model itself."""

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """[H, W, C] -> the same."""
        del key
        return centre


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelNoise:
    """Adds independent normal noise to every pixel (Cohen et al. 2019), and if asked for one more draw to all of them.

    The latent of an image is the image itself. With n entries the covariance is S = sigma^2 I + brightness^2 1 1^T, the
    same for every image, so classes carry over by |.|_(S^-1) (THEORY D1), however an image came about: behind a clip or
    a rounding as well. A brightness b that is added last costs b / brightness at most, as where the brightness is
    smoothed by itself (TSS, Li et al. 2021; THEORY C1), and less as pixel noise takes a part of it.

    Drawn and added in float32 as usual, noise tells a classifier more of its centre than a normal law would, and what
    is proved is about the latter (THEORY J1). ``exact`` noise does not: latents and draws are multiples of one power of
    two, draws have the normal law rounded to it but for a total variation that is known, and proofs allow for both.

    Attributes:
      sigma: standard deviation of each pixel's own draw, on the [0, 1] scale of intensities; traced.
      brightness: standard deviation of the common draw; traced.
      exact: whether latents and draws are on a grid.
      samplers: made of the others: of the pixels' draws, and of the common one if there is one.
    """

    sigma: float
    brightness: float = dataclasses.field(default=0.0, metadata=_spec.LATER)
    exact: bool = dataclasses.field(default=False, metadata={"static": True} | _spec.LATER)
    samplers: tuple[RoundedNormal, ...] = dataclasses.field(
        default=(), compare=False, repr=False, metadata=_spec.ELSEWHERE
    )

    name: ClassVar[str] = "pixel_noise"

    def __post_init__(self):
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))
        object.__setattr__(self, "brightness", _host.number(self.brightness, "brightness"))
        if isinstance(self.brightness, float) and self.brightness < 0.0:
            raise ValueError(f"Expected brightness >= 0, got brightness={self.brightness!r}.")
        if not isinstance(self.exact, bool):
            raise ValueError(f"Expected exact=True or exact=False, got exact={self.exact!r}.")
        if isinstance(self.sigma, float) and isinstance(self.brightness, float):  # as JAX rebuilds it, they are arrays
            made = tuple(rounded_normal(*grid)[0] for grid in self._grids) if self.exact else ()
            object.__setattr__(self, "samplers", made)

    @property
    def _grids(self) -> list[tuple[float, float]]:
        """Of each sampler the standard deviation, and the spacing of its grid: the common one's is no finer. Host."""
        fine = spacing(self.sigma)
        if not self.brightness:
            return [(self.sigma, fine)]
        coarse = max(fine, spacing(self.brightness))
        if coarse > _COARSEST * fine:
            raise ValueError(
                f"Expected brightness <= {_COARSEST // 2} sigma for exact noise, got sigma={self.sigma!r}, "
                f"brightness={self.brightness!r}."
            )
        return [(self.sigma, fine), (self.brightness, coarse)]

    @property
    def lipschitz_upper(self) -> float:
        """How much further apart, at most, two latents are than their images, in standard deviations of the noise."""
        return 1.0 / self.sigma

    def offset_upper(self, entries: int) -> float:
        """The same along 1, an eigenvector of S: (sigma^2 + n brightness^2)^(-1/2)."""
        return (self.sigma**2 + entries * self.brightness**2) ** -0.5

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """A latent [H, W, C] -> [H, W, C]. The key is consumed."""
        if self.exact:
            return centre + self._drawn(key, centre.shape)
        sigma, brightness = jnp.float32(self.sigma), jnp.float32(self.brightness)
        common = jax.random.normal(jax.random.fold_in(key, _COMMON), dtype=jnp.float32)
        # With brightness 0 the draw is, to the bit, the one of the pixels alone.
        return centre + sigma * jax.random.normal(key, centre.shape, jnp.float32) + brightness * common

    def _drawn(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draws multiples of the grid's spacing, none rounded: entry i's random words are the key's child number i."""
        own, *common = self.samplers
        drawn = own(jax.random.key_data(jax.random.split(key, shape))).astype(jnp.float32) * own.step
        for sampler in common:
            word = jax.random.key_data(jax.random.fold_in(key, _COMMON))
            drawn += sampler(word).astype(jnp.float32) * sampler.step
        return drawn

    def encode(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> the same: the latents to which the noise is added."""
        return _nearest(images, self.samplers[0].step, self.samplers[0].density) if self.exact else images

    def float32_upper(self, image: Computed) -> float:
        """Half a step of the grid for every entry, if there is a grid: else the latent is the image. Host."""
        if not self.exact:
            return 0.0
        return 0.5 * spacing(self.sigma) * math.sqrt(image.size) * (1.0 + _host.GUARD) / self.sigma

    def total_variation_upper(self, entries: int) -> float:
        """Bounds the total variation between draws and normal ones that are rounded to the grid (THEORY J1). Host.

        0 if they are not ``exact``: their law is taken for the normal one, without proof.
        """
        if not self.exact:
            return 0.0
        own, *common = self._grids
        apart = entries * rounded_normal(*own)[1]
        for brightness, step in common:
            apart += rounded_normal(brightness, step)[1] + shared_upper(entries, self.sigma, brightness, step)
        return min(apart, 1.0)

    def whitened(self, latents: np.ndarray) -> np.ndarray:
        """Takes latents [M, D] to [M, 1 + D], linearly: their lengths bound |.|_(S^-1) of the latents. Host, float64.

        |delta|_(S^-1)^2 is the least value of g^2 + |delta - g brightness 1|^2 / sigma^2: g standard deviations of
        brightness pay for a part of the change, the pixels for the rest, split as is cheapest (THEORY D2). Any g gives
        an upper bound.
        """
        seen = np.zeros((len(latents), 1 + latents.shape[1]))
        paid, rest = seen[:, :1], seen[:, 1:]
        rest[:] = latents
        if self.brightness:
            paid += self.brightness * self.offset_upper(rest.shape[1]) ** 2 * rest.sum(axis=1, keepdims=True)  # g
            rest -= self.brightness * paid
        rest /= self.sigma
        return seen


_COMMON = 2**32 - 1
"""Names the common draw's key; entry i's own draw is the key's number i, and no image has so many."""

_COARSEST = 64
"""Steps of the pixels' grid to one of the common draw's, at most: float32 then holds the sum of two draws."""


@jax.custom_jvp
def _nearest(images: jax.Array, step: jax.Array | float, density: jax.Array | float) -> jax.Array:
    """The nearest multiples of a power of two. Its derivative is the identity's: attacks look through the rounding."""
    return jnp.round(images * density) * step


@_nearest.defjvp
def _(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
    return _nearest(*primals), tangents[0]


def draw_stages(law: Smoothing | Product, key: jax.Array, transform: Transform, shape: tuple[int, ...]) -> jax.Array:
    """Draws theta [P] for images of a shape [H, W, C]: at once, or stage by stage where each has its law. Device.

    The key is consumed.
    """
    if not isinstance(law, Product):
        return draw_parameter(law, key, param_dim(transform, shape))
    pairs = law.over(transform)
    keys = jax.random.split(key, len(pairs))
    draws = [draw_parameter(one, k, param_dim(stage, shape)) for (stage, one), k in zip(pairs, keys, strict=True)]
    return jnp.concatenate(draws)


def draw_parameter(law: Smoothing, key: jax.Array, dim: int) -> jax.Array:
    """Draws theta [dim] in the transform's units: a multiplicative law draws factors, theta is their logarithm."""
    draw = law.sample(key, dim)
    return jnp.log(draw) if law.acts == "multiplicative" else draw
