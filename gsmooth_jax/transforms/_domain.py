"""Which inputs a transform is for."""

import jax
import numpy as np

from gsmooth_jax import _spec
from gsmooth_jax.transforms._pipe import stages_of
from gsmooth_jax.transforms.clip import Clip
from gsmooth_jax.transforms.gamma import Gamma
from gsmooth_jax.transforms.jpeg import Jpeg
from gsmooth_jax.types import Domain, Transform, param_dim


def check_domain(transform: Transform, domain: Domain) -> None:
    """Raises ValueError unless a transform maps inputs of a domain to arrays of their shape. Host.

    And for a ``clip`` narrower than the domain's range, ``gamma`` below 0, or ``jpeg`` beyond [0, 1], which leave no
    input as it is.
    """
    theta = jax.ShapeDtypeStruct((param_dim(transform, domain.shape),), np.float32)
    try:
        found = jax.eval_shape(transform, jax.ShapeDtypeStruct(domain.shape, np.float32), theta)
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"{transform.name} cannot be applied to inputs {domain}: {error}") from error
    if found.shape != domain.shape:
        raise ValueError(f"Expected {transform.name} to keep the shape of inputs {domain}, got {found.shape}.")
    for stage in stages_of(transform):
        if isinstance(stage, Clip) and not (stage.low <= domain.low and domain.high <= stage.high):
            raise ValueError(
                f"{_spec.describe(stage)} cuts inputs {domain}: name their range, "
                f"clip(low={domain.low!r}, high={domain.high!r})."
            )
        if isinstance(stage, Gamma) and domain.low < 0.0:
            raise ValueError(f"gamma takes entries >= 0, got inputs {domain}.")
        if isinstance(stage, Jpeg) and not (domain.low >= 0.0 and domain.high <= 1.0):
            raise ValueError(f"jpeg stores entries in [0, 1], got inputs {domain}.")
