"""The surrogate of a transform: weights that are traced, networks that are static; and its folder."""

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax

from gsmooth_jax import pytrees

if TYPE_CHECKING:
    from gsmooth_jax.surrogate.networks import Networks


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Surrogate:
    """tau(theta, x) = H(F1(theta) + F2(x)), with F1 affine (GSmooth, Hao et al. 2022, section 3.2).

    A pytree: pass it to compiled functions as an argument.

    Attributes:
      variables: of F1 (``shift``), F2 (``encoder``) and H (``decoder``).
      networks: what these are, and which transform over which parameters they stand for.
    """

    variables: Any
    networks: "Networks" = dataclasses.field(metadata={"static": True})

    @property
    def matrix(self) -> jax.Array:
        """A1 transposed, [P, H, W, C], per parameter unit. Device."""
        return self.networks.matrix(self.variables)

    def shift(self, theta: jax.Array) -> jax.Array:
        """F1: [P] -> a latent [H, W, C]. Device."""
        return self.networks.shift(self.variables, theta)

    def encode(self, images: jax.Array) -> jax.Array:
        """F2: [B, H, W, C] -> latents [B, H, W, C]. Device."""
        return self.networks.encode(self.variables, images)

    def decode(self, latents: jax.Array) -> jax.Array:
        """H: latents [B, H, W, C] -> images [B, H, W, C]. Device."""
        return self.networks.decode(self.variables, latents)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """Imitates the transform: [H, W, C], [P] -> [H, W, C]. Device."""
        return self.decode((self.encode(image[None])[0] + self.shift(theta))[None])[0]


def save(path: str | os.PathLike[str], surrogate: Surrogate, info: Mapping[str, Any] | None = None) -> None:
    """Writes a surrogate to a folder: ``model.json`` and ``weights.npz``, each replaced in one step. Host.

    Args:
      path: the folder, made when missing.
      surrogate: what to write.
      info: JSON values kept under ``info``: data set, settings, errors.
    """
    from gsmooth_jax.models import checkpoint  # brings Flax

    description = {
        "surrogate": surrogate.networks.to_json(),
        "fingerprint": fingerprint(surrogate),
        "info": dict(info or {}),
    }
    checkpoint.write(path, description, surrogate.variables)


def load(path: str | os.PathLike[str]) -> Surrogate:
    """Reads a folder that ``save`` or ``gsmooth fit-surrogate`` wrote. Host.

    Raises:
      FileNotFoundError: the folder or one of its two files is missing.
      ValueError: a file is damaged, or the folder holds something else.
    """
    from gsmooth_jax.models import checkpoint
    from gsmooth_jax.surrogate.networks import Networks

    description = checkpoint.describe(path)
    if "surrogate" not in description:
        raise ValueError(f"{os.fspath(path)} holds no surrogate; gsmooth fit-surrogate makes one.")
    try:
        networks = Networks.from_json(description["surrogate"])
        expected = jax.eval_shape(networks.init, jax.random.key(0))
    except (TypeError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"{os.fspath(path)}/model.json is damaged: {error!r}.") from error
    return Surrogate(variables=checkpoint.read_variables(path, expected, networks.name), networks=networks)


def fingerprint(surrogate: Surrogate) -> str:
    """Returns a sha256 of what a surrogate computes with: networks, names, shapes and bytes of the weights. Host."""
    from gsmooth_jax.models import checkpoint

    return checkpoint.sha256(repr(surrogate.networks), surrogate.variables)
