"""A network behind a denoiser, which need not have seen noise itself (Salman et al., NeurIPS 2020)."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.models.callables import qualified
from gsmooth_jax.models.host import HostModel
from gsmooth_jax.models.input_format import InputFormat, TracedModel
from gsmooth_jax.models.program import Applied, Foreign
from gsmooth_jax.models.split import cast, split_model
from gsmooth_jax.types import Domain

if TYPE_CHECKING:
    from gsmooth_jax.models.classifier import Classifier
    from gsmooth_jax.models.regressor import Regressor

M = TypeVar("M", bound="Classifier | Regressor")


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Denoiser:
    """Noisy images [B, H, W, C] -> images [B, H, W, C]. A pytree, as ``Classifier``; ``gs.load_denoiser`` reads one."""

    variables: Any
    apply: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(metadata={"static": True})
    domain: Domain = dataclasses.field(metadata={"static": True})

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> [B, H, W, C] float32. Device."""
        return self.apply(self.variables, images).astype(jnp.float32)


@dataclasses.dataclass(frozen=True, eq=False)
class Denoised:
    """A classifier, or a regressor, behind a denoiser: one model, wherever models are taken.

    What is certified is the two together: nothing is asked of the denoiser, and a bad one costs certified accuracy
    alone. The noise is that of the claim's law; a denoiser is good for the noise that it was fitted to.

    >>> from gsmooth_jax.models import as_classifier
    >>> def light(images):
    ...     return jnp.stack([1.0 - images.mean((1, 2, 3)), images.mean((1, 2, 3))], 1)
    >>> model = as_classifier(Denoised(lambda images: images + 0.25, light), (4, 4, 1))
    >>> model(jnp.zeros((1, 4, 4, 1))).tolist()
    [[0.75, 0.25]]

    Attributes:
      denoiser: a ``Denoiser``; or a network or function from elsewhere, as ``as_classifier`` takes them, that maps
        images [B, H, W, C] to such images.
      classifier: anything that ``as_classifier`` or ``as_model`` takes. Its dtype is the denoiser's, too.
    """

    denoiser: Any
    classifier: Any

    def joined(self, model: M) -> M:
        """Returns a ``Classifier`` or a ``Regressor``, which is the classifier wrapped, behind the denoiser.

        Raises:
          TypeError: the denoiser is no model.
          ValueError: it is one of other images, or gives something else than images.
        """
        variables, apply = _taken_apart(self.denoiser, model.domain, model.dtype)
        return dataclasses.replace(model, variables=(variables, model.variables), apply=Behind(apply, model.apply))


@dataclasses.dataclass(frozen=True)
class Behind:
    """Applies a denoiser, then a model; its variables are those of the two."""

    denoise: Callable[[Any, jax.Array], jax.Array]
    classify: Callable[[Any, jax.Array], jax.Array]

    @property
    def members(self) -> tuple[Callable[[Any, jax.Array], jax.Array], ...]:
        """The two."""
        return (self.denoise, self.classify)

    def __call__(self, variables: tuple[Any, Any], images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> what the model gives. Device."""
        denoiser, model = variables
        return self.classify(model, self.denoise(denoiser, images).astype(images.dtype))

    def astype(self, variables: tuple[Any, Any], dtype: str) -> "Behind":
        """The same for variables and images of another dtype."""
        recast = (
            member.astype(own, dtype) if isinstance(member, Foreign) else member
            for member, own in zip(self.members, variables, strict=True)
        )
        return Behind(*recast)

    def check(self, variables: tuple[Any, Any]) -> None:
        """Raises ValueError where one of the two is no longer what it was."""
        for member, own in zip(self.members, variables, strict=True):
            if isinstance(member, Foreign):
                member.check(own)


def _taken_apart(denoiser: Any, domain: Domain, dtype: str) -> tuple[Any, Callable[[Any, jax.Array], jax.Array]]:
    """A denoiser's variables, and what applies them to images of a domain."""
    if isinstance(denoiser, Denoiser):
        if denoiser.domain != domain:
            raise ValueError(
                f"Expected a denoiser of inputs {domain}, as its classifier, got one of {denoiser.domain}."
            )
        return cast(denoiser.variables, dtype), denoiser.apply
    if isinstance(denoiser, HostModel | TracedModel) and denoiser.format != InputFormat():
        raise ValueError(
            f"Expected a denoiser of images as they are, [B, H, W, C], got one that takes {denoiser.format}."
        )
    variables, function, name, details = split_model(denoiser)
    variables = cast(variables, dtype)
    images = jax.ShapeDtypeStruct((2, *domain.shape), dtype)
    try:
        found = jax.eval_shape(lambda *given: function(*given), variables, images)
    except Exception as error:
        raise ValueError(f"The denoiser {name} cannot be applied to images {images.shape}: {error}") from error
    if getattr(found, "shape", None) != images.shape:
        given = getattr(found, "shape", qualified(found))
        raise ValueError(f"Expected the denoiser {name} to give images {images.shape} for such images, got {given}.")
    return variables, Applied.of(function, name, variables, domain.shape, dtype, details)
