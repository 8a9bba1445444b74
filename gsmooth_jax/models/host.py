"""Networks that XLA cannot trace: called on the host, batch by batch, from inside of compiled programs."""

import dataclasses
import hashlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import buffer_callback

from gsmooth_jax import _validate
from gsmooth_jax.models import runtimes, seen
from gsmooth_jax.models.callables import output_of
from gsmooth_jax.models.input_format import InputFormat, Layout


@dataclasses.dataclass(frozen=True, eq=False)
class HostModel:
    """A PyTorch module, an ONNX file or any function of NumPy, for ``as_classifier``; batches -> logits.

    It is called on the host while the device draws and counts, and has no derivatives. A PyTorch module is copied as it
    is now and put in evaluation mode; an ONNX file is read once and run by onnxruntime on the CPU (it is not translated
    to JAX); a function is called with NumPy arrays, and has to be the same function as long as it is used.

    >>> dark = HostModel(lambda x: np.stack([0.5 - x.mean((1, 2, 3)), x.mean((1, 2, 3)) - 0.5], 1), layout="NHWC")
    >>> dark(np.zeros((1, 4, 4, 1), np.float32)).tolist()
    [[0.5, -0.5]]

    Attributes:
      model: the path of an ONNX file, a PyTorch module, or a function.
      layout: of what it is given; nobody guesses it. PyTorch's convolutions take NCHW. Without N: one at a time.
      scale: of intensities, which are in [0, 1] here; 255 for a network of file levels.
      mean: one a channel, or one for all; subtracted after the scale.
      std: likewise; divides what is left.
      batch: most images of one call.
      fingerprint: a name of your own for what the model computes, where that cannot be seen: another network has
        another one. Run folders need it then.

    Raises:
      TypeError: the model is none of these.
      ValueError: a file that cannot be loaded, or an argument that is out of range.
      ImportError: onnxruntime is needed and not there.
    """

    model: Any
    layout: Layout
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    batch: int = 64
    fingerprint: str | None = None
    format: InputFormat = dataclasses.field(init=False, repr=False)
    runtime: runtimes.Runtime = dataclasses.field(init=False, repr=False)

    def __post_init__(self):
        _validate.at_least(1, batch=self.batch)
        chosen = InputFormat(layout=self.layout, scale=self.scale, mean=self.mean, std=self.std)
        object.__setattr__(self, "format", chosen)
        object.__setattr__(self, "runtime", runtimes.of(self.model))
        fixed = self.runtime.batch
        if fixed is not None and not self.format.batched and fixed != 1:
            raise ValueError(
                f"Expected layout NHWC or NCHW, since the file's batches are of {fixed}, got {self.layout!r}."
            )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """[B, H, W, C] float32 -> [B, K], or [B] of a regressor: float32. Host.

        Raises:
          ValueError: the network gives no array with one row an image.
        """
        inputs = self.format(np.asarray(images, np.float32))
        if not self.format.batched and self.runtime.batch is None:
            outputs = [_array(self.runtime.call(image)) for image in inputs]
            return np.stack(outputs)
        size = self.runtime.batch or self.batch
        found = []
        for first in range(0, len(inputs), size):
            part = inputs[first : first + size]
            padding = size - len(part) if self.runtime.batch else 0
            whole = np.concatenate([part, np.repeat(part[-1:], padding, 0)]) if padding else part
            outputs = _array(self.runtime.call(whole))
            if outputs.shape[:1] != (len(whole),):
                raise ValueError(f"Expected logits of {len(whole)} images, got an array of shape {outputs.shape}.")
            found.append(outputs[: len(part)])
        return np.concatenate(found)

    @property
    def details(self) -> dict[str, Any]:
        """What a run's header says of it, besides its name."""
        named = {"named": self.fingerprint} if self.fingerprint is not None else {}
        return {"by": "host callback", "inputs": self.format.to_json(), **named}


def _array(value: Any) -> np.ndarray:
    value = output_of(value)
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"Expected an array of logits, got {type(value).__name__}.") from None


def host_failure(error: Exception) -> RuntimeError | None:
    """Returns what a callback's error comes to, in a line; None of an error of the device."""
    lines = str(error).splitlines() or [""]
    if "callback" not in lines[0] or "Traceback" not in lines[0]:
        return None
    end = next((number for number, line in enumerate(lines) if line and not line.strip("-")), len(lines))  # JAX's notes
    return RuntimeError(f"The network failed when it was called on the host: {lines[end - 1]}")


class Called:
    """A ``HostModel`` inside of traced programs: known there by what it computes, and not by which object it is.

    Two are equal that compute the same. Of functions, whose owner may change what they compute, they also have to be
    the same one: a compiled program calls the one that it was compiled with.
    """

    def __init__(self, model: HostModel):
        self.model = model
        self.unseen = ""
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._then = self._now()

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> what the model gives; for ``Applied``. Device, and the host inside."""
        del variables
        result = jax.ShapeDtypeStruct((len(images), *self._outputs(images.shape[1:])), jnp.float32)
        images = images.astype(jnp.float32)
        if jax.default_backend() != "cpu":
            return jax.pure_callback(_Run(self), result, images)
        # There pure_callback waits for a copy that is made by the thread in which it runs, if the machine has no other.
        return buffer_callback.buffer_callback(_RunInPlace(self), result)(images)

    def key(self) -> tuple[Any, ...]:
        """By which two are equal."""
        alike = self.model.runtime.own and self.model.fingerprint is None and not self.unseen
        shared = () if alike else (id(self.model.runtime.call),)
        return (self._then, self.model.batch, *shared)

    def describe(self) -> str:
        """What it computes now, as text for a program's hash."""
        return f"host model {self._now()}"

    def _now(self) -> str:
        model = self.model
        if model.fingerprint is not None:
            known = f"named {model.fingerprint}"
        else:
            try:
                known = model.runtime.digest()
            except seen.UnseenError as error:
                self.unseen, known = str(error), f"unseen {id(model.runtime.call)}"
        return hashlib.sha256(f"{known} {model.format.to_json()}".encode()).hexdigest()

    def _outputs(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one input's output: found by a call."""
        if shape not in self._shapes:
            random = np.random.default_rng(0).random((2, *shape), np.float32)
            self._shapes[shape] = self.model(random).shape[1:]
        return self._shapes[shape]


class _Run:
    """The function behind a callback; hashable, and its text is what it computes."""

    def __init__(self, called: Called):
        self.called = called

    @property
    def unseen(self) -> str:
        """Why nobody can see what it computes; empty where that is known."""
        return self.called.unseen

    def __call__(self, images: Any) -> np.ndarray:
        """[B, H, W, C] -> outputs."""
        return self.called.model(np.asarray(images))

    def __repr__(self) -> str:
        return self.called.describe()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.called.key() == other.called.key()

    def __hash__(self) -> int:
        return hash(self.called.key())


class _RunInPlace(_Run):
    """The same on buffers: reads one, and fills another."""

    def __call__(self, context: Any, outputs: Any, images: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """[B, H, W, C] -> into ``outputs``."""
        del context
        np.asarray(outputs)[...] = self.called.model(np.asarray(images).copy())  # functions may write into theirs
