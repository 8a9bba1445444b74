"""Models whose output is one real number an input: what ``median`` smooths."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.models.classifier import Classifier, as_classifier, split_model
from gsmooth_jax.models.program import Applied, Foreign


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Regressor:
    """Inputs [B, ...] float32 -> numbers [B] float32. A pytree, as ``Classifier``."""

    variables: Any
    apply: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(metadata={"static": True})
    input_shape: tuple[int, ...] = dataclasses.field(metadata={"static": True})
    dtype: str = dataclasses.field(default="float32", metadata={"static": True})

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, ...] -> numbers [B]. Device."""
        return self.apply(self.variables, images.astype(self.dtype)).astype(jnp.float32)

    def check(self) -> None:
        """Raises ValueError where a callable from elsewhere is no longer what it was when it was wrapped."""
        if isinstance(self.apply, Foreign):
            self.apply.check(self.variables)


Model = Classifier | Regressor


def as_model(model: Any, input_shape: tuple[int, ...]) -> Model:
    """Wraps any callable inputs [B, ...] -> logits [B, K], as ``as_classifier`` does, or -> numbers [B].

    Raises:
      TypeError: the model is not callable.
      ValueError: it maps inputs to neither.
    """
    if isinstance(model, Classifier | Regressor):
        return model if isinstance(model, Regressor) else as_classifier(model, input_shape)  # pyright: ignore
    variables, function, name = split_model(model)
    inputs = jax.ShapeDtypeStruct((2, *input_shape), jnp.float32)
    try:
        outputs = jax.eval_shape(lambda *given: function(*given), variables, inputs)
    except Exception:  # said by as_classifier
        outputs = None
    if getattr(outputs, "shape", None) == (2,):
        apply = Applied.of(function, name, variables, tuple(input_shape), "float32")
        return Regressor(variables=variables, apply=apply, input_shape=tuple(input_shape))
    return as_classifier(model, input_shape)  # pyright: ignore[reportArgumentType]
