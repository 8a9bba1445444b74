"""How the machine is used. Nothing here can change a claim."""

import dataclasses
from typing import Literal

from gsmooth_jax import _validate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Execution:
    """How the machine is used. No field changes a claim; a test says so.

    Attributes:
      rows: rows of a device batch, a multiple of the devices; each asks for the run's block votes of one image.
        None: 2048 votes a device; on CPU 256, or fewer of a network with much between its layers
        (``capacity.votes_on_cpu``). ``auto``: the most that fit the device's memory; on CPU as None.
      chunk: votes a row makes at once; divides the run's block. None: all of them.
      in_flight: batches on the device at once, so that the device never waits for the host.
      devices: how many local devices to use. None: all.
    """

    rows: int | Literal["auto"] | None = None
    chunk: int | None = None
    in_flight: int = 2
    devices: int | None = None

    def __post_init__(self):
        optional = {"rows": None if self.rows == "auto" else self.rows, "chunk": self.chunk, "devices": self.devices}
        given = {name: value for name, value in optional.items() if value is not None}
        _validate.at_least(1, in_flight=self.in_flight, **given)
