"""Models from elsewhere, taken apart: weights that are traced, and a function that applies them."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.models.callables import output_of, qualified
from gsmooth_jax.models.host import Called, HostModel
from gsmooth_jax.models.input_format import InputFormat, TracedModel

DTYPES = ("float32", "bfloat16")
"""In which a classifier may compute."""


class Split(NamedTuple):
    """A model from elsewhere, taken apart.

    Attributes:
      variables: a pytree of arrays; traced.
      function: (variables, images) -> outputs.
      name: of the model.
      details: what a run's header says of it besides.
    """

    variables: Any
    function: Callable[[Any, jax.Array], Any]
    name: str
    details: dict[str, Any]


def split_model(model: Any) -> Split:
    """Takes a model apart; see ``as_classifier``."""
    if isinstance(model, HostModel):
        return Split((), Called(model), model.runtime.name, model.details)
    outer = model if isinstance(model, TracedModel) else None
    variables, function, name = _split(model if outer is None else outer.model)
    # Arrays of NumPy are copied, since their owner may change them.
    copied = jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else jnp.array(leaf), variables)
    if outer is None:
        return Split(copied, lambda given, images: output_of(function(given, images)), name, {})
    formatted = functools.partial(_apply_formatted, outer.format, function)
    return Split(copied, formatted, name, {"inputs": outer.format.to_json()})


def _apply_formatted(form: InputFormat, function: Callable[[Any, Any], Any], variables: Any, images: jax.Array) -> Any:
    inputs = form(images)
    if form.batched:
        return output_of(function(variables, inputs))
    return jax.vmap(lambda image: output_of(function(variables, image)))(inputs)


def _split(model: Any) -> tuple[Any, Callable[[Any, jax.Array], Any], str]:
    # Whoever made a model of a library has imported the library; nobody else should wait for it.
    nnx, nn, keras, torch = (sys.modules.get(name) for name in ("flax.nnx", "flax.linen", "keras", "torch"))
    if isinstance(model, str | os.PathLike) and os.fspath(model).endswith(".onnx"):
        raise TypeError(f"An ONNX file runs on the host: gs.models.HostModel({os.fspath(model)!r}, layout='NCHW').")
    if torch is not None and isinstance(model, torch.nn.Module):
        raise TypeError("A PyTorch module runs on the host: gs.models.HostModel(module, layout='NCHW').")
    if isinstance(model, HostModel | TracedModel):
        raise TypeError("A HostModel or TracedModel says everything already: it cannot be in another one.")
    if keras is not None and isinstance(model, keras.layers.Layer):
        return _split_keras(model, keras.config.backend())
    if nnx is not None and isinstance(model, nnx.Module):
        graphdef, state = nnx.split(model)
        return state, functools.partial(_apply_nnx, graphdef), qualified(model)
    if nn is not None and isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], nn.Module):
        return model[1], model[0].apply, qualified(model[0])
    if nn is not None and isinstance(model, nn.Module):
        raise TypeError("A Linen module needs its variables: pass the pair (module, variables).")
    if isinstance(model, type):
        raise TypeError(f"Expected a callable images -> logits, got the class {qualified(model)}: make one of it.")
    if not callable(model):
        raise TypeError(
            f"Expected a callable images -> logits or (Linen module, variables), got {type(model).__name__}."
        )
    name = qualified(model)
    weights = getattr(model, "params", None)
    if nn is not None and isinstance(getattr(model, "module", None), nn.Module) and weights is not None:
        return weights, functools.partial(_apply_hugging_face, model), name
    while isinstance(model, jax.stages.Wrapped):  # jit remembers what the function had captured when first called
        inner = getattr(model, "__wrapped__", None)
        if inner is None:
            break
        model = inner
    leaves, treedef = jax.tree.flatten(model)
    if len(leaves) == 1 and leaves[0] is model:
        return (), lambda _, images: model(images), name
    is_array = [isinstance(leaf, jax.Array | np.ndarray) for leaf in leaves]
    static = [None if array else leaf for leaf, array in zip(leaves, is_array, strict=True)]
    arrays = tuple(leaf for leaf, array in zip(leaves, is_array, strict=True) if array)
    return arrays, functools.partial(_apply_pytree, treedef, static), name


def _split_keras(model: Any, backend: str) -> tuple[Any, Callable[[Any, jax.Array], Any], str]:
    if backend != "jax":
        raise TypeError(f"Expected Keras to run on JAX, got its backend {backend!r}: set KERAS_BACKEND=jax before it.")
    if not model.built:
        raise ValueError("Expected a Keras model that is built: call it once, or give it an Input.")
    variables = [[v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables)]
    return variables, functools.partial(_apply_keras, model), qualified(model)


def _apply_keras(model: Any, variables: Any, images: jax.Array) -> Any:
    return model.stateless_call(*variables, images, training=False)[0]


def _apply_hugging_face(model: Any, variables: Any, images: jax.Array) -> Any:
    return model(images, params=variables)  # train=False is its default


def _apply_nnx(graphdef: Any, variables: Any, images: jax.Array) -> Any:
    from flax import nnx

    model = nnx.merge(graphdef, variables)
    model.eval()  # on the merged copy: the caller's module keeps its mode
    return model(images)


def _apply_pytree(treedef: Any, static: Sequence[Any], variables: Sequence[Any], images: jax.Array) -> Any:
    """``static`` has an entry a leaf, None where the leaf is an array."""
    arrays = iter(variables)
    return jax.tree.unflatten(treedef, [next(arrays) if leaf is None else leaf for leaf in static])(images)


def cast(variables: Any, dtype: str) -> Any:
    """Returns the variables with their floating-point numbers in a dtype; counters and keys stay."""
    _validate.known(dict.fromkeys(DTYPES), dtype=dtype)

    def recast(leaf: Any) -> Any:
        return jnp.asarray(leaf, dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(recast, variables)
