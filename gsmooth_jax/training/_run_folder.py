"""What every training loop needs: a folder that a run resumes from, a progress bar, the compiler's options. Host."""

import dataclasses
import json
import os
import pathlib
import zlib
from typing import Any, TypeVar

import jax
import numpy as np
import orbax.checkpoint as ocp
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from gsmooth_jax._console import PlainConsole

S = TypeVar("S")


class RunFolder:
    """Claims a folder for one configuration and keeps its state there; a context manager.

    Holds ``config.json``, ``log.jsonl`` (one line an epoch) and the Orbax states of the last epochs.
    """

    def __init__(self, out: str, settings: dict[str, Any]):
        """Raises ValueError when the folder holds a run of other settings; see ``settings``."""
        self.path = pathlib.Path(out).absolute()
        self.path.mkdir(parents=True, exist_ok=True)
        _claim(self.path / "config.json", settings)
        self._log = self.path / "log.jsonl"
        options = ocp.CheckpointManagerOptions(max_to_keep=2)
        self._manager = ocp.CheckpointManager(self.path / "train_state", options=options)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def restore(self, fresh: S) -> tuple[S, int]:
        """Returns the last stored state and the number of epochs it has seen; ``fresh`` and 0 when there is none."""
        epoch = self._manager.latest_step()
        if epoch is None:
            self._log.unlink(missing_ok=True)
            return fresh, 0
        state = self._manager.restore(epoch, args=ocp.args.StandardRestore(jax.tree.map(_abstract, fresh)))
        # A run killed between its log line and its state repeats the epoch: its line must not appear twice.
        lines = self._log.read_text().splitlines(keepends=True) if self._log.exists() else []
        self._log.write_text("".join(line for line in lines if json.loads(line)["epoch"] <= epoch))
        assert isinstance(state, type(fresh))
        return state, epoch

    def store(self, state: Any, record: dict[str, Any]) -> None:
        """Appends a finished epoch's record to the log and stores the state; returns when both are on disk."""
        with self._log.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._manager.save(record["epoch"], args=ocp.args.StandardSave(state))
        self._manager.wait_until_finished()  # the next step donates the state's buffers


def settings(config: Any, images: np.ndarray, *others: np.ndarray) -> dict[str, Any]:
    """Returns what two runs must share to be one run: a dataclass's fields, and the data's shape and checksum.

    The folder may be moved, so the field ``out`` does not count.
    """
    found = {k: v for k, v in dataclasses.asdict(config).items() if k != "out"}
    digest = zlib.crc32(images.tobytes())
    for array in others:
        digest = zlib.crc32(array.tobytes(), digest)
    return json.loads(json.dumps(found | {"images": images.shape, "images_crc32": digest}))


def step_options() -> dict[str, Any] | None:
    """Returns the compiler options of a training step."""
    # XLA's YNNPACK convolutions halve the speed of a training step on CPU (jaxlib 0.10). Asked for here and not on
    # import, because looking at the backend starts it, which must not precede jax.distributed.initialize.
    return {"xla_cpu_experimental_ynn_fusion_type": ""} if jax.default_backend() == "cpu" else None


class Bar(Progress):
    """Steps done, time left and a few figures; prints nothing at all when it is not shown."""

    def __init__(self, shown: bool):
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        console = PlainConsole(quiet=not shown)
        super().__init__(
            *columns, "{task.fields[figures]}", console=console, disable=not shown, speed_estimate_period=120
        )

    def say(self, line: str) -> None:  # not ``print``: Progress sets that on every instance
        """Prints a line above the bar."""
        if not self.disable:
            self.console.print(line, soft_wrap=True)


def _abstract(leaf: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)


def _claim(file: pathlib.Path, wanted: dict[str, Any]) -> None:
    if file.exists():
        found = json.loads(file.read_text())
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name) != found.get(name):
                raise ValueError(
                    f"{file.parent} holds a training run with {name}={found.get(name)!r}, not {wanted.get(name)!r}: "
                    "resume it with its own settings or choose another folder."
                )
        return
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(wanted, indent=2) + "\n")
    os.replace(partial, file)
