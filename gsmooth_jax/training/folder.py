"""A training run's folder: settings, log, Orbax states of the last epochs."""

import dataclasses
import json
import os
import pathlib
import zlib
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from gsmooth_jax.training.config import TrainConfig
from gsmooth_jax.training.step import TrainState


class RunFolder:
    """Claims a folder for one configuration and keeps its training state there; a context manager. Host."""

    def __init__(self, config: TrainConfig, images: np.ndarray, labels: np.ndarray):
        """Raises ValueError when the folder holds a run of other settings or other data."""
        self.path = pathlib.Path(config.out).absolute()
        self.path.mkdir(parents=True, exist_ok=True)
        _claim(self.path / "config.json", _settings(config, images, labels))
        self._log = self.path / "log.jsonl"
        options = ocp.CheckpointManagerOptions(max_to_keep=2)
        self._manager = ocp.CheckpointManager(self.path / "train_state", options=options)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def restore(self, fresh: TrainState) -> tuple[TrainState, int]:
        """Returns the last stored state and the number of epochs it has seen; ``fresh`` and 0 when there is none."""
        epoch = self._manager.latest_step()
        if epoch is None:
            self._log.unlink(missing_ok=True)
            return fresh, 0
        state = self._manager.restore(epoch, args=ocp.args.StandardRestore(jax.tree.map(_abstract, fresh)))
        # A run killed between its log line and its state repeats the epoch: its line must not appear twice.
        lines = self._log.read_text().splitlines(keepends=True) if self._log.exists() else []
        self._log.write_text("".join(line for line in lines if json.loads(line)["epoch"] <= epoch))
        assert isinstance(state, TrainState)
        return state, epoch

    def store(self, state: TrainState, record: dict[str, Any]) -> None:
        """Appends a finished epoch's record to the log and stores the state; returns when both are on disk."""
        with self._log.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self._manager.save(record["epoch"], args=ocp.args.StandardSave(state))
        self._manager.wait_until_finished()  # the next step donates the state's buffers


def _abstract(leaf: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)


def _settings(config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What two runs must share to be one run. The folder may be moved, so ``out`` does not count."""
    settings = {k: v for k, v in dataclasses.asdict(config).items() if k != "out"}
    digest = zlib.crc32(labels.tobytes(), zlib.crc32(images.tobytes()))
    return settings | {"images": list(images.shape), "images_crc32": digest}


def _claim(file: pathlib.Path, settings: dict[str, Any]) -> None:
    if file.exists():
        found = json.loads(file.read_text())
        for name in sorted(settings.keys() | found.keys()):
            if settings.get(name) != found.get(name):
                raise ValueError(
                    f"{file.parent} holds a training run with {name}={found.get(name)!r}, not {settings.get(name)!r}: "
                    "resume it with its own settings or choose another folder."
                )
        return
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(settings, indent=2) + "\n")
    os.replace(partial, file)
