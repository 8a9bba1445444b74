"""GSmooth's augmented noise: of the transform's parameter and of the latent, both inside the surrogate."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _spec, assets, pytrees
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import _host
from gsmooth_jax.surrogate import lipschitz
from gsmooth_jax.surrogate.surrogate import Surrogate, fingerprint, load
from gsmooth_jax.types import Computed, LatentNoise


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AugmentedNoise:
    """Draws H(u + A1 theta + b1 + theta') around the latent u = F2(y) of an image y (GSmooth, equation 7).

    theta ~ N(0, diag(sigma_parameter)^2), theta' ~ N(0, sigma^2 I). Given u, what H sees is Gaussian with the fixed
    covariance S = A1 diag(sigma_parameter)^2 A1^T + sigma^2 I (THEORY D1), so any classifier behind H keeps its answer
    between latents that are near each other in |.|_(S^-1). How well H imitates the transform never enters.

    Attributes:
      surrogate: F1, F2 and H.
      sigma_parameter: standard deviation of theta, in parameter units: one number, or one a parameter.
      sigma: standard deviation of theta'; the latent has the scale of the image.
      path: where the surrogate was read from.
    """

    surrogate: Surrogate
    sigma_parameter: float | tuple[float, ...]
    sigma: float
    path: str = dataclasses.field(default="", metadata={"static": True})

    name: ClassVar[str] = "surrogate_noise"

    def __post_init__(self):
        given = self.sigma_parameter if isinstance(self.sigma_parameter, tuple | list) else (self.sigma_parameter,)
        sigmas = tuple(_host.positive_number(s, "sigma_parameter") for s in given)
        object.__setattr__(self, "sigma_parameter", sigmas)
        object.__setattr__(self, "sigma", _host.positive_number(self.sigma, "sigma"))
        if isinstance(self.surrogate.variables, Mapping):
            count = self.surrogate.networks.params
            if len(sigmas) not in (1, count):
                raise ValueError(f"Expected 1 or {count} numbers sigma_parameter, got {sigmas}.")
            object.__setattr__(self, "sigma_parameter", sigmas * (count if len(sigmas) == 1 else 1))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images, and of their latents."""
        return self.surrogate.networks.image_shape

    @property
    def fitted(self) -> Box:
        """The range of parameters that the surrogate was made for."""
        return Box(self.surrogate.networks.low, self.surrogate.networks.high)

    @property
    def lipschitz_upper(self) -> float:
        """Lip(F2) / sigma: how much further apart, at most, two latents are than their images, since S >= sigma^2 I."""
        return self._encoder_upper / self.sigma

    @functools.cached_property
    def _encoder_upper(self) -> float:
        """Bounds Lip(F2), always of these weights. Host."""
        return lipschitz.encoder_upper(self.surrogate.variables["encoder"], self.image_shape)

    @functools.cached_property
    def _layers(self) -> tuple[lipschitz.Layer, ...]:
        return tuple(lipschitz.layers(self.surrogate.variables["encoder"], self.image_shape))

    def float32_upper(self, image: Computed) -> float:
        """What float32 does in F2, in standard deviations of theta'. Host."""
        return lipschitz.rounding_upper(self._layers, image.norm) / self.sigma

    def total_variation_upper(self, entries: int) -> float:
        """0: float32 draws are taken for normal ones, without proof (THEORY J1). Host."""
        del entries
        return 0.0

    def offset_upper(self, entries: int) -> float:
        """The same: an encoder may turn an offset of the image into any change of the latent."""
        del entries
        return self.lipschitz_upper

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """A latent [H, W, C] -> an image [H, W, C]. Device. The key is consumed."""
        parameter_key, latent_key = jax.random.split(key)
        theta = self.scales * jax.random.normal(parameter_key, self.scales.shape, jnp.float32)
        noise = jnp.float32(self.sigma) * jax.random.normal(latent_key, centre.shape, jnp.float32)
        return self.surrogate.decode((centre + self.surrogate.shift(theta) + noise)[None])[0]

    @property
    def scales(self) -> jax.Array:
        """[P] the standard deviations of theta."""
        return jnp.stack([jnp.asarray(s, jnp.float32) for s in jax.tree.leaves(self.sigma_parameter)])

    def encode(self, images: jax.Array) -> jax.Array:
        """F2: [B, H, W, C] -> latents [B, H, W, C]. Device."""
        return self.surrogate.encode(images)

    def whitened(self, latents: np.ndarray) -> np.ndarray:
        """Takes latents [M, D] to [M, P + D], linearly: their lengths bound |.|_(S^-1) of the latents. Host, float64.

        The square is the least value over t of |t / sigma_parameter|^2 + |delta - A1 t|^2 / sigma^2 (THEORY D2), and
        any t gives an upper bound; the difference that Woodbury's formula takes instead would cancel.
        """
        matrix, solve = self._split
        latents = np.asarray(latents, np.float64)
        t = latents @ solve
        scaled = t / np.asarray(self.sigma_parameter, np.float64)
        return np.concatenate([scaled, (latents - t @ matrix) / float(self.sigma)], axis=1)

    @functools.cached_property
    def _split(self) -> tuple[np.ndarray, np.ndarray]:
        """A1 transposed [P, D], and what takes a difference of latents to its best t: [D, P]. Host, float64."""
        matrix = np.asarray(self.surrogate.matrix, np.float64)
        matrix = matrix.reshape(len(matrix), -1)
        ratio = float(self.sigma) / np.asarray(self.sigma_parameter, np.float64)
        return matrix, np.linalg.solve(np.diag(ratio**2) + matrix @ matrix.T, matrix).T

    @property
    def spec(self) -> "SurrogateNoise":
        """What stands for this noise in texts: its folder, standard deviations and fingerprint. Host.

        Raises:
          ValueError: the surrogate was never saved.
        """
        if not self.path:
            raise ValueError("Expected a surrogate that was read from a folder: save it, and name the folder as path.")
        sigmas = tuple(float(s) for s in jax.tree.leaves(self.sigma_parameter))
        return SurrogateNoise(
            path=self.path,
            sigma_parameter=sigmas[0] if len(sigmas) == 1 else sigmas,
            sigma=float(self.sigma),
            fingerprint=fingerprint(self.surrogate)[:_DIGITS],
        )


_DIGITS = 16
"""Of a fingerprint, in texts."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SurrogateNoise:
    """The noise that ``surrogate_noise(path='runs/s', sigma_parameter=2.0, sigma=0.15)`` names: an ``AugmentedNoise``.

    A record of a run can be read, and its evidence checked, without the surrogate.

    Attributes:
      path: the surrogate's folder, which ``gsmooth fit-surrogate`` wrote.
      sigma_parameter: standard deviation of the parameter's noise, in parameter units: one number, or one a parameter.
      sigma: standard deviation of the latent's noise; the latent has the scale of the image.
      fingerprint: leading digits of the surrogate's; any surrogate will do when empty.
      places: where else the folder may be, on this machine; see ``seen_from``.
    """

    path: str
    sigma_parameter: float | tuple[float, ...]
    sigma: float
    fingerprint: str = ""
    places: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False, metadata=_spec.ELSEWHERE)

    name: ClassVar[str] = AugmentedNoise.name

    def pinned(self) -> "SurrogateNoise":
        """Returns the same with the fingerprint of the surrogate in the folder. Host; errors as ``load``."""
        return self if self.fingerprint else dataclasses.replace(_read(self).spec, places=self.places)

    def seen_from(self, *folders: str | os.PathLike[str]) -> "SurrogateNoise":
        """Returns the same, whose relative path is also looked for from some folders and from those above each.

        A path is written down where a classifier is trained or a run made, and read elsewhere: from another working
        folder, or after all of it has moved. The fingerprint says which surrogate is meant, wherever it is.
        """
        if assets.folder(self.path).is_absolute():
            return self
        absolute = [pathlib.Path(folder).absolute() for folder in folders]
        above = [place / self.path for folder in absolute for place in (folder, *folder.parents)]
        return dataclasses.replace(self, places=(*self.places, *map(str, above)))

    def load(self) -> AugmentedNoise:
        """Reads the surrogate; the same object each time. Host.

        Raises:
          FileNotFoundError: there is none.
          ValueError: it is not the one with this fingerprint, or damaged.
        """
        return _read_once(self.pinned())


def loaded(noise: LatentNoise | SurrogateNoise) -> LatentNoise:
    """Returns the noise itself, read from its folder where only its text form is at hand. Host; errors as ``load``."""
    return noise.load() if isinstance(noise, SurrogateNoise) else noise


def _read(spec: SurrogateNoise) -> AugmentedNoise:
    place = _place(spec)
    surrogate = load(place)
    found = fingerprint(surrogate)
    if not found.startswith(spec.fingerprint):
        raise ValueError(
            f"{place} holds another surrogate than {spec.name} asks for: expected fingerprint "
            f"{spec.fingerprint}, got {found[:_DIGITS]}."
        )
    return AugmentedNoise(surrogate=surrogate, sigma_parameter=spec.sigma_parameter, sigma=spec.sigma, path=spec.path)


def _place(spec: SurrogateNoise) -> str:
    """Where the surrogate is: the first place that says so; else the path itself, for ``load`` to say what is wrong."""
    from gsmooth_jax.models import checkpoint  # brings Flax

    there = [place for place in (spec.path, *spec.places) if (assets.folder(place) / "model.json").is_file()]
    for place in there:
        if checkpoint.describe(place).get("fingerprint", "").startswith(spec.fingerprint):
            return place
    if spec.places and not there:
        raise FileNotFoundError(f"No surrogate at {spec.path!r}: neither here nor at {spec.places[0]!r} or above.")
    return spec.path


_read_once = functools.lru_cache(maxsize=4)(_read)
