"""The loop that every training is: epochs of steps in a random order, a bar, a record and a state after each. Host."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from gsmooth_jax.training import _run_folder

S = TypeVar("S")

_REFRESH = 20  # steps between looks at the device's sums, so that steps are dispatched ahead


@dataclasses.dataclass(frozen=True, kw_only=True)
class Epochs:
    """A training's outer shape.

    Attributes:
      folder: claimed for it; a run that was stopped goes on from there.
      count: epochs.
      steps: of an epoch.
      images: N, of which each epoch has an order.
      key: of the orders.
      progress: whether a bar is shown.
      on_epoch: called with every finished epoch's record.
    """

    folder: _run_folder.RunFolder
    count: int
    steps: int
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
        with self.folder as folder, _run_folder.Bar(self.progress) as bar:
            # Committed to its device, as a restored state is: else the two would be compiled for separately.
            state, done = folder.restore(jax.device_put(fresh(), jax.local_devices()[0]))
            total = self.count * self.steps
            task = bar.add_task("starting", total=total, completed=done * self.steps, figures="")
            for epoch in range(done + 1, self.count + 1):
                began, named = time.perf_counter(), f"epoch {epoch}/{self.count}"
                order = jax.random.permutation(jax.random.fold_in(self.key, epoch), self.images)
                bar.update(task, description=named)
                sums: Any = None
                for number in range(1, self.steps + 1):
                    state, found = step(state, order)
                    sums = found if sums is None else jax.tree.map(jnp.add, sums, found)
                    if number % _REFRESH == 0 or number == self.steps:
                        taken = (epoch - 1) * self.steps + number
                        bar.update(task, completed=taken, figures=figures(means(sums, number)))
                record = {"epoch": epoch, **means(sums, self.steps)}
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
