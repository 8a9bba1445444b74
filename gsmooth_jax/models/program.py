"""What a callable from elsewhere computes, as its traced program: two that differ in any number or step differ here.

A compiled kernel is found again by its static arguments, and a callable may have changed since the kernel was compiled:
a closure's numbers, an object's attributes. So what stands for a callable there is not the object but its ``Program``.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

_BATCH = 2
"""Images of the traced batch: what a classifier computes for an image does not depend on how many there are."""

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

_PLACES = ("mesh", "sharding", "layout")
"""What the names of parameters hold that say where a step runs: of the surroundings, and no number depends on it."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A traced program.

    Attributes:
      digest: sha256 of every step, and of all numbers that the callable has captured; the same in every process that
        runs the same versions of JAX and of the callable's own packages.
      objects: what stands in it and is no number, such as the function behind a callback.
      callbacks: how often it calls Python.
      unseen: of each callback of which nobody can tell what it computes, why.
    """

    digest: str
    objects: tuple[Any, ...] = dataclasses.field(hash=False)
    callbacks: int = dataclasses.field(default=0, compare=False)
    unseen: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @classmethod
    def of(cls, function: Callable[..., Any], variables: Any, image_shape: tuple[int, ...], dtype: str) -> "Program":
        """Traces ``function(variables, images)`` as it is now; the values of the variables do not matter."""
        images = jax.ShapeDtypeStruct((_BATCH, *image_shape), dtype)
        given = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(jnp.shape(leaf), leaf.dtype), variables)
        writer = _Writer()
        # A function of its own each time: traces, too, are found again by their functions.
        writer.closed(jax.make_jaxpr(lambda *inputs: function(*inputs))(given, images))
        unseen = tuple(filter(None, writer.callbacks))
        return cls(writer.digest.hexdigest(), tuple(writer.objects), len(writer.callbacks), unseen)


@dataclasses.dataclass(frozen=True)
class Applied:
    """``function(variables, images)`` as it was when it was wrapped; hashable: a static argument of compiled kernels.

    Two are equal that compute the same from the same variables, whatever objects they are.

    Attributes:
      name: of the callable, the same in every process.
      program: what it computes.
      details: what a run's header says of it besides its name.
    """

    name: str
    program: Program
    image_shape: tuple[int, ...]
    dtype: str
    function: Callable[[Any, jax.Array], jax.Array] = dataclasses.field(compare=False, repr=False)
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        function: Callable[[Any, jax.Array], jax.Array],
        name: str,
        variables: Any,
        shape: tuple[int, ...],
        dtype: str,
        details: Mapping[str, Any] | None = None,
    ) -> "Applied":
        """Wraps a function as it is now, for images of this shape and dtype."""
        return cls(name, Program.of(function, variables, shape, dtype), shape, dtype, function, details or {})

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> logits [B, K]; raises as ``check``. Device."""
        self.check(variables)
        return self.function(variables, images)

    def check(self, variables: Any) -> None:
        """Raises ValueError where the callable is no longer what it was."""
        now = Program.of(self.function, variables, self.image_shape, self.dtype)
        if now.digest != self.program.digest:
            raise ValueError(
                f"{self.name} has changed since it was wrapped: its program or the numbers that it has captured are "
                "others. Wrap it again with as_classifier; if nobody changed it, it is no fixed function of its images."
            )

    def astype(self, variables: Any, dtype: str) -> "Applied":
        """The same for variables and images of another dtype; numbers that it has captured stay as they are."""
        if "by" in self.details:
            raise ValueError(f"Expected no dtype for {self.name}: on the host it computes in its own.")
        return Applied.of(self.function, self.name, variables, self.image_shape, dtype, self.details)

    def to_json(self) -> dict[str, Any]:
        """Returns what a run's header says of it."""
        return {"callable": self.name, **self.details}


@runtime_checkable
class Foreign(Protocol):
    """What applies callables from elsewhere, as an ``Applied`` does."""

    def astype(self, variables: Any, dtype: str) -> Callable[[Any, jax.Array], jax.Array]:
        """The same for variables and images of another dtype."""
        ...

    def check(self, variables: Any) -> None:
        """Raises ValueError where one of them is no longer what it was."""
        ...


class _Writer:
    """Feeds a program to a hash: variables by number, arrays by their bytes, all else by its text."""

    def __init__(self):
        self.digest = hashlib.sha256()
        self.objects: list[Any] = []
        self.callbacks: list[str] = []  # of each, why it cannot be seen
        self._numbers: dict[core.Var, int] = {}

    def closed(self, program: core.ClosedJaxpr) -> None:
        for const in program.consts:
            self._array(const)
        self._open(program.jaxpr)

    def _open(self, program: core.Jaxpr) -> None:
        self._say("{")
        self._bind([*program.constvars, *program.invars])
        for step in program.eqns:
            self._say(step.primitive.name)
            if "callback" in step.primitive.name:
                self.callbacks.append(_unseen(step.params.get("callback")))
            # Of a call the program is there; what else it brings are rules, such as that of its derivative.
            called = any(isinstance(v, core.ClosedJaxpr | core.Jaxpr) for v in step.params.values())
            for name in sorted(step.params):
                if not any(place in name for place in _PLACES):
                    self._say(name)
                    self._value(step.params[name], called)
            self._refer(step.invars)
            self._bind(step.outvars)
        self._refer(program.outvars)
        self._say("}")

    def _value(self, value: Any, called: bool) -> None:
        match value:
            case core.ClosedJaxpr():
                self.closed(value)
            case core.Jaxpr():
                self._open(value)
            case np.ndarray() | jax.Array():
                self._array(value)
            case tuple() | list():
                self._say(f"{type(value).__name__} {len(value)}")
                for entry in value:
                    self._value(entry, called)
            case Mapping():
                self._value(sorted(value.items(), key=repr), called)
            case None | bool() | int() | float() | complex() | str() | bytes() | type() | np.dtype() | np.generic():
                self._say(repr(value))
            case _ if not called:
                self._say(_ADDRESS.sub("", repr(value)))
                self.objects.append(value)

    def _bind(self, variables: Sequence[core.Var]) -> None:
        for variable in variables:
            self._numbers[variable] = len(self._numbers)
            self._say(_kind(variable.aval))

    def _refer(self, atoms: Sequence[core.Var | core.Literal]) -> None:
        for atom in atoms:
            if isinstance(atom, core.Literal):
                self._say(_kind(atom.aval))
                self._array(atom.val)
            else:
                self._say(f"%{self._numbers[atom]}")

    def _array(self, value: Any) -> None:
        if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            value = jax.random.key_data(value)
        array = np.asarray(value)
        self._say(f"{array.dtype} {array.shape}")
        self.digest.update(array.tobytes())

    def _say(self, text: str) -> None:
        self.digest.update(f"{text}\n".encode())


def _kind(aval: Any) -> str:
    # Without sharding: that, too, is of the surroundings.
    return f"{getattr(aval, 'dtype', aval)} {getattr(aval, 'shape', '')} {getattr(aval, 'weak_type', False)}"


def _unseen(callback: Any) -> str:
    """Why nobody can tell what a callback computes; empty where its function knows."""
    function = getattr(callback, "callback_func", callback)
    name = getattr(function, "__qualname__", type(function).__name__)
    return getattr(function, "unseen", f"{name} is a callback of your own")
