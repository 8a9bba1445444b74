"""Which device does which rows: a one-axis mesh over the local devices."""

from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

ROWS = "rows"


def row_mesh(devices: Sequence[Any] | None = None) -> Mesh:
    """Returns the mesh over which batches of rows are split; all local devices unless told."""
    devices = jax.local_devices() if devices is None else devices
    return jax.make_mesh((len(devices),), (ROWS,), axis_types=(AxisType.Auto,), devices=devices)


def by_rows(mesh: Mesh) -> NamedSharding:
    """Splits the leading axis over the mesh."""
    return NamedSharding(mesh, PartitionSpec(ROWS))


def replicated(mesh: Mesh) -> NamedSharding:
    """One whole copy a device."""
    return NamedSharding(mesh, PartitionSpec())
