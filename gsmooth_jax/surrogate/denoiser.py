"""Denoisers: a surrogate's decoder that learns what noise to take away from an image; and their folders."""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp

from gsmooth_jax import _validate
from gsmooth_jax.models.denoised import Denoised, Denoiser

if TYPE_CHECKING:
    from flax import linen as nn

    from gsmooth_jax.models import Classifier, Regressor

M = TypeVar("M", bound="Classifier | Regressor")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenoisingNetwork:
    """D(x) = x + H(x), with H the decoder of a surrogate: as DnCNN, it learns the noise (Zhang et al. 2017).

    Before it is fitted it is the identity.

    The static, hashable half of a ``Denoiser``, which it serves as ``apply``.

    Attributes:
      name: in ``surrogate.networks.NETWORKS``.
      width: channels of H at full resolution; the network's own when None.
    """

    name: str
    width: int | None = None

    def __post_init__(self):
        from gsmooth_jax.surrogate.networks import NETWORKS  # brings Flax

        usual = _validate.known(NETWORKS, arch=self.name).width
        object.__setattr__(self, "width", usual if self.width is None else self.width)
        _validate.at_least(1, width=self.width or 0)

    def module(self) -> "nn.Module":
        """Returns H: zero before it is fitted."""
        from gsmooth_jax.surrogate.networks import NETWORKS

        return NETWORKS[self.name].decoder(width=self.width, still=True)

    def init(self, key: jax.Array, image_shape: tuple[int, ...]) -> dict[str, Any]:
        """Returns fresh variables for images [H, W, C]. Device. The key is consumed.

        Raises:
          ValueError: the images are too small for the network, or of sides that it cannot halve.
        """
        return dict(self.module().init(key, jnp.zeros((1, *image_shape))))

    def __call__(self, variables: Mapping[str, Any], images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C]. Device."""
        return images + jnp.asarray(self.module().apply(variables, images))

    def to_json(self) -> dict[str, Any]:
        """Returns the description that its constructor takes."""
        return dataclasses.asdict(self)


def save(path: str | os.PathLike[str], denoiser: Denoiser, info: Mapping[str, Any] | None = None) -> None:
    """Writes a denoiser to a folder: ``model.json`` and ``weights.npz``, each replaced in one step. Host.

    Args:
      path: the folder, made when missing.
      denoiser: its ``apply`` is a ``DenoisingNetwork``.
      info: JSON values kept under ``info``: data set, settings, errors.
    """
    from gsmooth_jax.models import checkpoint  # brings Flax

    if not isinstance(denoiser.apply, DenoisingNetwork):
        raise TypeError(f"Only denoisers of this library's networks can be saved, got {denoiser.apply!r}.")
    description = {
        "denoiser": denoiser.apply.to_json(),
        "domain": dataclasses.asdict(denoiser.domain),
        "fingerprint": fingerprint(denoiser),
        "info": dict(info or {}),
    }
    checkpoint.write(path, description, denoiser.variables)


def load(path: str | os.PathLike[str]) -> Denoiser:
    """Reads a folder that ``save`` or ``gsmooth fit-denoiser`` wrote. Host.

    Raises:
      FileNotFoundError: the folder or one of its two files is missing.
      ValueError: a file is damaged, or the folder holds something else.
    """
    from gsmooth_jax.models import checkpoint

    description = checkpoint.describe(path)
    if "denoiser" not in description:
        raise ValueError(f"{os.fspath(path)} holds no denoiser; gsmooth fit-denoiser makes one.")
    try:
        network = DenoisingNetwork(**description["denoiser"])
        domain = checkpoint.domain_of(description)
        expected = jax.eval_shape(functools.partial(network.init, image_shape=domain.shape), jax.random.key(0))
    except (KeyError, TypeError, AttributeError, IndexError, ArithmeticError) as error:
        raise ValueError(f"{os.fspath(path)}/model.json is damaged: {error!r}.") from error
    variables = checkpoint.read_variables(path, expected, network.name)
    return Denoiser(variables=variables, apply=network, domain=domain)


def behind(path: str | os.PathLike[str] | None, model: M) -> M:
    """Returns a model behind the denoiser in a folder; the model itself if there is none. Host.

    Raises as ``load``, and as ``Denoised.joined``.
    """
    return model if path is None else Denoised(load(path), model).joined(model)


def fitted_noise(path: str | os.PathLike[str]) -> float:
    """Returns the standard deviation of the noise that the denoiser in a folder was fitted to. Host.

    Raises:
      FileNotFoundError: there is no folder.
      ValueError: it does not say.
    """
    from gsmooth_jax.models import checkpoint

    try:
        return float(checkpoint.describe(path)["info"]["fit"]["noise"])
    except (KeyError, TypeError) as error:
        text = f"{os.fspath(path)} does not say which noise its denoiser was fitted to: name the law (--law)."
        raise ValueError(text) from error


def fingerprint(denoiser: Denoiser) -> str:
    """Returns a sha256 of what a denoiser computes with: network, images, names, shapes and bytes of weights. Host."""
    from gsmooth_jax.models import checkpoint

    return checkpoint.sha256(repr((denoiser.apply, str(denoiser.domain))), denoiser.variables)
