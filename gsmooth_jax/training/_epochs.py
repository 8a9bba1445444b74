"""The loop that every training is: epochs of steps in a random order, a bar, a record and a state after each. Host."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp

from gsmooth_jax.training import _run_folder

S = TypeVar("S")

_REFRESH = 20  # steps between looks at the device's sums, so that steps are dispatched ahead


class Config(Protocol):
    """What every training's settings have: its folder, epochs, and images a step."""

    @property
    def out(self) -> str: ...

    @property
    def epochs(self) -> int: ...

    @property
    def batch_size(self) -> int: ...


@dataclasses.dataclass(frozen=True)
class Epochs:
    """A training's outer shape.

    Attributes:
      config: says where, how long, and in what steps.
      settings: what the folder is claimed with; a run of the same ones goes on there.
      images: N, of which each epoch has an order.
      key: of the orders.
      progress: whether a bar is shown.
      on_epoch: called with every finished epoch's record.
    """

    config: Config
    settings: dict[str, Any]
    images: int
    key: jax.Array
    progress: bool
    on_epoch: Callable[[dict[str, Any]], None] | None

    def run(
        self,
        fresh: Callable[[], S],
        step: Callable[[S, jax.Array], tuple[S, Any]],
        means: Callable[[Any, int], dict[str, float]],
        finish: Callable[[S, dict[str, Any]], dict[str, Any]],
        figures: Callable[[dict[str, Any]], str],
    ) -> S:
        """Returns the state after the last epoch.

        Args:
          fresh: the state before the first step.
          step: takes a state, which it may donate, and the order [N] of the epoch; returns the next one, and numbers.
          means: of the sums of these numbers over so many steps; waits for the device, and raises where they make no
            sense.
          finish: saves what an epoch has come to; takes its record, of means and seconds, and returns all of it.
          figures: a record in words, or as much of it as there is.
        """
        count, steps = self.config.epochs, self.images // self.config.batch_size
        claimed = _run_folder.RunFolder(self.config.out, self.settings)
        with claimed as folder, _run_folder.Bar(self.progress) as bar:
            # Committed to its device, as a restored state is: else the two would be compiled for separately.
            state, done = folder.restore(jax.device_put(fresh(), jax.local_devices()[0]))
            task = bar.add_task("starting", total=count * steps, completed=done * steps, figures="")
            for epoch in range(done + 1, count + 1):
                began, named = time.perf_counter(), f"epoch {epoch}/{count}"
                order = jax.random.permutation(jax.random.fold_in(self.key, epoch), self.images)
                bar.update(task, description=named)
                sums: Any = None
                for number in range(1, steps + 1):
                    state, found = step(state, order)
                    sums = found if sums is None else jax.tree.map(jnp.add, sums, found)
                    if number % _REFRESH == 0 or number == steps:
                        taken = (epoch - 1) * steps + number
                        bar.update(task, completed=taken, figures=figures(means(sums, number)))
                record = {"epoch": epoch, **means(sums, steps)}
                record["train_seconds"] = round(time.perf_counter() - began, 2)
                record = finish(state, record)
                folder.store(state, record)
                bar.say(f"{named}: {figures(record)}, {record['train_seconds']} s")
                if self.on_epoch is not None:
                    self.on_epoch(record)
        return state


def plain(record: dict[str, Any]) -> str:
    """A record's numbers by their names."""
    return ", ".join(f"{name} {value}" for name, value in record.items() if name not in ("epoch", "train_seconds"))


def mean(name: str, digits: int, total: jax.Array, steps: int) -> dict[str, float]:
    """The mean of what steps have lost, under its name. Waits for the device.

    Raises:
      FloatingPointError: it is no longer finite.
    """
    found = float(total) / steps
    if not math.isfinite(found):
        raise FloatingPointError(f"The {name} is {found}: lower the learning rate.")
    return {name: round(found, digits)}
