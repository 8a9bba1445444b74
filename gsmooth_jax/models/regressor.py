"""Models whose output is one real number an input: what ``median`` smooths."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.models import checks
from gsmooth_jax.models.classifier import Classifier, as_classifier
from gsmooth_jax.models.denoised import Denoised
from gsmooth_jax.models.program import Applied, Foreign
from gsmooth_jax.models.split import split_model
from gsmooth_jax.types import Domain


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Regressor:
    """Inputs [B, ...] float32 -> numbers [B] float32. A pytree, as ``Classifier``."""

    variables: Any
    apply: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(metadata={"static": True})
    domain: Domain = dataclasses.field(metadata={"static": True})
    dtype: str = dataclasses.field(default="float32", metadata={"static": True})

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one input."""
        return self.domain.shape

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, ...] -> numbers [B]. Device."""
        return self.apply(self.variables, images.astype(self.dtype)).astype(jnp.float32)

    def check(self) -> None:
        """Raises ValueError where a callable from elsewhere is no longer what it was when it was wrapped."""
        if isinstance(self.apply, Foreign):
            self.apply.check(self.variables)


Model = Classifier | Regressor


def as_model(model: Any, domain: Domain | tuple[int, ...]) -> Model:
    """Wraps any callable inputs [B, ...] -> logits [B, K], or -> numbers [B]; the domain as for ``as_classifier``.

    Raises:
      TypeError: the model is not callable.
      ValueError: it maps inputs to neither, or is a ``Classifier`` or a ``Regressor`` of another domain.
    """
    if isinstance(model, Classifier):
        return as_classifier(model, domain)
    if isinstance(model, Denoised):
        return model.joined(as_model(model.classifier, domain))
    wanted = domain if isinstance(domain, Domain) else Domain(domain)
    if isinstance(model, Regressor):
        if not model.domain.meets(domain):
            raise ValueError(f"Expected a regressor of inputs {domain}, got one of {model.domain}.")
        return model
    checks.check_channels_last(domain)
    variables, function, name, details = split_model(model)
    inputs = jax.ShapeDtypeStruct((2, *wanted.shape), jnp.float32)
    try:
        outputs = jax.eval_shape(lambda *given: function(*given), variables, inputs)
    except Exception:  # said by as_classifier
        outputs = None
    if getattr(outputs, "shape", None) == (2,):
        apply = Applied.of(function, name, variables, wanted.shape, "float32", details)
        return Regressor(variables=variables, apply=apply, domain=wanted)
    return as_classifier(model, domain)
