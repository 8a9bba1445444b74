"""One type for every classifier: weights that are traced, and a static function that applies them."""

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate

if TYPE_CHECKING:
    from flax import linen

DTYPES = ("float32", "bfloat16")
"""In which a classifier may compute."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Classifier:
    """images [B, H, W, C] float32 -> logits [B, K] float32.

    A pytree: pass it to compiled functions as an argument, then new weights of the same architecture never recompile.
    The images are cast to ``dtype`` before the network sees them; what is certified is the network at that precision,
    which ``astype`` changes.
    """

    variables: Any
    apply: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(metadata={"static": True})
    classes: int = dataclasses.field(metadata={"static": True})
    input_shape: tuple[int, int, int] = dataclasses.field(metadata={"static": True})
    dtype: str = dataclasses.field(default="float32", metadata={"static": True})

    def __call__(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> logits [B, K]. Device."""
        return self.apply(self.variables, images.astype(self.dtype)).astype(jnp.float32)

    def astype(self, dtype: str) -> "Classifier":
        """Returns the classifier whose weights and images are of this dtype: another one, with claims of its own.

        Numbers that a plain function has captured stay as they are.
        """
        _validate.known(dict.fromkeys(DTYPES), dtype=dtype)

        def cast(leaf: Any) -> Any:
            return jnp.asarray(leaf, dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

        variables = jax.tree.map(cast, self.variables)  # counters and keys stay
        return dataclasses.replace(self, variables=variables, dtype=dtype)


def as_classifier(
    model: Any, input_shape: tuple[int, int, int], classes: int | None = None, dtype: str | None = None
) -> Classifier:
    """Wraps any callable images [B, H, W, C] -> logits [B, K].

    An image's logits have to come from that image alone: where others of its batch matter (batch statistics, say),
    votes are no independent draws, and no claim holds.

    Args:
      model: a ``Classifier``; a Flax NNX module (put in evaluation mode); a pair (Linen module,
        variables); a callable pytree such as an Equinox module that takes batches (its arrays are traced, its other
        leaves must be hashable; put it in inference mode first); or any plain function, whose captured arrays become
        constants of the compiled program.
      input_shape: (H, W, C).
      classes: K; inferred from the output when None.
      dtype: of weights and images, see ``Classifier.astype``; None leaves both as they are, the images float32.

    Raises:
      TypeError: the model is none of these.
      ValueError: it does not map [B, H, W, C] to [B, K], or K differs from ``classes``.
    """
    if len(input_shape) != 3 or any(size < 1 for size in input_shape):
        raise ValueError(f"Expected input_shape (H, W, C), got {input_shape!r}.")
    input_shape = (int(input_shape[0]), int(input_shape[1]), int(input_shape[2]))
    if isinstance(model, Classifier):
        if model.input_shape != input_shape or classes not in (None, model.classes):
            raise ValueError(
                f"Expected a classifier of {input_shape} images and {classes or 'any number of'} classes, "
                f"got one of {model.input_shape} and {model.classes}."
            )
        return model if dtype is None else model.astype(dtype)
    variables, apply = split_model(model)
    made = Classifier(variables=variables, apply=apply, classes=0, input_shape=input_shape)
    made = made if dtype is None else made.astype(dtype)
    found = _infer_classes(made)
    if classes is not None and classes != found:
        raise ValueError(f"Expected logits of {classes} classes, got {found}.")
    return dataclasses.replace(made, classes=found)


def apply_name(apply: Callable) -> str:
    """Returns a name of the function behind a classifier that is the same in every process."""
    return apply.name if isinstance(apply, _Linen | _Nnx | _Pytree | _Function) else repr(apply)


def qualified(value: Any) -> str:
    """``module.qualname`` of a function, or of the class of anything else."""
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


@dataclasses.dataclass(frozen=True)
class _Linen:
    module: "linen.Module"

    @property
    def name(self) -> str:
        return qualified(self.module)

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        return self.module.apply(variables, images)  # pyright: ignore[reportReturnType]


@dataclasses.dataclass(frozen=True)
class _Nnx:
    graphdef: Any
    name: str

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        from flax import nnx

        model = nnx.merge(self.graphdef, variables)
        model.eval()  # on the merged copy: the caller's module keeps its mode
        return model(images)


@dataclasses.dataclass(frozen=True)
class _Pytree:
    treedef: Any
    static: tuple[Any, ...]  # one entry a leaf, None where the leaf is an array
    name: str

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        arrays = iter(variables)
        leaves = [next(arrays) if leaf is None else leaf for leaf in self.static]
        return jax.tree.unflatten(self.treedef, leaves)(images)


@dataclasses.dataclass(frozen=True)
class _Function:
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        return qualified(self.function)

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        del variables
        return self.function(images)


def split_model(model: Any) -> tuple[Any, Callable[[Any, jax.Array], jax.Array]]:
    """Returns a model's variables, and the static function that applies them; see ``as_classifier``."""
    # Whoever made a Flax model has imported Flax; nobody else should wait for it.
    nnx, nn = sys.modules.get("flax.nnx"), sys.modules.get("flax.linen")
    if nnx is not None and isinstance(model, nnx.Module):
        graphdef, state = nnx.split(model)
        return state, _Nnx(graphdef, qualified(model))
    if nn is not None and isinstance(model, tuple) and len(model) == 2 and isinstance(model[0], nn.Module):
        return model[1], _Linen(model[0])
    if nn is not None and isinstance(model, nn.Module):
        raise TypeError("A Linen module needs its variables: pass the pair (module, variables).")
    if not callable(model):
        raise TypeError(
            f"Expected a callable images -> logits or (Linen module, variables), got {type(model).__name__}."
        )
    leaves, treedef = jax.tree.flatten(model)
    if len(leaves) == 1 and leaves[0] is model:
        return (), _Function(model)
    is_array = [isinstance(leaf, jax.Array | np.ndarray) for leaf in leaves]
    static = tuple(None if array else leaf for leaf, array in zip(leaves, is_array, strict=True))
    apply = _Pytree(treedef, static, qualified(model))
    try:
        hash(apply)
    except TypeError as error:
        raise TypeError(f"Expected every static field of {type(model).__name__} to be hashable: {error}.") from error
    return tuple(jnp.asarray(leaf) for leaf, array in zip(leaves, is_array, strict=True) if array), apply


def _infer_classes(made: Classifier) -> int:
    batch = 2
    images = jax.ShapeDtypeStruct((batch, *made.input_shape), made.dtype)
    try:
        logits = jax.eval_shape(made.apply, made.variables, images)
    except Exception as error:
        raise ValueError(f"The model cannot be applied to images of shape {images.shape}: {error}") from error
    shape = getattr(logits, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != batch or shape[1] < 2:
        raise ValueError(f"Expected logits [B, K] with K >= 2 for images {images.shape}, got {shape or logits!r}.")
    return int(shape[1])
