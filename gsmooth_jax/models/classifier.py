"""One type for every classifier: weights that are traced, and a static function that applies them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax import pytrees
from gsmooth_jax.models import checks
from gsmooth_jax.models.denoised import Behind, Denoised
from gsmooth_jax.models.input_format import FormatError
from gsmooth_jax.models.program import Applied, Foreign
from gsmooth_jax.models.split import cast, split_model
from gsmooth_jax.types import Domain


@pytrees.register
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
        variables = cast(self.variables, dtype)
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
        ``TracedModel``, which says how it takes its images (one at a time, channels first, another scale); a
        ``HostModel`` of what JAX cannot trace: PyTorch, ONNX, NumPy; or one of these behind a denoiser, in a
        ``Denoised``. What it gives are logits, or has them as ``logits``. It is taken as it is now: a classifier whose
        callable has changed is refused, and wrapped again it is another one. (What a ``jax.jit`` further inside has
        captured stays what it was when first called; what a callback of your own computes is not looked at, that of a
        ``HostModel`` is.)
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
    if isinstance(model, Denoised):
        return model.joined(as_classifier(model.classifier, domain, classes, dtype))
    checks.check_channels_last(domain)
    variables, function, name, details = split_model(model)
    variables = variables if dtype is None else cast(variables, dtype)
    dtype = dtype or "float32"
    found = _infer_classes(function, variables, wanted.shape, dtype)
    if classes is not None and classes != found:
        raise ValueError(f"Expected logits of {classes} classes, got {found}.")
    apply = Applied.of(function, name, variables, wanted.shape, dtype, details)
    return Classifier(variables=variables, apply=apply, classes=found, domain=wanted, dtype=dtype)


def apply_name(apply: Callable) -> str:
    """Returns a name of the function behind a classifier that is the same in every process."""
    if isinstance(apply, Behind):
        return f"{apply_name(apply.classify)} behind {apply_name(apply.denoise)}"
    return f"{apply.name} {apply.program.digest}" if isinstance(apply, Applied) else repr(apply)


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
    if isinstance(error, FormatError) or len(shape) != 4:
        return f"{text}{error}"
    form = (
        " (If it takes them in another form, say so: --layout NCHW, or gs.models.TracedModel(model, layout='NCHW'), "
        "and gs.models.HostModel of PyTorch, ONNX and NumPy; 'CHW' one by one.)"
    )
    return f"{text}{error}{form}"
