"""What runs a network on the host: onnxruntime, PyTorch, or Python itself; each imported when first asked for. Host."""

import copy
import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_jax.models import seen
from gsmooth_jax.models.callables import output_of, qualified

_ONNX_DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}


@dataclasses.dataclass(frozen=True, eq=False)
class Runtime:
    """One network on the host.

    Attributes:
      call: inputs as the network takes them -> its outputs; NumPy both.
      name: of the network, the same in every process.
      how: what runs it, with its version; part of a run's header.
      digest: returns the hash of what it computes; raises ``seen.UnseenError`` where that cannot be seen.
      own: whether nobody else can change what it computes.
      batch: it takes batches of exactly this size; None: of any.
    """

    call: Callable[[np.ndarray], Any]
    name: str
    how: str
    digest: Callable[[], str]
    own: bool
    batch: int | None = None


def of(model: Any) -> Runtime:
    """Returns what runs a model: the path of an ONNX file, a PyTorch module, or any function of NumPy.

    Raises:
      TypeError: it is none of these.
      ValueError: a file that cannot be loaded, or whose network takes anything but one floating-point input.
      ImportError: the package that runs it is not installed.
    """
    if isinstance(model, str | os.PathLike):
        return _onnx(Path(model))
    torch = sys.modules.get("torch")  # whoever made a module has imported it
    if torch is not None and isinstance(model, torch.nn.Module):
        return _torch(model)
    if isinstance(model, type) or not callable(model):
        raise TypeError(f"Expected the path of an ONNX file, a PyTorch module or a function of NumPy, got {model!r}.")
    how = f"Python {sys.version_info.major}.{sys.version_info.minor}, NumPy {np.__version__}"
    return Runtime(model, qualified(model), how, lambda: seen.digest(model), own=False)


def _onnx(path: Path) -> Runtime:
    if not path.is_file():
        raise FileNotFoundError(f"No ONNX file at {str(path)!r}.")
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(f"{path} needs onnxruntime: pip install 'gsmooth_jax[onnx]'.") from error
    onnxruntime.set_default_logger_severity(3)  # its warnings are about its own optimisations
    try:
        # By the CPU alone: this process's accelerator is JAX's.
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # of as many kinds as there are faults in a file
        raise ValueError(f"onnxruntime cannot load {path}: {_first_line(error)}") from error
    given = session.get_inputs()
    if len(given) != 1 or given[0].type not in _ONNX_DTYPES:
        listed = ", ".join(f"{i.name} {i.type}" for i in given)
        raise ValueError(f"Expected {path} to take one floating-point input, got {listed}.")
    name, dtype = given[0].name, _ONNX_DTYPES[given[0].type]
    output = session.get_outputs()[0].name
    first = given[0].shape[0] if given[0].shape else None

    def call(inputs: np.ndarray) -> np.ndarray:
        return session.run([output], {name: inputs.astype(dtype, copy=False)})[0]  # pyright: ignore[reportReturnType]

    digest = _file_digest(path)
    how = f"onnxruntime {onnxruntime.__version__}"
    return Runtime(call, path.name, how, lambda: digest, own=True, batch=first if isinstance(first, int) else None)


def _file_digest(path: Path) -> str:
    """Of a file, and of those beside it in which it keeps its larger arrays."""
    code = path.read_bytes()
    digest = hashlib.sha256(code)
    for name in sorted(set(_external(code))):
        try:
            with (path.parent / name).open("rb") as file:
                digest.update(f"\n{name}\n".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ValueError(f"{path} keeps arrays in {name}, which cannot be read: {error}.") from error
    return digest.hexdigest()


def _external(code: bytes) -> Iterator[str]:
    """Names of files in an ONNX model: ``external_data`` entries of the key ``location``, as Protocol Buffers."""
    for found in re.finditer(rb"\x0a\x08location\x12", code):
        length, shift, at = 0, 0, found.end()
        while True:
            byte, at = code[at], at + 1
            length, shift = length | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        yield code[at : at + length].decode()


def _torch(model: Any) -> Runtime:
    import torch  # pyright: ignore[reportMissingImports]

    # A copy: whoever trains or moves the module does not change what is certified.
    module = copy.deepcopy(model).eval()
    like = next((p for p in (*module.parameters(), *module.buffers()) if p.is_floating_point()), torch.zeros(()))

    def call(inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(inputs)).to(device=like.device, dtype=like.dtype)
            found = output_of(module(given))
            return found.float().cpu().numpy() if isinstance(found, torch.Tensor) else found

    try:
        known = seen.digest(module)
    except seen.UnseenError as error:
        why = str(error)

        def digest() -> str:
            raise seen.UnseenError(why)
    else:

        def digest() -> str:
            return known

    return Runtime(call, qualified(model), f"PyTorch {torch.__version__}", digest, own=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
