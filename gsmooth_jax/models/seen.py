"""What a callable computes that XLA cannot trace: the hash of its code and of every number within its reach. Host."""

import collections
import enum
import functools
import hashlib
import re
import sys
import sysconfig
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

_PLAIN = (bool, int, float, complex, str, bytes, range, enum.Enum, np.dtype, np.generic, slice)
_NAMED = ("torch.dtype", "torch.device", "torch.layout", "torch.memory_format", "torch.Size")
_WRAPPERS = (staticmethod, classmethod)


class UnseenError(ValueError):
    """Something within a callable's reach cannot be looked into."""


def digest(value: Any) -> str:
    """Returns a sha256 of what a callable computes with.

    Of a function: its bytecode, and what it has captured, its defaults and the global names that it reads, each looked
    into likewise. Of an object: its class and its attributes; of arrays and tensors: their bytes. What is installed is
    known by its name and version. So the hash is the same in every process of one version of Python; what a function
    reads from files or the environment when it is called does not enter.

    Raises:
      UnseenError: something within reach is of a compiled library, such as a session, a generator of random numbers or
        an open file.
    """
    walk = _Walk()
    walk.value(value, "the model")
    return walk.digest.hexdigest()


class _Walk:
    """Feeds all that is within reach to a hash, each object once."""

    def __init__(self):
        self.digest = hashlib.sha256()
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # an address is a name only as long as its object lives

    def value(self, value: Any, where: str, names: frozenset[str] = frozenset()) -> None:
        """Feeds one value.

        Args:
          value: anything.
          where: what it is, for error messages.
          names: that the code around it mentions: of a module of the user's only these count.
        """
        if value is None or value is Ellipsis or isinstance(value, _PLAIN) or _type_name(value) in _NAMED:
            self._say(f"{_type_name(value)} {value!r}")
            return
        if (array := _array(value)) is not None:
            self._say(f"{array.dtype} {array.shape}")
            if array.dtype == object:
                self._each(array.ravel().tolist(), where)
            else:
                self.digest.update(np.ascontiguousarray(array).tobytes())
            return
        if id(value) in self._numbers:
            self._say(f"again {self._numbers[id(value)]}")
            # Of a module seen before, other names may be meant.
            if not isinstance(value, types.ModuleType):
                return
        self._numbers.setdefault(id(value), len(self._numbers))
        self._kept.append(value)
        match value:
            case tuple() | list() | collections.deque():
                self._say(f"{_type_name(value)} {len(value)}")
                self._each(value, where)
            case set() | frozenset():
                self._say(f"{_type_name(value)} {sorted(digest(entry) for entry in value)}")
            case Mapping():
                self._say(f"{_type_name(value)} {len(value)}")
                for key, entry in value.items():
                    self.value(key, f"a key of {where}")
                    self.value(entry, f"{where}[{key!r}]")
            case re.Pattern():
                self._say(repr(value))
            case types.CodeType():
                self._code(value, where)
            case types.FunctionType():
                self._function(value)
            case types.MethodType():
                self._each((value.__func__, value.__self__), where)
            case functools.partial():
                self._each((value.func, value.args, value.keywords), where)
            case property():
                self._each((value.fget,), where)
            case types.ModuleType():
                self._module(value, names)
            case type():
                self._class(value)
            case _ if isinstance(value, _WRAPPERS):
                self._each((value.__func__,), where)
            case _ if isinstance(value, types.BuiltinFunctionType | np.ufunc):
                owner = getattr(value, "__self__", None)
                if owner is not None and not isinstance(owner, types.ModuleType | type):
                    self.value(owner, where)
                self._say(f"{_version(getattr(value, '__module__', None) or 'builtins')} {value.__name__}")
            case _:
                self._object(value, where)

    def _each(self, values: Iterable[Any], where: str) -> None:
        for entry in values:
            self.value(entry, where)

    def _function(self, function: types.FunctionType) -> None:
        name = f"{function.__module__}.{function.__qualname__}"
        self._say(f"function {function.__qualname__}")
        self._each((function.__defaults__, function.__kwdefaults__), f"a default of {name}")
        free = function.__code__.co_freevars
        for free_name, cell in zip(free, function.__closure__ or (), strict=True):
            try:
                held = cell.cell_contents
            except ValueError:  # not yet given a value
                held = None
            self.value(held, f"{free_name!r}, which {name} has captured")
        if _installed(function.__module__):
            self._say(_version(function.__module__))
            return
        self._code(function.__code__, name)
        mentioned = frozenset(_names(function.__code__))
        for global_name in sorted(mentioned):
            if global_name in function.__globals__:
                found = function.__globals__[global_name]
                self._say(global_name)
                self.value(found, f"{global_name!r}, which {name} reads", mentioned)
            elif global_name in sys.modules and not _installed(global_name):  # imported inside of the function
                self.value(sys.modules[global_name], f"module {global_name!r}", mentioned)

    def _code(self, code: types.CodeType, where: str) -> None:
        self._say(f"{code.co_flags} {code.co_names} {code.co_varnames} {code.co_exceptiontable!r}")
        self.digest.update(code.co_code)
        self._each(code.co_consts, where)

    def _module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        if _installed(module.__name__):
            self._say(_version(module.__name__))
            return
        for name in sorted(names.intersection(vars(module))):
            self._say(name)
            self.value(vars(module)[name], f"{name!r} of module {module.__name__!r}", names)

    def _class(self, kind: type) -> None:
        self._say(f"class {kind.__qualname__}")
        if _installed(kind.__module__):
            self._say(_version(kind.__module__))
            return
        self._each((base for base in kind.__bases__ if base is not object), f"a base of {kind.__qualname__}")
        for name, entry in vars(kind).items():
            if name not in ("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__slots__") and (
                not name.startswith("_abc_") and not isinstance(entry, types.MemberDescriptorType)
            ):
                self._say(name)
                self.value(entry, f"{kind.__qualname__}.{name}")

    def _object(self, value: Any, where: str) -> None:
        kind = type(value)
        hidden = [base for base in kind.__mro__ if base is not object and not _written_in_python(base)]
        if hidden:
            raise UnseenError(f"{where} is a {_type_name(value)}, which cannot be looked into")
        self.value(kind, _type_name(value))
        state = dict(getattr(value, "__dict__", {}))
        if _is_compiled_torch(value):  # torch.fx and TorchScript keep the program as text
            state = {"code": value.code, "parameters": dict(value.state_dict())}
        slots = [slot for base in kind.__mro__ for slot in _slots(base) if hasattr(value, slot)]
        state |= {slot: getattr(value, slot) for slot in slots if slot not in ("__dict__", "__weakref__")}
        for name, entry in state.items():
            self._say(name)
            self.value(entry, f"{where}.{name}")

    def _say(self, text: str) -> None:
        self.digest.update(f"{text}\n".encode())


def _array(value: Any) -> np.ndarray | None:
    """The bytes of an array or a tensor of whatever library; None where it is neither."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, jax.Array):
        keys = jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(value) if keys else value)
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor):
        return None
    whole = value.detach().cpu().contiguous()
    if whole.is_quantized or whole.layout is not torch.strided:
        raise UnseenError(f"a tensor of layout {whole.layout} cannot be looked into")
    # NumPy lacks bfloat16 and others; bytes, shape and dtype say the same.
    raw = whole.reshape(-1).view(torch.uint8).numpy()
    return np.frombuffer(f"{whole.dtype} {tuple(whole.shape)}\n".encode() + raw.tobytes(), np.uint8)


def _is_compiled_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module) and isinstance(getattr(value, "code", None), str)


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _slots(kind: type) -> tuple[str, ...]:
    given = vars(kind).get("__slots__", ())
    return (given,) if isinstance(given, str) else tuple(given)


def _names(code: types.CodeType) -> set[str]:
    """All names that code mentions, that of inner functions included."""
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _written_in_python(kind: type) -> bool:
    """Whether nothing of an object is kept where Python cannot see it."""
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    return kind.__module__ == "__main__" or (file is not None and file.endswith(".py")) or kind.__module__ in _TYPED


_TYPED = ("abc", "typing", "collections.abc")
"""Modules of base classes without state."""


@functools.cache
def _installed(module: str | None) -> bool:
    """Whether a module is of Python, of an installed package, or of this library."""
    top = (module or "").partition(".")[0]
    if top in sys.stdlib_module_names or top in ("builtins", "gsmooth_jax"):
        return top != "__main__"
    file = getattr(sys.modules.get(module or "") or sys.modules.get(top), "__file__", None)
    if file is None:
        return False
    places = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    parents = [str(parent) for parent in Path(file).parents]
    return any(p in places or p.endswith(("site-packages", "dist-packages")) for p in parents)


def _version(module: str) -> str:
    top = module.partition(".")[0]
    return f"{module} {getattr(sys.modules.get(top), '__version__', '')}"
