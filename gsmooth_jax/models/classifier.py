"""One type for every classifier: weights that are traced, and a static function that applies them."""

import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.models import checks
from gsmooth_jax.models.callables import output_of
from gsmooth_jax.models.callables import qualified as qualified
from gsmooth_jax.models.host import Called, HostModel
from gsmooth_jax.models.input_format import InputFormat, TracedModel
from gsmooth_jax.models.program import Applied, Foreign
from gsmooth_jax.types import Domain

DTYPES = ("float32", "bfloat16")
"""In which a classifier may compute."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Classifier:
    """images [B, ...] float32 of a domain -> logits [B, K] float32.

    A pytree: pass it to compiled functions as an argument, then new weights of the same architecture never recompile.
    The images are cast to ``dtype`` before the network sees them; what is certified is the network at that precision,
    which ``astype`` changes.
    """

    variables: Any
    apply: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(metadata={"static": True})
    classes: int = dataclasses.field(metadata={"static": True})
    domain: Domain = dataclasses.field(metadata={"static": True})
    dtype: str = dataclasses.field(default="float32", metadata={"static": True})

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one input: (H, W, C) of an image."""
        return self.domain.shape

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, ...] -> logits [B, K]. Device."""
        return self.apply(self.variables, images.astype(self.dtype)).astype(jnp.float32)

    def astype(self, dtype: str) -> "Classifier":
        """Returns the classifier whose weights and images are of this dtype: another one, with claims of its own.

        Numbers that a plain function has captured stay as they are.
        """
        variables = _cast(self.variables, dtype)
        apply = self.apply.astype(variables, dtype) if isinstance(self.apply, Foreign) else self.apply
        return dataclasses.replace(self, variables=variables, apply=apply, dtype=dtype)

    def check(self) -> None:
        """Raises ValueError where a callable from elsewhere is no longer what it was when it was wrapped."""
        if isinstance(self.apply, Foreign):
            self.apply.check(self.variables)


def as_classifier(
    model: Any, domain: Domain | tuple[int, ...], classes: int | None = None, dtype: str | None = None
) -> Classifier:
    """Wraps any callable images [B, ...] -> logits [B, K].

    An image's logits have to come from that image alone: where others of its batch matter (batch statistics, say),
    votes are no independent draws, and no claim holds.

    Args:
      model: a ``Classifier``; a Flax NNX module (put in evaluation mode); a pair (Linen module,
        variables); a Keras model of the JAX backend; a Flax model of Hugging Face; a callable pytree such as an Equinox
        module that takes batches (its arrays are traced; put it in inference mode first); any plain function or
        callable object, whose captured arrays become constants of the compiled program; any of these in a
        ``TracedModel``, which says how it takes its images (one at a time, channels first, another scale); or a
        ``HostModel`` of what JAX cannot trace: PyTorch, ONNX, NumPy. What it gives are logits, or has them as
        ``logits``. It is taken as it is now: a classifier whose callable has changed is refused, and wrapped again it
        is another one. (What a ``jax.jit`` further inside has captured stays what it was when first called; what a
        callback of your own computes is not looked at, that of a ``HostModel`` is.)
      domain: of the inputs; a shape alone, such as (H, W, C), is one of entries in [0, 1] (of a ``Classifier``: in
        whatever range it has).
      classes: K; inferred from the output when None.
      dtype: of weights and images, see ``Classifier.astype``; None leaves both as they are, the images float32.

    Raises:
      TypeError: the model is none of these.
      ValueError: it does not map [B, ...] to [B, K], K differs from ``classes``, a ``Classifier`` is one of another
        domain, or a shape has its channels first (a ``Domain`` may).
    """
    wanted = domain if isinstance(domain, Domain) else Domain(domain)
    if isinstance(model, Classifier):
        if not model.domain.meets(domain) or classes not in (None, model.classes):
            raise ValueError(
                f"Expected a classifier of inputs {domain} and {classes or 'any number of'} classes, "
                f"got one of {model.domain} and {model.classes}."
            )
        return model if dtype is None else model.astype(dtype)
    checks.check_channels_last(domain)
    variables, function, name, details = split_model(model)
    variables = variables if dtype is None else _cast(variables, dtype)
    dtype = dtype or "float32"
    found = _infer_classes(function, variables, wanted.shape, dtype)
    if classes is not None and classes != found:
        raise ValueError(f"Expected logits of {classes} classes, got {found}.")
    apply = Applied.of(function, name, variables, wanted.shape, dtype, details)
    return Classifier(variables=variables, apply=apply, classes=found, domain=wanted, dtype=dtype)


def apply_name(apply: Callable) -> str:
    """Returns a name of the function behind a classifier that is the same in every process."""
    return f"{apply.name} {apply.program.digest}" if isinstance(apply, Applied) else repr(apply)


def _cast(variables: Any, dtype: str) -> Any:
    _validate.known(dict.fromkeys(DTYPES), dtype=dtype)

    def cast(leaf: Any) -> Any:
        return jnp.asarray(leaf, dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(cast, variables)  # counters and keys stay


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


def _infer_classes(
    function: Callable[[Any, jax.Array], Any], variables: Any, input_shape: tuple[int, ...], dtype: str
) -> int:
    batch = 2
    images = jax.ShapeDtypeStruct((batch, *input_shape), dtype)
    try:
        logits = jax.eval_shape(lambda *inputs: function(*inputs), variables, images)  # a new one: see ``Program.of``
    except Exception as error:
        raise ValueError(_inapplicable(images.shape, error)) from error
    shape = getattr(logits, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != batch or shape[1] < 2:
        raise ValueError(f"Expected logits [B, K] with K >= 2 for images {images.shape}, got {shape or logits!r}.")
    return int(shape[1])


def _inapplicable(shape: tuple[int, ...], error: Exception) -> str:
    text = f"The model cannot be applied to images of shape {shape}: "
    if isinstance(error, jax.errors.JAXTypeError):  # it asked for numbers where there are none yet
        return f"{text}JAX cannot trace it. Call a function of NumPy: gs.models.HostModel(function, layout='NHWC')."
    form = (
        " (If it takes them in another form, say so: gs.models.TracedModel(model, layout='NCHW'), or 'CHW' one by one.)"
    )
    return f"{text}{error}{form if len(shape) == 4 else ''}"
